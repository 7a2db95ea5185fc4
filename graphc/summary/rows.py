"""A graph's scopes as the rows of a table: a block above what it is made of, equal copies once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import add

from graphc.cost.examples import Examples
from graphc.cost.footprint import own_bytes
from graphc.cost.operations import flops_of
from graphc.graph import Graph, Item, Node, Scope, Skipped, Value
from graphc.tensor import Tensor
from graphc.words import arguments, attributes


@dataclass(frozen=True, slots=True)
class Cost:
    """What a part of a network comes to; MACs, FLOPs and memory are for the example sizes.

    `shared` counts the parameters that it uses and another row has. `uncounted` are the ops without a rule for MACs,
    `unworked` those without one for FLOPs. `memory` are the bytes of the values that it makes.
    """

    params: int = 0
    frozen: int = 0
    buffers: int = 0
    shared: int = 0
    macs: int = 0
    uncounted: frozenset[str] = frozenset()
    flops: int = 0
    unworked: frozenset[str] = frozenset()
    memory: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.params + other.params,
            self.frozen + other.frozen,
            self.buffers + other.buffers,
            self.shared + other.shared,
            self.macs + other.macs,
            self.uncounted | other.uncounted,
            self.flops + other.flops,
            self.unworked | other.unworked,
            self.memory + other.memory,
        )


@dataclass(frozen=True, slots=True)
class Row:
    """A step, or a run of equal copies of one: `cost` is that of all of them, `rows` are those of one.

    `path` is the (first) step's, `name` what it is called in the row above; `words` are attributes and arguments.
    `values` are the first output of the first copy and that of the last. An input is `given`: nothing is done.
    One that is `hidden` has no line, but its cost counts in the row above.
    """

    name: str
    path: str
    op: str
    words: tuple[str, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    cost: Cost
    rows: tuple[Row, ...] = ()
    copies: int = 1
    values: tuple[Value, ...] = ()
    given: bool = False
    hidden: bool = False

    @property
    def outline(self) -> tuple[object, ...]:
        """What makes two copies equal: the same ops with the same shapes and costs, under the same names."""
        inside = tuple((row.name, row.outline) for row in self.rows)
        return self.op, self.outputs, self.cost, self.copies, inside


@dataclass(frozen=True, slots=True)
class Line:
    """A row where it stands: `level` from 0, and how many equal copies it stands in one of."""

    row: Row
    level: int
    times: int


@dataclass(slots=True)
class Ledger:
    """Counts nodes in the order in which they come; a weight counts where it comes first."""

    examples: Examples
    frozen: frozenset[str]
    told: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, graph: Graph) -> Ledger:
        """One for a graph, in which nothing is counted."""
        return cls(Examples(graph.examples()), graph.training.frozen if graph.training else frozenset())

    def cost(self, node: Node) -> Cost:
        """What a node comes to."""
        macs, flops, name = node.macs(), flops_of(node), frozenset({node.op.name})
        count, none = self.examples.count, frozenset[str]()
        own = Cost(
            macs=count(macs or 0),
            uncounted=name if macs is None else none,
            flops=count(flops or 0),
            unworked=name if flops is None else none,
            memory=count(own_bytes(node)),
        )
        return reduce(add, self._weights(node), own)

    def _weights(self, node: Node) -> Iterator[Cost]:
        for name, weight in node.weights().items():
            path, count = f"{node.home}.{name}", self.examples.count(weight.count)
            if path in self.told:
                yield Cost(shared=0 if weight.buffer else count)
            elif weight.buffer:
                yield Cost(buffers=count)
            else:
                yield Cost(params=count, frozen=count if path in self.frozen else 0)
            self.told.add(path)


def rows_of(scope: Scope, ledger: Ledger) -> tuple[Row, ...]:
    """The rows of what a scope is made of. What an expression makes is hidden unless it has parameters or MACs."""
    return tuple(row for item in scope.items for row in _rows(item, ledger))


def lines_of(rows: Iterable[Row], depth: int, level: int = 0, times: int = 1) -> Iterator[Line]:
    """The rows down to a depth, which is at least 1; but for those that are hidden."""
    for row in (row for row in rows if not row.hidden):
        yield Line(row, level, times)
        if depth > 1:
            yield from lines_of(row.rows, depth - 1, level + 1, times * row.copies)


def deepest(rows: Sequence[Row]) -> int:
    """The depth at which every row is there."""
    return max((1 + deepest(row.rows) for row in rows if not row.hidden), default=0)


def _rows(item: Item, ledger: Ledger) -> Iterator[Row]:
    match item:
        case Skipped():
            return
        case Node():
            yield _leaf(item, ledger)
        case Scope(kind="copies"):
            yield from _folded(item, ledger)
        case Scope(items=[]):
            return  # a step inside has failed
        case Scope():
            yield _block(item, ledger)


def _leaf(node: Node, ledger: Ledger) -> Row:
    inputs, outputs = (tuple(value.type for value in values) for values in (node.operands, node.outputs))
    cost, words = ledger.cost(node), attributes(node)
    plain = replace(cost, shared=0, memory=0, flops=0, unworked=frozenset()) == Cost()
    hidden = node.inline and plain
    return Row(node.name, node.path, node.op.name, words, inputs, outputs, cost, values=node.outputs[:1], hidden=hidden)


def _block(scope: Scope, ledger: Ledger) -> Row:
    rows = rows_of(scope, ledger)
    cost = reduce(add, (row.cost for row in rows), Cost())
    inputs, outputs = (tuple(value.type for value in values.values()) for values in (scope.inputs, scope.outputs))
    op = scope.label if scope.kind == "block" else ""
    values = tuple(scope.outputs.values())[:1]
    return Row(scope.name, scope.path, op, arguments(scope), inputs, outputs, cost, rows, values=values)


def _folded(group: Scope, ledger: Ledger) -> Iterator[Row]:
    """The copies of a group, equal neighbours together."""
    rows = rows_of(group, ledger)
    run: list[Row] = []
    for row in rows:
        if run and run[-1].outline != row.outline:
            yield _run(group, run, len(rows))
            run = []
        run.append(row)
    if run:
        yield _run(group, run, len(rows))


def _run(group: Scope, run: Sequence[Row], copies: int) -> Row:
    """Equal copies as one row: `unit.0`, `unit.1–3`, or `unit` where it stands for all."""
    first, last = run[0], run[-1]
    if first is last:
        return replace(first, name=f"{group.name}.{first.name}")
    name = group.name if len(run) == copies else f"{group.name}.{first.name}–{last.name}"
    cost = reduce(add, (row.cost for row in run))
    return replace(_merged(run), name=name, cost=cost, copies=len(run) * first.copies)


def _merged(rows: Sequence[Row]) -> Row:
    """The first of equal rows, with the words that all of them have."""
    first = rows[0]
    common = tuple(word for word in first.words if all(word in row.words for row in rows))
    words = first.words if common == first.words else (*common, "…")
    inside = (_merged(same) for same in zip(*(row.rows for row in rows), strict=True))
    values = tuple(value for row in (first, rows[-1]) for value in row.values)
    return replace(first, words=words, rows=tuple(inside), values=values)
