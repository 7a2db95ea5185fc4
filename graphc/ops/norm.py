"""Normalisation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graphc.dims import product
from graphc.ops.base import Flag, Fraction, Free, Positive, Requirement, fixed, holds, not_smaller, rank
from graphc.tensor import Constant, Tensor, Weight


class BatchNorm(Free):
    """Normalises each channel over the batch and space: [N, C], [N, C, L] or [N, C, H, W] (`torch.nn.BatchNorm2d`)."""

    name = "batch_norm"
    eps: Positive = 1e-5
    momentum: Fraction = 0.1
    affine: Flag = True
    track_running_stats: Flag = True

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, 2, 3, 4, 5)
        yield holds(input, "float32")
        yield fixed(input.channels, input, "the number of channels")
        if not self.track_running_stats:
            values = product((input.shape[0], *input.space))
            yield not_smaller(values, 2, f"needs two values or more in each channel, got {input}")

    def infer(self, input: Tensor) -> Tensor:
        return input

    def weights(self, input: Tensor) -> Mapping[str, Weight]:
        shape = (input.channels,)
        learned = {"weight": Weight(shape, Constant(1)), "bias": Weight(shape, Constant(0))}
        tracked = {
            "running_mean": Weight(shape, Constant(0), buffer=True),
            "running_var": Weight(shape, Constant(1), buffer=True),
            "num_batches_tracked": Weight((), Constant(0), "int64", buffer=True),
        }
        return (learned if self.affine else {}) | (tracked if self.track_running_stats else {})
