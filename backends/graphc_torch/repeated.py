"""A group of copies in a constructor: each written where they are few, else a loop over them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from graphc.expr import Call, Expr, Name, Slice, Subscript
from graphc.graph import Scope
from graphc_torch.body import scope_of
from graphc_torch.layout import Code, Generator, flat
from graphc_torch.term import Place, UnresolvedError, Wanted

if TYPE_CHECKING:
    from graphc_torch.construct import Class, Column, Constructor

FEW = 2
"""So many lines for the copies of one instance are no more than a loop with a variable is."""

MANY = 4
"""More copies are not written each where a class has several instances."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """A group of copies in some instances of a class."""

    constructor: Constructor
    of: Class
    column: Column

    def codes(self) -> list[Code]:
        """The copies, or loops that make them.

        Raises:
            UnresolvedError: no code is right in all of the instances.
        """
        for way in (self.listed, self.looped, self.varied, self.continued, self.each):
            before = self.of.numbers.state()
            try:
                found = way()
            except UnresolvedError:
                found = None
            if found:
                return found
            self.of.numbers.restore(before)
        raise UnresolvedError(self.name)

    @property
    def name(self) -> str:
        return self.column.items[0].name

    def listed(self) -> list[Code]:
        """Every copy, equal ones in a row together; none where they are too many for that."""
        counts = set(self.counts())
        if self.is_alone():
            found = self.each()
            return found if len(found) <= FEW else []
        return [self.code(number) for number in range(counts.pop())] if max(counts) <= 2 and len(counts) == 1 else []

    def each(self) -> list[Code]:
        """Every copy of the only instance, or of a few in each."""
        counts = set(self.counts())
        if not self.is_alone() and (len(counts) > 1 or max(counts) > MANY):
            raise UnresolvedError(self.name)
        return _runs([self.code(number) for number in range(self.counts()[0])])

    def looped(self) -> list[Code]:
        """The copies in a loop, the first before it where it is different."""
        if min(self.counts()) == 0:
            raise UnresolvedError(self.name)
        first, rest = self.code(0), self.rest(1)
        count = self.count()
        if flat(first) == flat(rest):
            return [Generator(first, f"range({count})")]
        return [first, Generator(rest, f"range({_less_one(count)})")]

    def varied(self) -> list[Code]:
        """The copies in a loop with a variable."""
        variable = self.variable()
        return [Generator(self.rest(0, variable), f"range({self.count()})", variable=variable)]

    def continued(self) -> list[Code]:
        """The first copy, and the others in a loop with a variable."""
        variable = self.variable()
        return [self.code(0), Generator(self.rest(1, variable), f"range(1, {self.count()})", variable=variable)]

    def counts(self) -> list[int]:
        """How many copies there are in each instance."""
        return [len(item.copies) for item in self.column.items]

    def is_alone(self) -> bool:
        """Whether there is only one group: then all numbers are known."""
        return len({scope_of(item).home for item in self.column.items}) == 1

    def code(self, number: int) -> Code:
        """How one copy is made."""
        places = [Place(scope_of(item), number) for item in self.column.items]
        items = [item.copies[number] for item in self.column.items]
        return self.constructor.code(self.of, replace(self.column, items=items, places=places))

    def rest(self, start: int, loop: str = "") -> Code:
        """How all copies from one on are made, in all instances."""
        triples = [
            (copy, row, Place(scope_of(item), number))
            for item, row in zip(self.column.items, self.column.rows, strict=True)
            for number, copy in enumerate(item.copies)
            if number >= start
        ]
        if not triples:
            raise UnresolvedError(self.name)
        items, rows, places = (list(part) for part in zip(*triples, strict=True))
        column = replace(self.column, items=items, rows=rows, places=places, loop=loop or self.column.loop)
        return self.constructor.code(self.of, column)

    def variable(self) -> str:
        """What the spec calls the number of a copy, `i` where it has no variable.

        Raises:
            UnresolvedError: its variable is no such number.
        """
        groups = [scope_of(item) for item in self.column.items]
        found = {name for group in groups for name in _numbers(group)} or {"i"}
        name = found.pop()
        counts = all(name not in group.bindings or name in _numbers(group) for group in groups)
        if found or not counts or name in self.of.numbers.parameters or self.column.loop:
            raise UnresolvedError(self.name)
        return name

    def count(self) -> str:
        """The code for how many copies there are."""
        return self.of.numbers.code(counted([scope_of(item) for item in self.column.items], self.column.rows))


def counted(groups: Sequence[Scope], rows: Sequence[int]) -> Wanted:
    """The number of copies in groups that are one item."""
    counts = tuple(len(group.items) for group in groups)
    places = [Place(group) for group in groups]
    return Wanted(f"{groups[0].name}_count", counts, rows, list(map(_times, groups)), places)


def _times(group: Scope) -> Expr | None:
    """The expression for the number of copies: what is said after `repeat`, or what a loop counts up to."""
    (_, repeat), *loops = group.bindings.items()
    if repeat.expression is not None or not loops:
        return repeat.expression
    match loops[0][1].expression:
        case Call(function="range", arguments=(count,)) | Subscript(parts=(Slice(first=None, last=count, step=None),)):
            return count
        case Name() as items:
            return Call(0, 0, "len", (items,), ())
    return None


def _numbers(group: Scope) -> Iterator[str]:
    """The loop variables that count the copies from 0."""
    for name, binding in group.bindings.items():
        if name and binding.value == list(range(len(group.items))):
            yield name


def _runs(codes: Sequence[Code]) -> list[Code]:
    """Three equal copies or more as a loop."""
    found: list[Code] = []
    start = 0
    while start < len(codes):
        end = start
        while end < len(codes) and flat(codes[end]) == flat(codes[start]):
            end += 1
        length = end - start
        found += [Generator(codes[start], f"range({length})")] if length > 2 else codes[start:end]
        start = end
    return found


def _less_one(count: str) -> str:
    if count.isdigit():
        return str(int(count) - 1)
    return f"{count} - 1"
