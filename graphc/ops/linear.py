"""Fully connected layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graphc.dims import Size, product
from graphc.ops.base import Count, Flag, Op, Requirement, fixed, holds
from graphc.ops.conv import affine
from graphc.ops.reach import Seen, all_but
from graphc.ops.saved import INPUT
from graphc.tensor import Tensor, Weight


class Linear(Op):
    """x Wᵀ + b over the last axis: [*, C] → [*, out_features] (`torch.nn.Linear`)."""

    name = "linear"
    each = 0
    keeps = INPUT
    main = "out_features"
    example = "10"
    operands = ("[N, 64]",)
    out_features: Count
    """The size of the last axis afterwards."""
    bias: Flag = True
    """Whether a learned vector is added."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield Requirement(input.rank >= 1, "needs a value with at least one axis")
        yield holds(input, "float32")
        yield fixed(input.shape[-1], input, "the last size")

    def infer(self, input: Tensor) -> Tensor:
        return input.with_shape((*input.shape[:-1], self.out_features))

    def weights(self, input: Tensor) -> Mapping[str, Weight]:
        return affine((self.out_features, input.shape[-1]), self.out_features, self.bias)

    def macs(self, input: Tensor) -> Size:
        return product(input.shape) * self.out_features

    def sees(self, input: Tensor) -> Seen:
        return (all_but(input.rank, {input.rank - 1}),)
