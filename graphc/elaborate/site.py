"""Where a formula is evaluated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from graphc.diagnostics import Span
from graphc.elaborate.arithmetic import UnfitError
from graphc.elaborate.build import Build
from graphc.elaborate.frame import Frame, Level, Place
from graphc.expr import Expr
from graphc.spec import Formula

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Site:
    """Where a formula is evaluated. Values made on the way become nodes of the frame's scope."""

    build: Build
    frame: Frame
    formula: Formula

    @property
    def level(self) -> Level:
        """Where values go that are made on the way."""
        return self.frame.level

    def span(self, at: Expr) -> Span:
        """The place of a piece of the formula."""
        return self.formula.at(at)

    def place(self, at: Expr, name: str) -> Place:
        """A place for what a piece of the formula makes."""
        return inner_place(self.level, name, self.span(at))

    def fail(self, at: Expr, code: str, message: str, hint: str = "") -> NoReturn:
        """Reports what is wrong with a piece of the formula."""
        self.build.fail(code, message, self.span(at), hint)

    def do(self, at: Expr, work: Callable[..., _T], *things: object) -> _T:
        """What `work` makes of these; where it can't, that is reported at a piece of the formula."""
        try:
            return work(*things)
        except UnfitError as error:
            self.fail(at, error.code, error.message, error.hint)


def inner_place(level: Level, name: str, span: Span) -> Place:
    """A place for what is made inside another step."""
    return Place(level, level.fresh(name), span, inline=True)
