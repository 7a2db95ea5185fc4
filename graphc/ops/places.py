"""Elements by their places: the largest, those in order, and those at the places that another value says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graphc.demands import at_least
from graphc.dims import Size, smaller
from graphc.ops.activation import Whole
from graphc.ops.base import Axis, Count, Flag, Free, Requirement, Symbolic, elements, holds, not_smaller, same_size
from graphc.ops.reach import ALL, Along, Seen, alike, all_but
from graphc.ops.saved import INPUT, NOTHING, Saved
from graphc.ops.shape import on_axes
from graphc.ops.source import KINDS, Real
from graphc.tensor import Tensor


class TopK(Free):
    """The k largest along `dim`, or the smallest, best first: `values` and `indices` (`torch.topk`).

    Of fewer than k elements all, where PyTorch refuses: what is sorted has often another size at each input.
    """

    name = "topk"
    main = "k"
    example = "{k: 5}"
    operands = ("[N, 10]",)
    k: Count | Symbolic
    """How many are kept."""
    dim: Axis = -1
    """The axis along which they are chosen."""
    largest: Flag = True
    """Whether the largest are kept; else the smallest."""

    def count(self, input: Tensor) -> Size:
        """How many are kept."""
        size = input.shape[self.dim]
        if at_least(size, self.k) is True:
            return self.k
        return size if at_least(self.k, size) is True else smaller(self.k, size)

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from on_axes(input, self.dim)
        yield holds(input, "float32", "int64")
        yield not_smaller(self.k, 1, f"k {self.k} is not positive")

    def infer(self, input: Tensor) -> Mapping[str, Tensor]:
        axis = self.dim % input.rank
        found = input.with_shape((*input.shape[:axis], self.count(input), *input.shape[axis + 1 :]))
        return {"values": found, "indices": Tensor(found.shape, "int64")}

    def saved(self, input: Tensor) -> Saved:
        """Where the elements were, as int64."""
        return Saved(extra=8 * elements(self.infer(input)))

    def sees(self, input: Tensor) -> Seen:
        return (all_but(input.rank, {self.dim % input.rank}),)


class Sort(Free):
    """The elements along `dim` in order: `values` and `indices`, where each was (`torch.sort`, stable)."""

    name = "sort"
    main = "dim"
    dim: Axis = -1
    """The axis that is brought into order."""
    descending: Flag = False
    """Whether the largest comes first."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from on_axes(input, self.dim)
        yield holds(input, "float32", "int64")

    def infer(self, input: Tensor) -> Mapping[str, Tensor]:
        return {"values": input, "indices": Tensor(input.shape, "int64")}

    def saved(self, input: Tensor) -> Saved:
        """Where the elements were, as int64."""
        return Saved(extra=8 * elements(self.infer(input)))

    def sees(self, input: Tensor) -> Seen:
        return (all_but(input.rank, {self.dim % input.rank}),)


