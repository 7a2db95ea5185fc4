"""Normalisation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graphc.demands import divisible
from graphc.dims import Size, product
from graphc.ops.activation import Real
from graphc.ops.base import (
    Count,
    Flag,
    Fraction,
    NotNegative,
    Pointwise,
    Positive,
    Requirement,
    elements,
    fixed,
    holds,
    not_smaller,
    rank,
)
from graphc.ops.reach import Along, Reach, Seen, alike, all_but
from graphc.ops.saved import Saved
from graphc.tensor import Constant, Shape, Tensor, Weight


class BatchNorm(Pointwise):
    """Normalises each channel over the batch and space: [N, C], [N, C, L] or [N, C, H, W] (`torch.nn.BatchNorm2d`)."""

    name = "batch_norm"
    each = 2
    eps: Positive = 1e-5
    """What is added to the variance, so that nothing is divided by 0."""
    momentum: Fraction = 0.1
    """How much of a new batch's statistics goes into the running ones."""
    affine: Flag = True
    """Whether each channel has a learned factor and summand."""
    track_running_stats: Flag = True
    """Whether running statistics are kept, and used outside of training."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, 2, 3, 4, 5)
        yield from channels_known(input)
        if not self.track_running_stats:
            values = product((input.shape[0], *input.space))
            yield not_smaller(values, 2, f"needs two values or more in each channel, got {input}")

    def weights(self, input: Tensor) -> Mapping[str, Weight]:
        return per_channel(input, self.affine, self.track_running_stats)

    def sees(self, input: Tensor) -> Seen:
        if self.track_running_stats:
            return (alike(input.rank),)
        return (all_but(input.rank, {0, *range(2, input.rank)}),)

    def saved(self, input: Tensor) -> Saved:
        """The operand, and the mean and the deviation of each channel."""
        return Saved((0,), extra=8 * input.channels)


class FrozenBatchNorm(Pointwise):
    """Batch normalisation of [N, C, H, W] in which nothing changes, nor is learned.

    `torchvision.ops.FrozenBatchNorm2d`: all its weights are buffers.
    """

    name = "frozen_batch_norm"
    each = 2
    eps: NotNegative = 1e-5
    """What is added to the variance, so that nothing is divided by 0; 0 in torchvision's trained detectors."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, 4)
        yield from channels_known(input)

    def weights(self, input: Tensor) -> Mapping[str, Weight]:
        initial = {"weight": 1, "bias": 0, "running_mean": 0, "running_var": 1}
        return {name: Weight((input.channels,), Constant(value), buffer=True) for name, value in initial.items()}

    def saved(self, input: Tensor) -> Saved:
        """The factor of each channel."""
        return Saved(extra=4 * input.channels)


