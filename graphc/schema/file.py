"""The whole schema: a file with its metadata, blocks, variants and expectations."""

from __future__ import annotations

from graphc.demands import LONGEST_PERIOD
from graphc.schema.calls import KINDS
from graphc.schema.initial import initial
from graphc.schema.pieces import (
    NUMBER,
    SCALAR,
    Json,
    array,
    described,
    either,
    one_of,
    pieces,
    record,
    ref,
    table,
    whole,
)
from graphc.schema.scope import Scope
from graphc.schema.steps import steps
from graphc.schema.tables import tables

MOST = 10**18
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def file_schema(scope: Scope) -> Json:
    """The schema of a file whose names are those of a scope."""
    return {
        "$schema": DIALECT,
        "title": scope.title,
        **record({**_metadata(), **_variants(scope), **_body(scope)}, ["graphc", "name"]),
        "if": {"not": {"required": ["extends"]}},
        "then": {"dependentRequired": {"graph": ["inputs"], "inputs": ["graph"]}},
        "$defs": {**pieces(), **_definitions(scope), **steps(scope), **initial(), **tables()},
    }


def _metadata() -> dict[str, Json]:
    texts = {key: ref("text") for key in ("title", "authors", "arxiv")}
    return {
        "graphc": described("The version of the language.", {"const": 1}),
        "name": ref("name"),
        "title": ref("text"),
        "paper": described("Where the architecture comes from.", record({**texts, "year": whole(1900, 2100)})),
        "doc": ref("text"),
        "use": described("Files whose blocks and variants are used here, as `name.block`.", table({"type": "string"})),
        "extends": described(
            "A file that this one goes on from: mappings merge, graphs are appended.", {"type": "string"}
        ),
    }


def _variants(scope: Scope) -> dict[str, Json]:
    """Parameters, the variants that set them and examples, and what each variant must come to."""
    sizes = dict.fromkeys(scope.dims, whole(1, MOST))
    settings = table(ref("argument")) if scope.settings is None else record({**scope.settings, **sizes})
    default = ref("text") if scope.variants is None else one_of(scope.variants)
    return {
        "params": ref("params"),
        "variants": described(
            "Each sets parameters of the file, and examples of its free sizes; {} sets nothing.", table(settings)
        ),
        "default": described("The variant that is meant where none is named.", default),
        "dims": described("The free sizes of the inputs, each with an example.", table(ref("dim"), scope.dims)),
        "expect": described("What the paper or a reference implementation has.", _expectations(scope.variants)),
    }


def _expectations(variants: tuple[str, ...] | None) -> Json:
    """An expectation, or one for each variant."""
    if variants is None:
        return either(ref("expectation"), table(ref("expectation")))
    return record(dict.fromkeys(variants, ref("expectation"))) if variants else ref("expectation")


def _body(scope: Scope) -> dict[str, Json]:
    """What the file computes."""
    shared, outputs, graph, inputs = (ref(key) for key in ("shared", "outputs", "graph", "file_inputs"))
    objective = record({"loss": ref("expression"), "trains": {**ref("paths"), "minItems": 1}}, ["loss", "trains"])
    losses = either(table(ref("expression")), table(objective))
    training = {"inputs": inputs, "shared": shared, "graph": graph, "losses": losses, "frozen": ref("paths")}
    sampling = {"inputs": inputs, "shared": shared, "graph": graph, "outputs": outputs}
    return {
        "inputs": inputs,
        "shared": shared,
        "blocks": described("Blocks, used exactly like ops.", table(ref("block"))),
        "graph": graph,
        "outputs": {**outputs, "properties": dict.fromkeys(scope.outputs or (), ref("expression"))},
        "training": described("What exists only in training, and the losses.", record(training)),
        "sampling": described("How samples are drawn.", record(sampling)),
        "init": ref("init"),
        "weights": ref("weights"),
    }


def _definitions(scope: Scope) -> dict[str, Json]:
    """The definitions of a file's parts, but for its steps."""
    params, outputs = described("Each with its kind, or with its default.", table(ref("param"))), ref("outputs")
    inputs = either(table(ref("input")), {"type": "array", "maxItems": 0})
    block = {
        "doc": ref("text"),
        "params": ref("params"),
        "inputs": inputs,
        "shared": ref("shared"),
        "graph": ref("graph"),
    }
    return {
        "params": params,
        "param": either(one_of(KINDS), {"type": [*SCALAR, "array"]}, ref("step_argument")),
        "argument": either(ref("text"), array({}), ref("step_argument")),
        "dim": _dim(),
        "file_input": _input(array(_size(scope))),
        "file_inputs": described("The inputs, each with its shape.", table(ref("file_input"))),
        "input": described("A new name binds the size that comes in.", _input(ref("shape"), "list", "optional")),
        "shared": described("Modules that are used several times.", table(ref("step_argument"))),
        "block": record({**block, "outputs": outputs}, ["graph"]),
        "outputs": described("Values by name.", table(ref("expression"))),
        "paths": described("Paths of parts of the network.", array({"type": "string"})),
        "expectation": _expectation(scope),
    }


def _dim() -> Json:
    """A free size: its example, perhaps with a rule."""
    example, least = described("An example, with which figures are computed.", whole(1)), whole(1)
    rule = {"example": example, "multiple": whole(1, LONGEST_PERIOD), "plus": whole(0), "min": least}
    return either(example, record(rule, ["example"]))


def _size(scope: Scope) -> Json:
    """A size in the shape of a file's input: all of them are given, no `...`."""
    return {**either(one_of([*scope.dims, *(scope.settings or ())]), ref("size")), "not": {"const": "..."}}


def _input(shape: Json, *words: str) -> Json:
    """An input: its shape, its shape and type, or one of some words."""
    forms = [shape, record({"shape": shape, "dtype": ref("dtype")}, ["shape"])]
    return either(*forms, *([one_of(words)] if words else []))


def _expectation(scope: Scope) -> Json:
    """Counts are whole numbers; MACs count to the digits written."""
    outputs = table(ref("shape")) if scope.outputs is None else record(dict.fromkeys(scope.outputs, ref("shape")))
    return record({"params": _COUNT, "training_params": _COUNT, "macs": NUMBER, "outputs": outputs})


_COUNT = whole(0, MOST)
