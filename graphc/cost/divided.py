"""Positions in parts: an axis that was split into windows and places in them, of which one may be read as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod

from graphc.ops.reach import ALL, LONGEST, SAME, Along, Digit, Divided, Reach, Sights


@dataclass(frozen=True, slots=True)
class Parts:
    """Positions of an axis that is not there any more; their digits lie along axes of the value.

    What such a position sees is the same for all values of a digit without an axis: all of them were read.
    """

    digits: tuple[Digit, ...]
    reach: Reach

    @property
    def axes(self) -> frozenset[int]:
        """The axes of the value along which they are found."""
        return frozenset(digit.axis for digit in self.digits if digit.axis is not None)

    def through(self, sights: Sights) -> Parts | None:
        """What is seen through an op; None where the parts get lost."""
        digits: list[Digit] = []
        reach: Reach | None = self.reach
        for digit in self.digits:
            found = None if digit.axis is None else _moved(digit, sights)
            if digit.axis is not None and sights[digit.axis] is ALL:
                reach = _read(digit, reach)
                found = [replace(digit, axis=None)]
            if found is None and digit.axis is not None:
                return None
            digits += found or [digit]
        return None if reach is None else Parts(tuple(digits), reach)

    def joined(self, other: Parts) -> Parts | None:
        """What is seen by either, where both have the same digits."""
        digits = [_same(a, b) for a, b in zip(self.digits, other.digits, strict=False)]
        reach = self.reach.joined(other.reach)
        if reach is None or len(self.digits) != len(other.digits):
            return None
        found = tuple(digit for digit in digits if digit is not None)
        return Parts(found, reach) if len(found) == len(digits) else None

    def along(self, shape: Sequence[int]) -> tuple[int, Reach | None] | None:
        """The axis of a value of this shape that has all digits and nothing else, and its reach; None without one."""
        if len(self.axes) != 1:
            return None
        (axis,) = self.axes
        digits = [digit for digit in self.digits if digit.axis is not None]
        if prod(digit.size for digit in digits) != shape[axis]:
            return None
        largest = max(digits, key=lambda digit: digit.unit)
        if largest.unit > LONGEST:
            return axis, None
        places = (sum(d.value(p) * d.stride for d in digits if d is not largest) for p in range(largest.unit))
        return axis, Reach(largest.stride, tuple((place, place) for place in places)).over(self.reach)


def _read(digit: Digit, reach: Reach | None) -> Reach | None:
    """What is seen where all values of a digit are read."""
    period = digit.size * digit.stride
    if reach is None or period > LONGEST:
        return None
    low = (position % digit.stride for position in range(period))
    return Reach(period, tuple((first, first + period - digit.stride) for first in low)).over(reach)


def _moved(digit: Digit, sights: Sights) -> list[Digit] | None:
    """Where a digit is found behind an op; perhaps it is divided again. None where that is not known."""
    assert digit.axis is not None
    match sights[digit.axis]:
        case Along(axis, reach) if reach == SAME:
            return [replace(digit, axis=axis)]
        case Divided(digits):
            return list(_redivided(digit, digits)) or None
    return None


def _redivided(digit: Digit, digits: Sequence[Digit]) -> Iterator[Digit]:
    """The digits of an axis that a digit of it is made of; nothing where they do not make it up."""
    inside = [it for it in digits if digit.unit <= it.stride < digit.unit * digit.size]
    if prod(it.size for it in inside) == digit.size and all(it.stride % digit.unit == 0 for it in inside):
        for it in inside:
            yield Digit(it.size, it.stride // digit.unit * digit.stride, it.axis, it.unit)


def _same(left: Digit, right: Digit) -> Digit | None:
    """A digit of two values: what makes no difference in one may do so in the other."""
    if (left.size, left.stride) != (right.size, right.stride):
        return None
    if left.axis is None or right.axis is None:
        return right if left.axis is None else left
    return left if left == right else None
