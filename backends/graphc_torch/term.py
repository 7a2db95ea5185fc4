"""The numbers of a class as code: for each a name or an expression that is right in every instance of the class.

A number that is the same in all instances is written as it is. One that differs is, in this order, what the spec's own
expression says in the class's names, a name or expression already in use that has the same values, or a multiple of
one; else it becomes an argument of the constructor. Whatever is chosen has been compared with the true values.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import singledispatchmethod
from math import isinf
from typing import TypeGuard

from graphc.expr import Binary, Call, Choice, Expr, Literal, Name, Unary
from graphc.graph import Binding, Scope
from graphc_torch.names import plain
from graphc_torch.operators import ATOM, NOT, STRENGTH, UNARY, gap, is_bare

Row = int
"""An instance of the class, by number."""

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
_FUNCTIONS: dict[str, Callable[..., object]] = {"max": max, "min": min, "len": len}


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
    """An argument of a constructor: its value in each instance, and its default where it has one."""

    name: str
    values: list[object]
    default: object = None
    has_default: bool = False
    rank: tuple[int, int] = (0, 0)

    @property
    def code(self) -> str:
        """What the constructor calls it."""
        return plain(self.name)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A number to be written: its values in some rows, the spec's expression of each, and the scope that stands in."""

    name: str
    values: tuple[object, ...]
    rows: Sequence[Row]
    written: Sequence[Expr | None]
    scopes: Sequence[Scope]


@dataclass(slots=True)
class Numbers:
    """The numbers of one class. `scopes` are its instances."""

    scopes: Sequence[Scope]
    parameters: dict[str, Parameter] = field(default_factory=dict)
    seen: list[tuple[str, int, list[object]]] = field(default_factory=list)

    def code(self, wanted: Wanted) -> str:
        """Code that has the wanted values.

        Raises:
            UnresolvedError: there is none.
        """
        return self.term(wanted).code

    def term(self, wanted: Wanted) -> Term:
        """As `code`, with how strongly it binds."""
        column, rows = wanted.values, wanted.rows
        if all_same(column):
            named = self.from_part(wanted) if self.is_part(rows) else None
            return named or known(column)
        found = (
            self.from_spec(wanted)
            or self.from_seen(column, rows)
            or self.from_names(column, rows, 1)
            or self.from_names(column, rows, None)
            or self.from_parts(column, rows)
        )
        return found or self.new(wanted.name, column, rows)

    def from_spec(self, wanted: Wanted) -> Term | None:
        """What the spec says, where that is one expression for all rows."""
        first = wanted.written[0]
        if first is None or any(expression != first for expression in wanted.written):
            return None
        before = set(self.parameters)
        term = Translation(self, wanted.rows, wanted.scopes).try_term(first)
        if term is None or term.values != wanted.values:
            for name in set(self.parameters) - before:
                del self.parameters[name]
            return None
        return self.remember(term, wanted.rows)

    def from_part(self, wanted: Wanted) -> Term | None:
        """A name for a number that only some instances have, where the spec has one or says nothing."""
        if wanted.written[0] is not None:
            return self.from_spec(wanted)
        return self.from_seen(wanted.values, wanted.rows) or self.from_names(wanted.values, wanted.rows, 1)

    def is_part(self, rows: Sequence[Row]) -> bool:
        """Whether some instances have no such number: then a name says more than the number of the others."""
        return len(set(rows)) < len(self.scopes)

    def remember(self, term: Term, rows: Sequence[Row]) -> Term:
        """Keeps a term for later numbers of the same values."""
        if len(set(rows)) == len(rows) == len(self.scopes):
            by_row = dict(zip(rows, term.values, strict=True))
            self.seen.append((term.code, term.strength, [by_row[row] for row in range(len(self.scopes))]))
        return term

    def from_seen(self, column: tuple[object, ...], rows: Sequence[Row]) -> Term | None:
        for code, strength, values in reversed(self.seen):
            if tuple(values[row] for row in rows) == column:
                return Term(code, strength, column)
        return None

    def from_names(self, column: tuple[object, ...], rows: Sequence[Row], factor: int | None) -> Term | None:
        """A name of the scope times `factor`, None for any whole factor."""
        for name, values in self.names().items():
            times = _factor(column, [values[row] for row in rows])
            if times is not None and factor in (None, times):
                if name not in self.parameters:
                    self.argument(name, rows, tuple(values[row] for row in rows))
                code = plain(name)
                return Term(code, ATOM, column) if times == 1 else Term(f"{times} * {code}", 6, column)
        return None

    def from_parts(self, column: tuple[object, ...], rows: Sequence[Row]) -> Term | None:
        """A whole part of a name of the scope."""
        for name, values in self.names().items():
            parts = _factor([values[row] for row in rows], column)
            if parts is not None:
                if name not in self.parameters:
                    self.argument(name, rows, tuple(values[row] for row in rows))
                return Term(f"{plain(name)} // {parts}", STRENGTH["//"], column)
        return None

    def names(self) -> dict[str, list[object]]:
        """The arguments so far, and the numbers that the spec names in this scope, in every instance."""
        named = {name: [scope.bindings[name].value for scope in self.scopes] for name in self.scopes[0].bindings}
        return {name: p.values for name, p in self.parameters.items()} | named

    def new(self, name: str, column: tuple[object, ...], rows: Sequence[Row]) -> Term:
        """A new argument; an instance that has no such number never uses it."""
        by_row: dict[Row, object] = {}
        for row, value in zip(rows, column, strict=True):
            if by_row.setdefault(row, value) != value:
                raise UnresolvedError(name)
        values = [by_row.get(row, column[0]) for row in range(len(self.scopes))]
        unique = name
        while unique in self.parameters:
            known = self.parameters[unique]
            if all(all_same([known.values[row], value]) for row, value in zip(rows, column, strict=True)):
                return Term(known.code, ATOM, column)
            unique += "_"
        self.parameters[unique] = Parameter(unique, values, rank=(0, len(self.parameters)))
        return Term(plain(unique), ATOM, column)

    def named(self, name: str, rows: Sequence[Row], scopes: Sequence[Scope]) -> Term:
        """What a name of the spec stands for, as code.

        Raises:
            UnresolvedError: it has no code.
        """
        bindings = [binding_of(name, scope) for scope in scopes]
        column = tuple(binding.value for binding in bindings)
        if name in self.parameters:
            return Term(plain(name), ATOM, tuple(self.parameters[name].values[row] for row in rows))
        if all_same(column):
            return known(column)
        derived = self.derived(bindings, rows, scopes)
        if derived is not None and derived.values == column:
            return derived
        return self.argument(name, rows, column)

    def derived(self, bindings: Sequence[Binding], rows: Sequence[Row], scopes: Sequence[Scope]) -> Term | None:
        """A name that the block computes itself: by `let`, or by a default that no caller overrides."""
        first = bindings[0]
        own = all(
            b.expression == first.expression and not b.given and b.source in ("parameter", "let") for b in bindings
        )
        if first.expression is None or not own:
            return None
        return Translation(self, rows, scopes).try_term(first.expression)

    def argument(self, name: str, rows: Sequence[Row], column: tuple[object, ...]) -> Term:
        """An argument that the spec names."""
        values = [binding_of(name, scope).value for scope in self.scopes]
        if tuple(values[row] for row in rows) != column:
            raise UnresolvedError(name)
        binding = binding_of(name, self.scopes[0])
        order = list(self.scopes[0].bindings)
        rank = (0 if binding.source == "size" else 1, order.index(name) if name in order else -1)
        self.parameters[name] = Parameter(name, values, rank=rank)
        self.set_default(name)
        return Term(plain(name), ATOM, column)

    def set_default(self, name: str) -> None:
        """The default of the spec's parameter, where it is a plain number."""
        binding = self.scopes[0].bindings.get(name)
        if binding is not None and binding.default is not None:
            self.parameters[name].default, self.parameters[name].has_default = binding.default, True


