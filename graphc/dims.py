"""Symbolic sizes: integer polynomials over named sizes, with exact floor division, minimum and maximum.

A size is an `int`, or a `Dim` where it depends on a free size such as H. Arithmetic keeps a canonical form, so that
`==` is structural: `(2 * H + 6) // 2` and `H + 3` are the same `Dim`. Floors nest: `(H // 2) // 2` is `H // 4`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

Size: TypeAlias = "int | Dim"
Atom: TypeAlias = "Symbol | Floor | Extreme"
Monomial: TypeAlias = tuple[Atom, ...]

MOST_TERMS = 4_096


class ComplexityError(ArithmeticError):
    """A product has so many terms that nobody could read it."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A free size, a positive integer."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Floor:
    """numerator // divisor, rounded down; it has no simpler form."""

    numerator: Dim
    divisor: Size

    def __str__(self) -> str:
        return f"{_factor(self.numerator)}//{_factor(self.divisor)}"


@dataclass(frozen=True, slots=True)
class Extreme:
    """The smaller ("min") or the larger ("max") of two sizes."""

    kind: str
    left: Size
    right: Size

    def __str__(self) -> str:
        return f"{self.kind}({self.left}, {self.right})"


@dataclass(frozen=True)
class Dim:
    """A polynomial with integer coefficients; terms are sorted, none is zero, and at least one is not constant."""

    terms: tuple[tuple[Monomial, int], ...]

    @cached_property
    def _hash(self) -> int:
        return hash(self.terms)

    @cached_property
    def _text(self) -> str:
        """The terms with the constant last, but a positive one first, as `-H//2` would be (-H)//2."""
        terms = sorted(self.terms, key=lambda term: not term[0])
        leading = next((term for term in terms if term[1] > 0), None)
        if leading is None:
            return f"-{_factor(-self)}"
        others = (
            (" - " if coefficient < 0 else " + ") + _term(monomial, abs(coefficient))
            for monomial, coefficient in terms
            if monomial != leading[0]
        )
        return _term(*leading) + "".join(others)

    @cached_property
    def weight(self) -> int:
        """How many sizes it is made of, those inside floors, minima and maxima included."""
        return sum(1 + sum(map(_weight, monomial)) for monomial, _ in self.terms)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Dim) and self._hash == other._hash and self.terms == other.terms)

    def __add__(self, other: Size) -> Size:
        total = dict(self.terms)
        for monomial, coefficient in terms_of(other):
            total[monomial] = total.get(monomial, 0) + coefficient
        return _polynomial(total)

    __radd__ = __add__

    def __neg__(self) -> Size:
        return self * -1

    def __sub__(self, other: Size) -> Size:
        return self + other * -1

    def __rsub__(self, other: Size) -> Size:
        return self * -1 + other

    def __mul__(self, other: Size) -> Size:
        total: dict[Monomial, int] = {}
        if len(self.terms) * len(terms_of(other)) > MOST_TERMS:
            raise ComplexityError(f"the product has more than {MOST_TERMS} terms")
        for left, a in self.terms:
            for right, b in terms_of(other):
                monomial = tuple(sorted(left + right, key=str))
                total[monomial] = total.get(monomial, 0) + a * b
        return _polynomial(total)

    __rmul__ = __mul__

    def __floordiv__(self, other: Size) -> Size:
        return floor_divide(self, other)

    def __rfloordiv__(self, other: Size) -> Size:
        return floor_divide(other, self)

    def __mod__(self, other: Size) -> Size:
        return self - other * floor_divide(self, other)

    def __rmod__(self, other: Size) -> Size:
        return other - self * floor_divide(other, self)

    def __str__(self) -> str:
        return self._text


def symbol(name: str) -> Dim:
    """The free size of that name."""
    return Dim((((Symbol(name),), 1),))


