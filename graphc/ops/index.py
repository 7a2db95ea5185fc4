"""Parts of values, and numbers beside values."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import Annotated, TypeAlias

from pydantic import Field

from graphc.demands import at_least
from graphc.dims import Size, ceil_divide, smaller
from graphc.ops.base import Axis, Count, Flag, Free, Rearranged, Requirement, Symbolic, holds, not_smaller, same_size
from graphc.ops.reach import ALL, UNKNOWN, Along, Reach, Seen, Sight, along, shifted
from graphc.ops.saved import NOTHING, Saved
from graphc.ops.shape import on_axes
from graphc.tensor import DType, Tensor

Number: TypeAlias = Annotated[float, Field(strict=True)]
Range: TypeAlias = tuple[Axis | Symbolic | None, Axis | Symbolic | None, Count | Symbolic | None]
"""A slice: where it starts, where it stops, and its step, as in Python."""
Part: TypeAlias = Axis | Range | None
"""What is done with an axis: one element of it, or a range; None is a new axis of 1."""
Candidates: TypeAlias = tuple[Size, ...]
Shift: TypeAlias = Axis | Symbolic


class Constant(Free):
    """A number, as a value of shape [] (`torch.tensor`).

    It is of float32, int64 or bool as in Python, where 1, 1.0 and true are equal.
    """

    name = "constant"
    each = 0
    keeps = NOTHING
    main = "value"
    example = "0.5"
    value: Flag | Axis | Number | Symbolic
    """The number."""

    def infer(self) -> Tensor:
        kinds: dict[type, DType] = {bool: "bool", float: "float32"}
        return Tensor((), kinds.get(type(self.value), "int64"))

    def sees(self) -> Seen:
        return ()


class Getitem(Rearranged):
    """A part of a value, axis by axis: `input[index]` with the rules of Python (`torch.Tensor.__getitem__`).

    A slice of an axis of n elements begins at `start`, or at n + `start` where that is negative, and ends before `stop`
    or n. Nothing may be left empty; a bound that depends on a free size must not change its sign.
    """

    name = "getitem"
    view = True
    main = "index"
    example = "{index: [[none, none, none], 0]}"
    operands = ("[N, T, 64]",)
    index: Annotated[tuple[Part, ...], Field(min_length=1)]
    """What is taken along each axis: an element, `[start, stop, step]`, or none for a new axis of 1. Written `x[:, 0]`
    in an expression.
    """

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        count = sum(part is not None for part in self.index)
        yield Requirement(count <= input.rank, f"{count} parts for {input} with {input.rank} axes")
        for part, size in self.taken(input):
            yield from _inside(part, size) if isinstance(part, int) else _left(part, size)

    def infer(self, input: Tensor) -> Tensor:
        sizes = iter(input.shape)
        shape: list[Size] = []
        for part in self.index:
            if part is None:
                shape.append(1)
            elif isinstance(part, int):
                next(sizes)
            else:
                shape.append(_length(part, next(sizes)))
        return input.with_shape((*shape, *sizes))

    def taken(self, input: Tensor) -> list[tuple[int | Range, Size]]:
        """The parts that are for an axis of `input`, each with the size of its axis."""
        parts = [part for part in self.index if part is not None]
        return list(zip(parts, input.shape, strict=False))

    def sees(self, input: Tensor) -> Seen:
        sights: list[Sight] = []
        axis, sizes = 0, iter(input.shape)
        for part in self.index:
            if part is not None:
                size = next(sizes)
                sights.append(UNKNOWN if isinstance(part, int) else _cut(axis, part, size))
            axis += not isinstance(part, int)
        return ((*sights, *(Along(at) for at, _ in enumerate(sizes, axis))),)


class IndexSelect(Free):
    """The elements at `index` along an axis, whose place the axes of `index` take; a negative one counts from the end.

    table [K, C], index [N, T] of int64 → [N, T, C] (`table[index]`; of one axis, `torch.index_select`).
    """

    name = "index_select"
    each = 0
    keeps = Saved((1,))
    main = "dim"
    example = "0"
    operands = ("[49, 8]", "int64 [T, T]")
    dim: Axis = 0
    """The axis whose elements are taken."""

    def requires(self, input: Tensor, index: Tensor) -> Iterator[Requirement]:
        yield holds(index, "int64")
        yield from on_axes(input, self.dim)

    def infer(self, input: Tensor, index: Tensor) -> Tensor:
        axis = self.dim % input.rank
        return input.with_shape((*input.shape[:axis], *index.shape, *input.shape[axis + 1 :]))

    def sees(self, input: Tensor, index: Tensor) -> Seen:
        axis = self.dim % input.rank
        behind = (Along(at) for at in range(axis + index.rank, input.rank + index.rank - 1))
        return (*map(Along, range(axis)), ALL, *behind), tuple(Along(axis + at) for at in range(index.rank))


class Roll(Rearranged):
    """The elements moved along the axes `dims`; what leaves at one end comes in at the other (`torch.roll`)."""

    name = "roll"
    example = "{shifts: [-3, -3], dims: [2, 3]}"
    shifts: Shift | Annotated[tuple[Shift, ...], Field(min_length=1)]
    """How far elements move, one for each of `dims`; backward if negative."""
    dims: Axis | Annotated[tuple[Axis, ...], Field(min_length=1)]
    """The axes along which they move."""

    def moves(self) -> list[tuple[Size, int]]:
        """How far the elements move, and the axis."""
        shifts = self.shifts if isinstance(self.shifts, tuple) else (self.shifts,)
        dims = self.dims if isinstance(self.dims, tuple) else (self.dims,)
        return list(zip(shifts, dims, strict=False))

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        shifts, dims = (len(a) if isinstance(a, tuple) else 1 for a in (self.shifts, self.dims))
        yield Requirement(shifts == dims, f"{shifts} shifts for {dims} axes")
        yield from on_axes(input, *(axis for _, axis in self.moves()))

    def infer(self, input: Tensor) -> Tensor:
        return input

    def sees(self, input: Tensor) -> Seen:
        """Positions go on round the edges: those outside are at the other end."""
        far: list[Size] = [0] * input.rank
        for by, axis in self.moves():
            far[axis % input.rank] -= by
        return (tuple(along(axis, shifted(by) if isinstance(by, int) else None) for axis, by in enumerate(far)),)


class Several(Rearranged):
    """Several values, one after the other along `dim`, named 0, 1, … in their order."""

    dim: Axis = 0
    """The axis that is divided."""

    def sizes(self, input: Tensor) -> tuple[Size, ...]:
        """The size of each along the axis."""
        raise NotImplementedError(self.name)

    def infer(self, input: Tensor) -> dict[str, Tensor]:
        shape, axis = input.shape, self.dim % input.rank
        return {
            str(number): input.with_shape((*shape[:axis], size, *shape[axis + 1 :]))
            for number, size in enumerate(self.sizes(input))
        }

    def sees(self, input: Tensor) -> Seen:
        """Along their axis the parts read each from another place on."""
        axis = self.dim % input.rank
        return (tuple(UNKNOWN if other == axis else Along(other) for other in range(input.rank)),)


class Split(Several):
    """Parts of these sizes along `dim`, or of one size, but for a smaller last one (`torch.split`)."""

    name = "split"
    view = True
    main = "split_size"
    example = "{split_size: [6, 2], dim: 1}"
    split_size: Count | Annotated[tuple[Count | Symbolic, ...], Field(min_length=1)]
    """The sizes of the parts, or one for all but a smaller last one."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from on_axes(input, self.dim)
        size = input.shape[self.dim]
        if isinstance(self.split_size, int):
            yield Requirement(isinstance(size, int), f"{size} sets the number of parts and must be fixed")
            return
        for part in self.split_size:
            yield not_smaller(part, 1, f"a size of {part} is not positive")
        total: Size = sum(self.split_size, start=0)
        yield same_size(size, total, f"the parts come to {total}, the axis has {size}")

    def sizes(self, input: Tensor) -> tuple[Size, ...]:
        size, part = input.shape[self.dim], self.split_size
        if not isinstance(part, int):
            return part
        return tuple(min(part, size - start) for start in range(0, size, part)) if isinstance(size, int) else ()


