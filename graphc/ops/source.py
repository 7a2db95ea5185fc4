"""Values that no operand holds: of one number, counted, or random."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, TypeAlias

from pydantic import Field

from graphc.dims import Dim, Size, ceil_divide
from graphc.ops.activation import Number, OfReals, Whole
from graphc.ops.base import Count, Flag, Free, Pointwise, Requirement, Symbolic, not_smaller
from graphc.ops.reach import Seen
from graphc.ops.saved import NOTHING
from graphc.tensor import DType, Tensor

Sizes: TypeAlias = tuple[Count | Symbolic, ...]
Real: TypeAlias = Annotated[float, Field(strict=True)]
Bound: TypeAlias = Number | Symbolic
Row: TypeAlias = Annotated[tuple[Flag | Whole | Real, ...], Field(min_length=1)]
LARGEST = (2 - 2**-23) * 2.0**127
"""The largest number of float32."""
KINDS: dict[type, DType] = {bool: "bool", int: "int64", float: "float32"}
"""What a number is held as."""


def positive(shape: Sizes) -> Iterator[Requirement]:
    """Each size is at least 1."""
    for size in shape:
        yield not_smaller(size, 1, f"a size of {size} is not positive")


class Filled(Free):
    """A value of one number."""

    main = "shape"
    each = 0
    keeps = NOTHING
    example = "{shape: [2, 3]}"
    shape: Sizes
    """The shape of the value."""

    def requires(self) -> Iterator[Requirement]:
        yield from positive(self.shape)

    def infer(self) -> Tensor:
        return Tensor(self.shape, self.held)

    @property
    def number(self) -> float:
        """The number."""
        raise NotImplementedError(self.name)

    @property
    def held(self) -> DType:
        """The element type."""
        raise NotImplementedError(self.name)

    def sees(self) -> Seen:
        return ()


class Zeros(Filled):
    """Zeros of this shape (`torch.zeros`)."""

    name = "zeros"
    dtype: DType = "float32"
    """The element type."""

    @property
    def number(self) -> float:
        return 0

    @property
    def held(self) -> DType:
        return self.dtype


class Ones(Filled):
    """Ones of this shape (`torch.ones`)."""

    name = "ones"
    dtype: DType = "float32"
    """The element type."""

    @property
    def number(self) -> float:
        return 1

    @property
    def held(self) -> DType:
        return self.dtype


class Full(Filled):
    """One number in this shape: float32, int64 or bool as the number is (`torch.full`)."""

    name = "full"
    example = "{shape: [2, 3], fill_value: 0.5}"
    fill_value: Flag | Whole | Real
    """The number."""

    def requires(self) -> Iterator[Requirement]:
        finite = isinstance(self.fill_value, float) and math.isfinite(self.fill_value)
        yield Requirement(not finite or abs(self.fill_value) <= LARGEST, f"{self.fill_value} is too large for float32")
        yield from super().requires()

    @property
    def number(self) -> float:
        return self.fill_value

    @property
    def held(self) -> DType:
        return KINDS[type(self.fill_value)]


class Given(Free):
    """Numbers as they are written: [K], or rows [K, L] (`torch.tensor`).

    They are of int64 or bool, or of float32 where one is a fraction.
    """

    name = "tensor"
    main = "data"
    each = 0
    keeps = NOTHING
    example = "{data: [[10, 13], [16, 30]]}"
    data: Row | Annotated[tuple[Row, ...], Field(min_length=1)]
    """The numbers, or rows of them."""

    def requires(self) -> Iterator[Requirement]:
        widths = {len(row) for row in self.rows}
        yield Requirement(len(widths) == 1, f"rows of {' and '.join(map(str, sorted(widths)))} numbers give no table")
        kinds = self.kinds
        yield Requirement(kinds == {bool} or bool not in kinds, "truth values and numbers can't stand side by side")
        largest = max(abs(number) for row in self.rows for number in row)
        yield Requirement(float not in kinds or largest <= LARGEST, f"{largest} is too large for float32")

    def infer(self) -> Tensor:
        width = len(self.rows[0])
        return Tensor((len(self.data), width) if isinstance(self.data[0], tuple) else (width,), self.held)

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows; numbers alone are one."""
        rows = tuple(row for row in self.data if isinstance(row, tuple))
        return rows or (tuple(number for number in self.data if not isinstance(number, tuple)),)

    @property
    def kinds(self) -> set[type]:
        """What the numbers are in Python."""
        return {type(number) for row in self.rows for number in row}

    @property
    def held(self) -> DType:
        """The element type."""
        kinds = self.kinds
        return "float32" if float in kinds else "bool" if bool in kinds else "int64"

    def sees(self) -> Seen:
        return ()


class Arange(Free):
    """start, start + step, … before `end`: of int64, or of float32 where one of them is a fraction (`torch.arange`)."""

    name = "arange"
    each = 0
    keeps = NOTHING
    main = "end"
    example = "12"
    end: Bound
    """The bound that is not reached."""
    start: Bound = 0
    """The first number."""
    step: Number = 1
    """How far apart the numbers are."""

    def requires(self) -> Iterator[Requirement]:
        parts = self.start, self.end, self.step
        mixed = any(isinstance(part, Dim) for part in parts) and any(isinstance(part, float) for part in parts)
        yield Requirement(not mixed, "a free size and a fraction can't be counted together")
        yield Requirement(self.step != 0, "step must not be 0")
        message = f"nothing lies from {self.start} to {self.end} in steps of {self.step}"
        yield not_smaller(self.length, 1, message)

    def infer(self) -> Tensor:
        return Tensor((self.length,), self.held)

    @property
    def held(self) -> DType:
        """The element type."""
        fractions = any(isinstance(part, float) for part in (self.start, self.end, self.step))
        return "float32" if fractions else "int64"

    @property
    def length(self) -> Size:
        """How many numbers there are, which can come to less than none."""
        start, end, step = self.start, self.end, self.step
        if isinstance(start, float) or isinstance(end, float) or isinstance(step, float):
            return _count(start, end, step)
        return ceil_divide(end - start, step) if step > 0 else ceil_divide(start - end, -step)

    def sees(self) -> Seen:
        return ()


def _count(start: Bound, end: Bound, step: float) -> int:
    """How many fixed numbers there are; a free one has been refused."""
    if isinstance(start, Dim) or isinstance(end, Dim):
        raise TypeError(f"{start} … {end} in steps of {step}")
    return math.ceil((end - start) / step)


class ZerosLike(Pointwise):
    """Zeros, of the shape and the type of a value (`torch.zeros_like`)."""

    name = "zeros_like"
    each = 0
    keeps = NOTHING

    def sees(self, input: Tensor) -> Seen:
        return (None,)


class OnesLike(Pointwise):
    """Ones, of the shape and the type of a value (`torch.ones_like`)."""

    name = "ones_like"
    each = 0
    keeps = NOTHING

    def sees(self, input: Tensor) -> Seen:
        return (None,)


class NormalLike(OfReals):
    """Random numbers of mean 0 and variance 1, of the shape of a value, others each time (`torch.randn_like`)."""

    name = "normal_like"
    each = None
    keeps = NOTHING

    def sees(self, input: Tensor) -> Seen:
        return (None,)
