"""Other sizes of the space that a value covers: interpolation, padding, and channels that become space."""

from __future__ import annotations

from graphc.ops.resize import Interpolate, Pad, PixelShuffle, PixelUnshuffle
from graphc.tensor import Tensor
from graphc_torch.layer import Call, Layer, keywords, lower, positional
from graphc_torch.sizes import free_sizes


@lower.register
def _(op: Interpolate, input: Tensor, like: Tensor | None = None) -> Layer:
    if like is not None:
        return Layer(function=Call("interpolate_like", keywords(op, "mode", "align_corners")), helper=True)
    arguments = keywords(op, "size", "scale_factor", "mode", "align_corners")
    module = None if next(free_sizes(op), None) else Call("nn.Upsample", arguments)
    return Layer(module, Call("functional.interpolate", arguments))


@lower.register
def _(op: Pad, input: Tensor) -> Layer:
    return Layer(function=Call("functional.pad", (positional(op, "pad"), *keywords(op, "mode", "value"))))


@lower.register
def _(op: PixelShuffle, input: Tensor) -> Layer:
    arguments = (positional(op, "upscale_factor"),)
    return Layer(Call("nn.PixelShuffle", arguments), Call("functional.pixel_shuffle", arguments))


@lower.register
def _(op: PixelUnshuffle, input: Tensor) -> Layer:
    arguments = (positional(op, "downscale_factor"),)
    return Layer(Call("nn.PixelUnshuffle", arguments), Call("functional.pixel_unshuffle", arguments))
