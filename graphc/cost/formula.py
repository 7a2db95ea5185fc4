"""Counts as formulas that a person recognises: polynomials with rational coefficients, without floors where it can be.

Where a size is known to be a multiple of 32, or is taken to be one, `((H - 1)//2 + 1)·((W - 1)//2 + 1)` is `1/4·H·W`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm, prod
from typing import TypeAlias

from graphc.demands import Rule
from graphc.dims import Atom, Dim, Size, Symbol, period, substitute, symbol, symbols, terms_of

Powers: TypeAlias = tuple[tuple[str, int], ...]
"""The symbols of a term and their exponents, in the order of their names."""

SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
STEP = "graphc.formula k"
LONGEST_PERIOD = 1 << 12


@dataclass(frozen=True, slots=True)
class Formula:
    """A polynomial. What is no symbol, a floor or a minimum, stands as one with its text for a name."""

    terms: Mapping[Powers, Fraction]

    @classmethod
    def of(cls, size: Size) -> Formula:
        """A size as it is."""
        terms = ((_powers(map(str, monomial)), Fraction(factor)) for monomial, factor in terms_of(size))
        return cls({powers: factor for powers, factor in terms if factor})

    def __add__(self, other: Formula) -> Formula:
        total = dict(self.terms)
        for powers, factor in other.terms.items():
            total[powers] = total.get(powers, Fraction(0)) + factor
        return Formula({powers: factor for powers, factor in total.items() if factor})

    def __mul__(self, other: Formula) -> Formula:
        total = Formula({})
        for left, a in self.terms.items():
            for right, b in other.terms.items():
                total += Formula({_powers(_spelled((*left, *right))): a * b})
        return total

    def times(self, factor: Fraction | int) -> Formula:
        """Each term so many times."""
        return Formula({powers: own * factor for powers, own in self.terms.items() if factor})

    def at(self, values: Mapping[str, int]) -> Fraction:
        """What it comes to.

        Raises:
            KeyError: a symbol has no value.
        """
        terms = self.terms.items()
        return sum((factor * prod(values[name] ** e for name, e in powers) for powers, factor in terms), Fraction(0))

    def text(self, order: Sequence[str], outside: Sequence[str] = (), leading: Sequence[str] = ()) -> str:
        """As it is written: symbols in this order, those `outside` before a parenthesis where all terms have them.

        The terms come with falling powers, first of the `leading` symbols: 4·h·w·C² + 2·(h·w)²·C, where that is C.
        """
        common = [name for name in outside if len(self.terms) > 1 and self._everywhere(name)]
        inner = Formula({_without(powers, common): factor for powers, factor in self.terms.items()})
        written = " + ".join(inner._written(order, leading)).replace("+ -", "- ") or "0"
        return "·".join([*common, f"({written})"]) if common else written

    def _everywhere(self, name: str) -> bool:
        return all((name, 1) in powers for powers in self.terms)

    def _written(self, order: Sequence[str], leading: Sequence[str]) -> Iterator[str]:
        places = {name: place for place, name in enumerate(order)}

        def place(powers: Powers) -> tuple[list[int], int, list[int]]:
            has = dict(powers)
            first, then = ([-has.get(name, 0) for name in names] for names in (leading, order))
            return first, -sum(has.values()), then

        for powers in sorted(self.terms, key=place):
            ordered = sorted(powers, key=lambda power: (places.get(power[0], len(places)), power[0]))
            yield _term(self.terms[powers], ordered)


@dataclass(frozen=True, slots=True)
class Told:
    """A formula, and the sizes that it holds for where these are not all: name by name a multiple and a remainder."""

    formula: Formula
    only: Mapping[str, tuple[int, int]]


def steps_told(steps: Mapping[str, tuple[int, int]]) -> str:
    """What sizes must be, in words: multiples with a remainder."""
    groups: dict[tuple[int, int], list[str]] = {}
    for name, step in steps.items():
        groups.setdefault(step, []).append(name)
    return "; ".join(f"{', '.join(names)} {_steps(*step)}" for step, names in groups.items())


def simplified(size: Size, rules: Mapping[str, Rule], examples: Mapping[str, int]) -> Told:
    """A size without floors: under the rules of its symbols, else for such sizes as the examples are."""
    declared = {name: (rules[name].multiple, rules[name].plus) for name in symbols(size) if name in rules}
    found = _in_steps(size, declared)
    if found is not None:
        return Told(found, {})
    whole = period(size)
    if whole is None or whole > LONGEST_PERIOD:
        return Told(Formula.of(size), {})
    inside = {name for monomial, _ in terms_of(size) for atom in monomial for name in _floored(atom)}
    for divisor in (divisor for divisor in range(2, whole + 1) if whole % divisor == 0):
        joint = {name: _joint(declared[name], divisor, examples[name]) for name in sorted(inside)}
        steps = {**declared, **joint}
        found = _in_steps(size, steps)
        if found is not None:
            return Told(found, {name: step for name, step in steps.items() if step != declared[name]})
    return Told(Formula.of(size), {})


def _floored(atom: Atom) -> set[str]:
    """The symbols inside a floor, a minimum or a maximum."""
    return set() if isinstance(atom, Symbol) else symbols(Dim((((atom,), 1),)))


def _joint(step: tuple[int, int], divisor: int, example: int) -> tuple[int, int]:
    """The sizes that are like an example in both ways."""
    multiple = lcm(step[0], divisor)
    return multiple, example % multiple


def _in_steps(size: Size, steps: Mapping[str, tuple[int, int]]) -> Formula | None:
    """A size for symbols that are multiple · k + plus; None where a floor is left."""
    found = substitute(size, {name: symbol(f"{STEP} {name}") * by + plus for name, (by, plus) in steps.items()})
    if not all(isinstance(atom, Symbol) for monomial, _ in terms_of(found) for atom in monomial):
        return None
    total = Formula({})
    for monomial, factor in terms_of(found):
        term = Formula({(): Fraction(factor)})
        for atom in monomial:
            term *= _back(str(atom), steps)
        total += term
    return total


def _back(name: str, steps: Mapping[str, tuple[int, int]]) -> Formula:
    """k in terms of the size that it counts the steps of."""
    plain = name.removeprefix(f"{STEP} ")
    if plain == name:
        return Formula({((name, 1),): Fraction(1)})
    by, plus = steps[plain]
    return Formula({((plain, 1),): Fraction(1, by)}) + Formula({(): Fraction(-plus, by)}).times(1 if plus else 0)


def _powers(names: Iterable[str]) -> Powers:
    given = sorted(names)
    return tuple((name, given.count(name)) for name in dict.fromkeys(given))


def _spelled(powers: Powers) -> Iterator[str]:
    return (name for name, exponent in powers for _ in range(exponent))


def _without(powers: Powers, names: Sequence[str]) -> Powers:
    return tuple(power for power in powers if power[0] not in names)


def _term(factor: Fraction, powers: Sequence[tuple[str, int]]) -> str:
    """4·h·w·C², or 2·(h·w)²·C where several symbols have the same exponent."""
    parts: list[str] = []
    told: set[int] = set()
    for _, exponent in powers:
        names = [_plain(name) for name, other in powers if other == exponent]
        if exponent > 1 and exponent not in told:
            base = f"({'·'.join(names)})" if len(names) > 1 else names[0]
            parts.append(base + str(exponent).translate(SUPERSCRIPT))
        elif exponent == 1 and exponent not in told:
            parts += names
        told.add(exponent)
    number = f"{factor.numerator:,}" + (f"/{factor.denominator:,}" if factor.denominator > 1 else "")
    return "·".join([*([] if factor == 1 and parts else [number]), *parts])


def _plain(name: str) -> str:
    return name if name.isidentifier() else f"({name})"


def _steps(multiple: int, plus: int) -> str:
    first = plus or multiple
    return f"a multiple of {multiple}" if not plus else f"{first}, {first + multiple}, {first + 2 * multiple}, …"