class InstanceNorm(Pointwise):
    """Normalises each channel of each sample over space: [N, C, L] or [N, C, H, W] (`torch.nn.InstanceNorm2d`)."""

    name = "instance_norm"
    eps: Positive = 1e-5
    """What is added to the variance, so that nothing is divided by 0."""
    momentum: Fraction = 0.1
    """How much of a new batch's statistics goes into the running ones."""
    affine: Flag = False
    """Whether each channel has a learned factor and summand."""
    track_running_stats: Flag = False
    """Whether running statistics are kept, and used outside of training."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, 3, 4, 5)
        yield from channels_known(input)
        if not self.track_running_stats:
            yield not_smaller(product(input.space), 2, f"needs two values or more in each channel, got {input}")

    def weights(self, input: Tensor) -> Mapping[str, Weight]:
        return per_channel(input, self.affine, self.track_running_stats)

    def work(self, input: Tensor) -> Size:
        return (2 if self.track_running_stats else 5 + 2 * self.affine) * elements(input)

    def sees(self, input: Tensor) -> Seen:
        if self.track_running_stats:
            return (alike(input.rank),)
        return (all_but(input.rank, range(2, input.rank)),)

    def saved(self, input: Tensor) -> Saved:
        """The operand, and the mean and the deviation of each channel of each sample."""
        return Saved((0,), extra=8 * product(input.shape[:2]))


class GroupNorm(Pointwise):
    """Normalises each of num_groups groups of channels in each sample of [N, C, *] (`torch.nn.GroupNorm`)."""

    name = "group_norm"
    main = "num_groups"
    example = "4"
    num_groups: Count
    """How many groups the channels are; 1 normalises over all of them."""
    eps: Positive = 1e-5
    """What is added to the variance, so that nothing is divided by 0."""
    affine: Flag = True
    """Whether each channel has a learned factor and summand."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield Requirement(input.rank >= 2, f"needs a value with at least 2 axes, got {input} with {input.rank}")
        yield from channels_known(input)
        message = f"num_groups {self.num_groups} must divide the input's {input.channels} channels"
        yield Requirement(divisible(input.channels, self.num_groups), message)
        values = product((input.shape[0], input.channels // self.num_groups, *input.space))
        yield not_smaller(values, 2, f"needs two values or more in each group, got {input}")

    def weights(self, input: Tensor) -> Mapping[str, Weight]:
        return learned((input.channels,)) if self.affine else {}

    def work(self, input: Tensor) -> Size:
        return (5 + 2 * self.affine) * elements(input)

    def sees(self, input: Tensor) -> Seen:
        return (all_but(input.rank, range(1, input.rank)),)

    def saved(self, input: Tensor) -> Saved:
        """The operand, and the mean and the deviation of each group of each sample."""
        return Saved((0,), extra=8 * input.shape[0] * self.num_groups)


class OverLastAxes(Pointwise):
    """Normalises over the last axes together, of which there are `dims`; all sizes along them are known."""

    operands = ("[N, T, 64]",)

    dims: Count = 1
    """How many of the last axes are normalised over."""

    def normalized_shape(self, input: Tensor) -> Shape:
        """The sizes of the last axes."""
        return input.shape[-self.dims :]

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield holds(input, "float32")
        yield Requirement(input.rank >= self.dims, f"needs the last {self.dims} axes, got {input} with {input.rank}")
        for size in self.normalized_shape(input):
            yield fixed(size, input, "the last size")

    def sees(self, input: Tensor) -> Seen:
        return (all_but(input.rank, range(input.rank - self.dims, input.rank)),)

    def rows(self, input: Tensor) -> Size:
        """How many times it normalises."""
        return product(input.shape[: input.rank - self.dims])


class LayerNorm(OverLastAxes):
    """Normalises over the last axis, or the last `dims` axes together: [*, C] (`torch.nn.LayerNorm`)."""

    name = "layer_norm"
    eps: Positive = 1e-5
    """What is added to the variance, so that nothing is divided by 0."""
    elementwise_affine: Flag = True
    """Whether each place along those axes has a learned factor (and summand)."""
    bias: Flag = True
    """Whether there is a summand beside the factor."""

    def weights(self, input: Tensor) -> Mapping[str, Weight]:
        found = learned(self.normalized_shape(input)) if self.elementwise_affine else {}
        return {name: weight for name, weight in found.items() if self.bias or name != "bias"}

    def work(self, input: Tensor) -> Size:
        return (5 + len(self.weights(input))) * elements(input)

    def saved(self, input: Tensor) -> Saved:
        """The operand, and the mean and the deviation of each row."""
        return Saved((0,), extra=8 * self.rows(input))


class RMSNorm(OverLastAxes):
    """x / √(mean of x² over the last `dims` axes + eps) · weight; eps is float32's 2⁻²³ if not given.

    `torch.nn.RMSNorm` (Zhang & Sennrich 2019).
    """

    name = "rms_norm"
    eps: Positive | None = None
    """What is added to the mean of the squares; float32's 2⁻²³ if not given."""
    elementwise_affine: Flag = True
    """Whether each place along those axes has a learned factor."""

    def weights(self, input: Tensor) -> Mapping[str, Weight]:
        return {"weight": Weight(self.normalized_shape(input), Constant(1))} if self.elementwise_affine else {}

    def work(self, input: Tensor) -> Size:
        return (3 + self.elementwise_affine) * elements(input)

    def saved(self, input: Tensor) -> Saved:
        """The operand, the deviation of each row, and for the factor's gradient what it multiplies."""
        return Saved((0,), extra=4 * self.rows(input) + (4 * elements(input) if self.elementwise_affine else 0))


class LocalResponseNorm(Pointwise):
    """x / (k + alpha · mean of x² over `size` neighbouring channels)^beta (`torch.nn.LocalResponseNorm`).

    Of an even size, the larger part lies before the channel (Krizhevsky et al. 2012, 3.3, where alpha is for the sum).
    """

    name = "local_response_norm"
    main = "size"
    example = "5"
    size: Count
    """How many neighbouring channels are looked at."""
    alpha: Real = 1e-4
    """The factor of the mean of their squares."""
    beta: Real = 0.75
    """The exponent."""
    k: Real = 1.0
    """What is added, so that nothing is divided by 0."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield Requirement(input.rank >= 3, f"needs a value with at least 3 axes, got {input} with {input.rank}")
        yield holds(input, "float32")

    def work(self, input: Tensor) -> Size:
        return (self.size + 4) * elements(input)

    def sees(self, input: Tensor) -> Seen:
        near = Along(1, Reach(1, ((-(self.size // 2), (self.size - 1) // 2),)))
        return ((Along(0), near, *map(Along, range(2, input.rank))),)


def channels_known(input: Tensor) -> Iterator[Requirement]:
    """The operand has real numbers in a known number of channels."""
    yield holds(input, "float32")
    yield fixed(input.channels, input, "the number of channels")


def learned(shape: Shape) -> dict[str, Weight]:
    """A factor and a summand that begin without effect."""
    return {"weight": Weight(shape, Constant(1)), "bias": Weight(shape, Constant(0))}


def per_channel(input: Tensor, affine: bool, tracked: bool) -> Mapping[str, Weight]:
    """A factor and a summand for each channel, and the statistics of the batches so far."""
    shape = (input.channels,)
    statistics = {
        "running_mean": Weight(shape, Constant(0), buffer=True),
        "running_var": Weight(shape, Constant(1), buffer=True),
        "num_batches_tracked": Weight((), Constant(0), "int64", buffer=True),
    }
    return (learned(shape) if affine else {}) | (statistics if tracked else {})
