"""Weights by the paths that a spec writes: `backbone.stage.0`, `level.*.conv`, `stage.-1`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TypeAlias

from graphc.diagnostics import did_you_mean
from graphc.elaborate.build import Build
from graphc.elaborate.evaluate import evaluate
from graphc.elaborate.frame import Frame
from graphc.elaborate.things import Failed
from graphc.expr import Broken, Expr, Member, Name
from graphc.spec import Formula
from graphc.tensor import Weight

Branches: TypeAlias = "dict[str, Branches]"


class Weights:
    """All weights of a graph and of its training as a tree of the parts of their paths."""

    def __init__(self, build: Build, weights: Iterable[tuple[str, Weight]]) -> None:
        self.build = build
        self.all: dict[str, Weight] = dict(weights)
        self.tree: Branches = {}
        for path in self.all:
            branch = self.tree
            for part in path.split("."):
                branch = branch.setdefault(part, {})

    def at(self, formula: Formula, frame: Frame) -> list[str]:
        """The paths of the weights at or below a path.

        Raises:
            Failed: there are none; reported.
        """
        found = [("", self.tree)]
        for part, piece in _parts(self.build, formula, frame):
            below = [(f"{path}.{name}", inner[name]) for path, inner in found for name in _matching(inner, part)]
            self.build.spend(len(found) + len(below), formula.span)
            if not below:
                known = [name for _, inner in found for name in inner]
                hint = did_you_mean(part, known, f"there is {', '.join(dict.fromkeys(known))}" if known else "")
                self.build.fail("E302", f"no weights at `{formula}`: nothing is `{part}`", formula.at(piece), hint)
            found = below
        return [path.removeprefix(".") for start, inner in found for path in leaves(start, inner)]

    def at_any(self, formulas: Iterable[Formula], frame: Frame) -> frozenset[str]:
        """The paths of the weights at or below several paths; where there are none, that is reported."""
        found: set[str] = set()
        for formula in formulas:
            with suppress(Failed):
                found.update(self.at(formula, frame))
        return frozenset(found)


def _parts(build: Build, formula: Formula, frame: Frame) -> Iterator[tuple[str, Expr]]:
    """The parts of a path, each with its piece of the formula."""
    e = formula.expression
    pieces: list[tuple[str, Expr]] = []
    while isinstance(e, Member):
        part = e.part
        if isinstance(part, Expr):
            part = str(evaluate(build, frame, Formula(part, formula.scalar, formula.offset)))
        pieces.append((str(part), e))
        e = e.base
    if isinstance(e, Broken):
        raise Failed
    if not isinstance(e, Name):
        build.fail("E302", f"`{formula}` is not a path", formula.span, "a path is names and numbers: stage.0.conv")
    yield e.id, e
    yield from reversed(pieces)


def _matching(branch: Mapping[str, object], part: str) -> list[str]:
    """The names that a part of a path means: all numbers for `*`, counted from the end where it is negative."""
    numbers = sorted((name for name in branch if name.isdigit()), key=int)
    if part == "*":
        return numbers
    if part.startswith("-"):
        return numbers[int(part) :][:1] if -int(part) <= len(numbers) else []
    return [part] if part in branch else []


def leaves(path: str, branch: Branches) -> Iterator[str]:
    """The paths of the weights at or below a path."""
    if not branch:
        yield path
    for name, inner in branch.items():
        yield from leaves(f"{path}.{name}", inner)
