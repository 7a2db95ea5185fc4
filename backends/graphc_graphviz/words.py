"""What a picture says of an op or a block, in few words: `3×3, 64, stride 2`."""

from __future__ import annotations

from collections.abc import Mapping

from graphc.graph import Graph, Node, Paper, Scope
from graphc.ops.base import extent

LEFT_OUT = frozenset({"bias", "eps", "momentum", "padding"})
"""Attributes that no figure of a paper shows."""
EXTENTS = ("kernel_size", "output_size")
"""Attributes that are sizes in space: 3×3."""


def op_words(node: Node) -> str:
    """The op's name, where the step's own does not say it, and the attributes that differ from their defaults."""
    op, fields = node.op, type(node.op).model_fields
    main = op.main if op.main in node.written else None
    values = {name: getattr(op, name) for name in fields}
    changed = {name: value for name, value in values.items() if name == main or value != fields[name].default}
    own = "" if _unnumbered(node.name) == op.name else op.name
    return _joined(own, changed, main, len(node.output.type.space))


def block_words(scope: Scope) -> str:
    """The block's name, where the step's own does not say it, and the numbers that the caller gave it.

    What is 0, 1 or false says nothing, except in the first place.
    """
    given = {name: bound.value for name, bound in scope.bindings.items() if bound.given}
    numbers = {name: value for name, value in given.items() if isinstance(value, int | float)}
    main = next((name for name in numbers if name not in EXTENTS), None)
    telling = {name: value for name, value in numbers.items() if name == main or value not in (0, 1)}
    own = "" if scope.kind != "block" or _unnumbered(scope.name) == scope.label else scope.label
    return _joined(own, telling, main, max((len(value.type.space) for value in scope.inputs.values()), default=1))


def title(graph: Graph) -> str:
    """The title, and the variant's name where the title does not say it."""
    said = "".join(filter(str.isalnum, graph.title.lower()))
    parts = (graph.title, "" if said == graph.name.lower() else graph.name)
    return " · ".join(filter(None, parts))


def reference(paper: Paper) -> str:
    """A paper as a list of references has it."""
    year = str(paper.year) if paper.year else ""
    arxiv = f"arXiv:{paper.arxiv}" if paper.arxiv else ""
    return ", ".join(filter(None, (paper.authors, paper.title, year, arxiv)))


def _joined(name: str, values: Mapping[str, object], main: str | None, axes: int) -> str:
    shown = (attribute for attribute in values if attribute not in LEFT_OUT)
    ordered = sorted(shown, key=lambda attribute: (attribute not in EXTENTS, attribute != main))
    words = ", ".join(_words(attribute, values[attribute], attribute == main, axes) for attribute in ordered)
    return f"{name} {words}".strip()


def _words(name: str, value: object, is_main: bool, axes: int) -> str:
    spoken = name.replace("_", " ")
    match value:
        case bool():
            return spoken if value else f"no {spoken}"
        case int() | tuple() if name in EXTENTS:
            return "×".join(map(str, extent(value, max(axes, 1))))
        case tuple():
            value = "×".join(map(str, value))
    return str(value) if is_main else f"{spoken} {value}"


def _unnumbered(name: str) -> str:
    """A step's name without the number that tells it from others of that name."""
    stem, _, number = name.rpartition("_")
    return stem if number.isdigit() else name
