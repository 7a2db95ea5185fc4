"""Ops that change only the shape."""

from __future__ import annotations

from graphc.ops.shape import Flatten
from graphc.tensor import Tensor
from graphc_torch.layer import Argument, Call, Layer, keywords, lower, positional


@lower.register
def _(op: Flatten, input: Tensor) -> Layer:
    function = (positional(op, "start_dim"), Argument("end_dim", op.end_dim, -1, attribute="end_dim"))
    return Layer(Call("nn.Flatten", keywords(op, "start_dim", "end_dim")), Call("torch.flatten", function))
