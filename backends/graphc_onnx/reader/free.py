"""The free sizes of a file: the named dimensions of its inputs, and those that nobody knows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from graphc.demands import PeriodError, Rule, allowed
from graphc.diagnostics import Span
from graphc.dims import ComplexityError, Size, symbol, symbols
from graphc.graph import Demand, FreeSize
from graphc.saved.names import is_name
from graphc.saved.sizes import SizeError, size_of

LETTERS = ("N", "C", "H", "W", "D")
EXAMPLES = (1, 64, 224, 224, 64)
"""Of the axes of an input, where the graph can take them."""


@dataclass(slots=True)
class Free:
    """The names so far, each with the axis where it was met first; `unknown` are those that no input has."""

    axes: dict[str, int] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)

    def named(self, name: str, axis: int) -> None:
        """An axis of an input has this name, unless it is a formula or none."""
        if is_name(name):
            self.axes.setdefault(name, axis)

    def input(self, name: str, axis: int) -> Size:
        """The size of an axis of an input, which can be a formula of named ones; without a name it gets a letter."""
        found = self.formula(name)
        if found is not None and symbols(found):
            return found
        wanted = re.sub(r"\W+", "_", name).strip("_")
        if not wanted:
            return symbol(self.new(LETTERS[axis] if axis < len(LETTERS) else "D", axis))
        if not is_name(wanted) or wanted.isdecimal():
            wanted = f"size_{wanted}"
        self.axes.setdefault(wanted, axis)
        return symbol(wanted)

    def size(self, formula: str, axis: int) -> Size:
        """The size that a formula is, in the names of the inputs; a new one where it can't be read."""
        found = self.formula(formula)
        return self.guess(axis) if found is None else found

    def formula(self, text: str) -> Size | None:
        """The size that a formula of the names so far is, if it is one."""
        try:
            found = size_of(text)
        except (SizeError, ComplexityError):
            return None
        return found if symbols(found) <= self.axes.keys() else None

    def guess(self, axis: int) -> Size:
        """A size that nobody knows."""
        name = self.new("unknown", axis)
        self.unknown.add(name)
        return symbol(name)

    def new(self, stem: str, axis: int) -> str:
        """A name that nothing has."""
        name, number = stem, 2
        while name in self.axes:
            name, number = f"{stem}{number}", number + 1
        self.axes[name] = axis
        return name

    def sizes(self, demands: list[Demand], used: set[str], span: Span) -> dict[str, FreeSize]:
        """The free sizes in use, each with an example that the graph takes, if one is found."""
        return {
            name: FreeSize(name, _example(name, axis, demands), Rule(), frozenset(), span)
            for name, axis in self.axes.items()
            if name in used
        }


def _example(name: str, axis: int, demands: list[Demand]) -> int:
    """A usual size, or else the next one from it on, or the first, that satisfies what is demanded of it alone."""
    usual = EXAMPLES[axis] if axis < len(EXAMPLES) else 1
    try:
        found = allowed(each.relation for each in demands if each.relation.names == {name})
    except PeriodError:
        return usual
    if usual in found or not found:
        return usual
    return next((size for size in range(usual, 4 * usual + 64) if size in found), next(iter(found)))
