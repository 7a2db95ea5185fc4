"""Which copies of a repeated step are equal, so that one of them can stand for all.

Copies are equal where the same ops have the same attributes, and each copy reads what the one before it reads: the same
values from outside, or the same values of its predecessor. What goes from copy to copy may differ in size, as in a
DenseNet, and a real number may, as a rate of dropping that grows with the depth. The first copy of a run may read
something else in place of its predecessor, as where a paper writes "3×3, 128, twice" behind 64 channels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from graphc.graph import Node, Scope, Skipped, Value
from graphc.marks import Mark
from graphc.ops import Op

Copy: TypeAlias = "Node | Scope"
Readers: TypeAlias = Mapping[Value, Sequence[Node | None]]
Source: TypeAlias = "tuple[str, int, str] | Value"


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

    @property
    def last(self) -> Copy:
        return self.copies[-1]

    def echoes(self) -> Iterator[tuple[Node, Node]]:
        """Each node of a later copy, with the node of the first copy that stands for it."""
        for copy in self.copies[1:]:
            yield from zip(nodes_of(copy), nodes_of(self.first), strict=True)

    def scopes(self) -> Iterator[tuple[Scope, Scope]]:
        """Each scope of a later copy, with the scope of the first copy that stands for it."""
        for copy in self.copies[1:]:
            if isinstance(copy, Scope) and isinstance(self.first, Scope):
                yield from zip(copy.scopes(), self.first.scopes(), strict=True)


def readers_of(nodes: Iterable[Node], outputs: Iterable[Value]) -> Readers:
    """The nodes that read each value, in order; None stands for the caller, who gets the outputs."""
    readers: dict[Value, list[Node | None]] = {}
    for node in nodes:
        for value in node.operands:
            readers.setdefault(value, []).append(node)
    for value in outputs:
        readers.setdefault(value, []).append(None)
    return readers


def runs(group: Scope, readers: Readers, marks: Mapping[str, Mark]) -> Iterator[Run]:
    """The copies of a group, equal neighbours with equal marks together."""
    run: list[Copy] = []
    for copy in group.items:
        if isinstance(copy, Skipped):
            continue
        if run and not (_alike(run[-1], copy, marks) and _follows(run, copy, readers)):
            yield Run(tuple(run))
            run = []
        run.append(copy)
    if run:
        yield Run(tuple(run))


def nodes_of(copy: Copy) -> Iterator[Node]:
    """The nodes of a copy, in the order of the source."""
    return iter((copy,)) if isinstance(copy, Node) else copy.nodes()


def _alike(copy: Copy, after: Copy, marks: Mapping[str, Mark]) -> bool:
    return _outline(copy) == _outline(after) and _marked(copy, marks) == _marked(after, marks)


def _follows(run: Sequence[Copy], copy: Copy, readers: Readers) -> bool:
    return _private(run[-1], copy, readers) and _reads_alike(run, copy)


def _outline(copy: Copy) -> list[object]:
    """What a copy is made of, by paths within it."""
    start = len(copy.path)
    outline: list[object] = [(n.path[start:], _kind(n.op), len(n.operands), _form(n)) for n in nodes_of(copy)]
    if isinstance(copy, Scope):
        outline += [(scope.path[start:], scope.kind, scope.label) for scope in copy.scopes()]
    return outline


def _kind(op: Op) -> tuple[object, ...]:
    """An op's attributes but for real numbers, with their types: 0 and false are not the same."""
    values = (getattr(op, name) for name in type(op).model_fields)
    return type(op), *((type(value), None if isinstance(value, float) else value) for value in values)


def _form(node: Node) -> list[tuple[int, str]]:
    return [(len(value.type.shape), value.type.dtype) for value in node.outputs]


def _marked(copy: Copy, marks: Mapping[str, Mark]) -> dict[str, Mark]:
    """The marks in a copy, by paths within it."""
    start = len(copy.path)
    inside = (path for path in marks if path == copy.path or path.startswith(f"{copy.path}."))
    return {path[start:]: marks[path] for path in inside}


def _private(copy: Copy, after: Copy, readers: Readers) -> bool:
    """Whether only the next copy reads what a copy makes."""
    inside = {*nodes_of(copy), *nodes_of(after)}
    values = (value for node in nodes_of(copy) for value in node.outputs)
    return all(reader in inside for value in values for reader in readers.get(value, ()))


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
    places: dict[Value, Source] = {}
    for where, item in (*(("before", item) for item in before), ("own", copy)):
        for index, node in enumerate(nodes_of(item)):
            places |= {value: (where, index, value.name) for value in node.outputs}
    return [places.get(value, value) for node in nodes_of(copy) for value in node.operands]
