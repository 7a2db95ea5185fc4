"""What a position of a result reads of an operand: the parts that receptive fields are put together from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from math import gcd, lcm, prod
from typing import TypeAlias

from graphc.tensor import Shape

LONGEST = 4_096
"""The longest period that is still looked at; beyond it a field is unknown."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Which positions of one axis a position of another reads: position period · q + r from step · q + first to + last.

    `spans` has (first, last) for each r from 0 on, so that there are as many as the period. Positions may lie outside,
    where a real axis has padding. A convolution has the period 1; one position in two of an upsampling reads the same.
    """

    step: int = 1
    spans: tuple[tuple[int, int], ...] = ((0, 0),)

    @property
    def period(self) -> int:
        """After how many positions the reading repeats, `step` positions further."""
        return len(self.spans)

    @property
    def size(self) -> int:
        """How many positions lie between both ends, these included, where that is most."""
        return max(last - first for first, last in self.spans) + 1

    @property
    def stride(self) -> Fraction:
        """How far the reading moves on from one position to the next, on average."""
        return Fraction(self.step, self.period)

    def at(self, position: int) -> tuple[int, int]:
        """The first and the last position that a position reads."""
        whole, rest = divmod(position, self.period)
        first, last = self.spans[rest]
        return first + self.step * whole, last + self.step * whole

    def over(self, inner: Reach) -> Reach | None:
        """What is read through another reach; None where that would repeat too late."""
        times = inner.period // gcd(self.step, inner.period)
        if self.period * times > LONGEST:
            return None
        spans = [inner.between(*self.at(position)) for position in range(self.period * times)]
        return _shortest(inner.step * (self.step * times // inner.period), spans)

    def between(self, first: int, last: int) -> tuple[int, int]:
        """The first and the last position that several in a row read."""
        low = min(self.at(position)[0] for position in range(first, min(last, first + self.period - 1) + 1))
        return low, max(self.at(position)[1] for position in range(max(first, last - self.period + 1), last + 1))

    def joined(self, other: Reach) -> Reach | None:
        """From the first to the last position that either reads; None where they move on at different speeds."""
        period = lcm(self.period, other.period)
        if self.stride != other.stride or period > LONGEST:
            return None
        pairs = [(self.at(position), other.at(position)) for position in range(period)]
        spans = [(min(a[0], b[0]), max(a[1], b[1])) for a, b in pairs]
        return _shortest(int(self.stride * period), spans)


SAME = Reach()
"""Each position reads the one that is like it."""


@dataclass(frozen=True, slots=True)
class Along:
    """A position along an axis of the result reads a part of the operand's axis."""

    axis: int
    reach: Reach = SAME


@dataclass(frozen=True, slots=True)
class Moved:
    """A position along the operand's axis is found at one along these axes of the result together, in another order."""

    axes: frozenset[int]


@dataclass(frozen=True, slots=True)
class Digit:
    """A part of a position, as the tens are of a number: it has `size` values, each `stride` positions from the next.

    It is found along `axis`, where it is `position // unit % size`; `axis` is None for one that makes no difference.
    """

    size: int
    stride: int
    axis: int | None
    unit: int

    def value(self, position: int) -> int:
        """What it is at a position along its axis."""
        return position // self.unit % self.size


@dataclass(frozen=True, slots=True)
class Divided:
    """A position along the operand's axis is made of digits, which are found along axes of the result."""

    digits: tuple[Digit, ...]

    @property
    def axes(self) -> frozenset[int]:
        return frozenset(digit.axis for digit in self.digits if digit.axis is not None)


class Whole(Enum):
    """What no reach says."""

    ALL = "global"
    UNKNOWN = "unknown"


Sight: TypeAlias = "Along | Divided | Moved | Whole"
"""What an element of a result reads along one axis of an operand."""
Sights: TypeAlias = "tuple[Sight, ...]"
"""The same for each axis of an operand."""
Seen: TypeAlias = "tuple[Sights | None, ...]"
"""The same for each operand; None for one of which only the shape is read."""
ALL, UNKNOWN = Whole.ALL, Whole.UNKNOWN