class Chunk(Several):
    """So many equal parts along `dim` (`torch.chunk`, which takes sizes that can't be divided too)."""

    name = "chunk"
    view = True
    main = "chunks"
    example = "{chunks: 2, dim: 1}"
    chunks: Count
    """The number of parts, which divides the size."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from on_axes(input, self.dim)
        size = input.shape[self.dim]
        yield same_size(size % self.chunks, 0, f"{size} can't be divided into {self.chunks} equal parts")

    def sizes(self, input: Tensor) -> tuple[Size, ...]:
        return (input.shape[self.dim] // self.chunks,) * self.chunks


def _cut(axis: int, part: Range, size: Size) -> Sight:
    """What a slice reads of an axis; unknown where a bound is still free."""
    start, _, step = part
    first, by = (start or 0), (1 if step is None else step)
    if not (isinstance(first, int) and isinstance(by, int) and isinstance(size, int)):
        return UNKNOWN
    first = max(first + size, 0) if first < 0 else first
    return Along(axis, Reach(by, ((first, first),)))


def _inside(index: int, size: Size) -> Iterator[Requirement]:
    least = index + 1 if index >= 0 else -index
    yield not_smaller(size, least, f"there is no element {index} along an axis of {size}")


def _left(part: Range, size: Size) -> Iterator[Requirement]:
    """Something is left: every bound above lies behind every bound below."""
    start, stop, step = part
    for bound in (start, stop):
        if bound is not None and at_least(bound, 0) is not False:
            yield not_smaller(bound, 0, f"the bound {bound} must not be negative")
    if step is not None:
        yield not_smaller(step, 1, f"the step {step} must be positive")
    for low in _starts(start, size):
        for high in _stops(stop, size):
            yield not_smaller(high, low + 1, f"nothing is left of an axis of {size} from {low} to {high}")


def _length(part: Range, size: Size) -> Size:
    """How many elements are left: the least over all pairs of bounds."""
    start, stop, step = part
    lengths = [
        ceil_divide(high - low, 1 if step is None else step)
        for low in _starts(start, size)
        for high in _stops(stop, size)
    ]
    return reduce(_least, lengths)


def _starts(start: Size | None, size: Size) -> Candidates:
    """Of these the largest is where a slice begins."""
    if start is None:
        return (0,)
    return (0, size + start) if at_least(start, 0) is False else (start,)


def _stops(stop: Size | None, size: Size) -> Candidates:
    """Of these the smallest is where a slice ends."""
    if stop is None:
        return (size,)
    return (size + stop,) if at_least(stop, 0) is False else (stop, size)


def _least(left: Size, right: Size) -> Size:
    """The smaller of two sizes, without a minimum where it is the same one at all sizes."""
    if at_least(left, right) is True:
        return right
    return left if at_least(right, left) is True else smaller(left, right)
