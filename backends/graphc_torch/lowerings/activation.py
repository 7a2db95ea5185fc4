"""Element-wise functions of one value, softmax and dropout."""

from __future__ import annotations

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
from graphc.ops.base import Op
from graphc.tensor import Tensor
from graphc_torch.layer import Argument, Call, Kind, Layer, keywords, lower, positional


def both(module: str, function: str, op: Op, *attributes: str) -> Layer:
    """A module and a function with the same keyword arguments."""
    arguments = keywords(op, *attributes)
    return Layer(Call(module, arguments), Call(function, arguments))


@lower.register
def _(op: Abs, input: Tensor) -> Layer:
    return Layer(function=Call("torch.abs"))


@lower.register
def _(op: Clamp, input: Tensor) -> Layer:
    return Layer(function=Call("torch.clamp", keywords(op, "min", "max")))


@lower.register
def _(op: Detach, input: Tensor) -> Layer:
    return Layer(function=Call("torch.detach"))


@lower.register
def _(op: Dropout, input: Tensor) -> Layer:
    return Layer(Call("nn.Dropout", keywords(op, "p")))


@lower.register
def _(op: Dropout2d, input: Tensor) -> Layer:
    return Layer(Call("nn.Dropout2d", keywords(op, "p")))


@lower.register
def _(op: Elu, input: Tensor) -> Layer:
    return both("nn.ELU", "functional.elu", op, "alpha")


@lower.register
def _(op: Exp, input: Tensor) -> Layer:
    return Layer(function=Call("torch.exp"))


@lower.register
def _(op: Float, input: Tensor) -> Layer:
    return Layer(function=Call("Tensor.to", (Argument("dtype", Kind("float32")),), like=("dtype",)))


@lower.register
def _(op: Long, input: Tensor) -> Layer:
    return Layer(function=Call("Tensor.to", (Argument("dtype", Kind("int64")),)))


@lower.register
def _(op: Gelu, input: Tensor) -> Layer:
    return both("nn.GELU", "functional.gelu", op, "approximate")


@lower.register
def _(op: Hardsigmoid, input: Tensor) -> Layer:
    return both("nn.Hardsigmoid", "functional.hardsigmoid", op)


@lower.register
def _(op: Hardswish, input: Tensor) -> Layer:
    return both("nn.Hardswish", "functional.hardswish", op)


@lower.register
def _(op: Identity, input: Tensor) -> Layer:
    return Layer()


@lower.register
def _(op: LeakyRelu, input: Tensor) -> Layer:
    return both("nn.LeakyReLU", "functional.leaky_relu", op, "negative_slope")


@lower.register
def _(op: Log | Log2, input: Tensor) -> Layer:
    return Layer(function=Call(f"torch.{op.name}"))


@lower.register
def _(op: LogSoftmax, input: Tensor) -> Layer:
    arguments = (Argument("dim", op.axis(input), attribute="dim"),)
    return Layer(Call("nn.LogSoftmax", arguments), Call("functional.log_softmax", arguments))


@lower.register
def _(op: Mish, input: Tensor) -> Layer:
    return both("nn.Mish", "functional.mish", op)


@lower.register
def _(op: Relu, input: Tensor) -> Layer:
    return both("nn.ReLU", "functional.relu", op)


@lower.register
def _(op: Relu6, input: Tensor) -> Layer:
    return both("nn.ReLU6", "functional.relu6", op)


@lower.register
def _(op: Sigmoid, input: Tensor) -> Layer:
    return both("nn.Sigmoid", "torch.sigmoid", op)


@lower.register
def _(op: Silu, input: Tensor) -> Layer:
    return both("nn.SiLU", "functional.silu", op)


@lower.register
def _(op: Softmax, input: Tensor) -> Layer:
    arguments = (Argument("dim", op.axis(input), attribute="dim"),)
    return Layer(Call("nn.Softmax", arguments), Call("functional.softmax", arguments))


@lower.register
def _(op: Softplus, input: Tensor) -> Layer:
    return both("nn.Softplus", "functional.softplus", op, "beta", "threshold")


@lower.register
def _(op: Sqrt, input: Tensor) -> Layer:
    return Layer(function=Call("torch.sqrt"))


@lower.register
def _(op: StochasticDepth, input: Tensor) -> Layer:
    return Layer(Call("StochasticDepth", (positional(op, "p"), *keywords(op, "mode"))), helper=True)


@lower.register
def _(op: Tanh, input: Tensor) -> Layer:
    return both("nn.Tanh", "torch.tanh", op)
