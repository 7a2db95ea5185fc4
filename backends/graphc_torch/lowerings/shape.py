"""Ops that change only the shape, or bring values together along a new axis."""

from __future__ import annotations

from graphc.ops.shape import Expand, Flatten, Permute, Reshape, Squeeze, Stack, Transpose, Unsqueeze
from graphc.tensor import Tensor
from graphc_torch.layer import Argument, Call, Layer, keywords, lower, positional


@lower.register
def _(op: Expand, input: Tensor) -> Layer:
    return Layer(function=Call("Tensor.expand", (positional(op, "shape"),)))


@lower.register
def _(op: Flatten, input: Tensor) -> Layer:
    function = (positional(op, "start_dim"), Argument("end_dim", op.end_dim, -1, attribute="end_dim"))
    return Layer(Call("nn.Flatten", keywords(op, "start_dim", "end_dim")), Call("torch.flatten", function))


@lower.register
def _(op: Permute, input: Tensor) -> Layer:
    return Layer(function=Call("torch.permute", (positional(op, "dims"),)))


@lower.register
def _(op: Reshape, input: Tensor) -> Layer:
    return Layer(function=Call("torch.reshape", (positional(op, "shape"),)))


@lower.register
def _(op: Squeeze, input: Tensor) -> Layer:
    return Layer(function=Call("torch.squeeze", (positional(op, "dim"),)))


@lower.register
def _(op: Stack, *inputs: Tensor) -> Layer:
    return Layer(function=Call("torch.stack", keywords(op, "dim"), style="list"))


@lower.register
def _(op: Transpose, input: Tensor) -> Layer:
    return Layer(function=Call("torch.transpose", (positional(op, "dim0"), positional(op, "dim1"))))


@lower.register
def _(op: Unsqueeze, input: Tensor) -> Layer:
    return Layer(function=Call("torch.unsqueeze", (positional(op, "dim"),)))
