"""A whole file: a block with metadata, variants, free sizes and expectations."""

from __future__ import annotations

from collections.abc import Collection
from typing import get_args

from graphc.demands import LONGEST_PERIOD, Rule
from graphc.diagnostics import did_you_mean, listed
from graphc.graph import Figure, FreeSize, Paper
from graphc.reader.blocks import read_block, read_body, require_whole
from graphc.reader.parts import read_sampling, read_training
from graphc.reader.pieces import Pieces
from graphc.reader.scalars import plain
from graphc.reader.tables import read_tables
from graphc.reader.unused import read_inside
from graphc.source import Mapping, Scalar, Tree
from graphc.spec import Block, Expectation, ExpectedOutput, Spec

FILE_KEYS = (
    *("graphc", "name", "title", "paper", "doc", "use", "extends", "params", "variants", "default", "dims"),
    *("inputs", "shared", "blocks", "graph", "outputs", "expect", "training", "sampling", "init"),
    "weights",
)

FIGURES: tuple[Figure, ...] = get_args(Figure)


def read_file(to: Pieces, tree: Tree, digest: str) -> Spec | None:
    """The spec that a tree says; None where it is no mapping at all."""
    root = to.kind(tree, Mapping, "a spec")
    if root is None:
        return None
    top = to.fields(root, "a spec", FILE_KEYS)
    to.inside = read_inside(root)
    main = _main(to, root)
    used = to.names(top.get("use"), lambda _, value: to.kind(value, Scalar, "a file"), "use", "use: {fpn: fpn.yaml}")
    groups = {"use": "a file", "blocks": "a block", "variants": "a variant"}
    to.distinct(*((what, top.get(key)) for key, what in groups.items()))
    sizes = to.names(top.get("dims"), lambda key, value: _size(to, key, value), "dims")
    variants = _variants(to, top.get("variants"), main, sizes)
    blocks = to.names(top.get("blocks"), lambda key, value: read_block(to, key, value), "blocks")
    return Spec(
        name=main.name,
        title=to.text(top.get("title"), "title"),
        paper=_paper(to, top.get("paper")),
        main=main,
        blocks=blocks,
        variants=variants,
        default=_default(to, top.get("default"), variants),
        sizes=sizes,
        expect=_expectations(to, top.get("expect"), variants),
        training=read_training(to, top.get("training")),
        sampling=read_sampling(to, top.get("sampling")),
        init=to.kind(top.get("init"), Mapping, "init", "init: {conv2d: {normal: {std: 0.02}}}"),
        weights=read_tables(to, top.get("weights")),
        used=used,
        span=root.span,
        digest=digest,
        tree=root,
        unused=tuple(to.unused),
    )


def _main(to: Pieces, root: Mapping) -> Block:
    """The file as a block."""
    version, name = root.values.get("graphc"), root.values.get("name")
    if version is None:
        to.report("E203", "a spec begins with the version of the language", root.span, "graphc: 1")
    elif not (isinstance(version, Scalar) and version.text == "1"):
        to.report("E207", "the version of the language is 1", version.span, "graphc: 1")
    if name is None:
        to.report("E203", "a spec needs a `name`", root.span)
    if isinstance(name, Scalar):
        to.new_name(name)
    main = read_body(to, to.text(name, "name"), root)
    if "graph" in root.values and "inputs" not in root.values:
        to.report(
            "E203", "a spec with a graph needs `inputs`", root.keys["graph"].span, "inputs: {image: [N, 3, H, W]}"
        )
    groups = {"dims": "a free size", "params": "a parameter", "inputs": "an input"}
    to.distinct(*((groups[key], root.values.get(key)) for key in ("dims", "params")))
    to.distinct(*((groups[key], root.values.get(key)) for key in ("dims", "inputs")))
    require_whole(to, main.inputs or {})
    return main


