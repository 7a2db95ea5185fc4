"""More element-wise functions of one value: of numbers, and activations that are rarer."""

from __future__ import annotations

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
from graphc.tensor import Tensor
from graphc_torch.layer import Call, Layer, keywords, lower
from graphc_torch.lowerings.activation import both


@lower.register
def _(op: Ceil | Cos | Erf | Floor | Reciprocal | Round | Rsqrt | Sign | Sin, input: Tensor) -> Layer:
    return Layer(function=Call(f"torch.{op.name}"))


@lower.register
def _(op: Hardtanh, input: Tensor) -> Layer:
    return both("nn.Hardtanh", "functional.hardtanh", op, "min_val", "max_val")


@lower.register
def _(op: Logsigmoid, input: Tensor) -> Layer:
    return both("nn.LogSigmoid", "functional.logsigmoid", op)


@lower.register
def _(op: Prelu, input: Tensor) -> Layer:
    return Layer(Call("nn.PReLU", keywords(op, "num_parameters", "init")))


@lower.register
def _(op: Selu, input: Tensor) -> Layer:
    return both("nn.SELU", "functional.selu", op)


@lower.register
def _(op: Softsign, input: Tensor) -> Layer:
    return both("nn.Softsign", "functional.softsign", op)
