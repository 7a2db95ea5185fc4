"""Arithmetic and comparison in expressions, over numbers, sizes, texts and lists."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Literal, TypeAlias

from graphc.demands import Relation, Truth, at_least, equal
from graphc.dims import ComplexityError, Dim
from graphc.elaborate.build import LARGEST, is_bounded
from graphc.elaborate.things import Thing, listing, spoken
from graphc.graph import Value

Number: TypeAlias = int | float | Dim

LONGEST = 100_000
LARGEST_EXPONENT = 64


class UnfitError(Exception):
    """An operation that can't be done: its code, what is wrong, and a hint."""

    def __init__(self, message: str, code: str = "E303", hint: str = "") -> None:
        super().__init__(message)
        self.message, self.code, self.hint = message, code, hint


# --- what a thing is


def number(thing: Thing) -> Number:
    """A number or a size.

    Raises:
        UnfitError: it is neither.
    """
    if isinstance(thing, (int, float, Dim)) and not isinstance(thing, bool):
        return thing
    raise UnfitError(f"a number is needed here, not {spoken(thing)}")


def fixed(thing: Thing) -> int | float:
    """A number that doesn't depend on a free size."""
    found = number(thing)
    if isinstance(found, Dim):
        raise UnfitError(f"a fixed number is needed here; the size {found} is free")
    return found


def integer(thing: Thing) -> int:
    """A fixed whole number."""
    found = fixed(thing)
    if isinstance(found, float):
        raise UnfitError(f"a whole number is needed here, not {found}", hint="`//` divides whole numbers")
    return found


def sequence(thing: Thing) -> list[Thing]:
    """A list, or the copies of a step."""
    found = listing(thing)
    if isinstance(found, list):
        return found
    raise UnfitError(f"a list is needed here, not {spoken(thing)}")


def is_large(thing: Thing) -> bool:
    """Whether a thing is a number beyond the limit, or none at all."""
    return isinstance(thing, (int, float)) and not abs(thing) <= LARGEST


def bounded(thing: Thing) -> Thing:
    """The result, unless it has grown beyond the limits."""
    if is_large(thing):
        raise UnfitError("the number is larger than 2**62", "E305")
    if isinstance(thing, Dim) and not is_bounded(thing):
        raise UnfitError("the size is too complicated", "E305")
    if isinstance(thing, list) and len(thing) > LONGEST:
        raise UnfitError(f"the list is longer than {LONGEST}", "E305")
    return thing


# --- operators


def arithmetic(symbol: str, left: Thing, right: Thing) -> Thing:
    """left symbol right, as in Python; lists can be added, and repeated by a number."""
    if symbol == "+" and isinstance(left, list) and isinstance(right, list):
        return bounded(left + right)
    if symbol == "*" and isinstance(left, list) and isinstance(right, int):
        return _repeated(left, right)
    if symbol not in _ARITHMETIC:
        raise UnfitError(f"`{symbol}` is for values, not for numbers")
    a, b = number(left), number(right)
    if isinstance(a, Dim) or isinstance(b, Dim):
        _require_whole(symbol, a, b)
    if symbol == "**" and not abs(fixed(b)) <= LARGEST_EXPONENT:
        raise UnfitError(f"an exponent is at most {LARGEST_EXPONENT}", "E305")
    return bounded(_applied(symbol, a, b))


def _repeated(items: list[Thing], times: int) -> list[Thing]:
    if len(items) * max(times, 0) > LONGEST:
        raise UnfitError(f"the list is longer than {LONGEST}", "E305")
    return items * times


def _applied(symbol: str, left: Number, right: Number) -> Number:
    try:
        result = _ARITHMETIC[symbol](left, right)
    except ComplexityError as error:
        raise UnfitError(str(error), "E305") from error
    except ZeroDivisionError:
        raise UnfitError("division by zero") from None
    except OverflowError:
        raise UnfitError("the number is larger than 2**62", "E305") from None
    if isinstance(result, complex):
        raise UnfitError("a root of a negative number")
    return result


def _require_whole(symbol: str, left: Number, right: Number) -> None:
    """What can be done with a size that is free."""
    if isinstance(left, float) or isinstance(right, float):
        raise UnfitError(f"a free size and a fraction, {left} {symbol} {right}: sizes are whole numbers")
    if symbol == "/":
        raise UnfitError(f"the size {left if isinstance(left, Dim) else right} is free", hint="`//` divides sizes")
    if symbol == "**":
        raise UnfitError("`**` takes fixed numbers", hint="multiply instead")
    if symbol in ("//", "%") and isinstance(right, Dim) and at_least(right, 1) is not True:
        raise UnfitError(f"the divisor {right} is not positive for every size")


def negative(thing: Thing) -> Thing:
    """-thing."""
    return -number(thing)


def compare(symbol: str, left: Thing, right: Thing) -> bool:
    """left symbol right, where that is the same for all sizes."""
    if isinstance(left, Dim) or isinstance(right, Dim):
        return _compare_sizes(symbol, number(left), number(right))
    if not (_is_plain(left) and _is_plain(right)):
        raise UnfitError(f"{spoken(left)} and {spoken(right)} can't be compared")
    try:
        return bool(COMPARISONS[symbol](left, right))
    except TypeError:
        raise UnfitError(f"{spoken(left)} and {spoken(right)} can't be compared with `{symbol}`") from None


def _compare_sizes(symbol: str, left: Number, right: Number) -> bool:
    if isinstance(left, float) or isinstance(right, float):
        raise UnfitError("a free size can't be compared with a fraction")
    relate, swapped, wanted = _COMPARE_SIZES[symbol]
    truth = relate(right, left) if swapped else relate(left, right)
    if isinstance(truth, Relation):
        message = f"{left} {symbol} {right} holds for some sizes only: a condition can't depend on a free size"
        raise UnfitError(message, "E304", "make the size a parameter, or fix it in the input's shape")
    return truth == wanted


def _is_plain(thing: Thing) -> bool:
    if isinstance(thing, list):
        return all(_is_plain(item) for item in thing)
    return isinstance(thing, (int, float, str)) or thing is None


def truth(thing: Thing) -> bool:
    """Whether a thing counts as true."""
    if isinstance(thing, Dim):
        raise UnfitError(f"the size {thing} is free: a condition can't depend on it", "E304")
    if isinstance(thing, Value):
        raise UnfitError("a condition is over numbers and fixed sizes, not over a value")
    return bool(thing)


_ARITHMETIC: dict[str, Callable[..., int | float | complex | Dim]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
}
COMPARISONS: dict[str, Callable[..., bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_COMPARE_SIZES: dict[str, tuple[Callable[[int | Dim, int | Dim], Truth], bool, Literal[True, False]]] = {
    "==": (equal, False, True),
    "!=": (equal, False, False),
    ">=": (at_least, False, True),
    "<=": (at_least, True, True),
    ">": (at_least, True, False),
    "<": (at_least, False, False),
}
"""For each comparison a relation, whether its sides change places, and what it must come to."""
