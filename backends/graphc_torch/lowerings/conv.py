"""Convolutions."""

from __future__ import annotations

from graphc.ops.conv import Conv2d, Convolution, TransposedConvolution
from graphc.tensor import Tensor
from graphc_torch.layer import Call, Layer, inferred, keywords, lower, positional


@lower.register
def convolution(op: Convolution, input: Tensor) -> Layer:
    arguments = keywords(op, "kernel_size", "stride", "padding", "dilation", "groups", "bias")
    channels = (inferred("in_channels", input.channels), positional(op, "out_channels"))
    return Layer(Call(f"nn.Conv{op.axes}d", (*channels, *arguments)))


@lower.register
def _(op: Conv2d, input: Tensor, weight: Tensor | None = None) -> Layer:
    if weight is None:
        return convolution(op, input)
    return Layer(function=Call("functional.conv2d", keywords(op, "stride", "padding", "dilation", "groups")))


@lower.register
def _(op: TransposedConvolution, input: Tensor) -> Layer:
    arguments = keywords(op, "kernel_size", "stride", "padding", "output_padding", "groups", "bias", "dilation")
    channels = (inferred("in_channels", input.channels), positional(op, "out_channels"))
    return Layer(Call(f"nn.ConvTranspose{op.axes}d", (*channels, *arguments)))
