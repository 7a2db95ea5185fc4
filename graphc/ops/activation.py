"""Element-wise functions of one value."""

from __future__ import annotations

from collections.abc import Iterator

from graphc.ops.base import Fraction, Pointwise, Requirement, holds
from graphc.tensor import Tensor


class Identity(Pointwise):
    """The value as it is (`torch.nn.Identity`)."""

    name = "identity"


class Relu(Pointwise):
    """max(0, x) (`torch.nn.ReLU`)."""

    name = "relu"

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield holds(input, "float32", "int64")


class Dropout(Pointwise):
    """In training, zeroes each element with probability p and scales the others by 1/(1 - p) (`torch.nn.Dropout`)."""

    name = "dropout"
    main = "p"
    p: Fraction = 0.5

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield holds(input, "float32")
