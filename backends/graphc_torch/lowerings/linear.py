"""Fully connected layers."""

from __future__ import annotations

from graphc.ops.linear import Linear
from graphc.tensor import Tensor
from graphc_torch.layer import Call, Layer, inferred, keywords, lower, positional


@lower.register
def _(op: Linear, input: Tensor) -> Layer:
    features = (inferred("in_features", input.shape[-1]), positional(op, "out_features"))
    return Layer(Call("nn.Linear", (*features, *keywords(op, "bias"))))
