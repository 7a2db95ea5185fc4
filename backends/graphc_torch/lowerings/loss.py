"""Losses."""

from __future__ import annotations

from graphc.ops.base import Op
from graphc.ops.loss import (
    BinaryCrossEntropy,
    BinaryCrossEntropyWithLogits,
    CrossEntropy,
    HuberLoss,
    KlDiv,
    L1Loss,
    MseLoss,
    NllLoss,
    OfLabels,
    SmoothL1Loss,
)
from graphc.tensor import Tensor
from graphc_torch.layer import Call, Layer, keywords, lower


def loss(op: Op, *attributes: str) -> Layer:
    """The function with the op's name."""
    return Layer(function=Call(f"functional.{op.name}", keywords(op, *attributes, "reduction")))


def of_labels(op: OfLabels, *attributes: str) -> Layer:
    """The function with the op's name; with weights, one that makes a tensor of them first."""
    if op.weight is None:
        return loss(op, "ignore_index", *attributes)
    arguments = keywords(op, "weight", "ignore_index", *attributes, "reduction")
    return Layer(function=Call(f"weighted_{op.name}", arguments), helper=True)


@lower.register
def _(op: BinaryCrossEntropy, input: Tensor, target: Tensor) -> Layer:
    return loss(op)


@lower.register
def _(op: BinaryCrossEntropyWithLogits, input: Tensor, target: Tensor) -> Layer:
    return loss(op)


@lower.register
def _(op: CrossEntropy, input: Tensor, target: Tensor) -> Layer:
    return of_labels(op, "label_smoothing")


@lower.register
def _(op: HuberLoss, input: Tensor, target: Tensor) -> Layer:
    return loss(op, "delta")


@lower.register
def _(op: KlDiv, input: Tensor, target: Tensor) -> Layer:
    return loss(op, "log_target")


@lower.register
def _(op: L1Loss, input: Tensor, target: Tensor) -> Layer:
    return loss(op)


@lower.register
def _(op: MseLoss, input: Tensor, target: Tensor) -> Layer:
    return loss(op)


@lower.register
def _(op: NllLoss, input: Tensor, target: Tensor) -> Layer:
    return of_labels(op)


@lower.register
def _(op: SmoothL1Loss, input: Tensor, target: Tensor) -> Layer:
    return loss(op, "beta")
