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

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        for axis in (self.start_dim, self.end_dim):
            yield Requirement(-input.rank <= axis < input.rank, f"{axis} is not an axis of {input}")
        ordered = input.rank == 0 or self.start_dim % input.rank <= self.end_dim % input.rank
        yield Requirement(ordered, f"start_dim {self.start_dim} lies behind end_dim {self.end_dim}")

    def infer(self, input: Tensor) -> Tensor:
        first, last = self.start_dim % input.rank, self.end_dim % input.rank
        shape = input.shape
        return input.with_shape((*shape[:first], product(shape[first : last + 1]), *shape[last + 1 :]))
