"""Elements by their places."""

from __future__ import annotations

from graphc.ops.places import Argsort, Gather, OneHot, Pick, Scatter, Sort, Take, TopK
from graphc.tensor import Tensor
from graphc_torch.layer import Argument, Call, Layer, keywords, lower, positional


@lower.register
def _(op: Argsort | Sort, input: Tensor) -> Layer:
    arguments = (*keywords(op, "dim", "descending"), Argument("stable", True))
    return Layer(function=Call(f"torch.{op.name}", arguments))


@lower.register
def _(op: Gather, input: Tensor, index: Tensor) -> Layer:
    return Layer(function=Call("gathered", keywords(op, "dim")), helper=True)


@lower.register
def _(op: OneHot, input: Tensor) -> Layer:
    return Layer(function=Call("functional.one_hot", (positional(op, "num_classes"),)))


@lower.register
def _(op: Pick | Take, input: Tensor, index: Tensor) -> Layer:
    return Layer(function=Call("of_each_sample"), helper=True)


@lower.register
def _(op: Scatter, index: Tensor, source: Tensor) -> Layer:
    return Layer(function=Call("scattered", keywords(op, "shape", "fill")), helper=True)


@lower.register
def _(op: TopK, input: Tensor) -> Layer:
    count = Argument("k", op.count(input), positional=True, attribute="k")
    return Layer(function=Call("torch.topk", (count, *keywords(op, "dim", "largest"))))
