"""Fully connected layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graphc.dims import Size, product
from graphc.ops.base import Count, Flag, Op, Requirement, fixed, holds
from graphc.ops.conv import affine
from graphc.tensor import Tensor, Weight


class Linear(Op):
    """x Wᵀ + b over the last axis: [*, C] → [*, out_features] (`torch.nn.Linear`)."""

    name = "linear"
    main = "out_features"
    out_features: Count
    bias: Flag = True

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
