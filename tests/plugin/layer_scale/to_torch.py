"""`layer_scale` in PyTorch: a convolution of each channel with one number."""

from __future__ import annotations

from graphc.tensor import Tensor
from graphc_torch.layer import Argument, Call, Layer, inferred, lower
from layer_scale.op import LayerScale


@lower.register
def _(op: LayerScale, input: Tensor) -> Layer:
    channels = input.channels
    sizes = (inferred("in_channels", channels), inferred("out_channels", channels), inferred("kernel_size", 1))
    return Layer(Call("nn.Conv2d", (*sizes, Argument("groups", channels), Argument("bias", False))))
