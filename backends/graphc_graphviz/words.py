"""What a picture says of an op or a block, in few words: `3×3, 64, stride 2`."""

from __future__ import annotations

from collections.abc import Mapping

from graphc.graph import Node, Paper, Scope
from graphc.ops.base import extent

LEFT_OUT = frozenset({"bias", "eps", "momentum", "padding"})
"""Attributes that no figure of a paper shows."""
EXTENTS = ("kernel_size", "output_size")
"""Attributes that are sizes in space: 3×3."""


def op_words(node: Node) -> str:
    """The attributes that the spec set, without those of `LEFT_OUT`."""
    fields = type(node.op).model_fields
    values = {name: getattr(node.op, name) for name in fields}
    main = node.op.main if node.op.main in node.written else None
    changed = {name: value for name, value in values.items() if name == main or value != fields[name].default}
    axes = max(1, len(node.output.type.space))
    return _joined(changed, node.op.main, axes)


def op_name(node: Node) -> str:
    """The op's name, where the step's own does not say it already."""
    own = node.name.rstrip("0123456789").rstrip("_")
    return "" if node.op.name in (own, node.name) else node.op.name


def block_words(scope: Scope) -> str:
    """The numbers that the caller gave a block; what is 0, 1 or false says nothing."""
    given = {name: bound.value for name, bound in scope.bindings.items() if bound.given}
    numbers = {name: value for name, value in given.items() if isinstance(value, int | float)}
    main = next((name for name in numbers if name not in EXTENTS), None)
    telling = {name: value for name, value in numbers.items() if name == main or value not in (0, 1)}
    axes = max((len(value.type.space) for value in scope.inputs.values()), default=1)
    return _joined(telling, main, max(1, axes))


def reference(paper: Paper) -> str:
    """A paper as a list of references has it."""
    year = str(paper.year) if paper.year else ""
    arxiv = f"arXiv:{paper.arxiv}" if paper.arxiv else ""
    return ", ".join(filter(None, (paper.authors, paper.title, year, arxiv)))


def _joined(values: Mapping[str, object], main: str | None, axes: int) -> str:
    shown = (name for name in values if name not in LEFT_OUT)
    ordered = sorted(shown, key=lambda name: (name not in EXTENTS, name != main))
    return ", ".join(_words(name, values[name], name == main, axes) for name in ordered)


def _words(name: str, value: object, is_main: bool, axes: int) -> str:
    if name in EXTENTS and isinstance(value, int | tuple):
        return "×".join(map(str, extent(value, axes)))
    if isinstance(value, bool):
        return _spaced(name) if value else f"no {_spaced(name)}"
    text = "×".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return text if is_main else f"{_spaced(name)} {text}"


def _spaced(name: str) -> str:
    return name.replace("_", " ")
