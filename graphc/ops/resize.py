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
    Rearranged,
    Requirement,
    Symbolic,
    elements,
    holds,
    not_smaller,
    rank,
    same_size,
)
from graphc.ops.reach import LONGEST, UNKNOWN, Along, Reach, Seen, along, numbers, shifted, stretched
from graphc.ops.saved import INPUT, NOTHING, Saved
from graphc.tensor import Shape, Tensor

Factor: TypeAlias = Count | Positive
SizeGiven: TypeAlias = Count | Symbolic
Mode: TypeAlias = Literal["nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear"]

AXES: dict[Mode, tuple[int, ...]] = {"linear": (3,), "bilinear": (4,), "bicubic": (4,), "trilinear": (5,)}
"""The ranks that a mode takes; one that is not here takes all of these."""
TAPS: dict[Mode, int] = {"nearest": 1, "nearest-exact": 1, "linear": 2, "bilinear": 2, "bicubic": 4, "trilinear": 2}
"""How many elements along each axis one is made of."""


class Interpolate(Free):
    """[N, C, *] with other spatial sizes: `size`, or `scale_factor` times those that it has, or those of `like`.

    `align_corners` keeps the values at the corners; it is for modes other than the nearest (`functional.interpolate`).
    """

    name = "interpolate"
    keeps = NOTHING
    main = "scale_factor"
    example = "{scale_factor: 2, mode: bilinear}"
    size: SizeGiven | tuple[SizeGiven, ...] | None = None
    """The spatial size of the output: one for all axes, or one each."""
    scale_factor: Factor | tuple[Factor, ...] | None = None
    """The factor of the spatial size: one for all axes, or one each."""
    mode: Mode = "nearest"
    """How a value between elements is found; `nearest-exact` takes the element under the middle."""
    align_corners: Flag | None = None
    """Whether the outermost elements keep their places, not the outermost edges."""

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

    def work(self, input: Tensor, like: Tensor | None = None) -> Size:
        """The products with all elements that one is made of, and their sum; the nearest is only moved."""
        read: int = TAPS[self.mode] ** len(input.space)
        return (2 * read - 1 if read > 1 else 0) * elements(self.infer(input, like))

    def sees(self, input: Tensor, like: Tensor | None = None) -> Seen:
        before, after = numbers(input.space), numbers(self.space(input, like))
        if before is None or after is None:
            return (Along(0), Along(1), *(UNKNOWN for _ in input.space)), None
        factors = self.factors(input) or (None,) * len(before)
        reads = map(self._reads, before, after, factors)
        return (Along(0), Along(1), *(along(axis, reach) for axis, reach in enumerate(reads, 2))), None

    def _reads(self, size: int, wanted: int, factor: float | None) -> Reach | None:
        """What is read along one axis; None where that repeats too late."""
        rate = Fraction(size, wanted) if factor is None else 1 / Fraction(factor)
        start = (rate - 1) / 2
        if self.align_corners:
            rate, start = Fraction(size - 1, max(wanted - 1, 1)), Fraction(0)
        if self.mode.startswith("nearest"):
            start = rate / 2 if self.mode == "nearest-exact" else Fraction(0)
        if rate.denominator > LONGEST or not rate:
            return None
        places = (start + rate * at for at in range(rate.denominator))
        return Reach(rate.numerator, tuple(_around(place, TAPS[self.mode]) for place in places))


def _around(place: Fraction, taps: int) -> tuple[int, int]:
    """The first and the last of the elements that one at a place is made of; those with the factor 0 are left out."""
    below = math.floor(place)
    if taps == 1 or place == below:
        return below, below
    return below + 1 - taps // 2, below + taps // 2


def scaled(size: Size, factor: float) -> Size:
    """A size times a factor, rounded down as PyTorch does; for a free one that is exact."""
    if isinstance(size, Dim):
        exact = Fraction(factor)
        return size * exact.numerator // exact.denominator
    return math.floor(size * factor)


class Pad(Rearranged):
    """Elements added before and behind: two numbers for the last axis, two for the one before it, and so on.

    They are `value`, or (mode) a reflection of the elements next to them, or the outermost element; a negative number
    cuts off (`functional.pad`).
    """

    name = "pad"
    main = "pad"
    example = "{pad: [1, 1, 2, 2], mode: reflect}"
    pad: Annotated[tuple[Axis | Symbolic, ...], Field(min_length=2)]
    """How much is added before and behind: of the last axis, of the one before it, and so on."""
    mode: Literal["constant", "reflect", "replicate"] = "constant"
    """What is added: `value`, what is reflected at the border, or the outermost element."""
    value: Axis | Annotated[float, Field(strict=True)] = 0
    """What is added in the mode `constant`."""

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

    def saved(self, input: Tensor) -> Saved:
        return NOTHING if self.mode == "constant" else INPUT

    def sees(self, input: Tensor) -> Seen:
        before = [pair[0] for pair in self.pairs(input)]
        return (tuple(Along(axis, shifted(-by)) if isinstance(by, int) else UNKNOWN for axis, by in enumerate(before)),)


class PixelShuffle(Rearranged):
    """[N, C·r², H, W] → [N, C, r·H, r·W]: channels become space (`torch.nn.PixelShuffle`)."""

    name = "pixel_shuffle"
    main = "upscale_factor"
    example = "2"
    upscale_factor: Count
    """r: how many times height and width grow."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, 4)
        yield holds(input, "float32")
        yield divides(self.upscale_factor**2, input.channels, "channels")

    def infer(self, input: Tensor) -> Tensor:
        r = self.upscale_factor
        return input.with_channels(input.channels // r**2).with_space(tuple(r * size for size in input.space))

    def sees(self, input: Tensor) -> Seen:
        r = self.upscale_factor
        return ((Along(0), UNKNOWN, Along(2, stretched(r)), Along(3, stretched(r))),)


class PixelUnshuffle(Rearranged):
    """[N, C, r·H, r·W] → [N, C·r², H, W]: space becomes channels (`torch.nn.PixelUnshuffle`)."""

    name = "pixel_unshuffle"
    main = "downscale_factor"
    example = "2"
    operands = ("[N, 8, 2*H, 2*W]",)
    downscale_factor: Count
    """r: how many times height and width shrink."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, 4)
        yield holds(input, "float32")
        for size in input.space:
            yield divides(self.downscale_factor, size, "rows or columns")

    def infer(self, input: Tensor) -> Tensor:
        r = self.downscale_factor
        return input.with_channels(input.channels * r**2).with_space(tuple(size // r for size in input.space))

    def sees(self, input: Tensor) -> Seen:
        r = self.downscale_factor
        each = Reach(r, ((0, r - 1),))
        return ((Along(0), UNKNOWN, Along(2, each), Along(3, each)),)


def divides(divisor: int, size: Size, what: str) -> Requirement:
    """A size is a multiple of a number."""
    return same_size(size % divisor, 0, f"{divisor} must divide the {size} {what}")