def _variants(to: Pieces, tree: Tree | None, main: Block, sizes: Collection[str]) -> dict[str, Mapping]:
    """What each variant sets: parameters of the file, and examples of its free sizes."""
    variants = to.names(tree, lambda _, value: to.kind(value, Mapping, "a variant", "{} sets nothing"), "variants")
    for variant in variants.values():
        for text, key in variant.keys.items():
            if text not in main.params and text not in sizes:
                hint = did_you_mean(text, main.params, f"its parameters are {listed(list(main.params))}")
                to.report("E402", f"the spec has no parameter `{text}`", key.span, hint)
    return variants


def _default(to: Pieces, tree: Tree | None, variants: Collection[str]) -> str | None:
    scalar = to.kind(tree, Scalar, "default")
    if scalar is None:
        return next(iter(variants), None)
    if scalar.text not in variants:
        hint = did_you_mean(scalar.text, variants, f"the variants are {listed(list(variants))}")
        to.report("E206", f"no variant `{scalar.text}`", scalar.span, hint)
    return scalar.text


def _paper(to: Pieces, tree: Tree | None) -> Paper | None:
    if tree is None:
        return None
    fields = to.fields(tree, "paper", ("title", "authors", "year", "arxiv"))
    title, authors, arxiv = (to.text(fields.get(key), key) for key in ("title", "authors", "arxiv"))
    return Paper(title, authors, to.number(fields.get("year"), "year", 1900, 2100), arxiv)


def _size(to: Pieces, name: Scalar, tree: Tree) -> FreeSize:
    """A free size with its example: a number, or a mapping with a rule; one without a rule where it is wrong."""
    if isinstance(tree, Scalar):
        number = to.number(tree, f"the example of {name.text}", 1)
        return FreeSize(name.text, number or 1, Rule(), frozenset(), tree.span)
    before = len(to.found)
    fields = to.fields(tree, f"the dim {name.text}", ("example", "multiple", "plus", "min"))
    multiple = to.number(fields.get("multiple"), "multiple", 1, LONGEST_PERIOD) or 1
    plus = to.number(fields.get("plus"), "plus", 0) or 0
    rule = Rule(multiple, plus % multiple, to.number(fields.get("min"), "min", 1) or 1)
    example = to.number(fields.get("example"), "example", 1)
    if example is None and len(to.found) == before:
        hint = "H: {multiple: 32, example: 224}"
        to.report("E203", f"the dim {name.text} needs an `example`", name.span, hint, lost=False)
    elif example is not None and len(to.found) == before and example not in rule:
        to.report("E207", f"the example {example} of {name.text} is not {rule}", fields["example"].span)
    if len(to.found) > before or example is None:
        return FreeSize(name.text, example or 1, Rule(), frozenset(), tree.span)
    return FreeSize(name.text, example, rule, frozenset(fields) - {"example"}, tree.span)


def _expectations(to: Pieces, tree: Tree | None, variants: Collection[str]) -> dict[str, Expectation]:
    """By variant; under no name where the file has no variants."""
    if tree is None:
        return {}
    if not variants:
        return {"": _expectation(to, tree)}
    return {key.text: _expectation(to, value) for key, value in to.pairs(tree, "expect", variants)}


def _expectation(to: Pieces, tree: Tree) -> Expectation:
    fields = to.fields(tree, "an expectation", (*FIGURES, "outputs"))
    figures = {figure: _figure(to, fields, figure) for figure in FIGURES}
    outputs = to.names(fields.get("outputs"), lambda key, value: _output(to, key, value), "outputs")
    return Expectation({figure: scalar for figure, scalar in figures.items() if scalar}, outputs)


def _figure(to: Pieces, fields: dict[str, Tree], what: Figure) -> Scalar | None:
    """A count as it is written: whole, or, for MACs, with an exponent."""
    scalar = to.kind(fields.get(what), Scalar, what)
    if scalar is None:
        return None
    number = plain(scalar)
    if isinstance(number, bool) or not isinstance(number, (int, float) if what == "macs" else int):
        kind = "a number" if what == "macs" else "a whole number"
        to.report("E207", f"{what} must be {kind}, not `{scalar.text}`", scalar.span)
        return None
    return scalar


def _output(to: Pieces, name: Scalar, tree: Tree) -> ExpectedOutput:
    return ExpectedOutput(to.formulas(tree, f"the shape of {name.text}"), name)
