"""Pooling."""

from __future__ import annotations

from graphc.ops.pool import AdaptiveAvgPool2d, AdaptiveMaxPool2d, AvgPool2d, MaxPool2d
from graphc.tensor import Tensor
from graphc_torch.layer import Call, Layer, keywords, lower, positional


@lower.register
def _(op: AdaptiveAvgPool2d, input: Tensor) -> Layer:
    arguments = (positional(op, "output_size"),)
    return Layer(Call("nn.AdaptiveAvgPool2d", arguments), Call("functional.adaptive_avg_pool2d", arguments))


@lower.register
def _(op: AdaptiveMaxPool2d, input: Tensor) -> Layer:
    arguments = (positional(op, "output_size"),)
    return Layer(Call("nn.AdaptiveMaxPool2d", arguments), Call("functional.adaptive_max_pool2d", arguments))


@lower.register
def _(op: AvgPool2d, input: Tensor) -> Layer:
    arguments = keywords(op, "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad")
    return Layer(Call("nn.AvgPool2d", arguments), Call("functional.avg_pool2d", arguments))


@lower.register
def _(op: MaxPool2d, input: Tensor) -> Layer:
    arguments = keywords(op, "kernel_size", "stride", "padding", "dilation", "ceil_mode")
    return Layer(Call("nn.MaxPool2d", arguments), Call("functional.max_pool2d", arguments))
