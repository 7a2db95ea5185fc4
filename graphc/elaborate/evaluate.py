"""Evaluates expressions: over numbers at once, over values by adding ops to the graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import NoReturn, TypeVar

from graphc.diagnostics import Span, did_you_mean
from graphc.dims import Dim
from graphc.elaborate import arithmetic
from graphc.elaborate.arithmetic import UnfitError
from graphc.elaborate.build import Build
from graphc.elaborate.frame import (
    Argument,
    Arguments,
    Frame,
    Place,
    Result,
    Thing,
    known,
    main_value,
    result_of,
    spoken,
    value_in,
)
from graphc.elaborate.functions import FUNCTIONS, call
from graphc.elaborate.make import make_op, require_operands
from graphc.expr import (
    Binary,
    Call,
    Choice,
    Comprehension,
    Expr,
    Items,
    Literal,
    Member,
    Name,
    Slice,
    Subscript,
    Unary,
)
from graphc.graph import Value
from graphc.ops import OPS, Op
from graphc.spec import Formula

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Site:
    """Where a formula is evaluated. Values made on the way become nodes of the frame's scope."""

    build: Build
    frame: Frame
    formula: Formula

    def fail(self, at: Expr, code: str, message: str, hint: str = "") -> NoReturn:
        self.build.fail(code, message, self.formula.at(at), hint)

    def do(self, at: Expr, work: Callable[..., _T], *things: object) -> _T:
        """What `work` makes of these; where it can't, that is reported at a piece of the formula."""
        try:
            return work(*things)
        except UnfitError as error:
            self.fail(at, error.code, error.message, error.hint)


def evaluate(build: Build, frame: Frame, formula: Formula) -> Thing:
    """What a formula stands for in a frame.

    Raises:
        Failed: it can't be evaluated; reported.
    """
    return of(formula.expression, Site(build, frame, formula))


def is_true(build: Build, frame: Frame, condition: Formula) -> bool:
    """Whether a condition holds.

    Raises:
        Failed: it can't be decided; reported.
    """
    return _truth(condition.expression, Site(build, frame, condition))


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
    build.fail("E405", f"a value is needed here, not {spoken(thing)}", span)


def of(e: Expr, at: Site) -> Thing:
    """What a piece of the formula stands for."""
    found = _of(e, at)
    at.build.spend(1 if isinstance(e, Name) else _extent(found), at.formula.span)
    return found


def _extent(thing: Thing) -> int:
    """How much work it is to make a thing, or to go through it."""
    if isinstance(thing, list):
        return 1 + len(thing)
    return thing.weight if isinstance(thing, Dim) else 1


@singledispatch
def _of(e: Expr, at: Site) -> Thing:
    at.fail(e, "E303", "a slice stands inside `[…]`")


@_of.register(Literal)
def _(e: Literal, at: Site) -> Thing:
    return at.do(e, arithmetic.bounded, e.value)


@_of.register(Name)
def _(e: Name, at: Site) -> Thing:
    try:
        return known(at.frame.find(e.id))
    except KeyError:
        at.fail(e, "E302", f"`{e.id}` is not a name here", _name_hint(e.id, at))


@_of.register(Items)
def _(e: Items, at: Site) -> Thing:
    return [of(item, at) for item in e.items]


@_of.register(Comprehension)
def _(e: Comprehension, at: Site) -> Thing:
    found: list[Thing] = []
    for item in at.do(e.items, arithmetic.sequence, of(e.items, at)):
        inner = at.frame.inside(at.frame.level)
        inner.names[e.variable] = item
        found.append(of(e.element, replace(at, frame=inner)))
    return found


@_of.register(Choice)
def _(e: Choice, at: Site) -> Thing:
    return of(e.yes if _truth(e.condition, at) else e.no, at)


@_of.register(Unary)
def _(e: Unary, at: Site) -> Thing:
    if e.operator == "not":
        return not _truth(e.operand, at)
    found = of(e.operand, at)
    return at.do(e.operand, arithmetic.negative if e.operator == "-" else arithmetic.number, found)


@_of.register(Binary)
def _(e: Binary, at: Site) -> Thing:
    left = of(e.left, at)
    if e.operator in ("and", "or"):
        return left if at.do(e.left, arithmetic.truth, main_value(left)) == (e.operator == "or") else of(e.right, at)
    right = of(e.right, at)
    if value_in(left) or value_in(right):
        return _operator(e, at, left, right)
    at.build.spend(
        _extent(left) * _extent(right) if e.operator == "*" else _extent(left) + _extent(right), at.formula.span
    )
    work = arithmetic.compare if e.operator in arithmetic.COMPARISONS else arithmetic.arithmetic
    return at.do(e, work, e.operator, left, right)


