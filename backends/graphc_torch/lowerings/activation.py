"""Element-wise functions of one value."""

from __future__ import annotations

from graphc.ops.activation import Dropout, Identity, Relu
from graphc.tensor import Tensor
from graphc_torch.layer import Call, Layer, keywords, lower


@lower.register
def _(op: Dropout, input: Tensor) -> Layer:
    return Layer(Call("nn.Dropout", keywords(op, "p")))


@lower.register
def _(op: Identity, input: Tensor) -> Layer:
    return Layer()


@lower.register
def _(op: Relu, input: Tensor) -> Layer:
    return Layer(Call("nn.ReLU"), Call("functional.relu"))
