"""Normalisation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graphc.demands import divisible
from graphc.dims import product
from graphc.ops.activation import Real
from graphc.ops.base import Count, Flag, Fraction, Pointwise, Positive, Requirement, fixed, holds, not_smaller, rank
from graphc.tensor import Constant, Shape, Tensor, Weight


class BatchNorm(Pointwise):
    """Normalises each channel over the batch and space: [N, C], [N, C, L] or [N, C, H, W] (`torch.nn.BatchNorm2d`)."""

    name = "batch_norm"
    eps: Positive = 1e-5
    momentum: Fraction = 0.1
    affine: Flag = True
    track_running_stats: Flag = True

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, 2, 3, 4, 5)
        yield from channels_known(input)
        if not self.track_running_stats:
            values = product((input.shape[0], *input.space))
            yield not_smaller(values, 2, f"needs two values or more in each channel, got {input}")

    def weights(self, input: Tensor) -> Mapping[str, Weight]:
        return per_channel(input, self.affine, self.track_running_stats)


class FrozenBatchNorm(Pointwise):
    """Batch normalisation of [N, C, H, W] in which nothing changes, nor is learned.

    `torchvision.ops.FrozenBatchNorm2d`: all its weights are buffers.
    """

    name = "frozen_batch_norm"
    eps: Positive = 1e-5

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, 4)
        yield from channels_known(input)

    def weights(self, input: Tensor) -> Mapping[str, Weight]:
        initial = {"weight": 1, "bias": 0, "running_mean": 0, "running_var": 1}
        return {name: Weight((input.channels,), Constant(value), buffer=True) for name, value in initial.items()}


class InstanceNorm(Pointwise):
    """Normalises each channel of each sample over space: [N, C, L] or [N, C, H, W] (`torch.nn.InstanceNorm2d`)."""

    name = "instance_norm"
    eps: Positive = 1e-5
    momentum: Fraction = 0.1
    affine: Flag = False
    track_running_stats: Flag = False

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, 3, 4, 5)
        yield from channels_known(input)
        if not self.track_running_stats:
            yield not_smaller(product(input.space), 2, f"needs two values or more in each channel, got {input}")

    def weights(self, input: Tensor) -> Mapping[str, Weight]:
        return per_channel(input, self.affine, self.track_running_stats)


class GroupNorm(Pointwise):
    """Normalises each of num_groups groups of channels in each sample of [N, C, *] (`torch.nn.GroupNorm`)."""

    name = "group_norm"
    main = "num_groups"
    num_groups: Count
    eps: Positive = 1e-5
    affine: Flag = True

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield Requirement(input.rank >= 2, f"needs a value with at least 2 axes, got {input} with {input.rank}")
        yield from channels_known(input)
        message = f"num_groups {self.num_groups} must divide the input's {input.channels} channels"
        yield Requirement(divisible(input.channels, self.num_groups), message)
        values = product((input.shape[0], input.channels // self.num_groups, *input.space))
        yield not_smaller(values, 2, f"needs two values or more in each group, got {input}")

    def weights(self, input: Tensor) -> Mapping[str, Weight]:
        return learned((input.channels,)) if self.affine else {}


class OverLastAxes(Pointwise):
    """Normalises over the last axes together, of which there are `dims`; all sizes along them are known."""

    dims: Count = 1

    def normalized_shape(self, input: Tensor) -> Shape:
        """The sizes of the last axes."""
        return input.shape[-self.dims :]

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield holds(input, "float32")
        yield Requirement(input.rank >= self.dims, f"needs the last {self.dims} axes, got {input} with {input.rank}")
        for size in self.normalized_shape(input):
            yield fixed(size, input, "the last size")


class LayerNorm(OverLastAxes):
    """Normalises over the last axis, or the last `dims` axes together: [*, C] (`torch.nn.LayerNorm`)."""

    name = "layer_norm"
    eps: Positive = 1e-5
    elementwise_affine: Flag = True
    bias: Flag = True

    def weights(self, input: Tensor) -> Mapping[str, Weight]:
        found = learned(self.normalized_shape(input)) if self.elementwise_affine else {}
        return {name: weight for name, weight in found.items() if self.bias or name != "bias"}


class RMSNorm(OverLastAxes):
    """x / √(mean of x² over the last `dims` axes + eps) · weight; eps is float32's 2⁻²³ if not given.

    `torch.nn.RMSNorm` (Zhang & Sennrich 2019).
    """

    name = "rms_norm"
    eps: Positive | None = None
    elementwise_affine: Flag = True

    def weights(self, input: Tensor) -> Mapping[str, Weight]:
        return {"weight": Weight(self.normalized_shape(input), Constant(1))} if self.elementwise_affine else {}


class LocalResponseNorm(Pointwise):
    """x / (k + alpha · mean of x² over `size` neighbouring channels)^beta (`torch.nn.LocalResponseNorm`).

    Of an even size, the larger part lies before the channel (Krizhevsky et al. 2012, 3.3, where alpha is for the sum).
    """

    name = "local_response_norm"
    main = "size"
    size: Count
    alpha: Real = 1e-4
    beta: Real = 0.75
    k: Real = 1.0

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield Requirement(input.rank >= 3, f"needs a value with at least 3 axes, got {input} with {input.rank}")
        yield holds(input, "float32")


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
