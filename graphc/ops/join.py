"""Ops that bring several values together."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

from graphc.dims import Size, larger
from graphc.ops.arithmetic import promoted
from graphc.ops.base import Axis, Flag, Rearranged, Requirement, not_smaller, same_size
from graphc.ops.reach import Along, Moved, Seen, Sight, Sights, shifted
from graphc.tensor import Shape, Tensor


class Concat(Rearranged):
    """Its operands one after the other along `dim`; all other sizes agree (`torch.cat`).

    With `center` the spatial sizes may differ: each operand lies in the middle of the largest sizes, with 0 around it;
    of an odd rest the larger part is behind (`DepthConcat` in Torch7's `nn`; Szegedy et al. 2014, figure 2).
    """

    name = "concat"
    main = "dim"
    operands = ("[N, 8, H, W]", "[N, 16, H, W]")
    dim: Axis = 1
    """The axis along which the operands follow each other."""
    center: Flag = False
    """Whether smaller maps lie in the middle of the largest, with 0 around them."""

    def requires(self, *inputs: Tensor) -> Iterator[Requirement]:
        yield Requirement(len(inputs) >= 1, "joins at least one value")
        first = inputs[0]
        yield Requirement(-first.rank <= self.dim < first.rank, f"dim {self.dim} is not an axis of {first}")
        for value in inputs[1:]:
            yield Requirement(value.rank == first.rank, f"{first} and {value} have different numbers of axes")
            for axis, (a, b) in enumerate(zip(first.shape, value.shape, strict=True)):
                if axis != self.dim % first.rank and not self.is_centered(axis):
                    message = f"along axis {axis} the operands have {a} and {b}; only axis {self.dim} may differ"
                    yield same_size(a, b, message)

    def is_centered(self, axis: int) -> bool:
        """Whether operands may be smaller than others along an axis."""
        return self.center and axis >= 2

    def infer(self, *inputs: Tensor) -> Tensor:
        axis = self.dim % inputs[0].rank
        total: Size = sum((value.shape[axis] for value in inputs), start=0)
        shape = self.largest(*inputs)
        return Tensor((*shape[:axis], total, *shape[axis + 1 :]), promoted(inputs))

    def largest(self, *inputs: Tensor) -> Shape:
        """The largest size of the operands along each axis that is centred, else that of the first."""
        sizes = zip(*(value.shape for value in inputs), strict=True)
        return tuple(reduce(larger, each) if self.is_centered(axis) else each[0] for axis, each in enumerate(sizes))

    def sees(self, *inputs: Tensor) -> Seen:
        largest = self.largest(*inputs)
        return tuple(self._seen(value, largest, alone=len(inputs) == 1) for value in inputs)

    def _seen(self, value: Tensor, largest: Shape, *, alone: bool) -> Sights:
        """What the output sees of an operand, along each axis: it may lie further behind there."""
        joined = self.dim % value.rank
        before = [int(str((most - size) // 2)) for most, size in zip(largest, value.shape, strict=True)]
        sights: list[Sight] = [Along(axis, shifted(-rows)) for axis, rows in enumerate(before)]
        sights[joined] = Along(joined) if alone else Moved(frozenset({joined}))
        return tuple(sights)


class CenterCrop(Rearranged):
    """The middle of `input`, of the spatial size of `target`; of an odd rest the larger part is cut behind.

    input [N, C, H, W], target [*, *, h, w] → [N, C, h, w] (as in Ronneberger et al. 2015, figure 1).
    """

    name = "center_crop"
    operands = ("[N, 8, 32, 32]", "[N, 16, 24, 24]")

    def requires(self, input: Tensor, target: Tensor) -> Iterator[Requirement]:
        spatial = input.rank == target.rank >= 3
        yield Requirement(spatial, f"needs two values with spatial axes, got {input} and {target}")
        for size, wanted in zip(input.space, target.space, strict=True):
            yield not_smaller(size, wanted, f"can't cut {wanted} out of {size}")

    def infer(self, input: Tensor, target: Tensor) -> Tensor:
        return input.with_space(target.space)

    def sees(self, input: Tensor, target: Tensor) -> Seen:
        pairs = enumerate(zip(input.space, target.space, strict=True), 2)
        space = (Along(axis, shifted(int(str((size - wanted) // 2)))) for axis, (size, wanted) in pairs)
        return (Along(0), Along(1), *space), None
