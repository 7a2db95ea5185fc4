"""Axes split, joined and brought into another order."""

from __future__ import annotations

from collections.abc import Sequence

from graphc.graph import Value
from graphc.ops.rearrange import Rearrange
from graphc_onnx.draft import Operand
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower
from graphc_onnx.lowerings.shape import target


@lower.register
def rearrange(op: Rearrange, to: Emitter, input: Value) -> None:
    write(op, to, input)


def write(op: Rearrange, to: Emitter, input: Value) -> None:
    """A Reshape, a Transpose and a Reshape, without those that change nothing."""
    before, after = input.type.shape, to.node.output.type.shape
    sizes, order = tuple(op.split(input.type).values()), op.parsed.order
    moved = tuple(sizes[axis] for axis in order)
    stages: list[tuple[str, str, Sequence[str], dict[str, Sequence[int]]]] = []
    if order == tuple(range(len(order))):
        stages += [("joined", "Reshape", (target(to, "shape", before, after),), {})] if before != after else []
    else:
        if any(len(group) != 1 for group in op.parsed.left):
            stages.append(("split", "Reshape", (target(to, "split_shape", before, sizes),), {}))
        stages.append(("moved", "Transpose", (), {"perm": order}))
        if any(len(group) != 1 for group in op.parsed.right):
            stages.append(("joined", "Reshape", (target(to, "shape", moved, after),), {}))
    *inner, last = stages or [("same", "Identity", (), {})]
    value: Operand = input
    for name, operator, operands, attributes in inner:
        value = to.step(name, operator, value, *operands, **attributes)
    _, operator, operands, attributes = last
    to.emit(operator, value, *operands, **attributes)
