"""Values that no operand holds: of one number, counted, or random."""

from __future__ import annotations

from graphc.ops.source import Arange, Filled, Full, Given, NormalLike, Ones, OnesLike, Zeros, ZerosLike
from graphc.tensor import DType, Tensor
from graphc_torch.layer import Argument, Call, Kind, Layer, lower, positional


@lower.register
def _(op: Arange) -> Layer:
    step = (positional(op, "step"),) if op.step != 1 else ()
    start = (positional(op, "start"),) if op.start != 0 or step else ()
    like = like_others(op.infer().dtype)
    return Layer(function=Call("torch.arange", (*start, positional(op, "end"), *step), like=like))


@lower.register
def _(op: Full) -> Layer:
    return filled(op, "torch.full", positional(op, "fill_value"))


@lower.register
def _(op: Given) -> Layer:
    like = like_others(op.held)
    return Layer(function=Call("torch.tensor", (positional(op, "data"),), like=like))


@lower.register
def _(op: NormalLike, input: Tensor) -> Layer:
    return Layer(function=Call("torch.randn_like"))


@lower.register
def _(op: Ones) -> Layer:
    return filled(op, "torch.ones", dtype(op))


@lower.register
def _(op: OnesLike, input: Tensor) -> Layer:
    return Layer(function=Call("torch.ones_like"))


@lower.register
def _(op: Zeros) -> Layer:
    return filled(op, "torch.zeros", dtype(op))


@lower.register
def _(op: ZerosLike, input: Tensor) -> Layer:
    return Layer(function=Call("torch.zeros_like"))


def filled(op: Filled, function: str, *further: Argument) -> Layer:
    """One number for all."""
    return Layer(function=Call(function, (positional(op, "shape"), *further), like=like_others(op.held)))


def like_others(held: DType) -> tuple[str, ...]:
    """What new values have from those that are there: numbers with fractions their precision, all their place."""
    return ("dtype", "device") if held == "float32" else ("device",)


def dtype(op: Filled) -> Argument:
    """The element type, where it is not that of most values."""
    return Argument("dtype", Kind(op.held), Kind("float32"))
