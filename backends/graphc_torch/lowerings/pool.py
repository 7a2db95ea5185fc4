"""Pooling."""

from __future__ import annotations

from graphc.ops.base import Op
from graphc.ops.pool import AdaptiveAvgPool, AdaptiveMaxPool, AvgPool, MaxPool
from graphc.tensor import Tensor
from graphc_torch.layer import Argument, Call, Layer, keywords, lower, positional


def pool(module: str, op: Op, *arguments: Argument) -> Layer:
    """A module, and the function with the op's name, with the same arguments."""
    return Layer(Call(f"nn.{module}{op.name[-2:]}", arguments), Call(f"functional.{op.name}", arguments))


@lower.register
def _(op: AdaptiveAvgPool, input: Tensor) -> Layer:
    return pool("AdaptiveAvgPool", op, positional(op, "output_size"))


@lower.register
def _(op: AdaptiveMaxPool, input: Tensor) -> Layer:
    return pool("AdaptiveMaxPool", op, positional(op, "output_size"))


@lower.register
def _(op: AvgPool, input: Tensor) -> Layer:
    arguments = keywords(op, "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad")
    return pool("AvgPool", op, *arguments)


@lower.register
def _(op: MaxPool, input: Tensor) -> Layer:
    arguments = keywords(op, "kernel_size", "stride", "padding", "dilation", "return_indices", "ceil_mode")
    return pool("MaxPool", op, *arguments)
