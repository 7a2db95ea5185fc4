"""Convolutions."""

from __future__ import annotations

from graphc.ops.conv import Conv2d, ConvTranspose2d
from graphc.tensor import Tensor
from graphc_torch.layer import Call, Layer, inferred, keywords, lower, positional


@lower.register
def _(op: Conv2d, input: Tensor) -> Layer:
    arguments = keywords(op, "kernel_size", "stride", "padding", "dilation", "groups", "bias")
    return Layer(
        Call("nn.Conv2d", (inferred("in_channels", input.channels), positional(op, "out_channels"), *arguments))
    )


@lower.register
def _(op: ConvTranspose2d, input: Tensor) -> Layer:
    arguments = keywords(op, "kernel_size", "stride", "padding", "output_padding", "groups", "bias", "dilation")
    channels = (inferred("in_channels", input.channels), positional(op, "out_channels"))
    return Layer(Call("nn.ConvTranspose2d", (*channels, *arguments)))
