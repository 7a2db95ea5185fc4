"""Ops that change only the shape."""

from __future__ import annotations

from collections.abc import Iterator

from graphc.dims import product
from graphc.ops.base import Axis, Free, Requirement
from graphc.tensor import Tensor


class Flatten(Free):
    """The axes start_dim … end_dim as one (`torch.nn.Flatten`)."""

    name = "flatten"
    main = "start_dim"
    start_dim: Axis = 1
    end_dim: Axis = -1

    def axes(self, input: Tensor) -> tuple[int, int]:
        """The first and the last axis, counted from 0; a single number counts as one axis."""
        axes = max(input.rank, 1)
        return self.start_dim % axes, self.end_dim % axes

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        axes = max(input.rank, 1)
        for axis in (self.start_dim, self.end_dim):
            yield Requirement(-axes <= axis < axes, f"{axis} is not an axis of {input}")
        first, last = self.axes(input)
        yield Requirement(first <= last, f"start_dim {self.start_dim} lies behind end_dim {self.end_dim}")

    def infer(self, input: Tensor) -> Tensor:
        first, last = self.axes(input)
        shape = input.shape
        return input.with_shape((*shape[:first], product(shape[first : last + 1]), *shape[last + 1 :]))
