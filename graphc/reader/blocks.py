"""Blocks: parameters, inputs, a graph and outputs."""

from __future__ import annotations

from typing import get_args

from graphc.diagnostics import did_you_mean
from graphc.reader.pieces import Pieces
from graphc.reader.steps import read_steps
from graphc.reader.unused import unused
from graphc.source import Mapping, Scalar, Sequence, Tree
from graphc.spec import Block, Module, Parameter, ParameterKind, Pattern
from graphc.tensor import DType

BLOCK_KEYS = ("doc", "params", "inputs", "shared", "graph", "outputs")
_KINDS: tuple[ParameterKind, ...] = get_args(ParameterKind)
_DTYPES: tuple[DType, ...] = get_args(DType)


def read_block(to: Pieces, name: Scalar, tree: Tree) -> Block | None:
    """A block of the file."""
    if to.kind(tree, Mapping, f"the block {name.text}") is None:
        return None
    to.fields(tree, f"the block {name.text}", BLOCK_KEYS)
    block = read_body(to, name.text, tree)
    if isinstance(tree, Mapping) and "graph" not in tree.values:
        to.report("E203", f"the block {name.text} needs a `graph`", name.span)
    return block


def read_body(to: Pieces, name: str, tree: Tree) -> Block:
    """What a block and a file have in common."""
    fields = tree.values if isinstance(tree, Mapping) else {}
    to.unused += unused(tree, to.inside) if isinstance(tree, Mapping) else ()
    groups = {"params": "a parameter", "inputs": "an input", "shared": "a shared module"}
    to.distinct(*((what, fields.get(key)) for key, what in groups.items()))
    return Block(
        name=name,
        file=to.file,
        span=tree.span,
        doc=to.text(fields.get("doc"), "doc"),
        params=to.names(fields.get("params"), lambda key, value: _parameter(to, key, value), "params"),
        inputs=read_inputs(to, fields["inputs"]) if "inputs" in fields else None,
        shared=read_shared(to, fields.get("shared")),
        graph=read_steps(to, fields.get("graph"), "graph"),
        outputs=to.names(fields.get("outputs"), lambda _, value: to.formula(value, "an output"), "outputs"),
    )


def read_inputs(to: Pieces, tree: Tree | None) -> dict[str, Pattern]:
    """The inputs of a block, of a file or of its training; `[]` is none."""
    if isinstance(tree, Sequence) and not tree.items:
        return {}
    return to.names(tree, lambda key, value: _pattern(to, key, value), "inputs", "inputs: {features: [N, C, H, W]}")


def require_whole(to: Pieces, inputs: dict[str, Pattern]) -> None:
    """What comes from outside is a value whose sizes are all named."""
    for pattern in inputs.values():
        if pattern.rest:
            to.report("E207", "an input of the whole network has all its sizes: no `...`", pattern.span)
        elif pattern.kind != "value":
            to.report("E207", "an input of the whole network is a value: give its shape", pattern.span)


def read_shared(to: Pieces, tree: Tree | None) -> dict[str, Module]:
    """Modules that are used in several places."""
    return to.names(tree, Module, "shared", "shared: {head: {linear: 10}}")


def _parameter(to: Pieces, name: Scalar, tree: Tree) -> Parameter:
    if not isinstance(tree, Scalar) or tree.quoted:
        return Parameter(name.text, None, tree, tree.span)
    if tree.is_empty:
        to.report("E203", f"the parameter `{name.text}` needs a kind or a default", name.span, f"{name.text}: int")
    kind = next((kind for kind in _KINDS if kind == tree.text), None)
    return Parameter(name.text, kind, None if kind else tree, tree.span)


def _pattern(to: Pieces, name: Scalar, tree: Tree) -> Pattern:
    shape: Tree | None = tree
    dtype: DType | None = None
    if isinstance(tree, Scalar) and tree.text in ("list", "optional"):
        return Pattern(name.text, tree.span, kind="list" if tree.text == "list" else "optional")
    if isinstance(tree, Mapping):
        fields = to.fields(tree, f"the input {name.text}", ("shape", "dtype"))
        shape = fields.get("shape")
        if shape is None:
            to.report("E203", f"the input {name.text} needs a `shape`", name.span)
        dtype = _dtype(to, fields["dtype"]) if "dtype" in fields else None
    items = to.items(shape, f"the shape of {name.text}", f"{name.text}: [N, C, H, W]")
    rest = bool(items) and isinstance(items[0], Scalar) and items[0].text == "..."
    sizes = (to.formula(item, "a size") for item in items[rest:])
    return Pattern(name.text, tree.span, tuple(size for size in sizes if size), rest, dtype)


def _dtype(to: Pieces, tree: Tree) -> DType | None:
    text = to.text(tree, "dtype")
    for known in _DTYPES:
        if text == known:
            return known
    if isinstance(tree, Scalar):
        hint = did_you_mean(text, _DTYPES, f"known are {', '.join(_DTYPES)}")
        to.report("E207", f"unknown dtype `{text}`", tree.span, hint)
    return None
