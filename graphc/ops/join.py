"""Ops that bring several values together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce

from graphc.dims import Size
from graphc.ops.base import Axis, Free, Requirement, not_smaller, same_size
from graphc.tensor import DType, Shape, Tensor


class Add(Free):
    """The sum of its operands, broadcast against each other (`torch.add`)."""

    name = "add"

    def requires(self, *inputs: Tensor) -> Iterator[Requirement]:
        yield Requirement(len(inputs) >= 2, f"adds two values or more, got {len(inputs)}")
        shape = inputs[0].shape
        for right in inputs[1:]:
            yield from broadcastable(shape, right.shape)
            shape = broadcast(shape, right.shape)

    def infer(self, *inputs: Tensor) -> Tensor:
        return Tensor(reduce(broadcast, (value.shape for value in inputs)), promoted(inputs))


class Concat(Free):
    """Its operands one after the other along `dim`; all other sizes agree (`torch.cat`)."""

    name = "concat"
    main = "dim"
    dim: Axis = 1

    def requires(self, *inputs: Tensor) -> Iterator[Requirement]:
        yield Requirement(len(inputs) >= 1, "joins at least one value")
        first = inputs[0]
        yield Requirement(-first.rank <= self.dim < first.rank, f"dim {self.dim} is not an axis of {first}")
        for value in inputs[1:]:
            yield Requirement(value.rank == first.rank, f"{first} and {value} have different numbers of axes")
            for axis, (a, b) in enumerate(zip(first.shape, value.shape, strict=True)):
                if axis != self.dim % first.rank:
                    message = f"along axis {axis} the operands have {a} and {b}; only axis {self.dim} may differ"
                    yield same_size(a, b, message)

    def infer(self, *inputs: Tensor) -> Tensor:
        first, axis = inputs[0], self.dim % inputs[0].rank
        total: Size = sum((value.shape[axis] for value in inputs), start=0)
        return Tensor((*first.shape[:axis], total, *first.shape[axis + 1 :]), promoted(inputs))


class CenterCrop(Free):
    """The middle of `input`, of the spatial size of `target`; of an odd rest the larger part is cut behind.

    input [N, C, H, W], target [*, *, h, w] → [N, C, h, w] (as in Ronneberger et al. 2015, figure 1).
    """

    name = "center_crop"

    def requires(self, input: Tensor, target: Tensor) -> Iterator[Requirement]:
        spatial = input.rank == target.rank >= 3
        yield Requirement(spatial, f"needs two values with spatial axes, got {input} and {target}")
        for size, wanted in zip(input.space, target.space, strict=True):
            yield not_smaller(size, wanted, f"can't cut {wanted} out of {size}")

    def infer(self, input: Tensor, target: Tensor) -> Tensor:
        return input.with_space(target.space)


def broadcastable(left: Shape, right: Shape) -> Iterator[Requirement]:
    """From the last axis on, two sizes agree or one of them is 1; a free size is not taken for a 1."""
    for a, b in zip(reversed(left), reversed(right), strict=False):
        if 1 not in (a, b):
            yield same_size(a, b, f"the operands have sizes {a} and {b}")


def broadcast(left: Shape, right: Shape) -> Shape:
    """The common shape of two values that can be broadcast."""
    longer, shorter = sorted((left, right), key=len, reverse=True)
    padded = (1,) * (len(longer) - len(shorter)) + shorter
    return tuple(b if a == 1 else a for a, b in zip(longer, padded, strict=True))


def promoted(inputs: Sequence[Tensor]) -> DType:
    """The element type that can hold all of theirs."""
    held = {value.dtype for value in inputs}
    return next(dtype for dtype in _WIDEST_FIRST if dtype in held)


_WIDEST_FIRST: tuple[DType, ...] = ("float32", "int64", "bool")