def terms_of(size: Size) -> tuple[tuple[Monomial, int], ...]:
    """The terms of a size as a polynomial; the constant has the empty monomial."""
    if isinstance(size, Dim):
        return size.terms
    return (((), size),) if size else ()


def floor_divide(numerator: Size, divisor: Size) -> Size:
    """numerator // divisor; one with free sizes must be known not to be zero.

    Raises:
        ZeroDivisionError: the divisor is zero.
    """
    if isinstance(divisor, Dim):
        return _quotient(numerator, divisor)
    if isinstance(numerator, int):
        return numerator // divisor
    if divisor == 0:
        raise ZeroDivisionError("division by zero")
    if divisor < 0:
        return floor_divide(numerator * -1, -divisor)
    whole = _polynomial({monomial: c // divisor for monomial, c in terms_of(numerator)})
    rest = _polynomial({monomial: c % divisor for monomial, c in terms_of(numerator)})
    return whole + _proper_floor(rest, divisor)


def ceil_divide(numerator: Size, divisor: Size) -> Size:
    """numerator / divisor, rounded up, for a divisor that is positive."""
    return (numerator + (divisor - 1)) // divisor


def smaller(left: Size, right: Size) -> Size:
    """min(left, right)."""
    return _extreme("min", left, right)


def larger(left: Size, right: Size) -> Size:
    """max(left, right)."""
    return _extreme("max", left, right)


def product(sizes: Iterable[Size]) -> Size:
    """The product of the sizes; 1 where there are none."""
    total: Size = 1
    for size in sizes:
        total = total * size
    return total


def substitute(size: Size, values: Mapping[str, Size]) -> Size:
    """The size with the named free sizes replaced; an `int` where nothing free is left."""
    if isinstance(size, int):
        return size
    total: Size = 0
    for monomial, coefficient in size.terms:
        term: Size = coefficient
        for atom in monomial:
            term = term * _replace(atom, values)
        total = total + term
    return total


def symbols(size: Size) -> set[str]:
    """The names of the free sizes in it."""
    return {atom.name for atom in _atoms(size) if isinstance(atom, Symbol)}


def period(size: Size) -> int | None:
    """How far a free size must move for every floor in `size` to move linearly; None where that is unknown."""
    result = 1
    for atom in _atoms(size):
        if isinstance(atom, Extreme):
            return None
        if isinstance(atom, Floor):
            inner = period(atom.numerator)
            if inner is None or not isinstance(atom.divisor, int):
                return None
            result = math.lcm(result, inner * atom.divisor)
    return result


def _weight(atom: Atom) -> int:
    if isinstance(atom, Symbol):
        return 1
    parts = (atom.numerator, atom.divisor) if isinstance(atom, Floor) else (atom.left, atom.right)
    return 1 + sum(part.weight if isinstance(part, Dim) else 1 for part in parts)


def _atoms(size: Size) -> Iterator[Atom]:
    for monomial, _ in terms_of(size):
        for atom in monomial:
            yield atom
            if isinstance(atom, Floor):
                yield from _atoms(atom.numerator)
                yield from _atoms(atom.divisor)
            if isinstance(atom, Extreme):
                yield from _atoms(atom.left)
                yield from _atoms(atom.right)


def _replace(atom: Atom, values: Mapping[str, Size]) -> Size:
    if isinstance(atom, Symbol):
        return values.get(atom.name, _of(atom))
    if isinstance(atom, Floor):
        return floor_divide(substitute(atom.numerator, values), substitute(atom.divisor, values))
    return _extreme(atom.kind, substitute(atom.left, values), substitute(atom.right, values))


def _proper_floor(rest: Size, divisor: int) -> Size:
    """rest // divisor, where every coefficient of `rest` is in 0 … divisor - 1."""
    if isinstance(rest, int):
        return 0
    common = math.gcd(divisor, *(c for monomial, c in rest.terms if monomial))
    if common > 1:
        return floor_divide(_polynomial({m: c // common for m, c in rest.terms}), divisor // common)
    for monomial, coefficient in rest.terms:
        inner = monomial[0] if len(monomial) == 1 and coefficient == 1 else None
        if isinstance(inner, Floor) and isinstance(inner.divisor, int):
            others = rest - _of(inner)
            return floor_divide(inner.numerator + others * inner.divisor, divisor * inner.divisor)
    return _of(Floor(rest, divisor))


def _quotient(numerator: Size, divisor: Dim) -> Size:
    """numerator // divisor for a divisor with free sizes: exact where it is one term that divides every other."""
    if len(divisor.terms) == 1:
        (monomial, coefficient), quotient, rest = divisor.terms[0], {}, {}
        for other, c in terms_of(numerator):
            left = _without(other, monomial)
            if left is None or c % coefficient:
                rest[other] = c
            else:
                quotient[left] = c // coefficient
        whole, remainder = _polynomial(quotient), _polynomial(rest)
        return whole if remainder == 0 else whole + _of(Floor(_as_dim(remainder), divisor))
    if numerator == divisor:
        return 1
    return 0 if numerator == 0 else _of(Floor(_as_dim(numerator), divisor))


def _without(monomial: Monomial, divisor: Monomial) -> Monomial | None:
    left = list(monomial)
    for atom in divisor:
        if atom not in left:
            return None
        left.remove(atom)
    return tuple(left)


def _extreme(kind: str, left: Size, right: Size) -> Size:
    difference = left - right
    if isinstance(difference, int):
        return left if (difference <= 0) == (kind == "min") else right
    if _is_part(left, right) or _is_part(right, left):
        return left if _is_part(left, right) == (kind == "min") else right
    first, second = sorted((left, right), key=str)
    return _of(Extreme(kind, first, second))


def _is_part(part: Size, whole: Size) -> bool:
    """Whether one size is a whole part of the other, as `H // 16` is of `H` and of `H // 4`."""
    numerator, divisor = _fraction(part)
    other, least = _fraction(whole)
    if not isinstance(numerator, Dim) or not _is_natural(numerator):
        return False
    return numerator == whole or (numerator == other and divisor >= least)


def _fraction(size: Size) -> tuple[Size, int]:
    """What a size is rounded down from, and the whole number that divides it."""
    (monomial, coefficient), *others = terms_of(size) or [((), 0)]
    atom = monomial[0] if len(monomial) == 1 and coefficient == 1 and not others else None
    if isinstance(atom, Floor) and isinstance(atom.divisor, int):
        return atom.numerator, atom.divisor
    return size, 1


def _is_natural(size: Size) -> bool:
    """Whether no value of the free sizes, which are 0 or more, makes it negative."""
    return all(c >= 0 for _, c in terms_of(size)) and all(
        isinstance(atom, Symbol) or (isinstance(atom, Floor) and _is_natural(atom.numerator)) for atom in _atoms(size)
    )


def _of(atom: Atom) -> Dim:
    return Dim((((atom,), 1),))


def _as_dim(size: Size) -> Dim:
    return size if isinstance(size, Dim) else Dim((((), size),))


def _polynomial(total: Mapping[Monomial, int]) -> Size:
    terms = {monomial: c for monomial, c in total.items() if c}
    if not any(terms):
        return terms.get((), 0)
    if len(terms) == 1:
        return Dim(tuple(terms.items()))
    return Dim(tuple(sorted(terms.items(), key=lambda term: (-len(term[0]), [str(atom) for atom in term[0]]))))


def _factor(size: Size) -> str:
    text = str(size)
    return text if text.isidentifier() or text.isdigit() else f"({text})"


def _term(monomial: Monomial, coefficient: int) -> str:
    if not monomial:
        return str(coefficient)
    alone = len(monomial) == 1 and coefficient == 1
    factors = [f"({atom})" if isinstance(atom, Floor) and not alone else str(atom) for atom in monomial]
    return "*".join(factors if coefficient == 1 else [str(coefficient), *factors])
