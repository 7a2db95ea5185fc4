"""Several elements become one: sums, means and extremes along axes."""

from __future__ import annotations

from onnx import TensorProto

from graphc.graph import Value
from graphc.ops.reduce import Amax, Amin, Argmax, Mean, Reduction, Sum
from graphc_onnx.draft import Operand
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower


@lower.register
def amax(op: Amax, to: Emitter, input: Value) -> None:
    extreme("ReduceMax", op, to, input)


@lower.register
def amin(op: Amin, to: Emitter, input: Value) -> None:
    extreme("ReduceMin", op, to, input)


@lower.register
def argmax(op: Argmax, to: Emitter, input: Value) -> None:
    to.emit("ArgMax", input, axis=op.axis(input.type), keepdims=int(op.keepdim))


@lower.register
def mean(op: Mean, to: Emitter, input: Value) -> None:
    to.needs_opset(18)  # ReduceMean takes its axes as an operand
    to.emit("ReduceMean", input, *axes(op, to), keepdims=int(op.keepdim))


@lower.register
def sum_(op: Sum, to: Emitter, input: Value) -> None:
    counted = input.type.dtype == "bool"
    value: Operand = to.step("counted", "Cast", input, to=TensorProto.INT64) if counted else input
    to.emit("ReduceSum", value, *axes(op, to), keepdims=int(op.keepdim))


def extreme(operator: str, op: Reduction, to: Emitter, input: Value) -> None:
    """The largest or smallest element; of truth values by way of whole numbers, which ONNX has for longer."""
    to.needs_opset(18)  # takes its axes as an operand
    if input.type.dtype != "bool":
        to.emit(operator, input, *axes(op, to), keepdims=int(op.keepdim))
        return
    whole = to.step("whole", "Cast", input, to=TensorProto.INT64)
    found = to.step("found", operator, whole, *axes(op, to), keepdims=int(op.keepdim))
    to.emit("Cast", found, to=TensorProto.BOOL)


def axes(op: Reduction, to: Emitter) -> list[str]:
    """The operand that names the axes; none for all."""
    if op.dim is None:
        return []
    return [to.constant("axes", list(op.dim) if isinstance(op.dim, tuple) else [op.dim])]
