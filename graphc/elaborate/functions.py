"""The fixed functions of expressions, over numbers, sizes and lists."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

from graphc.dims import Dim, larger, smaller
from graphc.elaborate.arithmetic import LONGEST, UnfitError, arithmetic, bounded, fixed, integer, number, sequence
from graphc.elaborate.things import Thing, main_value, spoken
from graphc.graph import Value

_Pick: TypeAlias = Callable[[int | Dim, int | Dim], int | Dim]


def call(name: str, arguments: Sequence[Thing]) -> Thing:
    """The function of that name, applied.

    Raises:
        UnfitError: it can't be.
    """
    least, most, function = FUNCTIONS[name]
    if not least <= len(arguments) <= most:
        wanted = f"{least}" if least == most else f"{least} or more" if most == _ANY else f"{least} to {most}"
        raise UnfitError(f"`{name}` takes {wanted} arguments, got {len(arguments)}")
    return bounded(function(*arguments))


def _least(*things: Thing) -> Thing:
    return _fold(things, min, smaller)


def _most(*things: Thing) -> Thing:
    return _fold(things, max, larger)


def _fold(
    things: Sequence[Thing],
    fold: Callable[[list[int | float]], int | float],
    pick: Callable[[int | Dim, int | Dim], int | Dim],
) -> Thing:
    items = sequence(things[0]) if len(things) == 1 else list(things)
    if not items:
        raise UnfitError("the list is empty")
    if not any(isinstance(item, Dim) for item in items):
        return fold([fixed(item) for item in items])
    total, *rest = map(_size, items)
    for size in rest:
        total = pick(total, size)
    return total


def _size(thing: Thing) -> int | Dim:
    found = number(thing)
    if isinstance(found, float):
        raise UnfitError(f"a free size and a fraction, {found}: sizes are whole numbers")
    return found


def _rounded(round_: Callable[[int | float], int]) -> Callable[[Thing], Thing]:
    return lambda thing: thing if isinstance(thing, Dim) else round_(fixed(thing))


def _sqrt(thing: Thing) -> Thing:
    if fixed(thing) < 0:
        raise UnfitError("a root of a negative number")
    return math.sqrt(fixed(thing))


def _log2(thing: Thing) -> Thing:
    if fixed(thing) <= 0:
        raise UnfitError("a logarithm of a number that is not positive")
    return math.log2(fixed(thing))


def _range(*things: Thing) -> Thing:
    bounds = [integer(thing) for thing in things]
    if len(bounds) == 3 and bounds[2] == 0:
        raise UnfitError("the step is 0")
    numbers = range(*bounds)
    if len(numbers[: LONGEST + 1]) > LONGEST:
        raise UnfitError(f"the list is longer than {LONGEST}", "E305")
    return list(numbers)


def _sum(thing: Thing) -> Thing:
    total: Thing = 0
    for item in sequence(thing):
        total = arithmetic("+", total, item)
    return total


def _zip(*things: Thing) -> Thing:
    lists = [sequence(thing) for thing in things]
    if len({len(items) for items in lists}) > 1:
        raise UnfitError(f"the lists have {', '.join(str(len(items)) for items in lists)} elements")
    return [list(group) for group in zip(*lists, strict=True)]


def _divisible(thing: Thing, by: Thing) -> Thing:
    """The multiple of a divisor nearest to a width, at most 10 % below it.

    As in Sandler et al. 2018, their code's `make_divisible`.
    """
    width, divisor = fixed(thing), integer(by)
    if divisor < 1:
        raise UnfitError(f"the divisor {divisor} is not positive")
    nearest = max(divisor, int(width + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < 0.9 * width else nearest


def _channels(thing: Thing) -> Thing:
    return _axis(thing, 1)


def _axis(thing: Thing, axis: Thing) -> Thing:
    """The size of a value along an axis."""
    value = main_value(thing)
    if not isinstance(value, Value):
        raise UnfitError(f"a value is needed here, not {spoken(thing)}")
    shape, number = value.type.shape, integer(axis)
    if not -len(shape) <= number < len(shape):
        raise UnfitError(f"{value.type} has no axis {number}")
    return shape[number]


_ANY = 1_000
FUNCTIONS: dict[str, tuple[int, int, Callable[..., Thing]]] = {
    "channels": (1, 1, _channels),
    "ceil": (1, 1, _rounded(math.ceil)),
    "dim": (2, 2, _axis),
    "divisible": (2, 2, _divisible),
    "floor": (1, 1, _rounded(math.floor)),
    "len": (1, 1, lambda thing: len(sequence(thing))),
    "log2": (1, 1, _log2),
    "max": (1, _ANY, _most),
    "min": (1, _ANY, _least),
    "range": (1, 3, _range),
    "reversed": (1, 1, lambda thing: sequence(thing)[::-1]),
    "sqrt": (1, 1, _sqrt),
    "sum": (1, 1, _sum),
    "zip": (1, _ANY, _zip),
}
"""The functions of the language: how many arguments they take, at least and at most, and what they do."""

ABOUT_VALUES = ("channels", "dim", "len", "range", "reversed", "zip")
"""The functions that take values or lists of them; the others are, for a value, ops of that name."""
