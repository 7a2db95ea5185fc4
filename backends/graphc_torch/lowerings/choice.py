"""One of two values, element by element."""

from __future__ import annotations

from graphc.ops.choice import LogicalAnd, LogicalNot, LogicalOr, LogicalXor, MaskedFill, Maximum, Minimum
from graphc.tensor import Tensor
from graphc_torch.layer import Call, Layer, lower, positional


@lower.register
def _(op: LogicalAnd | LogicalOr | LogicalXor | Maximum | Minimum, input: Tensor, other: Tensor) -> Layer:
    return Layer(function=Call(f"torch.{op.name}"))


@lower.register
def _(op: LogicalNot, input: Tensor) -> Layer:
    return Layer(function=Call("torch.logical_not"))


@lower.register
def _(op: MaskedFill, input: Tensor, mask: Tensor) -> Layer:
    return Layer(function=Call("torch.masked_fill", (positional(op, "value"),)))
