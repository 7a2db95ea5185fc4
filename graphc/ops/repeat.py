"""Elements repeated, an axis split, and what lies on one side of a matrix' diagonal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from graphc.dims import Size, product
from graphc.ops.base import Axis, Count, Pointwise, Rearranged, Requirement, Symbolic, not_smaller, same_size
from graphc.ops.reach import UNKNOWN, Along, Moved, Seen, regrouped, stretched
from graphc.ops.saved import NOTHING
from graphc.ops.shape import on_axes, positive, quotient
from graphc.tensor import Tensor


class Tile(Rearranged):
    """The whole value repeated along each axis: `dims` times along the last ones, or along new ones (`torch.tile`)."""

    name = "tile"
    main = "dims"
    example = "{dims: [1, 1, 2, 2]}"
    dims: Annotated[tuple[Count | Symbolic, ...], Field(min_length=1)]
    """How many times the value stands along each axis."""

    def times(self, input: Tensor) -> tuple[Size, ...]:
        """How often along each axis of the result."""
        return (1,) * (input.rank - len(self.dims)) + self.dims

    def before(self, input: Tensor) -> tuple[Size, ...]:
        """The shape with new axes of 1 in front."""
        return (1,) * (len(self.dims) - input.rank) + input.shape

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from positive(iter(self.dims))

    def infer(self, input: Tensor) -> Tensor:
        pairs = zip(self.before(input), self.times(input), strict=True)
        return input.with_shape(tuple(size * times for size, times in pairs))

    def sees(self, input: Tensor) -> Seen:
        new = len(self.before(input)) - input.rank
        times = enumerate(self.times(input)[new:], new)
        return (tuple(Along(axis) if count == 1 else Moved(frozenset({axis})) for axis, count in times),)


class RepeatInterleave(Rearranged):
    """Each element along `dim` so many times in a row (`torch.repeat_interleave`)."""

    name = "repeat_interleave"
    main = "repeats"
    example = "{repeats: 2, dim: 1}"
    repeats: Count | Symbolic
    """How many times each element stands."""
    dim: Axis
    """The axis along which they are repeated."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from on_axes(input, self.dim)
        yield not_smaller(self.repeats, 1, f"repeats {self.repeats} is not positive")

    def infer(self, input: Tensor) -> Tensor:
        axis = self.dim % input.rank
        return input.with_shape((*input.shape[:axis], input.shape[axis] * self.repeats, *input.shape[axis + 1 :]))

    def sees(self, input: Tensor) -> Seen:
        axis, times = self.dim % input.rank, self.repeats
        sight = Along(axis, stretched(times)) if isinstance(times, int) else UNKNOWN
        return (tuple(sight if other == axis else Along(other) for other in range(input.rank)),)


class Unflatten(Rearranged):
    """The axis `dim` as several of these sizes; one can be -1, what is left (`torch.unflatten`)."""

    name = "unflatten"
    view = True
    example = "{dim: 1, sizes: [2, 4]}"
    dim: Axis
    """The axis that is split."""
    sizes: Annotated[tuple[Axis | Symbolic, ...], Field(min_length=1)]
    """The sizes that it becomes, one of which can be -1: what is left."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from on_axes(input, self.dim)
        yield Requirement(self.sizes.count(-1) <= 1, "only one size can be -1")
        given = [size for size in self.sizes if size != -1]
        yield from positive(iter(given))
        size = input.shape[self.dim]
        left = quotient([size], given) if -1 in self.sizes else 1
        yield Requirement(left is not None, f"it is not certain what -1 is of {size}: write it as a size")
        yield same_size(size, (left or 0) * product(given), f"an axis of {size} is no {Tensor(self.sizes)}")

    def infer(self, input: Tensor) -> Tensor:
        axis = self.dim % input.rank
        left = quotient([input.shape[axis]], [size for size in self.sizes if size != -1])
        parts = ((left or 0) if size == -1 else size for size in self.sizes)
        return input.with_shape((*input.shape[:axis], *parts, *input.shape[axis + 1 :]))

    def sees(self, input: Tensor) -> Seen:
        return (regrouped(input.shape, self.infer(input).shape),)


class Triangle(Pointwise):
    """A part of a matrix [*, n, m], 0 elsewhere; `diagonal` counts from the main one upwards."""

    main = "diagonal"
    each = 0
    keeps = NOTHING
    operands = ("[T, T]",)
    diagonal: Axis = 0
    """The diagonal up to which elements are kept; 0 is the main one, positive ones lie above it."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield Requirement(input.rank >= 2, f"needs a value with at least 2 axes, got {input}")


class Tril(Triangle):
    """What lies on and below a diagonal of [*, n, m], 0 above it (`torch.tril`)."""

    name = "tril"


class Triu(Triangle):
    """What lies on and above a diagonal of [*, n, m], 0 below it (`torch.triu`)."""

    name = "triu"
