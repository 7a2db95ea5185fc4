"""Ops that keep as many things as the data says."""

from __future__ import annotations

from graphc.ops.selection import Nonzero
from graphc.tensor import Tensor
from graphc_torch.layer import Call, Layer, lower


@lower.register
def _(_: Nonzero, input: Tensor) -> Layer:
    return Layer(function=Call("nonzero().squeeze(1)", style="methods"))
