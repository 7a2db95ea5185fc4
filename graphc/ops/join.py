"""Ops that bring several values together."""

from __future__ import annotations

from collections.abc import Iterator

from graphc.dims import Size
from graphc.ops.base import Axis, Free, Requirement, not_smaller, same_size
from graphc.tensor import Shape, Tensor


class Add(Free):
    """The sum of its operands, broadcast against each other (`torch.add`)."""

    name = "add"

    def requires(self, *inputs: Tensor) -> Iterator[Requirement]:
        yield Requirement(len(inputs) >= 2, f"adds two values or more, got {len(inputs)}")
        for right in inputs[1:]:
            yield from broadcastable(inputs[0], right)

    def infer(self, *inputs: Tensor) -> Tensor:
        shape: Shape = ()
        for value in inputs:
            shape = broadcast(shape, value.shape)
        return inputs[0].with_shape(shape)


class Concat(Free):
    """Its operands one after the other along `dim`; all other sizes agree (`torch.cat`)."""

    name = "concat"
    main = "dim"
    dim: Axis = 1

    def requires(self, *inputs: Tensor) -> Iterator[Requirement]:
        yield Requirement(len(inputs) >= 1, "joins at least one value")
        first = inputs[0]
        inside = -first.rank <= self.dim < first.rank
        yield Requirement(inside, f"dim {self.dim} is not an axis of {first}")
        for value in inputs[1:]:
            yield Requirement(value.rank == first.rank, f"{first} and {value} have different numbers of axes")
            for axis, (a, b) in enumerate(zip(first.shape, value.shape, strict=False)):
                if inside and axis != self.dim % first.rank:
                    yield same_size(a, b, f"along axis {axis} the operands have {a} and {b}; only axis {self.dim} may differ")

    def infer(self, *inputs: Tensor) -> Tensor:
        first, axis = inputs[0], self.dim % inputs[0].rank
        total: Size = sum((value.shape[axis] for value in inputs), start=0)
        return first.with_shape((*first.shape[:axis], total, *first.shape[axis + 1 :]))


class CenterCrop(Free):
    """The middle of `input`, of the spatial size of `target`; of an odd rest the larger part is cut behind.

    input [N, C, H, W], target [*, *, h, w] → [N, C, h, w] (as in Ronneberger et al. 2015, figure 1).
    """

    name = "center_crop"

    def requires(self, input: Tensor, target: Tensor) -> Iterator[Requirement]:
        yield Requirement(input.rank == target.rank >= 3, f"needs two values with spatial axes, got {input} and {target}")
        for size, wanted in zip(input.space, target.space, strict=False):
            yield not_smaller(size, wanted, f"can't cut {wanted} out of {size}")

    def infer(self, input: Tensor, target: Tensor) -> Tensor:
        return input.with_space(target.space)


def broadcastable(left: Tensor, right: Tensor) -> Iterator[Requirement]:
    """From the last axis on, two sizes agree or one of them is 1."""
    for a, b in zip(reversed(left.shape), reversed(right.shape), strict=False):
        if 1 not in (a, b):
            yield same_size(a, b, f"the operands have sizes {a} and {b}")


def broadcast(left: Shape, right: Shape) -> Shape:
    """The common shape of two values that can be broadcast."""
    longer, shorter = sorted((left, right), key=len, reverse=True)
    padded = (1,) * (len(longer) - len(shorter)) + shorter
    return tuple(b if a == 1 else a for a, b in zip(longer, padded, strict=True))
