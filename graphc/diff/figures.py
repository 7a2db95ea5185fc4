"""What both graphs cost, as a whole and block by block; at the example sizes of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from graphc.cost import activations, fields, memory
from graphc.cost.examples import Examples
from graphc.diff.matching import Matching
from graphc.diff.side import Piece, Side
from graphc.graph import Graph, Node, Scope, Value


@dataclass(frozen=True, slots=True)
class Figures:
    """Of a graph or a block: parameters, MACs (None where an op has no rule), bytes of its activations.

    `field` is the receptive field of what comes last, along each axis: "427×427"; empty where there is none.
    """

    params: int = 0
    macs: int | None = 0
    activations: int = 0
    field: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A block of both graphs, or of one: the paths, and the figures."""

    before: str
    after: str
    old: Figures | None
    new: Figures | None


@dataclass(frozen=True, slots=True)
class Totals:
    """The figures of a whole graph; `peak` and `saved` are bytes at inference and for the backward pass."""

    figures: Figures
    peak: int
    saved: int | None


def totals(graph: Graph) -> Totals:
    """The figures of a graph."""
    counted = _Counted.of(graph)
    used = memory(graph)
    last = next(iter(graph.outputs.values()), None)
    return Totals(counted.figures(graph.nodes, last), used.peak_inference, used.saved)


def rows(matching: Matching) -> list[Row]:
    """The blocks at the top whose figures are others, copies of the outermost groups one by one."""
    counts = _Counted.of(matching.left.graph), _Counted.of(matching.right.graph)
    before = {piece: counts[0].piece(piece) for piece in _tops(matching.left)}
    after = {piece: counts[1].piece(piece) for piece in _tops(matching.right)}
    found: list[Row] = []
    for right, new in after.items():
        left = matching.back.get(right)
        old = before.get(left) if left is not None else None
        found.append(Row(left.path if left is not None and old else "", right.path, old, new))
    gone = [piece for piece in before if matching.there.get(piece) not in after]
    found += [Row(piece.path, "", before[piece], None) for piece in gone]
    return [row for row in found if row.old != row.new]


def _tops(side: Side) -> Iterator[Piece]:
    """The steps of the network; of a group of copies its copies."""
    for piece in side.items[side.roots[0]]:
        if isinstance(piece, Scope) and piece.kind == "copies":
            yield from side.items[piece]
        else:
            yield piece


@dataclass(frozen=True, slots=True)
class _Counted:
    """A graph whose blocks are counted; each weight counts where its home first comes."""

    graph: Graph
    examples: Examples
    seen: dict[Value, str]
    told: set[str]

    @classmethod
    def of(cls, graph: Graph) -> _Counted:
        seen = {value: ", ".join("×".join(field.sizes) for field in found) for value, found in fields(graph).items()}
        return cls(graph, Examples(graph.examples()), seen, set())

    def piece(self, piece: Piece) -> Figures:
        """The figures of a node or a scope."""
        nodes = [*piece.nodes()] if isinstance(piece, Scope) else [piece]
        given = next(iter(piece.outputs.values()), None) if isinstance(piece, Scope) else piece.output
        return self.figures(nodes, given or (nodes[-1].output if nodes else None))

    def figures(self, nodes: Sequence[Node], last: Value | None) -> Figures:
        """The figures of some nodes, of which the last gives a value."""
        macs = [node.macs() for node in nodes]
        known = [self.examples.count(size) for size in macs if size is not None]
        return Figures(
            sum(map(self._params, nodes)),
            sum(known) if len(known) == len(macs) else None,
            self.examples.count(activations(replace(self.graph, nodes=list(nodes)))),
            self.seen.get(last, "") if last else "",
        )

    def _params(self, node: Node) -> int:
        total = 0
        for name, weight in node.weights().items():
            path = f"{node.home}.{name}"
            if path not in self.told and not weight.buffer:
                total += self.examples.count(weight.count)
            self.told.add(path)
        return total