@_of.register(Subscript)
def _(e: Subscript, at: Site) -> Thing:
    items = at.do(e.base, arithmetic.sequence, of(e.base, at))
    if len(e.parts) != 1:
        at.fail(e, "E303", "a list has one index")
    (part,) = e.parts
    if not isinstance(part, Slice):
        return _element(e, at, items, _integer(part, at))
    bounds = [None if bound is None else _integer(bound, at) for bound in (part.first, part.last, part.step)]
    if bounds[2] == 0:
        at.fail(part, "E303", "the step is 0")
    return items[slice(*bounds)]


@_of.register(Member)
def _(e: Member, at: Site) -> Thing:
    base = of(e.base, at)
    part = of(e.part, at) if isinstance(e.part, Expr) else e.part
    if part == "*":
        return list(_copies(e, at, base))
    if isinstance(part, int):
        return _element(e, at, _copies(e, at, base), part)
    if isinstance(base, list):
        return [_inner(e, at, item, str(part)) for item in base]
    return _inner(e, at, base, str(part))


@_of.register(Call)
def _(e: Call, at: Site) -> Thing:
    arguments = [of(argument, at) for argument in e.arguments]
    if e.function not in FUNCTIONS:
        span = at.formula.at(e)
        return _op(e, at, e.function, arguments, {name: Argument(of(value, at), span) for name, value in e.keywords})
    if e.keywords:
        at.fail(e, "E303", f"`{e.function}` takes no named arguments")
    at.build.spend(sum(map(_extent, arguments)), at.formula.span)
    return at.do(e, call, e.function, arguments)


# --- values


def _op(e: Expr, at: Site, name: str, arguments: list[Thing], attributes: dict[str, Argument]) -> Thing:
    """Adds the op of that name to the graph."""
    build, level, span = at.build, at.frame.level, at.formula.at(e)
    if name not in OPS:
        hint = did_you_mean(name, [*OPS, *FUNCTIONS])
        at.fail(e, "E401", f"no op or function `{name}` for expressions", hint)
    operands = [value for argument in arguments for value in values_of(build, argument, span)]
    made = make_op(build, OPS[name], Arguments(attributes), span)
    if type(made).weights is not Op.weights:
        at.fail(e, "E303", f"`{name}` has weights", "give it a step of its own: an expression makes none")
    require_operands(build, made, len(operands), span)
    made_node = build.emit(made, operands, Place(level, level.fresh(name), span, inline=True), {})
    return made_node.output if len(made_node.outputs) == 1 else result_of(made_node)


def _operator(e: Binary, at: Site, left: Thing, right: Thing) -> Thing:
    name = _OPERATORS.get(e.operator)
    if name is None or name not in OPS:
        at.fail(e, "E303", f"`{e.operator}` has no op for values")
    return _op(e, at, name, [left, right], {})


_OPERATORS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "@": "matmul", "**": "pow"}


# --- numbers, lists and paths


def _truth(e: Expr, at: Site) -> bool:
    return at.do(e, arithmetic.truth, main_value(of(e, at)))


def _integer(e: Expr, at: Site) -> int:
    return at.do(e, arithmetic.integer, of(e, at))


def _element(e: Expr, at: Site, items: Sequence[Thing], index: int) -> Thing:
    if not -len(items) <= index < len(items):
        at.fail(e, "E303", f"there is no element {index}: the list has {len(items)}, counted from 0")
    return known(items[index])


def _copies(e: Member, at: Site, base: Thing) -> Sequence[Thing]:
    if isinstance(base, Result) and base.copies is not None:
        return base.copies
    if isinstance(base, list):
        return base
    at.fail(e, "E303", "only a step with `for` or `repeat` has numbered copies")


def _inner(e: Member, at: Site, base: Thing, name: str) -> Thing:
    if not isinstance(base, Result):
        at.fail(e, "E302", f"{spoken(base)} has no parts with names, so no `{name}`")
    try:
        return known(base.member(name))
    except KeyError:
        names = [*base.outputs, *base.names]
        instead = f"there is {', '.join(names)}" if names else "it has no named parts; a step that is skipped has none"
        hint = "name a copy first, `.0` or `.-1`, or all: `.*`" if base.copies else did_you_mean(name, names, instead)
        at.fail(e, "E302", f"no `{name}` in there", hint)


def _name_hint(name: str, at: Site) -> str:
    if name in _ELSEWHERE:
        return _ELSEWHERE[name]
    visible = sorted(set(at.frame.visible()))
    near = did_you_mean(name, visible)
    if name in at.frame.level.used and not near:
        return f"only a step with an `id` can be read: id: {name}"
    if not near and at.build.names_step(name, at.frame.block.file):
        return f"text is an expression here; as a step it is {{{name}: }}"
    return near or f"names here are {', '.join(visible)}"


_ELSEWHERE = {
    "True": "write `true`",
    "False": "write `false`",
    "None": "write `none`",
    "null": "write `none`",
    "yes": "write `true`",
    "no": "write `false`",
    "on": "write `true`",
    "off": "write `false`",
    "same": "write the number: kernel_size // 2 keeps the size at stride 1",
}
"""Words of other languages, and what they are here."""
