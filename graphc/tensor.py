"""What is known of a value before anything runs: its shape and element type; and the weights that an op owns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from graphc.dims import Size, product

DType: TypeAlias = Literal["float32", "int64", "bool"]
Shape: TypeAlias = tuple[Size, ...]


@dataclass(frozen=True, slots=True)
class Tensor:
    """The type of a value. Sizes are in PyTorch's order: [N, C, *space]."""

    shape: Shape
    dtype: DType = "float32"

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def channels(self) -> Size:
        return self.shape[1]

    @property
    def space(self) -> Shape:
        return self.shape[2:]

    def with_channels(self, channels: Size) -> Tensor:
        """The same with other channels."""
        return replace(self, shape=(self.shape[0], channels, *self.space))

    def with_space(self, space: Shape) -> Tensor:
        """The same with other sizes behind the channels."""
        return replace(self, shape=(*self.shape[:2], *space))

    def with_shape(self, shape: Shape) -> Tensor:
        """The same with another shape."""
        return replace(self, shape=shape)

    def __str__(self) -> str:
        return f"[{', '.join(map(str, self.shape))}]"


@dataclass(frozen=True, slots=True)
class Uniform:
    """Initial values drawn evenly from [middle - bound, middle + bound)."""

    bound: float
    middle: float = 0.0


@dataclass(frozen=True, slots=True)
class Normal:
    """Initial values from a normal distribution, within `limits` where given; row `zero_row`, if any, is 0 instead."""

    mean: float = 0.0
    std: float = 1.0
    zero_row: int | None = None
    limits: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Constant:
    """One initial value for all."""

    value: float


@dataclass(frozen=True, slots=True)
class Bilinear:
    """Triangles over the kernel, from each channel to itself: a transposed convolution that interpolates."""


@dataclass(frozen=True, slots=True)
class Gaussian:
    """A Gaussian over each kernel of [out, in, *kernel], `mean` behind its middle; its values sum to 1."""

    std: float
    mean: float = 0.0


Initial: TypeAlias = Uniform | Normal | Constant | Bilinear | Gaussian


@dataclass(frozen=True, slots=True)
class Weight:
    """A tensor that an op owns; its name is PyTorch's. A buffer is saved with the parameters but not trained."""

    shape: Shape
    initial: Initial
    dtype: DType = "float32"
    buffer: bool = False

    @property
    def count(self) -> Size:
        """Number of elements."""
        return product(self.shape)
