"""Free sizes as code: read from the axes of what a class is given, and calculated from those."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
        in_axes = {self.basis(row).rewritten(size) for row, size in enumerate(column)}
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

    def basis(self, row: int) -> Basis:
        """What the axes show in an instance, in terms of their sizes, of which each has its code as its name."""
        found = Basis()
        for axis in sorted(self.axes, key=Axis.effort):
            size, code = axis.column[row], symbol(axis.code)
            multiple = as_multiple(size)
            if multiple:
                found.parts.setdefault(multiple.monomial, (code - multiple.plus) // multiple.factor)
            else:
                found.sums.setdefault(size, code)
        return found

    def written(self, size: Size) -> Code:
        """The code of a size in terms of axes."""
        for part in _floors(size):
            rest = size - _modulo(part)
            if len(terms_of(rest)) < len(terms_of(size)):
                return self.with_remainder(rest, part)
        terms = [(coefficient, self.term(monomial, abs(coefficient))) for monomial, coefficient in terms_of(size)]
        (least, first), *others = sorted(terms, key=lambda term: term[0] < 0)
        total = prefixed("-", first) if least < 0 else first
        for coefficient, code in others:
            total = joined([total, code], "-" if coefficient < 0 else "+")
        return total

    def with_remainder(self, rest: Size, part: Floor) -> Code:
        """A size and numerator % divisor; that is -n % d where the numerator is (d - 1)·n."""
        numerator = _least(part.numerator, part.divisor)
        remainder = joined([self.written(numerator), self.written(part.divisor)], "%")
        return joined([self.written(rest), remainder], "+") if rest != 0 else remainder

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


@dataclass(slots=True)
class Basis:
    """What stands for products of sizes, and for whole sums."""

    parts: dict[Monomial, Size] = field(default_factory=dict)
    sums: dict[Size, Size] = field(default_factory=dict)

    def rewritten(self, size: Size) -> Size:
        """A size with what stands for a sum in it, for each product of its parts, or else for each part.

        Raises:
            UnresolvedError: nothing stands for a free size.
        """
        for whole, code in self.sums.items():
            for sign in (1, -1):
                rest = size - whole * sign
                if isinstance(size, Dim) and len(terms_of(rest)) < len(size.terms):
                    return self.rewritten(rest) + code * sign
        total: Size = 0
        for monomial, coefficient in terms_of(size):
            known = self.parts.get(monomial)
            total = total + (product(map(self._atom, monomial)) if known is None else known) * coefficient
        return total

    def _atom(self, part: Atom) -> Size:
        if (part,) in self.parts:
            return self.parts[part,]
        if isinstance(part, Symbol):
            raise UnresolvedError(part.name)
        if isinstance(part, Floor):
            return self._nested(part) or floor_divide(self.rewritten(part.numerator), self.rewritten(part.divisor))
        return {"min": smaller, "max": larger}[part.kind](self.rewritten(part.left), self.rewritten(part.right))

    def _nested(self, part: Floor) -> Size | None:
        """A floor as that of another one which something stands for: (n + m·d) // (d·k) is (n // d + m) // k."""
        for monomial, code in self.parts.items():
            inner = monomial[0]
            if len(monomial) != 1 or not isinstance(inner, Floor):
                continue
            d, whole, more = inner.divisor, part.divisor, part.numerator - inner.numerator
            if all(isinstance(each, int) for each in (d, whole, more)) and whole % d == 0 and more % d == 0:
                return (code + more // d) // (whole // d)
        return None


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


def _floors(size: Size) -> Iterator[Floor]:
    """The floors that stand in a sum by themselves."""
    for monomial, _ in terms_of(size):
        if len(monomial) == 1 and isinstance(monomial[0], Floor):
            yield monomial[0]


def _modulo(part: Floor) -> Size:
    """numerator % divisor."""
    return part.numerator % part.divisor


def _least(numerator: Dim, divisor: Size) -> Size:
    """The numerator that has the same remainder and the smallest numbers in it."""
    if not isinstance(divisor, int):
        return numerator
    terms = ((monomial, c % divisor) for monomial, c in terms_of(numerator))
    least = (product(map(_alone, monomial)) * (c - divisor if 2 * c > divisor else c) for monomial, c in terms)
    return sum(least, start=0)


def _alone(part: Atom) -> Dim:
    return Dim((((part,), 1),))


def _ratios(size: Size, wanted: Size) -> Iterator[tuple[int, int]]:
    """The whole numbers to multiply a size with, or to divide it by, for a wanted one."""
    if isinstance(size, int) and isinstance(wanted, int) and size > 0 and wanted > 0:
        yield from [(wanted // size, 1)] if wanted % size == 0 else ()
        yield from [(1, size // wanted)] if size > wanted else ()


def _difference(axis: Axis, column: Column) -> int | None:
    differences = {wanted - size for size, wanted in zip(axis.column, column, strict=True)}
    difference = differences.pop()
    return difference if not differences and isinstance(difference, int) else None
