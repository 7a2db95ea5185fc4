"""Ops that change only the shape, or bring values together along a new axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, TypeAlias

from pydantic import Field

from graphc.demands import at_least
from graphc.dims import Size, floor_divide, product
from graphc.ops.arithmetic import promoted
from graphc.ops.base import Axis, Rearranged, Requirement, Symbolic, not_smaller, same_size
from graphc.ops.reach import Along, Seen, Sights, broadcasted, reduced, regrouped
from graphc.tensor import Shape, Tensor

Axes: TypeAlias = Axis | Annotated[tuple[Axis, ...], Field(min_length=1)]
Target: TypeAlias = tuple[Axis | Symbolic, ...]
"""The sizes of a shape, some of them free; -1 is a size that follows from the others."""


class Flatten(Rearranged):
    """The axes start_dim … end_dim as one (`torch.nn.Flatten`)."""

    name = "flatten"
    view = True
    main = "start_dim"
    start_dim: Axis = 1
    """The first axis that is joined."""
    end_dim: Axis = -1
    """The last axis that is joined."""

    def axes(self, input: Tensor) -> tuple[int, int]:
        """The first and the last axis, counted from 0; a single number counts as one axis."""
        axes = max(input.rank, 1)
        return self.start_dim % axes, self.end_dim % axes

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from on_axes(input, self.start_dim, self.end_dim, ranks=max(input.rank, 1))
        first, last = self.axes(input)
        yield Requirement(first <= last, f"start_dim {self.start_dim} lies behind end_dim {self.end_dim}")

    def infer(self, input: Tensor) -> Tensor:
        first, last = self.axes(input)
        shape = input.shape
        return input.with_shape((*shape[:first], product(shape[first : last + 1]), *shape[last + 1 :]))

    def sees(self, input: Tensor) -> Seen:
        return (regrouped(input.shape, self.infer(input).shape),)


class Reshape(Rearranged):
    """The same elements, in their order, with another shape; one size can be -1, what is left (`torch.reshape`)."""

    name = "reshape"
    view = True
    main = "shape"
    example = "{shape: [N, 2, -1]}"
    shape: Target
    """The new sizes."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield Requirement(self.shape.count(-1) <= 1, "only one size can be -1")
        yield from positive(size for size in self.shape if size != -1)
        given = [size for size in self.shape if size != -1]
        message = f"{input} and {Tensor(self.shape)} have different numbers of elements"
        if len(given) == len(self.shape):
            yield same_size(product(input.shape), product(given), message)
            return
        left = quotient(input.shape, given)
        yield Requirement(left is not None, f"it is not certain what -1 is of {input}: write it as a size")
        yield same_size(product(input.shape), (left or 0) * product(given), message)

    def infer(self, input: Tensor) -> Tensor:
        left = quotient(input.shape, [size for size in self.shape if size != -1])
        return input.with_shape(tuple((left or 0) if size == -1 else size for size in self.shape))

    def sees(self, input: Tensor) -> Seen:
        return (regrouped(input.shape, self.infer(input).shape),)


class Permute(Rearranged):
    """The axes in the order `dims` (`torch.permute`)."""

    name = "permute"
    view = True
    main = "dims"
    example = "{dims: [0, 2, 3, 1]}"
    dims: tuple[Axis, ...]
    """The axes in their new order."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield Requirement(
            len(self.dims) == input.rank, f"dims has {len(self.dims)} of the {input.rank} axes of {input}"
        )
        yield from on_axes(input, *self.dims)
        yield distinct(input, self.order(input))

    def infer(self, input: Tensor) -> Tensor:
        return input.with_shape(tuple(input.shape[axis] for axis in self.dims))

    def order(self, input: Tensor) -> tuple[int, ...]:
        """The axes, counted from 0."""
        return tuple(axis % input.rank for axis in self.dims)

    def sees(self, input: Tensor) -> Seen:
        order = self.order(input)
        return (tuple(Along(order.index(axis)) for axis in range(input.rank)),)


class Transpose(Rearranged):
    """Two axes change places, the last two if not given (`torch.transpose`)."""

    name = "transpose"
    view = True
    example = "{dim0: 1, dim1: 2}"
    operands = ("[N, T, 64]",)
    dim0: Axis = -2
    """One of the two axes."""
    dim1: Axis = -1
    """The other one."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from on_axes(input, self.dim0, self.dim1, ranks=max(input.rank, 1))

    def infer(self, input: Tensor) -> Tensor:
        return input.with_shape(tuple(input.shape[axis] for axis in self.order(input)))

    def order(self, input: Tensor) -> tuple[int, ...]:
        """The axes as they stand then."""
        order = list(range(input.rank))
        if order:
            order[self.dim0], order[self.dim1] = order[self.dim1], order[self.dim0]
        return tuple(order)

    def sees(self, input: Tensor) -> Seen:
        order = self.order(input)
        return (tuple(Along(order.index(axis)) for axis in range(input.rank)),)


