"""Convolutions that see only what comes before."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Literal

from graphc.ops.base import Count, Requirement, extent
from graphc.ops.conv import Convolution
from graphc.ops.reach import ALL, Along, Reach, Seen
from graphc.tensor import Tensor


class MaskedConv2d(Convolution):
    """A convolution that sees rows above, what is left of the middle, and there the colours before.

    Mask A hides a pixel's own colour, B shows it. The channels of an image are `colours` groups, as equal as they can
    be, one after the other; those of the output are `parts` times that (van den Oord et al. 2016, 3.4).
    """

    name = "masked_conv2d"
    axes = 2
    example = "{out_channels: 48, kernel_size: 7, padding: 3, mask: A, colours: 3}"
    operands = ("[N, 3, H, W]",)
    mask: Literal["A", "B"]
    """`A` hides a pixel's own colour, `B` shows it."""
    colours: Count = 1
    """How many groups the channels of the image are."""
    parts: Count = 1
    """How many times the output has those groups."""

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

    def sees(self, input: Tensor) -> Seen:
        rows, columns = self.windows()
        above, before = rows.kernel // 2, columns.kernel // 2
        own = self.mask == "B" or self.colours > 1
        low = Reach(rows.stride, ((-rows.padding, rows.dilation * (above - (not before and not own)) - rows.padding),))
        ahead = columns.kernel - 1 if above else before - (not own)
        wide = Reach(columns.stride, ((-columns.padding, columns.dilation * ahead - columns.padding),))
        return ((Along(0), ALL, Along(2, low), Along(3, wide)),)
