"""Elements repeated, an axis split, and what lies on one side of a matrix' diagonal."""

from __future__ import annotations

from graphc.dims import Size
from graphc.graph import Value
from graphc.ops.repeat import RepeatInterleave, Tile, Triangle, Tril, Triu, Unflatten
from graphc_onnx.draft import Operand
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower
from graphc_onnx.lowerings.shape import target


@lower.register
def tile(op: Tile, to: Emitter, input: Value) -> None:
    value: Operand = input
    before = op.before(input.type)
    if before != input.type.shape:
        value = to.step("whole", "Reshape", input, target(to, "shape", input.type.shape, before))
    to.emit("Tile", value, to.vector("times", op.times(input.type)))


@lower.register
def repeat_interleave(op: RepeatInterleave, to: Emitter, input: Value) -> None:
    """Each element repeated along an axis behind its own, then both joined."""
    shape, axis = input.type.shape, op.dim % input.type.rank
    rows = to.step("rows", "Unsqueeze", input, to.constant("axis", [axis + 1]))
    times: list[Size] = [1] * (len(shape) + 1)
    times[axis + 1] = op.repeats
    tiled = to.step("tiled", "Tile", rows, to.vector("times", times))
    before = (*shape[: axis + 1], op.repeats, *shape[axis + 1 :])
    to.emit("Reshape", tiled, target(to, "shape", before, to.node.output.type.shape))


@lower.register
def unflatten(_: Unflatten, to: Emitter, input: Value) -> None:
    to.emit("Reshape", input, target(to, "shape", input.type.shape, to.node.output.type.shape))


@lower.register
def tril(op: Tril, to: Emitter, input: Value) -> None:
    _triangle(op, to, input, upper=0)


@lower.register
def triu(op: Triu, to: Emitter, input: Value) -> None:
    _triangle(op, to, input, upper=1)


def _triangle(op: Triangle, to: Emitter, input: Value, upper: int) -> None:
    to.emit("Trilu", input, to.constant("diagonal", op.diagonal), upper=upper)
