"""Where a free size can be read when a network runs: it is the size of an axis of an input, or follows from one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from graphc.diagnostics import listed
from graphc.dims import Monomial, Size, Symbol, terms_of
from graphc.graph import Value


@dataclass(frozen=True, slots=True)
class Reading:
    """A free size as (the size of an axis of a value - plus) / factor."""

    value: Value
    axis: int
    factor: int = 1
    plus: int = 0


@dataclass(frozen=True, slots=True)
class Multiple:
    """A size as factor * (a product of free sizes and the like) + plus."""

    monomial: Monomial
    factor: int
    plus: int

    @property
    def effort(self) -> int:
        """How many operations lead back to the product."""
        return (self.factor != 1) + (self.plus != 0)


def readings(values: Iterable[Value]) -> dict[str, Reading]:
    """The free sizes that values show, by name, each read where it takes the least arithmetic."""
    shown = [
        (multiple, value, axis)
        for value in values
        for axis, size in enumerate(value.type.shape)
        if (multiple := as_multiple(size)) is not None
    ]
    found: dict[str, Reading] = {}
    for multiple, value, axis in sorted(shown, key=lambda each: each[0].effort):
        first, *others = multiple.monomial
        if isinstance(first, Symbol) and not others:
            found.setdefault(first.name, Reading(value, axis, multiple.factor, multiple.plus))
    return found


def unshown(names: Iterable[str], values: Iterable[Value]) -> str:
    """What would help where free sizes can't be read from values; empty where all can."""
    shown = readings(values)
    missing = [f"`{name}`" for name in names if name not in shown]
    return f"no input has {listed(missing)} as an axis: give it to one" if missing else ""


def as_multiple(size: Size) -> Multiple | None:
    """A size that has one term beside its constant."""
    terms = dict(terms_of(size))
    plus = terms.pop((), 0)
    return Multiple(*next(iter(terms.items())), plus) if len(terms) == 1 else None
