"""Ops that change only the shape."""

from __future__ import annotations

from graphc.graph import Value
from graphc.ops.shape import Flatten
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower


@lower.register
def flatten(op: Flatten, to: Emitter, input: Value) -> None:
    """ONNX's Flatten where two axes remain, the first as it was; else a Reshape."""
    rank = input.type.rank
    first, last = op.start_dim % rank, op.end_dim % rank
    if first == last:
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
