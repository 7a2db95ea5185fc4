"""What an op or a block says of itself in few words: `3×3`, `64`, `stride 2`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graphc.graph import Node, Scope
from graphc.ops.base import extent

LEFT_OUT = frozenset({"bias", "eps", "momentum", "padding"})
"""Attributes that no figure of a paper shows."""
EXTENTS = ("kernel_size", "output_size")
"""Attributes that are sizes in space: 3×3."""


def attributes(node: Node) -> tuple[str, ...]:
    """The attributes of an op that differ from their defaults, and its main one where it is written."""
    op, fields = node.op, type(node.op).model_fields
    written = op.main if op.main in node.written else None
    values = {name: getattr(op, name) for name in fields}
    changed = {name: value for name, value in values.items() if name == written or value != fields[name].default}
    return tuple(_words(changed, op.main, len(node.output.type.space)))


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
    return str(value) if is_main else f"{spoken} {value}"
