"""Convolutions that see only what comes before."""

from __future__ import annotations

from graphc.ops.masked import MaskedConv2d
from graphc.tensor import Tensor
from graphc_torch.layer import Call, Layer, inferred, keywords, lower, positional


@lower.register
def _(op: MaskedConv2d, input: Tensor) -> Layer:
    channels = (inferred("in_channels", input.channels), positional(op, "out_channels"))
    arguments = keywords(op, "kernel_size", "mask", "colours", "parts", "stride", "padding", "dilation", "bias")
    return Layer(Call("MaskedConv2d", (*channels, *arguments)), helper=True)
