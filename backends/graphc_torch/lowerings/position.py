"""Position codes made of sines and cosines."""

from __future__ import annotations

from graphc.ops.position import SinePosition2d, Sinusoid
from graphc.tensor import Tensor
from graphc_torch.layer import Call, Layer, lower, positional


@lower.register
def _(op: SinePosition2d, input: Tensor) -> Layer:
    return Layer(function=Call("sine_position_2d", (positional(op, "channels"),)), helper=True)


@lower.register
def _(op: Sinusoid) -> Layer:
    arguments = positional(op, "length"), positional(op, "dim")
    return Layer(function=Call("sinusoid", arguments, like=("dtype", "device")), helper=True)
