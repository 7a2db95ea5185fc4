"""Evaluates expressions: over numbers at once, over values by adding ops to the graph."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import singledispatchmethod
from typing import NoReturn

from graphc.demands import Relation, at_least, equal
from graphc.diagnostics import Span, did_you_mean
from graphc.dims import Dim, larger, smaller
from graphc.elaborate.build import Build
from graphc.elaborate.frame import Frame, Plain, Result, Thing, known, main_value, spoken
from graphc.elaborate.make import make_op, require_operands
from graphc.expr import Binary, Call, Choice, Comprehension, Expr, Items, Literal, Member, Name, Slice, Subscript, Unary
from graphc.graph import Value
from graphc.ops import OPS
from graphc.spec import Formula

LARGEST = 1 << 62
LONGEST = 100_000


class Evaluator:
    """Evaluates one formula in a frame. Values made on the way become nodes of the frame's scope."""

    def __init__(self, build: Build, frame: Frame, formula: Formula) -> None:
        self.build, self.frame, self.formula = build, frame, formula

    def result(self) -> Thing:
        """What the formula stands for.

        Raises:
            Failed: it can't be evaluated; reported.
        """
        return self.of(self.formula.expression)

    def fail(self, at: Expr, code: str, message: str, hint: str = "") -> NoReturn:
        self.build.fail(code, message, self.formula.at(at), hint)

    @singledispatchmethod
    def of(self, expression: Expr) -> Thing:
        """What a piece of the formula stands for."""
        self.fail(expression, "E303", "a slice stands inside `[…]`")

    @of.register(Literal)
    def _(self, e: Literal) -> Thing:
        return e.value

    @of.register(Name)
    def _(self, e: Name) -> Thing:
        try:
            found = self.frame.find(e.id)
        except KeyError:
            hint = did_you_mean(e.id, self.frame.visible(), f"names here are {', '.join(sorted(set(self.frame.visible())))}")
            self.fail(e, "E302", f"`{e.id}` is not a name here", hint)
        return known(found)

    @of.register(Member)
    def _(self, e: Member) -> Thing:
        base = self.of(e.base)
        part = self.of(e.part) if isinstance(e.part, Expr) else e.part
        if part == "*":
            return list(self.copies(e, base))
        if isinstance(part, int):
            return self.element(e, self.copies(e, base), part)
        if isinstance(base, list):
            return [self.inner(e, item, str(part)) for item in base]
        return self.inner(e, base, str(part))

    @of.register(Items)
    def _(self, e: Items) -> Thing:
        return [self.of(item) for item in e.items]

    @of.register(Comprehension)
    def _(self, e: Comprehension) -> Thing:
        frame = self.frame
        found: list[Thing] = []
        for item in self.sequence(e.items, self.of(e.items)):
            self.frame = frame.inside(frame.level)
            self.frame.names[e.variable] = item
            found.append(self.of(e.element))
        self.frame = frame
        return found

    @of.register(Choice)
    def _(self, e: Choice) -> Thing:
        return self.of(e.yes) if self.truth(e.condition) else self.of(e.no)

    @of.register(Unary)
    def _(self, e: Unary) -> Thing:
        if e.operator == "not":
            return not self.truth(e.operand)
        number = self.number(e.operand, self.of(e.operand))
        return -number if e.operator == "-" else number

    @of.register(Binary)
    def _(self, e: Binary) -> Thing:
        if e.operator in ("and", "or"):
            left = self.of(e.left)
            return left if self.decided(e.left, left) == (e.operator == "or") else self.of(e.right)
        left, right = self.of(e.left), self.of(e.right)
        if isinstance(main_value(left), Value) or isinstance(main_value(right), Value):
            return self.value_operator(e, left, right)
        if e.operator in _COMPARE:
            return self.compare(e, left, right)
        if isinstance(left, list) and isinstance(right, list) and e.operator == "+":
            return self.bounded(e, left + right)
        return self.arithmetic(e, self.number(e.left, left), self.number(e.right, right))

    @of.register(Subscript)
    def _(self, e: Subscript) -> Thing:
        items = self.sequence(e.base, self.of(e.base))
        if len(e.parts) != 1:
            self.fail(e, "E303", "a list has one index")
        (part,) = e.parts
        if isinstance(part, Slice):
            bounds = (None if b is None else self.integer(b) for b in (part.first, part.last, part.step))
            return list(items)[slice(*bounds)]
        return self.element(e, items, self.integer(part))

    @of.register(Call)
    def _(self, e: Call) -> Thing:
        arguments = [self.of(argument) for argument in e.arguments]
        if e.function in _FUNCTIONS:
            return self.function(e, arguments)
        return self.op(e, e.function, arguments, {name: self.of(value) for name, value in e.keywords})

    # --- values

    def op(self, e: Expr, name: str, arguments: list[Thing], attributes: dict[str, Thing]) -> Thing:
        """Adds the op of that name to the graph."""
        if name not in OPS:
            hint = did_you_mean(name, [*OPS, *_FUNCTIONS])
            self.fail(e, "E401", f"no op or function `{name}` for expressions", hint)
        span = self.formula.at(e)
        operands = [value for argument in arguments for value in values_of(self.build, argument, span)]
        made = make_op(self.build, OPS[name], attributes, span, dict.fromkeys(attributes, span))
        require_operands(self.build, made, len(operands), span)
        return self.build.emit(made, tuple(operands), self.frame.level, self.frame.level.fresh(name), span, inline=True)

    def value_operator(self, e: Binary, left: Thing, right: Thing) -> Thing:
        name = _VALUE_OPERATORS.get(e.operator)
        if name is None or name not in OPS:
            self.fail(e, "E303", f"`{e.operator}` has no op for values")
        return self.op(e, name, [left, right], {})

    # --- numbers

    def number(self, e: Expr, thing: Thing) -> int | float | Dim:
        if isinstance(thing, (int, float, Dim)) and not isinstance(thing, bool):
            return thing
        self.fail(e, "E303", f"a number is needed here, not {spoken(thing)}")

    def integer(self, e: Expr) -> int:
        thing = self.of(e)
        if isinstance(thing, int) and not isinstance(thing, bool):
            return thing
        self.fail(e, "E303", f"a whole number is needed here, not {spoken(thing)}")

    def truth(self, e: Expr) -> bool:
        return self.decided(e, self.of(e))

    def decided(self, e: Expr, thing: Thing) -> bool:
        if isinstance(thing, Dim):
            self.fail(e, "E304", f"the size {thing} is free: a condition can't depend on it")
        if isinstance(main_value(thing), Value):
            self.fail(e, "E303", "a condition is over numbers and fixed sizes, not over a value")
        return bool(thing)

    def compare(self, e: Binary, left: Thing, right: Thing) -> bool:
        if not (isinstance(left, Dim) or isinstance(right, Dim)):
            return self.plain_compare(e, left, right)
        a, b = self.number(e.left, left), self.number(e.right, right)
        if isinstance(a, float) or isinstance(b, float):
            self.fail(e, "E303", "a free size can't be compared with a fraction")
        relation, wanted = _COMPARE_SIZES[e.operator](a, b)
        if isinstance(relation, Relation):
            message = f"`{relation}` holds for some sizes only: a condition can't depend on a free size"
            self.fail(e, "E304", message, "make the size a parameter, or fix it in the input's shape")
        return relation == wanted

    def plain_compare(self, e: Binary, left: Thing, right: Thing) -> bool:
        try:
            return bool(_COMPARE[e.operator](left, right))
        except TypeError:
            self.fail(e, "E303", f"{spoken(left)} and {spoken(right)} can't be compared with `{e.operator}`")

    def arithmetic(self, e: Binary, left: int | float | Dim, right: int | float | Dim) -> Thing:
        if e.operator not in _ARITHMETIC:
            self.fail(e, "E303", f"`{e.operator}` is for values, not for numbers")
        if e.operator == "**" and not (isinstance(left, (int, float)) and isinstance(right, (int, float)) and abs(right) <= 64):
            self.fail(e, "E305", "`**` takes fixed numbers and an exponent of at most 64")
        try:
            return self.bounded(e, _ARITHMETIC[e.operator](left, right))
        except ZeroDivisionError:
            self.fail(e, "E303", "division by zero")
        except (TypeError, OverflowError):
            self.fail(e, "E303", f"`{e.operator}` can't be applied to {spoken(left)} and {spoken(right)}")

    def bounded(self, e: Expr, thing: Thing) -> Thing:
        """The result, unless it has grown beyond the limits."""
        if isinstance(thing, complex) or (isinstance(thing, (int, float)) and abs(thing) > LARGEST):
            self.fail(e, "E305", f"the number is larger than {LARGEST}")
        if isinstance(thing, list) and len(thing) > LONGEST:
            self.fail(e, "E305", f"the list is longer than {LONGEST}")
        return thing

    def function(self, e: Call, arguments: list[Thing]) -> Thing:
        if e.keywords:
            self.fail(e, "E303", f"`{e.function}` takes no named arguments")
        try:
            return self.bounded(e, _FUNCTIONS[e.function](*arguments))
        except (TypeError, ValueError, ArithmeticError, MemoryError) as error:
            self.fail(e, "E303", f"`{e.function}` can't take {', '.join(map(spoken, arguments)) or 'nothing'}: {error}")

    # --- lists and paths

    def sequence(self, e: Expr, thing: Thing) -> list[Thing]:
        if isinstance(thing, list):
            return thing
        self.fail(e, "E303", f"a list is needed here, not {spoken(thing)}")

    def element(self, e: Expr, items: Sequence[Thing], index: int) -> Thing:
        if not -len(items) <= index < len(items):
            self.fail(e, "E303", f"there is no number {index}; there are {len(items)}")
        return known(items[index])

    def copies(self, e: Expr, base: Thing) -> Sequence[Thing]:
        if isinstance(base, Result) and base.copies is not None:
            return base.copies
        if isinstance(base, list):
            return base
        self.fail(e, "E303", "only a step with `for` or `repeat` has numbered copies")

    def inner(self, e: Expr, base: Thing, name: str) -> Thing:
        if not isinstance(base, Result):
            self.fail(e, "E302", f"{spoken(base)} has no parts with names, so no `{name}`")
        try:
            return known(base.member(name))
        except KeyError:
            names = [*base.outputs, *base.names]
            self.fail(e, "E302", f"no `{name}` in there", did_you_mean(name, names, f"there is {', '.join(names) or 'nothing'}"))


