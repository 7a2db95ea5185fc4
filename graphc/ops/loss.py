"""Losses: what training makes small."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from graphc.ops.activation import Real, Whole
from graphc.ops.base import Flag, Fraction, Free, Positive, Requirement, holds, same_size
from graphc.ops.reduce import without
from graphc.tensor import Shape, Tensor

Reducing: TypeAlias = Literal["none", "mean", "sum"]
NonNegative: TypeAlias = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]


class Loss(Free):
    """How far `input` is from `target`: the mean or the sum of the elements' losses, or (`none`) each by itself."""

    reduction: str = "mean"
    """The `mean` of the elements' losses, their `sum`, or (`none`) each by itself."""

    def reduced(self, shape: Shape) -> Tensor:
        """The result, of elements of this shape."""
        return Tensor(shape if self.reduction == "none" else ())


class Compared(Loss):
    """A loss of two values of one shape."""

    operands = ("[N, 10]",)

    def requires(self, input: Tensor, target: Tensor) -> Iterator[Requirement]:
        yield holds(input, "float32")
        yield holds(target, "float32")
        yield from same_shape(input, target)

    def infer(self, input: Tensor, target: Tensor) -> Tensor:
        return self.reduced(input.shape)


class Elementwise(Compared):
    """A loss that compares element with element."""

    reduction: Reducing = "mean"
    """The `mean` of the elements' losses, their `sum`, or (`none`) each by itself."""


class MseLoss(Elementwise):
    """(input - target)² (`torch.nn.MSELoss`)."""

    name = "mse_loss"


class L1Loss(Elementwise):
    """|input - target| (`torch.nn.L1Loss`)."""

    name = "l1_loss"


class SmoothL1Loss(Elementwise):
    """d² / (2 · beta) where d = |input - target| is below beta, else d - beta/2 (`torch.nn.SmoothL1Loss`)."""

    name = "smooth_l1_loss"
    beta: NonNegative = 1.0
    """The distance at which the square becomes a line."""


class HuberLoss(Elementwise):
    """d² / 2 where d = |input - target| is at most delta, else delta · (d - delta/2) (`torch.nn.HuberLoss`)."""

    name = "huber_loss"
    delta: Positive = 1.0
    """The distance at which the square becomes a line."""


class BinaryCrossEntropy(Elementwise):
    """-target · log(input) - (1 - target) · log(1 - input), no logarithm below -100 (`torch.nn.BCELoss`)."""

    name = "binary_cross_entropy"


class BinaryCrossEntropyWithLogits(Elementwise):
    """The binary cross-entropy of σ(input) (`torch.nn.BCEWithLogitsLoss`)."""

    name = "binary_cross_entropy_with_logits"


class KlDiv(Compared):
    """target · (log(target) - input), input being logarithms and target too if log_target (`torch.nn.KLDivLoss`).

    The divergence as it is defined is `reduction: batchmean`, the sum divided by N; PyTorch warns of `mean`.
    """

    name = "kl_div"
    reduction: Literal["none", "mean", "sum", "batchmean"] = "mean"
    """`batchmean` divides the sum by the size of the first axis, as the definition has it; `mean` by the number of
    elements.
    """
    log_target: Flag = False
    """Whether the target is given as logarithms too."""


class OfLabels(Loss):
    """A loss of K classes. `weight` has a factor for each; where the label is `ignore_index`, nothing is counted."""

    operands = ("[N, 10]", "int64 [N]")

    reduction: Reducing = "mean"
    """The weighted `mean` of the losses, their `sum`, or (`none`) each by itself."""
    weight: tuple[Real, ...] | None = None
    """A factor for each class."""
    ignore_index: Whole = -100
    """The label that counts for nothing."""

    def classes(self, input: Tensor) -> Iterator[Requirement]:
        """The operand has real numbers for each class."""
        yield holds(input, "float32")
        yield Requirement(input.rank >= 1, "needs a value with an axis of classes")
        if self.weight is not None:
            count = input.shape[class_axis(input)]
            yield same_size(count, len(self.weight), f"weight has {len(self.weight)} numbers for {count} classes")

    def labels(self, input: Tensor, target: Tensor) -> Iterator[Requirement]:
        """The target has a label where the input has K numbers."""
        wanted = Tensor(without(input.shape, (class_axis(input),), keep=False))
        yield from same_shape(wanted, target)

    def infer(self, input: Tensor, target: Tensor) -> Tensor:
        return self.reduced(without(input.shape, (class_axis(input),), keep=False))


class NllLoss(OfLabels):
    """-input at the label: [K], [] or [N, K, *], [N, *] int64 (`torch.nn.NLLLoss`)."""

    name = "nll_loss"

    def requires(self, input: Tensor, target: Tensor) -> Iterator[Requirement]:
        yield from self.classes(input)
        yield holds(target, "int64")
        yield from self.labels(input, target)


class CrossEntropy(OfLabels):
    """-log softmax(input) at the label, or its mean under given probabilities (`torch.nn.CrossEntropyLoss`).

    input [K] or [N, K, *]; target labels [] or [N, *] int64, or probabilities like input. `label_smoothing` is the part
    of the target that is spread evenly over the classes.
    """

    name = "cross_entropy"
    label_smoothing: Fraction = 0.0
    """How much of the target is spread evenly over all classes."""

    def requires(self, input: Tensor, target: Tensor) -> Iterator[Requirement]:
        yield from self.classes(input)
        yield holds(target, "int64", "float32")
        if target.dtype == "int64":
            yield from self.labels(input, target)
        else:
            yield from same_shape(input, target)
            yield Requirement(self.ignore_index < 0, "ignore_index is for labels, not for probabilities")


def class_axis(input: Tensor) -> int:
    """The axis of the classes in [K] or [N, K, *]."""
    return min(1, input.rank - 1)


def same_shape(input: Tensor, target: Tensor) -> Iterator[Requirement]:
    """Two values agree in all sizes; PyTorch broadcasts some losses, and warns."""
    message = f"needs values of the same shape, got {input} and {target}"
    yield Requirement(input.rank == target.rank, message)
    for left, right in zip(input.shape, target.shape, strict=True):
        yield same_size(left, right, message)
