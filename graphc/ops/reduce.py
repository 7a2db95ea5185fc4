"""Several elements become one: sums, means and extremes along axes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, TypeAlias

from pydantic import Field

from graphc.dims import Size
from graphc.ops.activation import class_axis, has_class_axis
from graphc.ops.base import Axis, Flag, Free, Requirement, elements, holds
from graphc.ops.reach import Seen, reduced
from graphc.ops.saved import NOTHING, Saved
from graphc.tensor import DType, Shape, Tensor

Axes: TypeAlias = Axis | Annotated[tuple[Axis, ...], Field(min_length=1)]


class Reduction(Free):
    """One element along each of the axes `dim`, or along all where none is given; `keepdim` leaves axes of size 1."""

    main = "dim"
    example = "{dim: [2, 3]}"
    dim: Axes | None = None
    """The axis or axes that are gone afterwards; all if not given."""
    keepdim: Flag = False
    """Whether they stay as axes of 1."""

    def axes(self, input: Tensor) -> tuple[int, ...]:
        """The axes that are reduced, counted from 0."""
        if self.dim is None:
            return tuple(range(input.rank))
        given = self.dim if isinstance(self.dim, tuple) else (self.dim,)
        return tuple(axis % input.rank for axis in given)

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        given = () if self.dim is None else self.dim if isinstance(self.dim, tuple) else (self.dim,)
        for axis in given:
            yield Requirement(-input.rank <= axis < input.rank, f"dim {axis} is not an axis of {input}")
        axes = self.axes(input)
        yield Requirement(len(set(axes)) == len(axes), f"dim has an axis of {input} twice")

    def infer(self, input: Tensor) -> Tensor:
        return Tensor(without(input.shape, self.axes(input), self.keepdim), self.held(input))

    def held(self, input: Tensor) -> DType:
        """The element type of the result."""
        return input.dtype

    def work(self, input: Tensor) -> Size:
        return elements(input)

    def sees(self, input: Tensor) -> Seen:
        return (reduced(input.rank, self.axes(input), self.keepdim),)


class Mean(Reduction):
    """The mean along `dim`, over all elements if not given (`torch.mean`)."""

    name = "mean"
    keeps = NOTHING

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield holds(input, "float32")
        yield from super().requires(input)


class Sum(Reduction):
    """The sum along `dim`, over all elements if not given; of truth values how many are true (`torch.sum`)."""

    name = "sum"
    keeps = NOTHING

    def held(self, input: Tensor) -> DType:
        return "int64" if input.dtype == "bool" else input.dtype


class Amax(Reduction):
    """The largest element along `dim`, of all if not given (`torch.amax`)."""

    name = "amax"
    keeps = Saved((0,), outputs=True)


class Amin(Reduction):
    """The smallest element along `dim`, of all if not given (`torch.amin`)."""

    name = "amin"
    keeps = Saved((0,), outputs=True)


class Argmax(Free):
    """Where the largest element is along `dim`, for [K] and [N, K] the last axis if not given (`torch.argmax`).

    Without `dim` PyTorch numbers all elements through; `flatten: 0` before it does the same here.
    """

    name = "argmax"
    keeps = NOTHING
    main = "dim"
    example = "1"
    dim: Axis | None = None
    """The axis along which the largest is looked for."""
    keepdim: Flag = False
    """Whether it stays as an axis of 1."""

    def axis(self, input: Tensor) -> int:
        """The axis, as it is given."""
        return class_axis(self.dim, input)

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield holds(input, "float32", "int64")
        yield from has_class_axis(self.dim, input)

    def infer(self, input: Tensor) -> Tensor:
        return Tensor(without(input.shape, (self.axis(input) % input.rank,), self.keepdim), "int64")

    def work(self, input: Tensor) -> Size:
        return elements(input)

    def sees(self, input: Tensor) -> Seen:
        return (reduced(input.rank, {self.axis(input) % input.rank}, self.keepdim),)


def without(shape: Shape, axes: tuple[int, ...], keep: bool) -> Shape:
    """The shape without some axes, or with size 1 along them."""
    if keep:
        return tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    return tuple(size for axis, size in enumerate(shape) if axis not in axes)