@dataclass(frozen=True, slots=True)
class Translation:
    """Turns an expression of the spec into code, in some rows of a class."""

    numbers: Numbers
    rows: Sequence[Row]
    scopes: Sequence[Scope]

    def try_term(self, expression: Expr) -> Term | None:
        """The term of an expression, None where it has none."""
        try:
            return self.term(expression)
        except (UnresolvedError, KeyError, TypeError, ArithmeticError):
            return None

    @singledispatchmethod
    def term(self, expression: Expr) -> Term:
        raise UnresolvedError(type(expression).__name__)

    @term.register(Literal)
    def _(self, e: Literal) -> Term:
        return known((e.value,) * len(self.rows))

    @term.register(Name)
    def _(self, e: Name) -> Term:
        return self.numbers.named(e.id, self.rows, self.scopes)

    @term.register(Unary)
    def _(self, e: Unary) -> Term:
        inner = self.term(e.operand)
        if e.operator == "not":
            return folded(f"not {wrapped(inner, NOT)}", NOT, tuple(not value for value in inner.values))
        return folded(f"-{wrapped(inner, ATOM)}", UNARY, tuple(_OPERATORS["-"](0, value) for value in inner.values))

    @term.register(Binary)
    def _(self, e: Binary) -> Term:
        left, right = self.term(e.left), self.term(e.right)
        values = tuple(map(_OPERATORS[e.operator], left.values, right.values))
        kept = next((side for side in (left, right) if side.values == values), None)
        if kept is None and e.operator in _ARITHMETIC:
            terms = (self.numbers.named(name, self.rows, self.scopes) for name in names_in(e))
            kept = next((term for term in terms if term.values == values), None)
        if kept is not None and e.operator in _ARITHMETIC and not all_same(values):
            return kept
        return folded(infix(left, e.operator, right), STRENGTH[e.operator], values)

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
        values = tuple(_FUNCTIONS[e.function](*row) for row in zip(*(a.values for a in arguments), strict=True))
        return folded(f"{e.function}({', '.join(a.code for a in arguments)})", ATOM, values)


def binding_of(name: str, scope: Scope) -> Binding:
    """What a name is bound to in a scope or around it, up to its block.

    Raises:
        UnresolvedError: to no number.
    """
    around: Scope | None = scope
    while around is not None:
        if name in around.bindings and around.kind != "copies":
            return around.bindings[name]
        around = None if around.kind in ("block", "root") else around.parent
    raise UnresolvedError(name)


def names_in(expression: Expr) -> Iterator[str]:
    """The names that a calculation calculates with."""
    match expression:
        case Name():
            yield expression.id
        case Binary():
            yield from names_in(expression.left)
            yield from names_in(expression.right)


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


def _factor(column: Sequence[object], base: Sequence[object]) -> int | None:
    """The whole number that each of `base` must be multiplied by to give `column`."""
    numbers = [(a, b) for a, b in zip(column, base, strict=True) if _is_size(a) and _is_size(b)]
    factors = {a // b if a % b == 0 else 0 for a, b in numbers}
    return factors.pop() if len(numbers) == len(column) and len(factors) == 1 and 0 not in factors else None


def _is_size(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
