"""Other sizes of the space that a value covers: interpolation, padding, and channels that become space."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from graphc.dims import Dim, Size
from graphc.ops.base import (
    Axis,
    Count,
    Flag,
    Free,
    Positive,
    Requirement,
    Symbolic,
    holds,
    not_smaller,
    rank,
    same_size,
)
from graphc.tensor import Shape, Tensor

Factor: TypeAlias = Count | Positive
SizeGiven: TypeAlias = Count | Symbolic
Mode: TypeAlias = Literal["nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear"]

AXES: dict[Mode, tuple[int, ...]] = {"linear": (3,), "bilinear": (4,), "bicubic": (4,), "trilinear": (5,)}
"""The ranks that a mode takes; one that is not here takes all of these."""


class Interpolate(Free):
    """[N, C, *] with other spatial sizes: `size`, or `scale_factor` times those that it has, or those of `like`.

    `align_corners` keeps the values at the corners; it is for modes other than the nearest (`functional.interpolate`).
    """

    name = "interpolate"
    main = "scale_factor"
    size: SizeGiven | tuple[SizeGiven, ...] | None = None
    scale_factor: Factor | tuple[Factor, ...] | None = None
    mode: Mode = "nearest"
    align_corners: Flag | None = None

    def requires(self, input: Tensor, like: Tensor | None = None) -> Iterator[Requirement]:
        yield rank(input, *AXES.get(self.mode, (3, 4, 5)))
        yield holds(input, "float32")
        count = sum(way is not None for way in (self.size, self.scale_factor, like))
        yield Requirement(count == 1, "needs one of size, scale_factor and a second value that has the size")
        aligned = self.align_corners is None or not self.mode.startswith("nearest")
        yield Requirement(aligned, f"align_corners is not for the mode {self.mode}")
        if like is not None:
            same = like.rank == input.rank
            yield Requirement(same, f"{input} and {like} have different numbers of axes")
        for name, value in (("size", self.size), ("scale_factor", self.scale_factor)):
            wrong = isinstance(value, tuple) and len(value) != len(input.space)
            yield Requirement(not wrong, f"{name} needs {len(input.space)} numbers, one an axis")
        yield from self._exact(input)
        for size in self.space(input, like):
            yield not_smaller(size, 1, f"a size of {size} is not positive")

    def _exact(self, input: Tensor) -> Iterator[Requirement]:
        """A free size can be scaled: PyTorch rounds the product of other fractions."""
        for size, factor in zip(input.space, self.factors(input) or (), strict=False):
            short = isinstance(size, int) or Fraction(factor).denominator <= 1 << 12
            yield Requirement(short, f"{size} is free: {factor} is no fraction of it by 2, 4, 8, …; give size instead")

    def infer(self, input: Tensor, like: Tensor | None = None) -> Tensor:
        return input.with_space(self.space(input, like))

    def factors(self, input: Tensor) -> tuple[float, ...] | None:
        """The factor for each axis, where they are given."""
        factor = self.scale_factor
        return factor if isinstance(factor, tuple) or factor is None else (factor,) * len(input.space)

    def space(self, input: Tensor, like: Tensor | None = None) -> Shape:
        """The spatial sizes of the output."""
        if like is not None:
            return like.space
        factors = self.factors(input)
        if factors is not None:
            return tuple(map(scaled, input.space, factors))
        if self.size is None:
            return input.space
        return self.size if isinstance(self.size, tuple) else (self.size,) * len(input.space)


def scaled(size: Size, factor: float) -> Size:
    """A size times a factor, rounded down as PyTorch does; for a free one that is exact."""
    if isinstance(size, Dim):
        exact = Fraction(factor)
        return size * exact.numerator // exact.denominator
    return math.floor(size * factor)


class Pad(Free):
    """Elements added before and behind: two numbers for the last axis, two for the one before it, and so on.

    They are `value`, or (mode) a reflection of the elements next to them, or the outermost element; a negative number
    cuts off (`functional.pad`).
    """

    name = "pad"
    main = "pad"
    pad: Annotated[tuple[Axis | Symbolic, ...], Field(min_length=2)]
    mode: Literal["constant", "reflect", "replicate"] = "constant"
    value: Axis | Annotated[float, Field(strict=True)] = 0

    def pairs(self, input: Tensor) -> list[tuple[Size, Size]]:
        """What is added before and behind each axis, from the first on."""
        given = list(zip(self.pad[::2], self.pad[1::2], strict=True))
        return [(0, 0)] * (input.rank - len(given)) + given[::-1]

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        count = len(self.pad)
        yield Requirement(count % 2 == 0, f"pad needs two numbers for each axis, got {count}")
        yield Requirement(count <= 2 * input.rank, f"pad has numbers for {count // 2} axes of {input}")
        if self.mode != "constant":
            yield from self._mirrors(input)
        for size, (before, behind) in zip(input.shape, self.pairs(input), strict=True):
            if (before, behind) != (0, 0):
                yield not_smaller(size + before + behind, 1, f"nothing is left of {size} after {before} and {behind}")

    def _mirrors(self, input: Tensor) -> Iterator[Requirement]:
        """The other modes are for real numbers, the last axes, and no more than there is to reflect."""
        padded = len(self.pad) // 2
        yield rank(input, padded + 1, padded + 2)
        yield Requirement(padded <= 3, "pads at most three axes unless the mode is constant")
        yield holds(input, "float32")
        yield Requirement(self.value == 0, "value is for the mode constant")
        for size, pair in zip(input.shape, self.pairs(input), strict=True):
            for added in pair:
                if added != 0:
                    yield not_smaller(added, 0, f"{added} would cut off, which only the mode constant can")
                if added != 0 and self.mode == "reflect":
                    yield not_smaller(size, added + 1, f"{added} is more than can be reflected of {size}")

    def infer(self, input: Tensor) -> Tensor:
        sizes = zip(input.shape, self.pairs(input), strict=True)
        return input.with_shape(tuple(size + before + behind for size, (before, behind) in sizes))


class PixelShuffle(Free):
    """[N, C·r², H, W] → [N, C, r·H, r·W]: channels become space (`torch.nn.PixelShuffle`)."""

    name = "pixel_shuffle"
    main = "upscale_factor"
    upscale_factor: Count

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, 4)
        yield holds(input, "float32")
        yield divides(self.upscale_factor**2, input.channels, "channels")

    def infer(self, input: Tensor) -> Tensor:
        r = self.upscale_factor
        return input.with_channels(input.channels // r**2).with_space(tuple(r * size for size in input.space))


class PixelUnshuffle(Free):
    """[N, C, r·H, r·W] → [N, C·r², H, W]: space becomes channels (`torch.nn.PixelUnshuffle`)."""

    name = "pixel_unshuffle"
    main = "downscale_factor"
    downscale_factor: Count

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, 4)
        yield holds(input, "float32")
        for size in input.space:
            yield divides(self.downscale_factor, size, "rows or columns")

    def infer(self, input: Tensor) -> Tensor:
        r = self.downscale_factor
        return input.with_channels(input.channels * r**2).with_space(tuple(size // r for size in input.space))


def divides(divisor: int, size: Size, what: str) -> Requirement:
    """A size is a multiple of a number."""
    return same_size(size % divisor, 0, f"{divisor} must divide the {size} {what}")