def evaluate(build: Build, frame: Frame, formula: Formula) -> Thing:
    """What a formula stands for in a frame.

    Raises:
        Failed: it can't be evaluated; reported.
    """
    return Evaluator(build, frame, formula).result()


def values_of(build: Build, thing: Thing, span: Span) -> Sequence[Value]:
    """The values of an operand: itself, or those of a list.

    Raises:
        Failed: it is not a value; reported at `span`.
    """
    found = main_value(thing)
    if isinstance(found, Value):
        return [found]
    if isinstance(found, list):
        return [value for item in found for value in values_of(build, item, span)]
    build.fail("E303", f"a value is needed here, not {spoken(thing)}", span)


def _range(*bounds: int) -> list[Thing]:
    numbers = range(*bounds)
    if len(numbers) > LONGEST:
        raise ValueError(f"more than {LONGEST} numbers")
    return list(numbers)


def _divisible(number: float, divisor: int) -> int:
    """The multiple of `divisor` nearest to a width, at most 10 % below it (Sandler et al. 2018, their code's make_divisible)."""
    nearest = max(divisor, int(number + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < 0.9 * number else nearest


def _fold(pick: Callable[[int | Dim, int | Dim], int | Dim], plain: Callable[..., Plain]) -> Callable[..., Plain]:
    def of(*items: Plain) -> Plain:
        numbers = items[0] if len(items) == 1 and isinstance(items[0], list) else list(items)
        if not any(isinstance(number, Dim) for number in numbers):
            return plain(numbers)
        total = numbers[0]
        for number in numbers[1:]:
            total = pick(total, number)  # type: ignore[arg-type]
        return total

    return of


_FUNCTIONS: dict[str, Callable[..., Thing]] = {
    "min": _fold(smaller, min),
    "max": _fold(larger, max),
    "ceil": math.ceil,
    "floor": math.floor,
    "sqrt": math.sqrt,
    "log2": math.log2,
    "len": len,
    "range": _range,
    "sum": sum,
    "reversed": lambda items: list(reversed(items)),
    "zip": lambda *lists: [list(group) for group in zip(*lists, strict=True)],
    "divisible": _divisible,
}
_ARITHMETIC: dict[str, Callable[..., Thing]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
}
_COMPARE: dict[str, Callable[..., Thing]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_COMPARE_SIZES = {
    "==": lambda a, b: (equal(a, b), True),
    "!=": lambda a, b: (equal(a, b), False),
    ">=": lambda a, b: (at_least(a, b), True),
    "<=": lambda a, b: (at_least(b, a), True),
    ">": lambda a, b: (at_least(b, a), False),
    "<": lambda a, b: (at_least(a, b), False),
}
_VALUE_OPERATORS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "@": "matmul", "**": "pow"}
