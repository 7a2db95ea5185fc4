"""Code with its values in every instance of a class, and what the spec binds a name to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isinf

from graphc.expr import Expr
from graphc.graph import Binding, Scope
from graphc_torch.names import plain
from graphc_torch.operators import ATOM, UNARY, gap, is_bare

Row = int
"""An instance of the class, by number."""


class UnresolvedError(Exception):
    """No code gives these numbers in every instance."""


@dataclass(frozen=True, slots=True)
class Term:
    """Code, how strongly it binds, and its value in each row."""

    code: str
    strength: int
    values: tuple[object, ...]


@dataclass(slots=True)
class Parameter:
    """An argument of a constructor: its value in each instance, and its default where it has one.

    `axis` is the input and its axis whose size it is, if it is one; `declared` says that the spec has the name.
    """

    name: str
    values: list[object]
    default: object = None
    has_default: bool = False
    rank: tuple[int, int] = (0, 0)
    axis: tuple[int, int] | None = None
    declared: bool = False

    @property
    def code(self) -> str:
        """What the constructor calls it."""
        return plain(self.name)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an expression stands: in a scope, or in one of a group of copies."""

    scope: Scope
    copy: int = -1


@dataclass(frozen=True, slots=True)
class Wanted:
    """A number to be written: its values in some rows, the spec's expression of each, and where that stands.

    A size that follows from an input has, in place of expressions, the `origins` of that: what made it so large.
    `loop` is a variable that may be used by its name; `default` what the number is where nothing is said, in a tuple.
    """

    name: str
    values: tuple[object, ...]
    rows: Sequence[Row]
    written: Sequence[Expr | None]
    places: Sequence[Place]
    origins: Callable[[], Sequence[Expr | None]] | None = None
    loop: str = ""
    default: tuple[object, ...] = ()


def binding_of(name: str, place: Place) -> Binding:
    """What a name is bound to in a scope or around it, up to its block.

    Raises:
        UnresolvedError: to no number.
    """
    around: Scope | None = place.scope
    copy = place.copy
    while around is not None:
        found = around.bindings.get(name)
        if found is not None and around.kind != "copies":
            return found
        if found is not None and name and copy >= 0 and isinstance(found.value, Sequence):
            return Binding(found.value[copy], "loop")
        around, copy = None if around.kind in ("block", "root") else around.parent, -1
    raise UnresolvedError(name)


def all_same(values: Sequence[object]) -> bool:
    """Whether all values are equal, and of one type."""
    return all(value == values[0] and type(value) is type(values[0]) for value in values)


def folded(code: str, strength: int, values: tuple[object, ...]) -> Term:
    """A term; its value where that is the same in all rows."""
    return known(values) if all_same(values) else Term(code, strength, values)


def known(values: tuple[object, ...]) -> Term:
    """The term of a value that is the same in all rows."""
    code = literal(values[0])
    return Term(code, UNARY if code.startswith("-") else ATOM, values)


def infix(left: Term, operator: str, right: Term) -> str:
    """The code of an operator between two terms."""
    a = left.code if is_bare(left.strength, operator, first=True) else f"({left.code})"
    b = right.code if is_bare(right.strength, operator, first=False) else f"({right.code})"
    space = gap(operator, a, b)
    return f"{a}{space}{operator}{space}{b}"


def wrapped(term: Term, least: int) -> str:
    """The code, in parentheses where it binds less strongly than `least`."""
    return term.code if term.strength >= least else f"({term.code})"


def literal(value: object) -> str:
    """A value as Python code."""
    if isinstance(value, float) and isinf(value):
        return f'float("{value}")'
    code = repr(value)
    return f'"{code[1:-1]}"' if isinstance(value, str) and '"' not in code else code
