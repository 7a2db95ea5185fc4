"""Ops that change only the shape, or bring values together along a new axis."""

from __future__ import annotations

import numpy as np

from graphc.dims import Size
from graphc.graph import Value
from graphc.ops.arithmetic import promoted
from graphc.ops.shape import (
    Expand,
    Flatten,
    Permute,
    Reshape,
    Squeeze,
    Stack,
    Transpose,
    Unsqueeze,
    several,
    with_rest,
)
from graphc.tensor import Shape
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower
from graphc_onnx.lowerings.operands import in_type


@lower.register
def expand(op: Expand, to: Emitter, input: Value) -> None:
    """ONNX's Expand broadcasts: 1 keeps a size. A single number has none."""
    if op.shape:
        to.emit("Expand", input, to.vector("shape", [1 if size == -1 else size for size in op.shape]))
    else:
        to.emit("Identity", input)


@lower.register
def flatten(op: Flatten, to: Emitter, input: Value) -> None:
    """ONNX's Flatten where two axes remain, the first as it was; else a Reshape."""
    rank = input.type.rank
    first, last = op.axes(input.type)
    if rank == 0:
        to.emit("Reshape", input, to.constant("shape", [1]))
    elif first == last:
        to.emit("Identity", input)
    elif (first, last) == (1, rank - 1):
        to.emit("Flatten", input, axis=1)
    else:
        to.emit("Reshape", input, _shape(to, input, first, last))


def _shape(to: Emitter, input: Value, first: int, last: int) -> str:
    """Reshape's target: 0 keeps an axis as it is, -1 takes what is left. Axes behind move; theirs are given."""
    behind = [size for size in input.type.shape[last + 1 :] if isinstance(size, int)]
    front = [0] * first + [-1]
    if last + 1 + len(behind) == input.type.rank:
        return to.constant("shape", front + behind)
    tail = to.step("behind", "Shape", input, start=last + 1)
    return to.step("shape", "Concat", to.constant("front", front), tail, axis=0)


@lower.register
def permute(op: Permute, to: Emitter, input: Value) -> None:
    _transposed(to, input, op.order(input.type))


@lower.register
def reshape(_: Reshape, to: Emitter, input: Value) -> None:
    to.emit("Reshape", input, target(to, "shape", input.type.shape, to.node.output.type.shape))


@lower.register
def squeeze(op: Squeeze, to: Emitter, input: Value) -> None:
    to.emit("Squeeze", input, to.constant("axes", list(several(op.dim))))


@lower.register
def stack(op: Stack, to: Emitter, *inputs: Value) -> None:
    dtype, axis = promoted([value.type for value in inputs]), to.constant("axis", [op.dim])
    alike = (in_type(to, f"input_{number}", value, dtype) for number, value in enumerate(inputs))
    rows = [to.step(f"row_{number}", "Unsqueeze", value, axis) for number, value in enumerate(alike)]
    to.emit("Concat", *rows, axis=op.dim)


@lower.register
def transpose(op: Transpose, to: Emitter, input: Value) -> None:
    _transposed(to, input, op.order(input.type))


@lower.register
def unsqueeze(op: Unsqueeze, to: Emitter, input: Value) -> None:
    to.emit("Unsqueeze", input, to.constant("axis", [op.dim]))


def _transposed(to: Emitter, input: Value, order: tuple[int, ...]) -> None:
    """ONNX has no empty list of axes."""
    if order:
        to.emit("Transpose", input, perm=order)
    else:
        to.emit("Identity", input)


def target(to: Emitter, name: str, before: Shape, after: Shape) -> str:
    """Reshape's target: 0 for a free size that stands where it stood, -1 for one other, the rest as numbers."""
    if not after:
        return to.constant(name, np.zeros(0, np.int64))
    kept: list[Size] = [0 if _stays(before, axis, size) else size for axis, size in enumerate(after)]
    return to.vector(name, with_rest(tuple(kept)))


def _stays(before: Shape, axis: int, size: Size) -> bool:
    return not isinstance(size, int) and axis < len(before) and before[axis] == size
