"""What a graph demands of its free sizes: statements about sizes, solved for the sizes that satisfy them.

Nearly every size of a graph is linear in a free size between the steps of its floors. So a statement about one free
size is decided by looking at each residue modulo the floors' common period: there it holds for all sizes, for none,
from one on, or for one alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from heapq import merge
from itertools import count, islice
from typing import Literal, TypeAlias

from graphc.dims import Atom, ComplexityError, Floor, Size, Symbol, period, substitute, symbol, symbols, terms_of

Truth: TypeAlias = "bool | Relation"
Range: TypeAlias = tuple[int, int | None] | None

LONGEST_PERIOD = 1 << 12
MOST_OF_A_RUN = 64


class PeriodError(Exception):
    """Sizes that repeat only after so many that they are not looked at one by one."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A statement about sizes that holds for some inputs and not for others."""

    left: Size
    kind: Literal["==", ">="]
    right: Size

    def __str__(self) -> str:
        return f"{self.left} {self.kind} {self.right}"

    @property
    def names(self) -> set[str]:
        """The free sizes that it is about."""
        return symbols(self.left) | symbols(self.right)

    def holds(self, sizes: Mapping[str, int]) -> bool:
        """Whether the statement is true at these sizes; all free sizes must be given."""
        difference = substitute(self.left, sizes) - substitute(self.right, sizes)
        if not isinstance(difference, int):
            raise KeyError(f"{self}: give a size for each of {self.names}")
        return difference == 0 if self.kind == "==" else difference >= 0


@dataclass(frozen=True, slots=True)
class Rule:
    """Sizes a person can remember: multiple·k + plus, and at least `min`."""

    multiple: int = 1
    plus: int = 0
    min: int = 1

    def __contains__(self, size: int) -> bool:
        return size >= max(self.min, 1) and (size - self.plus) % self.multiple == 0

    def __str__(self) -> str:
        floor = f"at least {self.min}"
        if self.multiple == 1:
            return floor
        residue = f"a multiple of {self.multiple}" + (f" plus {self.plus}" if self.plus else "")
        first = self.plus or self.multiple
        return residue if self.min <= first else f"{residue} and {floor}"

    def sizes(self) -> SizeSet:
        """The sizes that obey the rule."""
        first = _next(self.plus, self.multiple, max(self.min, 1))
        residues = range(1, self.multiple + 1)
        return SizeSet(tuple((first, None) if (r - first) % self.multiple == 0 else None for r in residues))


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

    @property
    def is_endless(self) -> bool:
        """Whether it has infinitely many sizes."""
        return any(allowed is not None and allowed[1] is None for allowed in self.ranges)

    def __contains__(self, size: int) -> bool:
        allowed = self.ranges[(size - 1) % self.period]
        return size >= 1 and allowed is not None and allowed[0] <= size and (allowed[1] is None or size <= allowed[1])

    def __iter__(self) -> Iterator[int]:
        """The allowed sizes, smallest first; endless where infinitely many are allowed."""
        return merge(*(_every(allowed, self.period) for allowed in self.ranges))

    def __bool__(self) -> bool:
        return any(self.ranges)

    def __and__(self, other: SizeSet) -> SizeSet:
        return SizeSet(tuple(_overlap(a, b) for a, b in self._pairs(other)))

    def __le__(self, other: SizeSet) -> bool:
        return not self.without(other, 1)

    def without(self, other: SizeSet, how_many: int) -> list[int]:
        """The first sizes of this set that the other lacks."""
        pairs = list(self._pairs(other))
        rest = [_every(piece, len(pairs)) for a, b in pairs for piece in _outside(a, b, len(pairs))]
        return list(islice(merge(*rest), how_many))

    def rule(self) -> Rule | None:
        """The set as a rule, None where no rule says exactly the same."""
        allowed = [residue for residue, r in enumerate(self.ranges, 1) if r]
        if not allowed:
            return None
        multiple = reduce(math.gcd, (residue - allowed[0] for residue in allowed), self.period)
        smallest = min(r[0] for r in self.ranges if r)
        found = Rule(multiple, allowed[0] % multiple, smallest)
        return found if found.sizes() <= self <= found.sizes() else None

    def __str__(self) -> str:
        rule = self.rule()
        if rule:
            return str(rule)
        first = list(islice(self, 9))
        if len(first) < 2:
            return str(first[0]) if first else "no size at all"
        last = max(r[1] or 0 for r in self.ranges if r)
        if not self.is_endless and SizeSet(((first[0], last),)) <= self:
            return f"from {first[0]} to {last}"
        if self.is_endless and (runs := self._runs()):
            return f"one of {', '.join(runs)}, …"
        more = "" if len(first) < 9 else ", …" if self.is_endless else f", …, {last}"
        return "one of " + ", ".join(map(str, first[:8])) + more

    def _runs(self) -> list[str]:
        """The first three runs of sizes, where sizes stand in runs of several: "32 to 35"."""
        found: list[list[int]] = []
        for size in islice(self, 4 * MOST_OF_A_RUN):
            if found and size == found[-1][-1] + 1:
                found[-1].append(size)
            else:
                found.append([size])
        first = found[:3]
        is_told = len(found) > 3 and any(2 < len(run) <= MOST_OF_A_RUN for run in first)
        return [f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in first if is_told]

    def _pairs(self, other: SizeSet) -> Iterator[tuple[Range, Range]]:
        """Both sets' ranges, residue by residue of their common period."""
        common = math.lcm(self.period, other.period)
        if common > LONGEST_PERIOD:
            raise PeriodError(f"the sizes repeat only after {common}; at most {LONGEST_PERIOD} are looked at")
        return zip(self._spread(common), other._spread(common), strict=True)

    def _spread(self, to: int) -> tuple[Range, ...]:
        """The same set with a longer period."""
        return tuple(_thinned(self.ranges[(residue - 1) % self.period], residue, to) for residue in range(1, to + 1))


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
    """The sizes for which all of these statements hold that `solve` can solve.

    Raises:
        PeriodError: together they repeat too late.
    """
    solved = (solve(relation) for relation in relations)
    return reduce(SizeSet.__and__, (s for s in solved if s is not None), EVERY_SIZE)


