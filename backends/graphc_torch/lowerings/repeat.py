"""Elements repeated, an axis split, and what lies on one side of a matrix' diagonal."""

from __future__ import annotations

from graphc.ops.repeat import RepeatInterleave, Tile, Triangle, Unflatten
from graphc.tensor import Tensor
from graphc_torch.layer import Call, Layer, keywords, lower, positional


@lower.register
def _(op: RepeatInterleave, input: Tensor) -> Layer:
    return Layer(function=Call("torch.repeat_interleave", (positional(op, "repeats"), *keywords(op, "dim"))))


@lower.register
def _(op: Tile, input: Tensor) -> Layer:
    return Layer(function=Call("torch.tile", (positional(op, "dims"),)))


@lower.register
def _(op: Triangle, input: Tensor) -> Layer:
    return Layer(function=Call(f"torch.{op.name}", keywords(op, "diagonal")))


@lower.register
def _(op: Unflatten, input: Tensor) -> Layer:
    return Layer(function=Call("torch.unflatten", (positional(op, "dim"), positional(op, "sizes"))))
