"""Element-wise functions of one value, softmax and dropout."""

from __future__ import annotations

from math import log as logarithm
from math import pi, sqrt

from graphc.graph import Value
from graphc.ops.activation import (
    Abs,
    Clamp,
    Detach,
    Dropout,
    Dropout2d,
    Elu,
    Exp,
    Float,
    Gelu,
    Hardsigmoid,
    Hardswish,
    Identity,
    LeakyRelu,
    Log,
    Log2,
    LogSoftmax,
    Long,
    Mish,
    Relu,
    Relu6,
    Sigmoid,
    Silu,
    Softmax,
    Softplus,
    Sqrt,
    StochasticDepth,
    Tanh,
)
from graphc_onnx.elements import ELEMENTS
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower
from graphc_onnx.lowerings.operands import in_type

FLAT = 20.0
"""From here on log(1 + exp(x)) is x in float32."""


def scalar(to: Emitter, name: str, value: float) -> str:
    """A real number as a constant."""
    return to.number(name, value, "float32")


@lower.register
def abs_(_: Abs, to: Emitter, input: Value) -> None:
    to.emit("Abs", input)


@lower.register
def clamp(op: Clamp, to: Emitter, input: Value) -> None:
    """Max and then Min: of bounds in the wrong order the upper one holds."""
    kind = op.infer(input.type).dtype
    value = in_type(to, "cast", input, kind)
    bounds = [("Max", "min", op.min), ("Min", "max", op.max)]
    *first, last = [(operator, to.number(name, bound, kind)) for operator, name, bound in bounds if bound is not None]
    for operator, bound in first:
        value = to.step("within_min", operator, value, bound)
    to.emit(last[0], value, last[1])


@lower.register
def detach(_: Detach, to: Emitter, input: Value) -> None:
    """A model for inference has no gradients."""
    to.emit("Identity", input)


@lower.register
def dropout(_: Dropout, to: Emitter, input: Value) -> None:
    """A model for inference drops nothing."""
    to.emit("Identity", input)


@lower.register
def dropout2d(_: Dropout2d, to: Emitter, input: Value) -> None:
    """A model for inference drops nothing."""
    to.emit("Identity", input)


@lower.register
def elu(op: Elu, to: Emitter, input: Value) -> None:
    to.emit("Elu", input, alpha=op.alpha)


@lower.register
def exp(_: Exp, to: Emitter, input: Value) -> None:
    to.emit("Exp", in_type(to, "real", input, "float32"))


@lower.register
def float_(_: Float, to: Emitter, input: Value) -> None:
    to.emit("Cast", input, to=ELEMENTS["float32"])


@lower.register
def long(_: Long, to: Emitter, input: Value) -> None:
    to.emit("Cast", input, to=ELEMENTS["int64"])


@lower.register
def gelu(op: Gelu, to: Emitter, input: Value) -> None:
    """x/2 · (1 + erf(x/√2)), or with tanh(√(2/π) · (x + 0.044715 x³)): ONNX has Gelu only from opset 20 on.

    In this form, divided by √2, ONNX Runtime finds the first in the graph, and has a kernel for it.
    """
    if op.approximate == "none":
        inner = to.step("erf", "Erf", to.step("scaled", "Div", input, scalar(to, "sqrt_two", sqrt(2))))
    else:
        cube = to.step("cube", "Mul", to.step("square", "Mul", input, input), input)
        bent = to.step("bent", "Add", input, to.step("part", "Mul", cube, scalar(to, "bend", 0.044715)))
        inner = to.step("tanh", "Tanh", to.step("scaled", "Mul", bent, scalar(to, "scale", sqrt(2 / pi))))
    gate = to.step("gate", "Add", inner, scalar(to, "one", 1))
    to.emit("Mul", to.step("half_input", "Mul", input, scalar(to, "half", 0.5)), gate)


@lower.register
def hardsigmoid(_: Hardsigmoid, to: Emitter, input: Value) -> None:
    to.emit("HardSigmoid", input, alpha=1 / 6, beta=0.5)


@lower.register
def hardswish(_: Hardswish, to: Emitter, input: Value) -> None:
    to.emit("HardSwish", input)


@lower.register
def identity(_: Identity, to: Emitter, input: Value) -> None:
    to.emit("Identity", input)


@lower.register
def leaky_relu(op: LeakyRelu, to: Emitter, input: Value) -> None:
    to.emit("LeakyRelu", input, alpha=op.negative_slope)


@lower.register
def log(_: Log, to: Emitter, input: Value) -> None:
    to.emit("Log", in_type(to, "real", input, "float32"))


@lower.register
def log2(_: Log2, to: Emitter, input: Value) -> None:
    natural = to.step("natural", "Log", in_type(to, "real", input, "float32"))
    to.emit("Div", natural, to.number("of_two", logarithm(2), "float32"))


@lower.register
def log_softmax(op: LogSoftmax, to: Emitter, input: Value) -> None:
    to.emit("LogSoftmax", input, axis=op.axis(input.type))


@lower.register
def mish(_: Mish, to: Emitter, input: Value) -> None:
    """ONNX has Mish only from opset 18 on."""
    to.emit("Mul", input, to.step("tanh", "Tanh", to.step("softplus", "Softplus", input)))


@lower.register
def relu(_: Relu, to: Emitter, input: Value) -> None:
    to.emit("Relu", input)


@lower.register
def relu6(_: Relu6, to: Emitter, input: Value) -> None:
    to.emit("Clip", input, to.number("least", 0, input.type.dtype), to.number("most", 6, input.type.dtype))


@lower.register
def sigmoid(_: Sigmoid, to: Emitter, input: Value) -> None:
    to.emit("Sigmoid", in_type(to, "real", input, "float32"))


@lower.register
def silu(_: Silu, to: Emitter, input: Value) -> None:
    to.emit("Mul", input, to.step("sigmoid", "Sigmoid", input))


@lower.register
def softmax(op: Softmax, to: Emitter, input: Value) -> None:
    to.emit("Softmax", input, axis=op.axis(input.type))


@lower.register
def softplus(op: Softplus, to: Emitter, input: Value) -> None:
    """ONNX's has neither beta nor threshold; a high threshold changes nothing."""
    if op.beta == 1 and op.threshold >= FLAT:
        to.emit("Softplus", input)
        return
    beta = scalar(to, "beta", op.beta)
    scaled = to.step("scaled", "Mul", input, beta)
    smooth = to.step("smooth", "Div", to.step("softplus", "Softplus", scaled), beta)
    above = to.step("above", "Greater", scaled, scalar(to, "threshold", op.threshold))
    to.emit("Where", above, input, smooth)


@lower.register
def sqrt_(_: Sqrt, to: Emitter, input: Value) -> None:
    to.emit("Sqrt", in_type(to, "real", input, "float32"))


@lower.register
def stochastic_depth(_: StochasticDepth, to: Emitter, input: Value) -> None:
    """A model for inference drops nothing."""
    to.emit("Identity", input)


@lower.register
def tanh(_: Tanh, to: Emitter, input: Value) -> None:
    to.emit("Tanh", in_type(to, "real", input, "float32"))
