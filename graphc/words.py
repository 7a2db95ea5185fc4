"""What an op or a block says of itself in few words: `3×3`, `64`, `stride 2`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import singledispatch

from graphc.graph import Node, Scope, WeightValue
from graphc.opaque import Calculated, Foreign
from graphc.ops import Op
from graphc.ops.base import extent
from graphc.ops.index import Getitem, Part

LEFT_OUT = frozenset({"bias", "eps", "momentum", "padding", "std"})
"""Attributes that no figure of a paper shows."""
EXTENTS = ("kernel_size", "output_size")
"""Attributes that are sizes in space: 3×3."""
SHAPES = frozenset({"shape"})
"""Attributes that are seen to be what they are: 1×100×256."""


def attributes(node: Node) -> tuple[str, ...]:
    """What a step says of its op: the attributes that differ from their defaults, and the main one if it is written."""
    return _said(node.op, node)


@singledispatch
def _said(op: Op, node: Node) -> tuple[str, ...]:
    fields = type(op).model_fields
    written = op.main if op.main in node.written else None
    values = {name: getattr(op, name) for name in fields}
    changed = {name: value for name, value in values.items() if name == written or value != fields[name].default}
    return tuple(_words(changed, op.main, len(node.output.type.space)))


@_said.register
def _(op: Getitem, node: Node) -> tuple[str, ...]:
    """As in an expression: `[:, ::2]`."""
    return (f"[{', '.join(map(_part, op.index))}]",)


@_said.register
def _(op: WeightValue, node: Node) -> tuple[str, ...]:
    """As in an expression: `vocabulary.weight`."""
    return (f"{node.home}.{op.of}",)


@_said.register
def _(op: Foreign, node: Node) -> tuple[str, ...]:
    """The operator, and its attributes as the file has them."""
    return (op.operator, *(_word(name, value, False, 1) for name, value in op.attributes))


@_said.register
def _(op: Calculated, node: Node) -> tuple[str, ...]:
    """Of numbers the shape."""
    return ("×".join(map(str, op.shape)),)


def arguments(scope: Scope) -> tuple[str, ...]:
    """The numbers that the caller gave a block. What is 0, 1 or false says nothing, except a 1 in the first place."""
    given = {name: bound.value for name, bound in scope.bindings.items() if bound.given}
    numbers = {name: value for name, value in given.items() if isinstance(value, int | float)}
    main = next((name for name in numbers if name not in EXTENTS), None)
    telling = {name: value for name, value in numbers.items() if value not in (0, 1) or (name == main and value)}
    axes = max((len(value.type.space) for value in scope.inputs.values()), default=1)
    return tuple(_words(telling, main, axes))


def unnumbered(name: str) -> str:
    """A step's name without the number that tells it from others of that name."""
    stem, _, number = name.rpartition("_")
    return stem if number.isdigit() else name


def _words(values: Mapping[str, object], main: str | None, axes: int) -> Iterator[str]:
    shown = (attribute for attribute in values if attribute not in LEFT_OUT)
    for attribute in sorted(shown, key=lambda attribute: (attribute not in EXTENTS, attribute != main)):
        yield _word(attribute, values[attribute], attribute == main, axes)


def _word(name: str, value: object, is_main: bool, axes: int) -> str:
    spoken = name.replace("_", " ")
    match value:
        case bool():
            return spoken if value else f"no {spoken}"
        case int() | tuple() if name in EXTENTS:
            return "×".join(map(str, extent(value, max(axes, 1))))
        case tuple():
            value = "×".join(map(str, value))
        case float():
            value = f"{value:g}"
    return str(value) if is_main or name in SHAPES else f"{spoken} {value}"


def _part(part: Part) -> str:
    """A part of a subscript, as an expression has it."""
    if not isinstance(part, tuple):
        return "none" if part is None else str(part)
    start, stop, step = ("" if bound is None else str(bound) for bound in part)
    return f"{start}:{stop}" + (f":{step}" if step else "")
