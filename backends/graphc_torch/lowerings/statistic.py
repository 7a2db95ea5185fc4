"""What several elements come to."""

from __future__ import annotations

from graphc.ops.statistic import CosineSimilarity, Cumsum, Normalize, Prod, Spread
from graphc.tensor import Tensor
from graphc_torch.layer import Call, Layer, keywords, lower


@lower.register
def _(op: CosineSimilarity, input: Tensor, other: Tensor) -> Layer:
    return Layer(function=Call("functional.cosine_similarity", keywords(op, "dim", "eps")))


@lower.register
def _(op: Cumsum, input: Tensor) -> Layer:
    return Layer(function=Call("torch.cumsum", keywords(op, "dim")))


@lower.register
def _(op: Normalize, input: Tensor) -> Layer:
    return Layer(function=Call("functional.normalize", keywords(op, "p", "dim", "eps")))


@lower.register
def _(op: Prod, input: Tensor) -> Layer:
    return Layer(function=Call("torch.prod", keywords(op, "dim", "keepdim")))


@lower.register
def _(op: Spread, input: Tensor) -> Layer:
    return Layer(function=Call(f"torch.{op.name}", keywords(op, "dim", "correction", "keepdim")))
