"""All that is known of one op."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from graphc.backends import lowering
from graphc.diagnostics import SpecError
from graphc.opmanual.docstring import docstring
from graphc.opmanual.example import graph_of, spec_of, step_of
from graphc.opmanual.fields import meanings, types
from graphc.opmanual.measured import Held, cost, held, shapes
from graphc.ops import Op, Slot

if TYPE_CHECKING:
    from graphc.graph import Graph


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute: what it takes, its default as a spec has it ("" where it must be given), and its meaning."""

    name: str
    takes: str
    default: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What the manual says of an op. Of an op whose example does not work, `problem` says why, and less is known.

    `main` is the attribute that a step can have alone, if any; `step` the example, `spec` the same as a whole spec.
    """

    name: str
    summary: str
    details: str
    operands: tuple[Slot, ...]
    attributes: tuple[Attribute, ...]
    main: str
    step: str
    spec: str
    shapes: str
    weights: tuple[Held, ...]
    cost: str
    sources: tuple[str, ...]
    backends: Mapping[str, str]
    problem: str = ""

    def data(self) -> dict[str, object]:
        """The same, as JSON can have it."""
        return asdict(self)


def entry(op: type[Op]) -> Entry:
    """What is known of an op: from its class, from its example, and from the backends that say what they make of it."""
    said = docstring(op)
    graph, problem = _example(op)
    node = graph.nodes[-1] if graph else None
    return Entry(
        name=op.name,
        summary=said.summary,
        details=said.details,
        operands=op.slots(),
        attributes=tuple(_attributes(op)),
        main=_alone(op),
        step=step_of(op),
        spec=spec_of(op),
        shapes=shapes(node) if node else "",
        weights=tuple(held(node)) if node else (),
        cost=cost(node) if node else "",
        sources=said.sources,
        backends={name: _told(lowers, graph) for name, lowers in sorted(lowering().items(), reverse=True)},
        problem=problem,
    )


def _alone(op: type[Op]) -> str:
    """The attribute that a step may have alone: the main one, where no other must be given."""
    needed = {name for name, field in op.model_fields.items() if field.is_required()}
    return op.main if op.main and needed <= {op.main} else ""


def _attributes(op: type[Op]) -> Iterator[Attribute]:
    meaning, takes = meanings(op), types(op)
    for name, field in op.model_fields.items():
        default = "" if field.is_required() else _written(field.default)
        yield Attribute(name, takes[name], default, meaning.get(name, ""))


def _written(value: object) -> str:
    """A default as a spec has it."""
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else f"{value}"


def _example(op: type[Op]) -> tuple[Graph | None, str]:
    """The graph of the example, or what is wrong with it."""
    try:
        return graph_of(op), ""
    except SpecError as error:
        return None, error.diagnostics[0].message


def _told(lowers: Callable[[Graph], str], graph: Graph | None) -> str:
    """What a backend makes of the example, or why it can't."""
    if graph is None:
        return "not known: the example does not work"
    try:
        return lowers(graph)
    except SpecError as error:
        return f"no lowering: {error.diagnostics[0].message}"