def under(relation: Relation, rules: Mapping[str, Rule]) -> Truth:
    """Whether a statement is certain for all sizes that obey their rules; the statement itself where it is not."""
    first = {name: _next(rule.plus, rule.multiple, max(rule.min, 1)) for name, rule in rules.items()}
    steps = {name: symbol(name) * rule.multiple + (first[name] - rule.multiple) for name, rule in rules.items()}
    try:
        left, right = substitute(relation.left, steps), substitute(relation.right, steps)
        truth = _decide(Relation(left, relation.kind, right))
    except ComplexityError:
        return relation
    return truth if isinstance(truth, bool) else relation


def _decide(relation: Relation) -> Truth:
    difference = relation.left - relation.right
    if isinstance(difference, int):
        return difference == 0 if relation.kind == "==" else difference >= 0
    if relation.kind == ">=" and _never_negative(difference):
        return True
    solution = solve(relation)
    if solution is None:
        return relation
    if not solution:
        return False
    return relation if EVERY_SIZE.without(solution, 1) else True


def _never_negative(size: Size) -> bool:
    """Whether it is certain at a glance: the size grows with every free size, and these are at least 1."""
    return _grows(size) and _at_ones(size) >= 0


def _grows(size: Size) -> bool:
    terms = [(monomial, coefficient) for monomial, coefficient in terms_of(size) if monomial]
    return all(c > 0 and all(_positive_atom(atom) for atom in monomial) for monomial, c in terms)


def _positive_atom(atom: Atom) -> bool:
    """Whether an atom is never negative and grows with every free size."""
    if isinstance(atom, Floor):
        return isinstance(atom.divisor, int) and _never_negative(atom.numerator)
    return isinstance(atom, Symbol) or (_never_negative(atom.left) and _never_negative(atom.right))


def _at_ones(size: Size) -> int:
    lowest = substitute(size, dict.fromkeys(symbols(size), 1))
    if not isinstance(lowest, int):
        raise AssertionError(f"{size} has more sizes than those named")
    return lowest


def _linear(size: Size) -> bool:
    return all(
        len(monomial) <= 1 and all(_linear(atom.numerator) for atom in monomial if isinstance(atom, Floor))
        for monomial, _ in terms_of(size)
    )


def _range(difference: Size, kind: str, name: str, residue: int, step: int) -> Range:
    """Where difference == 0, or >= 0, among the sizes residue, residue + step and so on."""
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


def _every(allowed: Range, step: int) -> Iterable[int]:
    """The sizes of a range, `step` apart."""
    if allowed is None:
        return ()
    first, last = allowed
    return count(first, step) if last is None else range(first, last + 1, step)


def _thinned(allowed: Range, residue: int, step: int) -> Range:
    """The part of a range that has this residue modulo `step`."""
    if allowed is None:
        return None
    low = _next(residue, step, allowed[0])
    high = None if allowed[1] is None else allowed[1] - (allowed[1] - residue) % step
    return None if high is not None and low > high else (low, high)


def _next(residue: int, step: int, low: int) -> int:
    """The first number from `low` on that is `residue` modulo `step`."""
    return low + (residue - low) % step


def _overlap(left: Range, right: Range) -> Range:
    if left is None or right is None:
        return None
    low = max(left[0], right[0])
    high = min((h for h in (left[1], right[1]) if h is not None), default=None)
    return None if high is not None and low > high else (low, high)


def _outside(whole: Range, hole: Range, step: int) -> Iterator[Range]:
    """What a hole leaves of a range, below and above it."""
    if whole is None or hole is None:
        yield whole
        return
    yield _overlap(whole, (whole[0], hole[0] - step))
    if hole[1] is not None:
        yield _overlap(whole, (hole[1] + step, None))
