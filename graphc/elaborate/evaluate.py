"""Evaluates expressions: over numbers at once, over values by adding ops to the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import singledispatch

from graphc.diagnostics import did_you_mean
from graphc.dims import Dim
from graphc.elaborate import arithmetic
from graphc.elaborate.arithmetic import UnfitError
from graphc.elaborate.build import Build
from graphc.elaborate.frame import Frame, Place
from graphc.elaborate.functions import ABOUT_VALUES, FUNCTIONS, call
from graphc.elaborate.site import Site
from graphc.elaborate.things import Argument, Failed, Result, Shared, Thing, known, listing, main_value, spoken
from graphc.elaborate.values import apply, has_value, is_value, operand, operated, taken, total
from graphc.expr import (
    Binary,
    Broken,
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
from graphc.graph import Node, Value, WeightValue
from graphc.spec import Formula


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


@_of.register(Broken)
def _(e: Broken, at: Site) -> Thing:
    raise Failed


@_of.register(Literal)
def _(e: Literal, at: Site) -> Thing:
    return at.do(e, arithmetic.bounded, e.value) if arithmetic.is_large(e.value) else e.value


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
    if not is_value(found):
        return at.do(e.operand, arithmetic.negative if e.operator == "-" else arithmetic.number, found)
    return apply(at, e, "negative", [found], {}) if e.operator == "-" else found


@_of.register(Binary)
def _(e: Binary, at: Site) -> Thing:
    left = of(e.left, at)
    if e.operator in ("and", "or"):
        return left if at.do(e.left, arithmetic.truth, main_value(left)) == (e.operator == "or") else of(e.right, at)
    right = of(e.right, at)
    if isinstance(left, list) or isinstance(right, list):
        left, right = listing(left), listing(right)
    elif left is None or right is None:
        return at.do(e, _is_given, e.operator, left, right)
    elif is_value(left) or is_value(right):
        return operated(at, e, e.operator, operand(at, e.left, left), operand(at, e.right, right))
    at.build.spend(
        _extent(left) * _extent(right) if e.operator == "*" else _extent(left) + _extent(right), at.formula.span
    )
    work = arithmetic.compare if e.operator in arithmetic.COMPARISONS else arithmetic.arithmetic
    return at.do(e, work, e.operator, left, right)


def _is_given(symbol: str, left: Thing, right: Thing) -> bool:
    """Whether an optional value is there: `mask == none`."""
    if symbol not in ("==", "!="):
        raise UnfitError("one side is none: only `==` and `!=` take it")
    return (left is None and right is None) == (symbol == "==")


@_of.register(Subscript)
def _(e: Subscript, at: Site) -> Thing:
    base = listing(of(e.base, at))
    if is_value(base):
        value = main_value(base)
        assert isinstance(value, Value)
        return taken(at, e, value, [_index(part, at) for part in e.parts])
    items = at.do(e.base, arithmetic.sequence, base)
    if len(e.parts) != 1:
        at.fail(e, "E303", "a list has one index")
    (part,) = e.parts
    if not isinstance(part, Slice):
        return _element(e, at, items, _integer(part, at))
    bounds = [None if bound is None else _integer(bound, at) for bound in (part.first, part.last, part.step)]
    if bounds[2] == 0:
        at.fail(part, "E303", "the step is 0")
    return items[slice(*bounds)]


def _index(part: Expr, at: Site) -> Thing:
    """A part of a value's index: a number, none, or the bounds of a slice."""
    if isinstance(part, Slice):
        return [None if bound is None else _bound(bound, at) for bound in (part.first, part.last, part.step)]
    return _bound(part, at)


def _bound(e: Expr, at: Site) -> Thing:
    """A number in an index, or none."""
    found = of(e, at)
    if found is None or (isinstance(found, (int, Dim)) and not isinstance(found, bool)):
        return found
    at.fail(e, "E303", f"an index is a whole number, a slice or none, not {spoken(found)}")


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
    attributes = {name: Argument(of(value, at), at.span(value), value) for name, value in e.keywords}
    shared = at.frame.shared(e.function)
    if shared is not None:
        return _use(e, at, shared, arguments, attributes)
    if e.function == "sum" and len(arguments) == 1 and not attributes and has_value(arguments[0]):
        return total(at, e, arguments[0])
    if e.function not in FUNCTIONS or (e.function not in ABOUT_VALUES and any(map(is_value, arguments))):
        pairs = zip(e.arguments, arguments, strict=True)
        return apply(at, e, e.function, [operand(at, piece, thing) for piece, thing in pairs], attributes)
    if attributes:
        at.fail(e, "E303", f"`{e.function}` takes no named arguments")
    at.build.spend(sum(map(_extent, arguments)), at.formula.span)
    return at.do(e, call, e.function, arguments)


def _use(e: Call, at: Site, shared: Shared, arguments: list[Thing], attributes: Mapping[str, Argument]) -> Thing:
    """What a shared module makes of values."""
    if attributes:
        at.fail(e, "E402", f"`{e.function}` has its arguments where it is declared, under `shared`")
    name = at.level.first_use(shared.name) if at.level is shared.level else at.level.fresh(shared.name)
    return at.build.use(shared, arguments, Place(at.level, name, at.span(e), inline=True))


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
    found = listing(base)
    if isinstance(found, list):
        return found
    at.fail(e, "E303", "only a step with `for` or `repeat` has numbered copies, and `split` numbered parts")


def _inner(e: Member, at: Site, base: Thing, name: str) -> Thing:
    if isinstance(base, Shared):
        if not base.results:
            at.fail(e, "E302", f"`{base.name}` is not used before: its weights follow from its first use")
        base = base.results[0]
    if not isinstance(base, Result):
        at.fail(e, "E302", f"{spoken(base)} has no parts with names, so no `{name}`")
    try:
        return known(base.member(name))
    except KeyError:
        main_value(base)  # what is not there because its step failed is no mistake of its own
        weights = base.node.weights() if base.node else {}
        if base.node and name in weights:
            return _weight(e, at, base.node, name)
        names = [*base.outputs, *base.names, *weights]
        instead = f"there is {', '.join(names)}" if names else "it has no named parts; a step that is skipped has none"
        hint = "name a copy first, `.0` or `.-1`, or all: `.*`" if base.copies else did_you_mean(name, names, instead)
        at.fail(e, "E302", f"no `{name}` in there", hint)


def _weight(e: Member, at: Site, node: Node, name: str) -> Value:
    """A weight of an op as a value."""
    read = WeightValue(of=name, held=node.weights()[name])
    place = replace(at.place(e, name), shared=node.home)
    return at.build.emit(read, (), place, {}).output


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
