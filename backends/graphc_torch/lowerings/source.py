"""Values that no operand holds: of one number, counted, or random."""

from __future__ import annotations

from dataclasses import dataclass

from graphc.ops.source import Arange, Filled, Full, NormalLike, Ones, OnesLike, Zeros, ZerosLike
from graphc.tensor import DType, Tensor
from graphc_torch.layer import Argument, Call, Layer, lower, positional


@dataclass(frozen=True, slots=True)
class Kind:
    """An element type, which is written as torch has it."""

    name: DType

    def __repr__(self) -> str:
        return f"torch.{self.name}"


@lower.register
def _(op: Arange) -> Layer:
    step = (positional(op, "step"),) if op.step != 1 else ()
    start = (positional(op, "start"),) if op.start != 0 or step else ()
    return Layer(function=Call("torch.arange", (*start, positional(op, "end"), *step)))


@lower.register
def _(op: Full) -> Layer:
    return filled(op, "torch.full", positional(op, "fill_value"))


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
    return Layer(function=Call(function, (positional(op, "shape"), *further)))


def dtype(op: Filled) -> Argument:
    """The element type, where it is not that of most values."""
    return Argument("dtype", Kind(op.held), Kind("float32"))
