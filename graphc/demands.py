"""What a graph demands of its free sizes: statements about sizes, solved for the sizes that satisfy them.

Every size of a graph is linear in a free size between the steps of its floors. So a statement is decided by looking at
each residue modulo the floors' common period: there it holds for all sizes, for none, from one on, or for one alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, reduce
from itertools import count, islice
from typing import Literal, TypeAlias

from graphc.dims import Atom, Floor, Size, Symbol, period, substitute, symbols, terms_of

Truth: TypeAlias = "bool | Relation"
Range: TypeAlias = tuple[int, int | None] | None

LONGEST_PERIOD = 1 << 14


@dataclass(frozen=True, slots=True)
class Relation:
    """A statement about sizes that holds for some inputs and not for others."""

    left: Size
    kind: Literal["==", ">="]
    right: Size

    def __str__(self) -> str:
        return f"{self.left} {self.kind} {self.right}"

    def holds(self, **sizes: int) -> bool:
        """Whether the statement is true at these sizes; all free sizes must be given."""
        left, right = substitute(self.left, sizes), substitute(self.right, sizes)
        if not (isinstance(left, int) and isinstance(right, int)):
            raise ValueError(f"{self}: give a size for each of {symbols(self.left) | symbols(self.right)}")
        return left == right if self.kind == "==" else left >= right


@dataclass(frozen=True, slots=True)
class Rule:
    """Sizes a person can remember: multiple·k + plus, and at least `min`."""

    multiple: int = 1
    plus: int = 0
    min: int = 1

    def __str__(self) -> str:
        floor = f"at least {self.min}"
        if self.multiple == 1:
            return floor
        residue = f"a multiple of {self.multiple}" + (f" plus {self.plus}" if self.plus else "")
        first = self.plus or self.multiple
        return residue if self.min <= first else f"{residue} and {floor}"

    def sizes(self) -> SizeSet:
        """The sizes that obey the rule."""
        low = max(self.min, 1)
        residues = range(1, self.multiple + 1)
        return SizeSet(
            tuple((_next(r, self.multiple, low), None) if (r - self.plus) % self.multiple == 0 else None for r in residues)
        )


@dataclass(frozen=True, slots=True)
class SizeSet:
    """The allowed sizes of one dim: for each residue 1 … period, the first and the last allowed size, or None."""

    ranges: tuple[Range, ...]

    @classmethod
    def only(cls, size: int) -> SizeSet:
        """The set of one size."""
        return cls(((size, size),))

    @property
    def period(self) -> int:
        return len(self.ranges)

    def __contains__(self, size: int) -> bool:
        allowed = self.ranges[(size - 1) % self.period]
        return size >= 1 and allowed is not None and allowed[0] <= size and (allowed[1] is None or size <= allowed[1])

    def __iter__(self) -> Iterator[int]:
        """The allowed sizes, smallest first; endless where infinitely many are allowed."""
        last = max((r[1] or 0 for r in self.ranges if r), default=0)
        endless = any(r and r[1] is None for r in self.ranges)
        return (s for s in (count(1) if endless else range(1, last + 1)) if s in self)

    def __bool__(self) -> bool:
        return any(self.ranges)

    def __and__(self, other: SizeSet) -> SizeSet:
        common = math.lcm(self.period, other.period)
        return SizeSet(tuple(_overlap(a, b) for a, b in zip(self._spread(common), other._spread(common), strict=True)))

    def __le__(self, other: SizeSet) -> bool:
        both = self & other
        return both.ranges == self._spread(both.period)

    def without(self, other: SizeSet, how_many: int) -> list[int]:
        """The first sizes of this set that the other lacks."""
        common = math.lcm(self.period, other.period)
        edges = [edge or 0 for r in (*self.ranges, *other.ranges) if r for edge in r]
        end = max(edges, default=0) + 2 * common
        return list(islice((s for s in range(1, end + 1) if s in self and s not in other), how_many))

    def rule(self) -> Rule | None:
        """The set as a rule, None where no rule says exactly the same."""
        allowed = [residue for residue, r in enumerate(self.ranges, 1) if r]
        if not allowed:
            return None
        multiple = reduce(math.gcd, (residue - allowed[0] for residue in allowed), self.period)
        smallest = min(r[0] for r in self.ranges if r)
        found = Rule(multiple, allowed[0] % multiple, smallest)
        return found if found.sizes() <= self and self <= found.sizes() else None

    def __str__(self) -> str:
        rule = self.rule()
        if rule:
            return str(rule)
        first = list(islice(self, 9))
        if not first:
            return "no size at all"
        return "one of " + ", ".join(map(str, first[:8])) + (", …" if len(first) > 8 else "")

    def _spread(self, to: int) -> tuple[Range, ...]:
        """The same set with a longer period."""
        spread: list[Range] = []
        for residue in range(1, to + 1):
            allowed = self.ranges[(residue - 1) % self.period]
            low = _next(residue, to, allowed[0]) if allowed else 0
            high = None if allowed is None or allowed[1] is None else _last(residue, to, allowed[1])
            spread.append(None if allowed is None or (high is not None and low > high) else (low, high))
        return tuple(spread)


EVERY_SIZE = SizeSet(((1, None),))


def equal(left: Size, right: Size) -> Truth:
    """left == right: True or False where that is certain for all sizes."""
    return _decide(Relation(left, "==", right))


def at_least(left: Size, right: Size) -> Truth:
    """left >= right: True or False where that is certain for all sizes."""
    return _decide(Relation(left, ">=", right))


def divisible(size: Size, divisor: int) -> Truth:
    """Whether `divisor` divides `size`: True or False where that is certain for all sizes."""
    return equal(size % divisor, 0)


@lru_cache(maxsize=1 << 16)
def solve(relation: Relation) -> SizeSet | None:
    """The sizes for which a statement about one free size holds; None where it has several or is not linear."""
    difference = relation.left - relation.right
    names, step = symbols(difference), period(difference)
    if len(names) != 1 or step is None or step > LONGEST_PERIOD or not _linear(difference):
        return None
    (name,) = names
    return SizeSet(tuple(_range(difference, relation.kind, name, r, step) for r in range(1, step + 1)))


def allowed(relations: Iterable[Relation]) -> SizeSet:
    """The sizes for which all statements about one free size hold."""
    solved = (solve(relation) for relation in relations)
    return reduce(SizeSet.__and__, (s for s in solved if s is not None), EVERY_SIZE)


def _decide(relation: Relation) -> Truth:
    difference = relation.left - relation.right
    if isinstance(difference, int):
        return difference == 0 if relation.kind == "==" else difference >= 0
    if relation.kind == ">=" and _never_negative(difference):
        return True
    solution = solve(relation)
    if solution is None:
        return relation
    return relation if solution and not EVERY_SIZE <= solution else bool(solution)


def _never_negative(size: Size) -> bool:
    """Whether it is certain at a glance: the size grows with every free size, and these are at least 1."""
    lowest = substitute(size, dict.fromkeys(symbols(size), 1))
    return isinstance(lowest, int) and lowest >= 0 and _grows(size)


def _grows(size: Size) -> bool:
    terms = [(monomial, coefficient) for monomial, coefficient in terms_of(size) if monomial]
    return all(c > 0 and all(_positive_atom(atom) for atom in monomial) for monomial, c in terms)


def _positive_atom(atom: Atom) -> bool:
    return isinstance(atom, Symbol) or (isinstance(atom, Floor) and _never_negative(atom.numerator))


def _linear(size: Size) -> bool:
    return all(
        len(monomial) <= 1 and all(_linear(atom.numerator) for atom in monomial if isinstance(atom, Floor))
        for monomial, _ in terms_of(size)
    )


def _range(difference: Size, kind: str, name: str, residue: int, step: int) -> Range:
    """Where difference == 0, or >= 0, among the sizes residue, residue + step, …"""
    start, after = (substitute(difference, {name: residue + k * step}) for k in (0, 1))
    if not (isinstance(start, int) and isinstance(after, int)):
        raise AssertionError(f"{difference} depends on more than {name}")
    slope = after - start
    if slope == 0:
        return (residue, None) if (start == 0 if kind == "==" else start >= 0) else None
    if kind == "==":
        root, rest = divmod(-start, slope)
        return None if rest or root < 0 else (residue + root * step, residue + root * step)
    if slope > 0:
        return residue + max(0, -(start // slope)) * step, None
    return (residue, residue + start // -slope * step) if start >= 0 else None


def _next(residue: int, step: int, low: int) -> int:
    return low + (residue - low) % step


def _last(residue: int, step: int, high: int) -> int:
    return high - (high - residue) % step


def _overlap(left: Range, right: Range) -> Range:
    if left is None or right is None:
        return None
    low = max(left[0], right[0])
    high = min((h for h in (left[1], right[1]) if h is not None), default=None)
    return None if high is not None and low > high else (low, high)
