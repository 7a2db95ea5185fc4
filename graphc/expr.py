"""The expressions of a spec as trees. `graphc.parse` makes them from text, `graphc.elaborate` evaluates them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Literalish: TypeAlias = int | float | bool | str | None


@dataclass(frozen=True, slots=True)
class Expr:
    """A piece of an expression; `start` and `end` are offsets into its text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Broken(Expr):
    """What stands for a text that is no expression, which has been reported."""


@dataclass(frozen=True, slots=True)
class Literal(Expr):
    value: Literalish


@dataclass(frozen=True, slots=True)
class Name(Expr):
    id: str


@dataclass(frozen=True, slots=True)
class Member(Expr):
    """base.part, where a part is a name, a number, `*` for all copies, or an expression (`$i`)."""

    base: Expr
    part: str | int | Expr


@dataclass(frozen=True, slots=True)
class Call(Expr):
    function: str
    arguments: tuple[Expr, ...]
    keywords: tuple[tuple[str, Expr], ...]


@dataclass(frozen=True, slots=True)
class Unary(Expr):
    operator: str
    operand: Expr


@dataclass(frozen=True, slots=True)
class Binary(Expr):
    left: Expr
    operator: str
    right: Expr


@dataclass(frozen=True, slots=True)
class Choice(Expr):
    """yes if condition else no."""

    yes: Expr
    condition: Expr
    no: Expr


@dataclass(frozen=True, slots=True)
class Items(Expr):
    """[a, b, …]."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Comprehension(Expr):
    """element for variable in items."""

    element: Expr
    variable: str
    items: Expr


@dataclass(frozen=True, slots=True)
class Slice(Expr):
    """start:stop:step inside a subscript."""

    first: Expr | None
    last: Expr | None
    step: Expr | None


@dataclass(frozen=True, slots=True)
class Subscript(Expr):
    base: Expr
    parts: tuple[Expr, ...]
