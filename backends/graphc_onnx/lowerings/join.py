"""Ops that bring several values together."""

from __future__ import annotations

import numpy as np

from graphc.graph import Value
from graphc.ops.arithmetic import promoted
from graphc.ops.join import CenterCrop, Concat
from graphc.tensor import Shape, Tensor
from graphc_onnx.draft import Operand
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower
from graphc_onnx.lowerings.index import LAST
from graphc_onnx.lowerings.operands import in_type


@lower.register
def concat(op: Concat, to: Emitter, *inputs: Value) -> None:
    dtype, largest = promoted([value.type for value in inputs]), op.largest(*(value.type for value in inputs))
    parts = [in_type(to, f"input_{n}", value, dtype) for n, value in enumerate(inputs)]
    placed = [
        _centered(op, to.below(f"input_{n}"), part, Tensor(value.type.shape, dtype), largest)
        for n, (part, value) in enumerate(zip(parts, inputs, strict=True))
    ]
    to.emit("Concat", *placed, axis=op.dim)


def _centered(op: Concat, to: Emitter, part: Operand, kind: Tensor, largest: Shape) -> Operand:
    """An operand with zeros around it where it is smaller."""
    axes = [axis for axis in range(kind.rank) if op.is_centered(axis) and axis != op.dim % kind.rank]
    rests = [largest[axis] - kind.shape[axis] for axis in axes]
    if all(rest == 0 for rest in rests):
        return part
    to.needs_opset(18)  # Pad takes its axes as an operand
    before = [rest // 2 for rest in rests]
    pads = to.vector("pads", [*before, *(rest - half for rest, half in zip(rests, before, strict=True))])
    nothing = to.constant("nothing", np.zeros((), kind.dtype))
    return to.step("padded", "Pad", part, pads, nothing, to.constant("axes", axes), mode="constant")


@lower.register
def center_crop(_: CenterCrop, to: Emitter, input: Value, target: Value) -> None:
    """Cuts the same off both ends, and one more behind where the rest is odd."""
    rest = [size - wanted for size, wanted in zip(input.type.space, target.type.space, strict=True)]
    fixed = [r for r in rest if isinstance(r, int)]
    start, end = _fixed_bounds(to, fixed) if len(fixed) == len(rest) else _free_bounds(to, input, target)
    to.emit("Slice", input, start, end, to.constant("axes", list(range(2, input.type.rank))))


def _fixed_bounds(to: Emitter, rest: list[int]) -> tuple[str, str]:
    """Equally much is cut off at all sizes: the end is counted from behind."""
    start = [r // 2 for r in rest]
    end = [s - r or LAST for s, r in zip(start, rest, strict=True)]
    return to.constant("start", start), to.constant("end", end)


def _free_bounds(to: Emitter, input: Value, target: Value) -> tuple[str, str]:
    wanted = to.step("wanted", "Shape", target, start=2)
    rest = to.step("rest", "Sub", to.step("size", "Shape", input, start=2), wanted)
    start = to.step("start", "Div", rest, to.constant("two", 2))
    return start, to.step("end", "Add", start, wanted)
