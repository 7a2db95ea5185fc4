"""More element-wise functions of one value: of numbers, and activations that are rarer."""

from __future__ import annotations

from graphc.graph import Value
from graphc.ops.functions import (
    Ceil,
    Cos,
    Erf,
    Floor,
    Hardtanh,
    Logsigmoid,
    Prelu,
    Reciprocal,
    Round,
    Rsqrt,
    Selu,
    Sign,
    Sin,
    Softsign,
)
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.activation import scalar
from graphc_onnx.lowerings.base import lower
from graphc_onnx.lowerings.operands import in_type


@lower.register
def rounding(op: Ceil | Floor | Round, to: Emitter, input: Value) -> None:
    """Ceil, Floor and Round are for real numbers; whole ones stay as they are."""
    to.emit(op.name.capitalize() if input.type.dtype == "float32" else "Identity", input)


@lower.register
def of_reals(op: Cos | Erf | Reciprocal | Sin, to: Emitter, input: Value) -> None:
    to.emit(op.name.capitalize(), in_type(to, "real", input, "float32"))


@lower.register
def hardtanh(op: Hardtanh, to: Emitter, input: Value) -> None:
    to.emit("Clip", input, scalar(to, "least", op.min_val), scalar(to, "most", op.max_val))


@lower.register
def logsigmoid(_: Logsigmoid, to: Emitter, input: Value) -> None:
    """-log(1 + exp(-x))."""
    to.emit("Neg", to.step("softplus", "Softplus", to.step("negative", "Neg", input)))


@lower.register
def prelu(op: Prelu, to: Emitter, input: Value) -> None:
    """The factor of each channel is broadcast over [N, C, *]; that of a single number is one."""
    factor = to.weight("weight")
    if op.num_parameters > 1 and input.type.space:
        shape = to.constant("shape", [-1] + [1] * len(input.type.space))
        factor = to.step("factor", "Reshape", factor, shape)
    if input.type.rank == 0:
        factor = to.step("factor", "Squeeze", factor, to.constant("first", [0]))
    to.emit("PRelu", input, factor)


@lower.register
def rsqrt(_: Rsqrt, to: Emitter, input: Value) -> None:
    to.emit("Reciprocal", to.step("root", "Sqrt", in_type(to, "real", input, "float32")))


@lower.register
def selu(_: Selu, to: Emitter, input: Value) -> None:
    to.emit("Selu", input)


@lower.register
def sign(_: Sign, to: Emitter, input: Value) -> None:
    to.emit("Sign", input)


@lower.register
def softsign(_: Softsign, to: Emitter, input: Value) -> None:
    to.emit("Softsign", input)
