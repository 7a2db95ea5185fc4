"""What several elements come to."""

from __future__ import annotations

from math import inf

import numpy as np

from graphc.dims import product
from graphc.graph import Value
from graphc.ops.statistic import CosineSimilarity, Cumsum, Normalize, Prod, Spread, Std, Var
from graphc_onnx.draft import Operand
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.activation import scalar
from graphc_onnx.lowerings.base import lower
from graphc_onnx.lowerings.operands import cast


@lower.register
def prod(op: Prod, to: Emitter, input: Value) -> None:
    to.needs_opset(18)  # ReduceProd takes its axes as an operand
    value = cast(to, "counted", input, input.type.dtype, to.node.output.type.dtype)
    axes = [] if op.dim is None else [to.constant("axes", [op.dim])]
    to.emit("ReduceProd", value, *axes, keepdims=int(op.keepdim))


@lower.register
def std(op: Std, to: Emitter, input: Value) -> None:
    to.emit("Sqrt", to.step("variance", "Div", *_variance(op, to, input)))


@lower.register
def var(op: Var, to: Emitter, input: Value) -> None:
    to.emit("Div", *_variance(op, to, input))


def _variance(op: Spread, to: Emitter, input: Value) -> tuple[str, str]:
    """The sum of the squared distances from the mean, and what it is divided by."""
    to.needs_opset(18)  # ReduceMean takes its axes as an operand
    axes = op.axes(input.type)
    along = [to.constant("axes", list(axes))] if axes else []
    centred = to.step("centred", "Sub", input, to.step("mean", "ReduceMean", input, *along))
    squares = to.step("squares", "Mul", centred, centred)
    count = product(input.type.shape[axis] for axis in axes) - op.correction
    total = to.step("total", "ReduceSum", squares, *along, keepdims=int(op.keepdim))
    return total, to.number("count", count, "float32")


@lower.register
def cumsum(op: Cumsum, to: Emitter, input: Value) -> None:
    value = cast(to, "counted", input, input.type.dtype, to.node.output.type.dtype)
    to.emit("CumSum", value, to.constant("axis", op.dim))


@lower.register
def normalize(op: Normalize, to: Emitter, input: Value) -> None:
    axis = to.constant("axis", [op.dim])
    to.emit("Div", input, _at_least(to, _norm(to, input, op.p, axis), op.eps))


def _norm(to: Emitter, value: Operand, p: float, axis: str) -> str:
    """The p-norm along an axis, which stays."""
    to.needs_opset(18)  # these take their axes as an operand
    if p in (1, 2):
        return to.step("norm", f"ReduceL{p:.0f}", value, axis)
    size = to.step("size", "Abs", value)
    if p == inf:
        return to.step("norm", "ReduceMax", size, axis)
    total = to.step("total", "ReduceSum", to.step("powers", "Pow", size, scalar(to, "p", p)), axis)
    return to.step("norm", "Pow", total, scalar(to, "root", 1 / p))


def _at_least(to: Emitter, norm: str, eps: float) -> str:
    return to.step("length", "Max", norm, to.constant("eps", np.float32(eps)))


@lower.register
def cosine_similarity(op: CosineSimilarity, to: Emitter, input: Value, other: Value) -> None:
    """The sum of the products of both, each divided by its length after it was broadcast."""
    axis = to.constant("axis", [op.dim])
    units = []
    for name, value, like in (("input", input, other), ("other", other, input)):
        at = to.below(name)
        whole = at.step("whole", "Expand", value, at.step("shape", "Shape", like))
        units.append(at.step("unit", "Div", whole, _at_least(at, _norm(at, whole, 2, axis), op.eps)))
    to.emit("ReduceSum", to.step("products", "Mul", *units), axis, keepdims=0)
