"""The spec's expressions as Python's, in the names of a constructor."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import singledispatchmethod
from typing import TYPE_CHECKING

from graphc.elaborate.arithmetic import UnfitError
from graphc.elaborate.functions import call
from graphc.expr import Binary, Call, Choice, Expr, Literal, Name, Unary
from graphc_torch.flow import Axis
from graphc_torch.operators import ATOM, NOT, STRENGTH, UNARY
from graphc_torch.term import Place, Row, Term, UnresolvedError, all_same, folded, infix, known, wrapped

if TYPE_CHECKING:
    from graphc_torch.numbers import Numbers

_OPERATORS: dict[str, Callable[..., object]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
}
_ARITHMETIC = {"+", "-", "*", "/", "//", "%", "**"}
_IN_PYTHON = frozenset(("max", "min", "len", "sum"))
"""The functions of the spec that Python has by the same name."""


@dataclass(frozen=True, slots=True)
class Translation:
    """Turns an expression of the spec into code, in some rows of a class; `loop` is a variable that has a name.

    Where it `is_spelt`, a calculation with numbers is written, not its value.
    """

    numbers: Numbers
    rows: Sequence[Row]
    places: Sequence[Place]
    loop: str = ""
    is_spelt: bool = False

    def try_term(self, expression: Expr) -> Term | None:
        """The term of an expression, None where it has none; then the class is as it was."""
        before = self.numbers.state()
        try:
            return self.term(expression)
        except (UnresolvedError, UnfitError, KeyError, TypeError, ArithmeticError):
            self.numbers.restore(before)
            return None

    @singledispatchmethod
    def term(self, expression: Expr) -> Term:
        raise UnresolvedError(type(expression).__name__)

    @term.register(Literal)
    def _(self, e: Literal) -> Term:
        return known((e.value,) * len(self.rows))

    @term.register(Name)
    def _(self, e: Name) -> Term:
        return self.numbers.named(e.id, self)

    @term.register(Unary)
    def _(self, e: Unary) -> Term:
        inner = self.term(e.operand)
        if e.operator == "not":
            return folded(f"not {wrapped(inner, NOT)}", NOT, tuple(not value for value in inner.values))
        return folded(f"-{wrapped(inner, ATOM)}", UNARY, tuple(_OPERATORS["-"](0, value) for value in inner.values))

    @term.register(Axis)
    def _(self, e: Axis) -> Term:
        return self.numbers.axis(e.index, e.axis, self.rows)

    @term.register(Binary)
    def _(self, e: Binary) -> Term:
        left, right = self.term(e.left), self.term(e.right)
        if e.operator in ("and", "or") and all_same(left.values):
            return right if bool(left.values[0]) == (e.operator == "and") else left
        values = tuple(map(_OPERATORS[e.operator], left.values, right.values))
        if self.is_spelt and e.operator in _ARITHMETIC:
            return Term(infix(left, e.operator, right), STRENGTH[e.operator], values)
        kept = self.kept(e, (left, right), values) if e.operator in _ARITHMETIC else None
        return kept or folded(infix(left, e.operator, right), STRENGTH[e.operator], values)

    def kept(self, e: Expr, parts: Sequence[Term], values: tuple[object, ...]) -> Term | None:
        """A part of a calculation, or a name in it, that has the value of the whole: the rest does nothing here."""
        if all_same(values):
            return None
        kept = next((part for part in parts if part.values == values), None)
        if kept is None:
            known_names = (self.numbers.named(name, self) for name in names_in(e))
            kept = next((term for term in known_names if term.values == values), None)
        return kept

    @term.register(Choice)
    def _(self, e: Choice) -> Term:
        condition = self.term(e.condition)
        if all_same(condition.values):
            return self.term(e.yes) if condition.values[0] else self.term(e.no)
        yes, no = self.term(e.yes), self.term(e.no)
        picked = zip(condition.values, yes.values, no.values, strict=True)
        values = tuple(a if c else b for c, a, b in picked)
        return folded(f"{wrapped(yes, 1)} if {wrapped(condition, 1)} else {no.code}", 0, values)

    @term.register(Call)
    def _(self, e: Call) -> Term:
        arguments = [self.term(argument) for argument in e.arguments]
        values = tuple(call(e.function, row) for row in zip(*(a.values for a in arguments), strict=True))
        kept = self.kept(e, arguments, values)
        if kept is None and e.function not in _IN_PYTHON and not all_same(values):
            raise UnresolvedError(e.function)
        return kept or folded(f"{e.function}({', '.join(a.code for a in arguments)})", ATOM, values)


def names_in(expression: Expr) -> Iterator[str]:
    """The names that a calculation calculates with."""
    match expression:
        case Name():
            yield expression.id
        case Binary():
            yield from names_in(expression.left)
            yield from names_in(expression.right)
        case Call():
            for argument in expression.arguments:
                yield from names_in(argument)
