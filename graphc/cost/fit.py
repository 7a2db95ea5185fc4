"""Counts as formulas in a spec's parameters: found from the counts at some values of these, and checked at others.

A parameter may change which steps there are, so it is no symbol while a graph is made. Its counts at several values
leave one polynomial of a degree; that it is right is seen at further values, and said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeAlias

from graphc.cost.formula import Formula

Counts: TypeAlias = Mapping[str, Formula]
Measure: TypeAlias = Callable[[Mapping[str, int]], Counts | None]
"""The counts for some values of parameters; None where the spec can't have these."""
DEGREES = (3, 4)
"""The degrees that are tried: attention over a picture of size² has size⁴."""
CHECKS = 2


class FitError(Exception):
    """Counts are no such polynomial: one line for the user."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Formulas in parameters, and the values of each at which they were found, and checked.

    `stepped` are those parameters in which the formulas hold at multiples of the first value alone, as sizes that are
    cut into patches.
    """

    counts: Counts
    found: Mapping[str, Sequence[int]]
    checked: Mapping[str, Sequence[int]]
    stepped: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Fitter:
    """Measures at most once for each set of values."""

    measure: Measure
    defaults: Mapping[str, int]
    degree: int = DEGREES[0]
    had: dict[tuple[int, ...], Counts | None] = field(default_factory=dict)

    def counts(self, values: Mapping[str, int]) -> Counts | None:
        key = tuple(values[name] for name in self.defaults)
        if key not in self.had:
            self.had[key] = self.measure(values)
        return self.had[key]

    def fit(self, names: Sequence[str], values: Mapping[str, int]) -> Counts:
        """The formulas in some parameters, the others having these values."""
        if not names:
            counts = self.counts(values)
            if counts is None:
                raise FitError(f"the spec can't have {_said(values)}, at which a formula is looked for")
            return counts
        name, *others = names
        points = [self.defaults[name] * times for times in range(1, self.degree + 2)]
        rows = [self.fit(others, {**values, name: point}) for point in points]
        return {key: _through(name, points, [row[key] for row in rows]) for key in rows[0]}

    def check(self, counts: Counts, values: Mapping[str, int]) -> bool:
        """Whether formulas give what is counted at these values; false where the spec can't have them.

        Raises:
            FitError: they do not.
        """
        measured = self.counts(values)
        if measured is None:
            return False
        for key, formula in counts.items():
            if _with(formula, values) != measured[key]:
                raise FitError(f"{key} is no polynomial of degree {self.degree}: not at {_said(values)}")
        return True

    def is_stepped(self, counts: Counts, name: str) -> bool:
        """Whether formulas don't hold at the number after a parameter's own."""
        own = self.defaults[name]
        try:
            self.check(counts, {**self.defaults, name: own + 1})
        except FitError:
            return own > self.degree
        return False


def fit(measure: Measure, defaults: Mapping[str, int]) -> Fit:
    """The formulas of counts in parameters, of degree 4 at most in each, from multiples of the defaults.

    Raises:
        FitError: they are none, or the spec can't have the values at which that is to be found out.
    """
    fitter = _Fitter(measure, defaults)
    for fitter.degree in DEGREES[:-1]:
        with suppress(FitError):
            return _fit(fitter)
    fitter.degree = DEGREES[-1]
    return _fit(fitter)


def _fit(fitter: _Fitter) -> Fit:
    """The formulas of one degree."""
    degree, defaults = fitter.degree, fitter.defaults
    counts = fitter.fit([*defaults], {})
    checked: dict[str, list[int]] = {}
    stepped = frozenset(name for name in defaults if fitter.is_stepped(counts, name))
    for name, own in defaults.items():
        further = [own * (degree + 1 + times) for times in range(1, CHECKS + 1)]
        further += [own + 1] * (own > degree and name not in stepped)
        checked[name] = [value for value in further if fitter.check(counts, {**defaults, name: value})]
        if not checked[name]:
            raise FitError(f"the spec has too few values of {name} at which a formula could be checked")
    found = {name: [own * times for times in range(1, degree + 2)] for name, own in defaults.items()}
    return Fit(counts, found, checked, stepped)


def _through(name: str, points: Sequence[int], values: Sequence[Formula]) -> Formula:
    """The polynomial through values at points (Lagrange)."""
    variable, total = Formula({((name, 1),): Fraction(1)}), Formula({})
    for point, value in zip(points, values, strict=True):
        basis = Formula({(): Fraction(1)})
        for other in points:
            if other != point:
                step = variable + Formula({(): Fraction(-other)})
                basis = (basis * step).times(Fraction(1, point - other))
        total += basis * value
    return total


def _with(formula: Formula, values: Mapping[str, int]) -> Formula:
    """A formula with numbers for some symbols."""
    total = Formula({})
    for powers, factor in formula.terms.items():
        number = factor
        for name, exponent in powers:
            number *= values[name] ** exponent if name in values else 1
        total += Formula({tuple(power for power in powers if power[0] not in values): number})
    return total


def _said(values: Mapping[str, int]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in values.items())
