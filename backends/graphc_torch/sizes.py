"""Free sizes as code: read from the axes of what a class is given, and calculated from those."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import singledispatchmethod
from itertools import combinations
from typing import TypeAlias

from graphc.axes import as_multiple
from graphc.dims import (
    Atom,
    Dim,
    Extreme,
    Floor,
    Monomial,
    Size,
    Symbol,
    floor_divide,
    larger,
    product,
    smaller,
    symbol,
    terms_of,
)
from graphc.ops import Op
from graphc.tensor import Shape
from graphc_torch.layout import Bracket, Code, atom, joined, number, prefixed
from graphc_torch.term import UnresolvedError, all_same

MOST_FACTORS = 3
"""A number is looked for among the products of so many axes."""

Column: TypeAlias = tuple[Size, ...]
"""A size in every instance of a class."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The code that reads the size of an axis of an input, and its value in every instance."""

    code: str
    input: int
    column: Column

    def effort(self) -> int:
        """How many operations lead from it back to the free size that it shows, at most."""
        return max(multiple.effort if (multiple := as_multiple(size)) else 0 for size in self.column)


@dataclass(slots=True)
class Sizes:
    """The sizes that the inputs of a class show; `used` are the numbers of the inputs that something was read of."""

    axes: list[Axis]
    used: set[int] = field(default_factory=set)

    def code(self, column: Column) -> Code:
        """Code that has these values.

        Raises:
            UnresolvedError: the inputs do not show them.
        """
        if all_same(column) and isinstance(column[0], int):
            return number(column[0])
        found = self.read(column) or self.product(column)
        if found:
            return found
        in_axes = {rewritten(size, self.basis(row)) for row, size in enumerate(column)}
        if len(in_axes) > 1:
            raise UnresolvedError(str(column[0]))
        return self.written(in_axes.pop())

    def read(self, column: Column) -> Code | None:
        """The size of an axis, or one that always is that much larger or smaller."""
        found = [(axis, difference) for axis in self.axes if (difference := _difference(axis, column)) is not None]
        if not found:
            return None
        axis, difference = min(found, key=lambda pair: pair[1] != 0)
        return self.written(symbol(axis.code) + difference)

    def product(self, column: Column) -> Code | None:
        """Numbers that differ as a part or a multiple of some axes does."""
        counts = range(1, MOST_FACTORS + 1) if isinstance(column[0], int) else ()
        for count in counts:
            for axes in combinations(self.axes, count):
                sizes = [product(row) for row in zip(*(axis.column for axis in axes), strict=True)]
                total = product(symbol(axis.code) for axis in axes)
                for factor, divisor in _ratios(sizes[0], column[0]):
                    if all(
                        floor_divide(size * factor, divisor) == wanted
                        for size, wanted in zip(sizes, column, strict=True)
                    ):
                        return self.written(floor_divide(total * factor, divisor))
        return None

    def basis(self, row: int) -> dict[Monomial, Size]:
        """What the axes show in an instance, in terms of their sizes, of which each has its code as its name."""
        shown = [(axis, as_multiple(axis.column[row])) for axis in sorted(self.axes, key=Axis.effort)]
        found: dict[Monomial, Size] = {}
        for axis, multiple in shown:
            if multiple:
                found.setdefault(multiple.monomial, (symbol(axis.code) - multiple.plus) // multiple.factor)
        return found

    def written(self, size: Size) -> Code:
        """The code of a size in terms of axes."""
        terms = [(coefficient, self.term(monomial, abs(coefficient))) for monomial, coefficient in terms_of(size)]
        (least, first), *others = sorted(terms, key=lambda term: term[0] < 0)
        total = prefixed("-", first) if least < 0 else first
        for coefficient, code in others:
            total = joined([total, code], "-" if coefficient < 0 else "+")
        return total

    def term(self, monomial: Monomial, coefficient: int) -> Code:
        """A term of a sum, without its sign."""
        factors = [self.factor(part) for part in monomial]
        if coefficient != 1 or not factors:
            factors = [number(coefficient), *factors]
        return joined([atom(factor) for factor in factors], "*") if len(factors) > 1 else factors[0]

    @singledispatchmethod
    def factor(self, part: Atom) -> Code:
        raise TypeError(str(part))

    @factor.register(Symbol)
    def _(self, part: Symbol) -> Code:
        axis = next((axis for axis in self.axes if axis.code == part.name), None)
        if axis is None:
            raise UnresolvedError(part.name)
        self.used.add(axis.input)
        return part.name

    @factor.register(Floor)
    def _(self, part: Floor) -> Code:
        return joined([self.written(part.numerator), self.written(part.divisor)], "//")

    @factor.register(Extreme)
    def _(self, part: Extreme) -> Code:
        return Bracket(part.kind, (self.written(part.left), self.written(part.right)))


def rewritten(size: Size, basis: Mapping[Monomial, Size]) -> Size:
    """A size with what stands for each product of its parts, or else for each part."""
    total: Size = 0
    for monomial, coefficient in terms_of(size):
        if monomial in basis:
            total = total + basis[monomial] * coefficient
        else:
            total = total + product(_rewritten_atom(part, basis) for part in monomial) * coefficient
    return total


def _rewritten_atom(part: Atom, basis: Mapping[Monomial, Size]) -> Size:
    if (part,) in basis:
        return basis[part,]
    if isinstance(part, Symbol):
        raise UnresolvedError(part.name)
    if isinstance(part, Floor):
        return floor_divide(rewritten(part.numerator, basis), rewritten(part.divisor, basis))
    return {"min": smaller, "max": larger}[part.kind](rewritten(part.left, basis), rewritten(part.right, basis))


def axes_of(inputs: Sequence[tuple[str, Sequence[Shape]]]) -> list[Axis]:
    """The axes of inputs, given by name and by their shapes in every instance."""
    return [
        Axis(f"{name}.size({axis})", number, tuple(shape[axis] for shape in shapes))
        for number, (name, shapes) in enumerate(inputs)
        for axis in range(len(shapes[0]))
        if len({len(shape) for shape in shapes}) == 1
    ]


def free_sizes(value: object) -> Iterator[Dim]:
    """The free sizes in an attribute, or in the attributes of an op."""
    if isinstance(value, Dim):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from free_sizes(item)
    elif isinstance(value, Op):
        for _, attribute in value:
            yield from free_sizes(attribute)


def _ratios(size: Size, wanted: Size) -> Iterator[tuple[int, int]]:
    """The whole numbers to multiply a size with, or to divide it by, for a wanted one."""
    if isinstance(size, int) and isinstance(wanted, int) and size > 0 and wanted > 0:
        yield from [(wanted // size, 1)] if wanted % size == 0 else ()
        yield from [(1, size // wanted)] if size > wanted else ()


def _difference(axis: Axis, column: Column) -> int | None:
    differences = {wanted - size for size, wanted in zip(axis.column, column, strict=True)}
    difference = differences.pop()
    return difference if not differences and isinstance(difference, int) else None
