"""What may stand behind the name of a step: the attributes of an op, the parameters of a block."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from inspect import cleandoc
from itertools import chain
from typing import get_args

from graphc.distributions import Distribution
from graphc.ops import Op
from graphc.reader.scalars import plain
from graphc.schema.pieces import TEXT, Json, array, described, either, record, ref
from graphc.source import Scalar, Sequence, Tree
from graphc.spec import ParameterKind

EXPRESSION: Json = {"type": "string", "description": "An expression."}
PLACEHOLDER: Json = {"type": "string", "description": "A parameter, as `$name`.", "pattern": "\\$"}
ARGUMENTS: dict[str, Json] = {
    "int": either({"type": "integer"}, EXPRESSION),
    "size": either({"type": "integer"}, EXPRESSION),
    "float": either({"type": "number"}, EXPRESSION),
    "bool": either({"type": "boolean"}, EXPRESSION),
    "text": either(TEXT),
    "list": either(array({}), EXPRESSION),
    "step": ref("step_argument"),
    "any": either(TEXT, array({})),
}
"""By the kind of a parameter, what may be given for it."""
PLACED = ("step", "text", "any")
"""The kinds of parameters that can be a step; a text may name an op that only another version has."""
KINDS: tuple[str, ...] = get_args(ParameterKind)
_TYPES: dict[type, str] = {bool: "bool", int: "int", float: "float"}


@dataclass(frozen=True, slots=True)
class Call:
    """What may stand behind a name: in a graph, and where more may be given later. Nothing required: both the same."""

    doc: str
    complete: Json
    partial: Json

    @property
    def bare(self) -> bool:
        """Whether a graph may have the name alone."""
        return self.complete is self.partial


ANYTHING: Json = {}
PARAMETER = Call("A parameter that is an op or a block.", ANYTHING, ANYTHING)


@cache
def call_of_class(kind: type[Op] | type[Distribution]) -> Call:
    """An op or a distribution with its attributes, each as its class declares it or an expression."""
    declared = kind.model_json_schema()
    attributes = {name: _attribute(schema) for name, schema in declared["properties"].items()}
    others = declared.get("additionalProperties")
    named = record(attributes)
    if others:
        named["additionalProperties"] = others if others is True else _or_expression(others)
    return _call(cleandoc(kind.__doc__ or ""), named, declared.get("required", []), kind.main)


def call_of_block(
    doc: str, params: Mapping[str, Tree], is_step: Callable[[str], bool], given: Container[str] = ()
) -> Call:
    """A block or a file with its parameters; those `given`, by a variant, are not required."""
    attributes = {name: _parameter(tree, is_step) for name, tree in params.items()}
    required = [name for name, tree in params.items() if declared_kind(tree) and name not in given]
    return _call(doc, record(attributes), required, next(iter(params), None))


def _call(doc: str, attributes: Json, required: list[str], main: str | None) -> Call:
    """Arguments are given by name, the main one alone, or not at all."""
    named = described(doc, attributes)
    alone = attributes["properties"].get(main)
    partial = _forms(named, ["object", "null"], alone)
    if not required:
        return Call(doc, partial, partial)
    complete = _forms({**named, "required": required}, ["object"], alone if required == [main] else None)
    return Call(doc, complete, partial)


def _forms(named: Json, types: list[str], alone: Json | None) -> Json:
    """A value of one of the types, or the main argument alone; only a step can itself be a mapping."""
    kept = {key: value for key, value in named.items() if key != "type"}
    if alone is None:
        return {**kept, "type": types}
    if "$ref" in alone:
        return either({**kept, "type": types}, alone)
    return {**kept, **either({"type": types}, alone)}


def _attribute(schema: Json) -> Json:
    """An attribute: what its class declares, or an expression; its default and its description stay outside."""
    outside: Json = {key: schema[key] for key in ("description", "default") if key in schema}
    return {**outside, **_or_expression({key: value for key, value in schema.items() if key not in outside})}


def _or_expression(schema: Json) -> Json:
    """The schema, or a text: an expression. Where a text is expected, text is text, but for a `$` in it."""
    choices = list(_choices(schema))
    return either(*choices, PLACEHOLDER if any(map(_is_word, choices)) else EXPRESSION)


def _choices(schema: Json) -> Iterator[Json]:
    """The kinds of values that a schema takes; the items of a list may be expressions too."""
    if "anyOf" in schema:
        yield from chain.from_iterable(map(_choices, schema["anyOf"]))
        return
    choice = {key: value for key, value in schema.items() if key != "title"}
    if "items" in schema:
        choice["items"] = _or_expression(schema["items"])
    if "prefixItems" in schema:
        choice["prefixItems"] = list(map(_or_expression, schema["prefixItems"]))
    yield choice


def _is_word(schema: Json) -> bool:
    """Whether a value is one of some texts."""
    return schema.get("type") == "string" and ("enum" in schema or "const" in schema)


def _parameter(tree: Tree, is_step: Callable[[str], bool]) -> Json:
    """What may be given for a parameter, and its default."""
    schema = ARGUMENTS[kind_of(tree, is_step)]
    if isinstance(tree, Scalar) and not declared_kind(tree):
        return {**schema, "default": plain(tree)}
    return schema


def declared_kind(tree: Tree) -> str | None:
    """The kind that a parameter without a default declares."""
    if isinstance(tree, Scalar) and not tree.quoted and tree.text in KINDS:
        return tree.text
    return None


def kind_of(tree: Tree, is_step: Callable[[str], bool]) -> str:
    """The kind of a parameter: as declared, else that of its default ("any" where that is an expression)."""
    declared = declared_kind(tree)
    if declared or not isinstance(tree, Scalar):
        return declared or ("list" if isinstance(tree, Sequence) else "step")
    value = plain(tree)
    if not isinstance(value, str):
        return _TYPES.get(type(value), "any")
    if tree.text.startswith("$") and not tree.quoted:
        return "any"
    return "step" if is_step(value) else "text"