def shifted(by: int) -> Reach:
    """Each position reads the one so far behind it."""
    return Reach(1, ((by, by),))


def stretched(factor: int) -> Reach:
    """So many positions in a row read the same one."""
    return Reach(1, ((0, 0),) * factor)


def parts(size: int, count: int) -> Reach | None:
    """What each of so many parts of an axis reads, which are as equal as they can be (`torch.nn.AdaptiveAvgPool2d`)."""
    common = gcd(size, count)
    if count // common > LONGEST:
        return None
    spans = ((r * size // count, -(-(r + 1) * size // count) - 1) for r in range(count // common))
    return Reach(size // common, tuple(spans))


def along(axis: int, reach: Reach | None) -> Sight:
    """What is read along an axis; unknown where that can't be said."""
    return UNKNOWN if reach is None else Along(axis, reach)


def alike(axes: int) -> Sights:
    """An element reads the one at the same place."""
    return tuple(map(Along, range(axes)))


def all_but(axes: int, whole: Collection[int]) -> Sights:
    """An element reads the one at the same place, but everything along some axes."""
    return tuple(ALL if axis in whole else Along(axis) for axis in range(axes))


def reduced(axes: int, gone: Collection[int], keep: bool = False) -> Sights:
    """An element reads everything along some axes, which are not there afterwards unless they are kept."""
    before = [sum(other in gone for other in range(axis)) for axis in range(axes)]
    return tuple(ALL if axis in gone else Along(axis if keep else axis - before[axis]) for axis in range(axes))


def broadcasted(operand: Shape, result: Shape) -> Sights:
    """What an element reads of an operand that is repeated along its axes of 1."""
    new = len(result) - len(operand)
    pairs = enumerate(zip(operand, result[new:], strict=True), new)
    return tuple(ALL if size == 1 != wanted else Along(axis) for axis, (size, wanted) in pairs)


def regrouped(before: Shape, after: Shape) -> Sights:
    """What is read of a value whose elements stand in their order with another shape.

    Axes that begin and end together on both sides belong together; one that stays alone is the same axis. Nothing is
    known where the numbers of elements are others, as of a model's file with sizes that nobody knows.
    """
    old, new = numbers(before), numbers(after)
    if old is None or new is None or prod(old) != prod(new) or min((*old, *new), default=1) < 1:
        return (UNKNOWN,) * len(before)
    sights: list[Sight] = []
    for group, targets in _groups(old, new):
        real = [axis for axis in targets if new[axis] != 1]
        alone = len(real) == sum(size != 1 for size in group) == 1
        sight: Sight = Along(real[0]) if alone else Moved(frozenset(real))
        sights += [ALL if size == 1 else sight for size in group]
    return tuple(sights)


def numbers(shape: Shape) -> tuple[int, ...] | None:
    """The sizes of a shape where all are fixed."""
    found = tuple(size for size in shape if isinstance(size, int))
    return found if len(found) == len(shape) else None


def _groups(before: Sequence[int], after: Sequence[int]) -> Iterator[tuple[Sequence[int], range]]:
    """The runs of sizes, and of axes afterwards, that have the same product."""
    here = there = 0
    while here < len(before):
        first, start = here, there
        left, right, here = before[here], 1, here + 1
        while left != right:
            if right < left:
                right, there = right * after[there], there + 1
            else:
                left, here = left * before[here], here + 1
        yield before[first:here], range(start, there)


def _shortest(step: int, spans: Sequence[tuple[int, int]]) -> Reach:
    """The reach with the shortest period that says the same."""
    count = len(spans)
    for period in (p for p in range(1, count) if count % p == 0 and step * p % count == 0):
        by = step * period // count
        pairs = zip(spans, spans[period:], strict=False)
        if all((a + by, b + by) == after for (a, b), after in pairs):
            return Reach(by, tuple(spans[:period]))
    return Reach(step, tuple(spans))
