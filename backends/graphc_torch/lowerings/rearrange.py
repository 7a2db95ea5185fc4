"""Axes split, joined and brought into another order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from graphc.dims import Size
from graphc.ops.rearrange import Group, Rearrange
from graphc.tensor import Tensor
from graphc_torch.layer import Call, Layer, inferred, lower

Stage: TypeAlias = tuple[str, tuple[object, ...], Group]
"""A function of torch that takes the value first, its arguments, and the axes that a tuple among them has sizes of."""


@lower.register
def _(op: Rearrange, input: Tensor) -> Layer:
    """A function of torch where one is enough, else methods, one after the other."""
    stages = list(stages_of(op))
    arguments = tuple(
        inferred("", value, names if isinstance(value, tuple) else ()) for _, given, names in stages for value in given
    )
    if len(stages) == 1:
        return Layer(function=Call(f"torch.{stages[0][0]}", arguments))
    methods = "\n".join(called(name, given) for name, given, _ in stages)
    return Layer(function=Call(methods, arguments, style="methods")) if stages else Layer()


def called(name: str, arguments: tuple[object, ...]) -> str:
    """The call of a method, with `{}` for each argument; a tuple alone has its own parentheses."""
    alone = len(arguments) == 1 and isinstance(arguments[0], tuple)
    return f"{name}{{}}" if alone else f"{name}({', '.join('{}' for _ in arguments)})"


def stages_of(op: Rearrange) -> Iterator[Stage]:
    """Each axis that is split, the last first; the order; each that is joined, the last first."""
    pattern = op.parsed
    for axis, group in reversed(list(enumerate(pattern.left))):
        if len(group) != 1:
            yield ("unflatten", (axis, parts(op, group)), group) if group else ("squeeze", (axis,), ())
    two = [axis for axis, before in enumerate(pattern.order) if axis != before]
    if two:
        yield ("transpose", tuple(two), ()) if len(two) == 2 else ("permute", (pattern.order,), ())
    for axis, group in reversed(list(enumerate(pattern.right))):
        first = sum(map(len, pattern.right[:axis]))
        if len(group) != 1:
            yield ("flatten", (first, first + len(group) - 1), ()) if group else ("unsqueeze", (first,), ())


def parts(op: Rearrange, group: Group) -> tuple[Size, ...]:
    """The sizes of the axes in a group, -1 for the one that follows from the others."""
    return tuple(op.sizes.get(name, -1) for name in group)
