"""Which copies of a repeated step are equal, so that one of them can stand for all.

Copies are equal where the same ops give values of the same shapes, and each copy reads what the one before it reads:
the same values from outside, or the same values of its predecessor. The first copy of a run may read something else in
place of its predecessor, even of another width, as where a paper writes "3×3, 128, twice" behind 64 channels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from graphc.graph import Graph, Node, Scope, Skipped, Value

Copy: TypeAlias = "Node | Scope"
Readers: TypeAlias = Mapping[Value, Sequence[Node | None]]
Source: TypeAlias = "tuple[str, int] | Value"


@dataclass(frozen=True, slots=True)
class Run:
    """Equal copies in a row."""

    copies: tuple[Copy, ...]

    @property
    def first(self) -> Copy:
        return self.copies[0]

    @property
    def count(self) -> int:
        return len(self.copies)

    def echoes(self) -> Iterator[tuple[Node, Node]]:
        """Each node of a later copy, with the node of the first copy that stands for it."""
        for copy in self.copies[1:]:
            yield from zip(nodes_of(copy), nodes_of(self.first), strict=True)


def readers_of(graph: Graph) -> Readers:
    """The nodes that read each value, in order; None stands for the graph's caller."""
    readers: dict[Value, list[Node | None]] = {}
    for node in graph.nodes:
        for value in node.operands:
            readers.setdefault(value, []).append(node)
    for value in graph.outputs.values():
        readers.setdefault(value, []).append(None)
    return readers


def runs(group: Scope, readers: Readers) -> Iterator[Run]:
    """The copies of a group, equal neighbours together."""
    run: list[Copy] = []
    for copy in group.items:
        if isinstance(copy, Skipped):
            continue
        if run and not _continues(run, copy, readers):
            yield Run(tuple(run))
            run = []
        run.append(copy)
    if run:
        yield Run(tuple(run))


def nodes_of(copy: Copy) -> Iterator[Node]:
    """The nodes of a copy, in the order of the source."""
    return iter((copy,)) if isinstance(copy, Node) else copy.nodes()


def _continues(run: Sequence[Copy], copy: Copy, readers: Readers) -> bool:
    return _outline(run[-1]) == _outline(copy) and _private(run[-1], copy, readers) and _reads_alike(run, copy)


def _outline(copy: Copy) -> list[object]:
    """What a copy is made of, by paths within it."""
    start = len(copy.path)
    outline: list[object] = [(n.path[start:], n.op, len(n.operands), n.output.type) for n in nodes_of(copy)]
    if isinstance(copy, Scope):
        outline += [(scope.path[start:], scope.kind, scope.label) for scope in copy.scopes()]
    return outline


def _private(copy: Copy, after: Copy, readers: Readers) -> bool:
    """Whether only the next copy reads what a copy makes."""
    inside = {*nodes_of(copy), *nodes_of(after)}
    return all(reader in inside for node in nodes_of(copy) for reader in readers.get(node.output, ()))


def _reads_alike(run: Sequence[Copy], copy: Copy) -> bool:
    """Whether a copy reads what a run's last reads; the run's first may read anything in place of a predecessor."""
    starts = len(run) == 1
    stands_for: dict[Source, Source] = {}
    for theirs, ours in zip(_sources(run[-1], () if starts else run[-2:-1]), _sources(copy, run[-1:]), strict=True):
        enters = starts and isinstance(theirs, Value) and isinstance(ours, tuple)
        if not (theirs == ours or enters) or stands_for.setdefault(theirs, ours) != ours:
            return False
    return True


def _sources(copy: Copy, before: Sequence[Copy]) -> list[Source]:
    """What each operand is: a place in the copy, a place in the copy before it, or a value from outside."""
    places: dict[Node, Source] = {}
    for where, item in (*(("before", item) for item in before), ("own", copy)):
        places |= {node: (where, index) for index, node in enumerate(nodes_of(item))}
    return [places.get(value.node, value) for node in nodes_of(copy) for value in node.operands]
