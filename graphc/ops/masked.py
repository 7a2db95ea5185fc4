"""Convolutions that see only what comes before."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Literal

from graphc.ops.base import Count, Requirement, extent
from graphc.ops.conv import Convolution
from graphc.tensor import Tensor


class MaskedConv2d(Convolution):
    """A convolution that sees rows above, what is left of the middle, and there the colours before.

    Mask A hides a pixel's own colour, B shows it. The channels of an image are `colours` groups, as equal as they can
    be, one after the other; those of the output are `parts` times that (van den Oord et al. 2016, 3.4).
    """

    name = "masked_conv2d"
    axes = 2
    mask: Literal["A", "B"]
    colours: Count = 1
    parts: Count = 1

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from super().requires(input)
        for kernel in extent(self.kernel_size, 2):
            yield Requirement(kernel % 2 == 1, f"kernel_size {kernel} has no middle")
        message = f"parts {self.parts} must divide out_channels {self.out_channels}"
        yield Requirement(self.out_channels % self.parts == 0, message)
        yield Requirement(self.groups == 1, "groups is not for a masked convolution: its channels are colours")

    def seen(self, channels: int) -> Iterator[tuple[slice | int, ...]]:
        """The parts of the weight [out, in, row, column] that are not hidden."""
        height, width = (size // 2 for size in extent(self.kernel_size, 2))
        everything = slice(None)
        yield everything, everything, slice(height)
        yield everything, everything, height, slice(width)
        part = self.out_channels // self.parts
        for out, into in product(range(self.out_channels), range(channels)):
            ours, theirs = out % part * self.colours // part, into * self.colours // channels
            if theirs < ours or (theirs == ours and self.mask == "B"):
                yield out, into, height, width