class Argsort(Free):
    """Where the elements along `dim` are, in their order; of equal ones the first first (`torch.argsort`, stable)."""

    name = "argsort"
    keeps = NOTHING
    main = "dim"
    dim: Axis = -1
    """The axis that is brought into order."""
    descending: Flag = False
    """Whether the largest comes first."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from on_axes(input, self.dim)
        yield holds(input, "float32", "int64")

    def infer(self, input: Tensor) -> Tensor:
        return Tensor(input.shape, "int64")

    def sees(self, input: Tensor) -> Seen:
        return (all_but(input.rank, {self.dim % input.rank}),)


class Gather(Free):
    """For each element of `index` [*], that of `input` at its place, but at that number along `dim` (`torch.gather`).

    Along the other axes `index` may be smaller. Rows of a table are taken by `index_select`.
    """

    name = "gather"
    each = 0
    keeps = Saved((1,))
    main = "dim"
    example = "{dim: 1}"
    operands = ("[N, 10]", "int64 [N, 3]")
    dim: Axis
    """The axis along which `index` counts."""

    def requires(self, input: Tensor, index: Tensor) -> Iterator[Requirement]:
        yield holds(index, "int64")
        yield from on_axes(input, self.dim)
        yield Requirement(index.rank == input.rank, f"{input} and {index} have different numbers of axes")
        for axis, (size, taken) in enumerate(zip(input.shape, index.shape, strict=True)):
            if axis != self.dim % input.rank:
                yield not_smaller(size, taken, f"along axis {axis} there are {size} elements, {taken} are taken")

    def infer(self, input: Tensor, index: Tensor) -> Tensor:
        return input.with_shape(index.shape)

    def sees(self, input: Tensor, index: Tensor) -> Seen:
        return all_but(input.rank, {self.dim % input.rank}), alike(index.rank)


class Take(Free):
    """Of each sample the elements at its own `index`: input [N, A, *], index [N, K] of int64 → [N, K, *].

    `input[arange(N)[:, None], index]` (`torch.Tensor.__getitem__`); a negative number counts from the end.
    """

    name = "take"
    each = 0
    keeps = Saved((1,))
    operands = ("[N, T, 64]", "int64 [N, S]")

    def requires(self, input: Tensor, index: Tensor) -> Iterator[Requirement]:
        yield from samples(input, index, 2)

    def infer(self, input: Tensor, index: Tensor) -> Tensor:
        return input.with_shape((*index.shape, *input.shape[2:]))

    def sees(self, input: Tensor, index: Tensor) -> Seen:
        behind = (Along(axis) for axis in range(index.rank, index.rank + input.rank - 2))
        return (Along(0), ALL, *behind), alike(index.rank)


class Pick(Free):
    """Of each sample the element at its own `index`: input [N, A, *], index [N] of int64 → [N, *].

    `input[arange(N), index]` (`torch.Tensor.__getitem__`); a negative number counts from the end.
    """

    name = "pick"
    each = 0
    keeps = Saved((1,))
    operands = ("[N, T, 64]", "int64 [N]")

    def requires(self, input: Tensor, index: Tensor) -> Iterator[Requirement]:
        yield from samples(input, index, 1)

    def infer(self, input: Tensor, index: Tensor) -> Tensor:
        return input.with_shape((*index.shape, *input.shape[2:]))

    def sees(self, input: Tensor, index: Tensor) -> Seen:
        behind = (Along(axis) for axis in range(index.rank, index.rank + input.rank - 2))
        return (Along(0), ALL, *behind), alike(index.rank)


class Scatter(Free):
    """`fill` in this shape, but `source` at `index`: index [G] of int64, source [G, *] → [K, *].

    As `torch.full(shape, fill).index_put((index,), source)`: where a number is there twice, one of the two stays.
    """

    name = "scatter"
    each = 0
    keeps = INPUT
    example = "{shape: [1000, 64]}"
    operands = ("int64 [K]", "[K, 64]")
    shape: tuple[Count | Symbolic, ...]
    """The shape of the result."""
    fill: Flag | Whole | Real | Symbolic = 0
    """What stands where nothing is put."""

    def requires(self, index: Tensor, source: Tensor) -> Iterator[Requirement]:
        yield holds(index, "int64")
        yield Requirement(index.rank == 1, f"needs an index with one axis, got {index}")
        message = f"an index {index} and values {source} give no {Tensor(self.shape)}"
        yield Requirement(source.rank == len(self.shape) >= 1, message)
        for wanted, size in zip((index.shape[0], *self.shape[1:]), source.shape, strict=True):
            yield same_size(wanted, size, message)
        kind = KINDS.get(type(self.fill), "int64")
        fits = kind == source.dtype or (kind, source.dtype) == ("int64", "float32")
        yield Requirement(fits, f"fill {self.fill} is {kind}, {source} holds {source.dtype}")
        for size in self.shape:
            yield not_smaller(size, 1, f"a size of {size} is not positive")

    def infer(self, index: Tensor, source: Tensor) -> Tensor:
        return source.with_shape(self.shape)

    def sees(self, index: Tensor, source: Tensor) -> Seen:
        return (ALL,), all_but(source.rank, {0})


class OneHot(Free):
    """1 at the place that each number says, 0 elsewhere: [*] of int64 → [*, num_classes] (`functional.one_hot`)."""

    name = "one_hot"
    each = 0
    keeps = NOTHING
    main = "num_classes"
    example = "10"
    operands = ("int64 [N]",)
    num_classes: Count
    """How many classes there are."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield holds(input, "int64")

    def infer(self, input: Tensor) -> Tensor:
        return input.with_shape((*input.shape, self.num_classes))

    def sees(self, input: Tensor) -> Seen:
        return (alike(input.rank),)


def samples(input: Tensor, index: Tensor, rank: int) -> Iterator[Requirement]:
    """There is an index for each sample."""
    yield holds(index, "int64")
    yield Requirement(input.rank >= 2, f"needs a value with at least 2 axes, got {input}")
    yield Requirement(index.rank == rank, f"needs an index with {rank} axes, got {index}")
    n, m = input.shape[0], index.shape[0]
    yield same_size(n, m, f"there are {n} samples and an index for {m}")
