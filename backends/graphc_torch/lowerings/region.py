"""What lies in a box of a feature map."""

from __future__ import annotations

from graphc.ops.region import RoiAlign, RoiPool
from graphc.tensor import Tensor
from graphc_torch.layer import Call, Layer, keywords, lower, positional


@lower.register
def _(op: RoiAlign, input: Tensor, boxes: Tensor, picture: Tensor) -> Layer:
    """Two functions: how much one with a number of samples needs is known before."""
    if op.sampling_ratio > 0:
        arguments = keywords(op, "sampling_ratio", "spatial_scale", "aligned")
        return Layer(function=Call("roi_align", (positional(op, "output_size"), *arguments)), helper=True)
    arguments = keywords(op, "spatial_scale", "aligned")
    return Layer(function=Call("adaptive_roi_align", (positional(op, "output_size"), *arguments)), helper=True)


@lower.register
def _(op: RoiPool, input: Tensor, boxes: Tensor, picture: Tensor) -> Layer:
    arguments = (positional(op, "output_size"), *keywords(op, "spatial_scale"))
    return Layer(function=Call("roi_pool", arguments), helper=True)
