"""Values in expressions: operators, slices and calls become ordinary ops, numbers beside values become constants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from graphc.diagnostics import Span, did_you_mean
from graphc.dims import Dim
from graphc.elaborate.build import Build
from graphc.elaborate.frame import Level, Place
from graphc.elaborate.functions import FUNCTIONS
from graphc.elaborate.make import make, require_operands
from graphc.elaborate.site import Site, inner_place
from graphc.elaborate.things import Argument, Arguments, Result, Thing, listing, main_value, result_of, spoken
from graphc.expr import Expr, Slice, Subscript
from graphc.graph import Node, Value
from graphc.ops import OPS, Op, Slot

OPERATORS = {
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
    "//": "floor_divide",
    "%": "remainder",
    "**": "pow",
    "@": "matmul",
    "==": "eq",
    "!=": "ne",
    "<": "lt",
    "<=": "le",
    ">": "gt",
    ">=": "ge",
}
"""The op of each operator between values."""
NOTHING: Mapping[str, Expr] = MappingProxyType({})


def values_of(build: Build, thing: Thing, level: Level, span: Span) -> Sequence[Value]:
    """The values of an operand: itself, a number as a constant, or those of a list.

    Raises:
        Failed: it is not a value; reported at `span`.
    """
    found = main_value(thing)
    if isinstance(found, list):
        return [value for item in found for value in values_of(build, item, level, span)]
    return [one_value(build, found, level, span)]


def one_value(build: Build, thing: Thing, level: Level, span: Span) -> Value:
    """The value of an operand: itself, or a number as a constant.

    Raises:
        Failed: it is neither; reported at `span`.
    """
    found = main_value(thing)
    if isinstance(found, Value):
        return found
    if isinstance(found, (int, float, Dim)):
        arguments = Arguments({"value": Argument(found, span)})
        return made(build, "constant", (), arguments, inner_place(level, "constant", span)).output
    build.fail("E405", f"a value is needed here, not {spoken(thing)}", span)


def is_value(thing: Thing) -> bool:
    """Whether an operator takes a thing as a value: a value, or a list's single one."""
    while isinstance(thing, Result):
        thing = thing.value
    return isinstance(thing, Value)


def has_value(thing: Thing) -> bool:
    """Whether a thing is a value, or a list that has one."""
    found = listing(thing)
    return any(map(has_value, found)) if isinstance(found, list) else is_value(found)


def made(
    build: Build,
    name: str,
    operands: Sequence[Value | None],
    arguments: Arguments,
    place: Place,
    written: Mapping[str, Expr] = NOTHING,
) -> Node:
    """Adds an op by its name; `written` has the expressions of its attributes.

    Raises:
        Failed: there is none, or it takes other operands or arguments; reported.
    """
    if name in FUNCTIONS and name not in OPS:
        build.fail("E303", f"`{name}` is a function of numbers, not of values", place.span)
    if name not in OPS:
        hint = did_you_mean(name, [*OPS, *FUNCTIONS])
        build.fail("E401", f"no op or function `{name}` for expressions", place.span, hint)
    op = make(build, OPS[name], arguments, place.span)
    if type(op).weights is not Op.weights:
        hint = "give it a step of its own: an expression makes none"
        build.fail("E303", f"`{name}` has weights", place.span, hint)
    require_operands(build, op, operands, place.span)
    return build.emit(op, operands, place, written)


def apply(at: Site, e: Expr, name: str, things: Sequence[Thing], attributes: Mapping[str, Argument]) -> Thing:
    """What an op gives, its operands being things in order; a keyword can be an operand by its name."""
    slots = OPS[name].slots() if name in OPS else ()
    operands = list(_operands(at, e, things, any(slot.variadic for slot in slots)))
    named = [slot for slot in slots[len(operands) :] if slot.name in attributes]
    until = slots.index(named[-1]) + 1 if named else 0
    operands += [_named(at, e, slot, attributes) for slot in slots[len(operands) : until]]
    others = {key: argument for key, argument in attributes.items() if key not in {slot.name for slot in named}}
    arguments = Arguments(others)
    node = made(at.build, name, operands, arguments, at.place(e, name), arguments.written())
    return node.output if len(node.outputs) == 1 else result_of(node)


def operand(at: Site, e: Expr, thing: Thing) -> Thing:
    """What a piece of a formula gives, as an operand: a number is a constant."""
    if not isinstance(thing, (int, float, Dim)):
        return thing
    span = at.span(e)
    arguments = Arguments({"value": Argument(thing, span)})
    return made(at.build, "constant", (), arguments, inner_place(at.level, "constant", span), {"value": e}).output


def operated(at: Site, e: Expr, symbol: str, *things: Thing) -> Thing:
    """What an operator between values gives."""
    if symbol not in OPERATORS:
        at.fail(e, "E303", f"`{symbol}` is not for values: no condition depends on data")
    return apply(at, e, OPERATORS[symbol], things, {})


def taken(at: Site, e: Subscript, value: Value, index: Sequence[Thing]) -> Thing:
    """Some elements of a value: `x[:, 0]`."""
    arguments = Arguments({"index": Argument(list(index), at.span(e))})
    place = at.place(e, "getitem")
    return made(at.build, "getitem", [value], arguments, place, dict(_index_written(e))).output


def _index_written(e: Subscript) -> Iterator[tuple[str, Expr]]:
    """The expressions of an index: `index.0` of an element, `index.0.start` and so on of a slice."""
    for axis, part in enumerate(e.parts):
        if not isinstance(part, Slice):
            yield f"index.{axis}", part
            continue
        for name, bound in (("start", part.first), ("stop", part.last), ("step", part.step)):
            if bound is not None:
                yield f"index.{axis}.{name}", bound


def total(at: Site, e: Expr, thing: Thing) -> Thing:
    """The sum over a value's elements, or of a list of values."""
    found = listing(thing)
    if not isinstance(found, list):
        return apply(at, e, "sum", [found], {})
    return found[0] if len(found) == 1 else apply(at, e, "add", found, {})


def _operands(at: Site, e: Expr, things: Sequence[Thing], flattened: bool) -> Iterator[Value | None]:
    for thing in things:
        if thing is None:
            yield None
        elif flattened:
            yield from values_of(at.build, thing, at.level, at.span(e))
        else:
            yield one_value(at.build, thing, at.level, at.span(e))


def _named(at: Site, e: Expr, slot: Slot, attributes: Mapping[str, Argument]) -> Value | None:
    thing = attributes[slot.name].thing if slot.name in attributes else None
    return None if thing is None else one_value(at.build, thing, at.level, at.span(e))
