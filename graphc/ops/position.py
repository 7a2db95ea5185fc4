"""Position codes made of sines and cosines."""

from __future__ import annotations

from collections.abc import Iterator

from graphc.ops.base import Count, Free, Requirement, Symbolic, holds, not_smaller, rank
from graphc.ops.reach import Seen
from graphc.ops.saved import NOTHING
from graphc.tensor import Tensor


class Sinusoid(Free):
    """sin(t / 10000^(i/dim)) for even i, cos(t / 10000^((i-1)/dim)) for odd i: [length, dim].

    Vaswani et al. 2017, 3.5.
    """

    name = "sinusoid"
    each = 0
    keeps = NOTHING
    example = "{length: 12, dim: 64}"
    length: Count | Symbolic
    """How many places there are."""
    dim: Count
    """How many numbers each gets; even."""

    def requires(self) -> Iterator[Requirement]:
        yield Requirement(self.dim % 2 == 0, f"dim {self.dim} must be even: each sine has its cosine")
        yield not_smaller(self.length, 1, f"a length of {self.length} is not positive")

    def infer(self) -> Tensor:
        return Tensor((self.length, self.dim))

    def sees(self) -> Seen:
        return ()


class SinePosition2d(Free):
    """Where each place of an image is, half of the channels for the row, half for the column.

    [N, C, H, W] → [N, channels, H, W]. As `sinusoid`, of 2π·1/H … 2π for the rows (Carion et al. 2020, of whose code it
    is the PositionEmbeddingSine with `normalize`).
    """

    name = "sine_position_2d"
    each = 0
    keeps = NOTHING
    main = "channels"
    example = "64"
    channels: Count
    """How many numbers each place gets; a multiple of 4."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, 4)
        yield holds(input, "float32")
        yield Requirement(self.channels % 4 == 0, f"4 must divide channels {self.channels}: two axes, sine and cosine")

    def infer(self, input: Tensor) -> Tensor:
        return input.with_channels(self.channels)

    def sees(self, input: Tensor) -> Seen:
        return (None,)
