"""Several elements become one: sums, means and extremes along axes."""

from __future__ import annotations

from graphc.ops.reduce import Amax, Amin, Argmax, Mean, Reduction, Sum
from graphc.tensor import Tensor
from graphc_torch.layer import Argument, Call, Layer, keywords, lower


def reduction(function: str, op: Reduction, over_all: object = None) -> Layer:
    """A call with the axes where any are given; all axes are `over_all`, which is needed to keep them."""
    if op.dim is None:
        kept = (Argument("dim", over_all), Argument("keepdim", True))
        return Layer(function=Call(function, kept if op.keepdim else ()))
    return Layer(function=Call(function, keywords(op, "dim", "keepdim")))


@lower.register
def _(op: Amax, input: Tensor) -> Layer:
    return reduction("torch.amax", op, over_all=())


@lower.register
def _(op: Amin, input: Tensor) -> Layer:
    return reduction("torch.amin", op, over_all=())


@lower.register
def _(op: Argmax, input: Tensor) -> Layer:
    dim = Argument("dim", op.axis(input), attribute="dim")
    return Layer(function=Call("torch.argmax", (dim, *keywords(op, "keepdim"))))


@lower.register
def _(op: Mean, input: Tensor) -> Layer:
    return reduction("torch.mean", op)


@lower.register
def _(op: Sum, input: Tensor) -> Layer:
    return reduction("torch.sum", op)