class Expand(Rearranged):
    """Axes of size 1 repeated to `shape`, and new axes in front of them; -1 keeps a size (`torch.Tensor.expand`)."""

    name = "expand"
    view = True
    main = "shape"
    example = "{shape: [8, -1, -1]}"
    operands = ("[1, T, 64]",)
    shape: Target
    """The sizes afterwards; -1 keeps one."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        new = len(self.shape) - input.rank
        yield Requirement(new >= 0, f"{input} has more axes than {Tensor(self.shape)}")
        yield Requirement(-1 not in self.shape[:new], "-1 keeps a size: a new axis has none")
        yield from positive(size for size in self.shape if size != -1)
        for size, wanted in zip(input.shape, self.shape[new:], strict=True):
            if size != 1 and wanted != -1:
                yield same_size(size, wanted, f"a size of {size} can't become {wanted}: only 1 is repeated")

    def infer(self, input: Tensor) -> Tensor:
        new = len(self.shape) - input.rank
        kept = (size if wanted == -1 else wanted for size, wanted in zip(input.shape, self.shape[new:], strict=True))
        return input.with_shape((*self.shape[:new], *kept))

    def sees(self, input: Tensor) -> Seen:
        return (broadcasted(input.shape, self.infer(input).shape),)


class Squeeze(Rearranged):
    """Without the axes `dim`, whose sizes are 1 (`torch.squeeze`; which leaves an axis of another size as it is)."""

    name = "squeeze"
    view = True
    main = "dim"
    example = "1"
    operands = ("[N, 1, H, W]",)
    dim: Axes
    """The axis or axes of 1 that go."""

    def axes(self, input: Tensor) -> tuple[int, ...]:
        """The axes, counted from 0."""
        return tuple(axis % input.rank for axis in several(self.dim))

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from on_axes(input, *several(self.dim))
        yield distinct(input, self.axes(input))
        for axis in self.axes(input):
            yield same_size(input.shape[axis], 1, f"axis {axis} of {input} must have size 1")

    def infer(self, input: Tensor) -> Tensor:
        gone = self.axes(input)
        return input.with_shape(tuple(size for axis, size in enumerate(input.shape) if axis not in gone))

    def sees(self, input: Tensor) -> Seen:
        return (reduced(input.rank, self.axes(input)),)


class Unsqueeze(Rearranged):
    """With a new axis of size 1 at `dim` (`torch.unsqueeze`)."""

    name = "unsqueeze"
    view = True
    main = "dim"
    example = "1"
    operands = ("[N, T]",)
    dim: Axis
    """Where the new axis stands."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from on_axes(input, self.dim, ranks=input.rank + 1)

    def infer(self, input: Tensor) -> Tensor:
        axis = self.dim % (input.rank + 1)
        return input.with_shape((*input.shape[:axis], 1, *input.shape[axis:]))

    def sees(self, input: Tensor) -> Seen:
        return (_beside(self.dim % (input.rank + 1), input.rank),)


class Stack(Rearranged):
    """Its operands, all of one shape, one after the other along a new axis `dim` (`torch.stack`)."""

    name = "stack"
    main = "dim"
    dim: Axis = 0
    """Where the new axis stands."""

    def requires(self, *inputs: Tensor) -> Iterator[Requirement]:
        yield Requirement(len(inputs) >= 1, "stacks at least one value")
        first = inputs[0]
        yield from on_axes(first, self.dim, ranks=first.rank + 1)
        for other in inputs[1:]:
            message = f"the operands have shapes {first} and {other}"
            yield Requirement(other.rank == first.rank, message)
            for left, right in zip(first.shape, other.shape, strict=True):
                yield same_size(left, right, message)

    def infer(self, *inputs: Tensor) -> Tensor:
        shape, axis = inputs[0].shape, self.dim % (inputs[0].rank + 1)
        return Tensor((*shape[:axis], len(inputs), *shape[axis:]), promoted(inputs))

    def sees(self, *inputs: Tensor) -> Seen:
        return (_beside(self.dim % (inputs[0].rank + 1), inputs[0].rank),) * len(inputs)


def _beside(new: int, axes: int) -> Sights:
    """What is read where a new axis stands among the others."""
    return tuple(Along(axis + (axis >= new)) for axis in range(axes))


def several(axes: Axes) -> tuple[int, ...]:
    """One axis or several as several."""
    return axes if isinstance(axes, tuple) else (axes,)


def on_axes(input: Tensor, *axes: int, ranks: int | None = None) -> Iterator[Requirement]:
    """There are these axes, among as many as the value has."""
    count = input.rank if ranks is None else ranks
    for axis in axes:
        yield Requirement(-count <= axis < count, f"{axis} is not an axis of {input}")


def distinct(input: Tensor, axes: Sequence[int]) -> Requirement:
    """No axis is given twice; they are counted from 0."""
    return Requirement(len(set(axes)) == len(axes), f"an axis of {input} is given twice")


def positive(sizes: Iterator[Size]) -> Iterator[Requirement]:
    """A size is at least 1."""
    for size in sizes:
        yield not_smaller(size, 1, f"a size of {size} is not positive")


def quotient(shape: Sequence[Size], given: Sequence[Size]) -> Size | None:
    """The number of elements of a shape divided by that of another one; None where that could be a division by 0."""
    above, below = list(shape), []
    for size in given:
        if size in above:
            above.remove(size)
        else:
            below.append(size)
    total, divisor = product(above), product(below)
    if isinstance(divisor, int):
        return floor_divide(total, divisor) if divisor else None
    found = floor_divide(total, divisor)
    return found if found * divisor == total or at_least(divisor, 1) is True else None


def with_rest(shape: Shape) -> Shape:
    """A shape with -1 for one of its free sizes, the one that takes most to calculate; the first of such."""
    free = [size for size in shape if not isinstance(size, int)]
    if not free:
        return shape
    at = shape.index(max(free, key=lambda size: size.weight))
    return (*shape[:at], -1, *shape[at + 1 :])
