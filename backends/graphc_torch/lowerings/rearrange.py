"""Axes split, joined and brought into another order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from graphc.dims import Size
from graphc.ops.rearrange import Group, Rearrange
from graphc.tensor import Tensor
from graphc_torch.layer import Call, Layer, inferred, lower

Stage: TypeAlias = tuple[str, tuple[object, ...]]
"""A function of torch that takes the value first, and its arguments."""


@lower.register
def _(op: Rearrange, input: Tensor) -> Layer:
    """A function of torch where one is enough, else the helper, which calls several."""
    stages = list(stages_of(op))
    if len(stages) == 1:
        name, arguments = stages[0]
        return Layer(function=Call(f"torch.{name}", tuple(inferred("", value) for value in arguments)))
    split = tuple(parts(op, group) for group in op.parsed.left)
    join = tuple(map(len, op.parsed.right))
    arguments = (inferred("split", split), inferred("order", op.parsed.order), inferred("join", join))
    return Layer(function=Call("rearranged", arguments), helper=True) if stages else Layer()


def stages_of(op: Rearrange) -> Iterator[Stage]:
    """Each axis that is split, the last first; the order; each that is joined, the last first."""
    pattern = op.parsed
    for axis, group in reversed(list(enumerate(pattern.left))):
        if len(group) != 1:
            yield ("unflatten", (axis, parts(op, group))) if group else ("squeeze", (axis,))
    two = [axis for axis, before in enumerate(pattern.order) if axis != before]
    if two:
        yield ("transpose", tuple(two)) if len(two) == 2 else ("permute", (pattern.order,))
    for axis, group in reversed(list(enumerate(pattern.right))):
        first = sum(map(len, pattern.right[:axis]))
        if len(group) != 1:
            yield ("flatten", (first, first + len(group) - 1)) if group else ("unsqueeze", (first,))


def parts(op: Rearrange, group: Group) -> tuple[Size, ...]:
    """The sizes of the axes in a group, -1 for the one that follows from the others."""
    return tuple(op.sizes.get(name, -1) for name in group)
