"""Ops that bring several values together."""

from __future__ import annotations

from graphc.ops.join import CenterCrop, Concat
from graphc.tensor import Tensor
from graphc_torch.layer import Argument, Call, Layer, lower


@lower.register
def _(op: CenterCrop, input: Tensor, target: Tensor) -> Layer:
    return Layer(function=Call("center_crop"), helper=True)


@lower.register
def _(op: Concat, *inputs: Tensor) -> Layer:
    dim = Argument("dim", op.dim, attribute="dim")
    if op.center:
        return Layer(function=Call("centered_cat", (dim,), style="list"), helper=True)
    return Layer(function=Call("torch.cat", (dim,), style="list"))
