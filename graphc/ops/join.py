"""Ops that bring several values together."""

from __future__ import annotations

from collections.abc import Iterator

from graphc.dims import Size
from graphc.ops.arithmetic import promoted
from graphc.ops.base import Axis, Rearranged, Requirement, not_smaller, same_size
from graphc.ops.reach import Along, Moved, Seen, shifted
from graphc.tensor import Tensor


class Concat(Rearranged):
    """Its operands one after the other along `dim`; all other sizes agree (`torch.cat`)."""

    name = "concat"
    main = "dim"
    operands = ("[N, 8, H, W]", "[N, 16, H, W]")
    dim: Axis = 1
    """The axis along which the operands follow each other."""

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

    def sees(self, *inputs: Tensor) -> Seen:
        axis = self.dim % inputs[0].rank
        sight = Moved(frozenset({axis})) if len(inputs) > 1 else Along(axis)
        return (tuple(sight if other == axis else Along(other) for other in range(inputs[0].rank)),) * len(inputs)


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
