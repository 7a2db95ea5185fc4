"""What a weight is in somebody else's file: a tensor of another name, a piece of one, or several together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, ClassVar, TypeAlias

if TYPE_CHECKING:
    from typing import Self

    from graphc.initial import Array

Shape: TypeAlias = tuple[int, ...]


class MisfitError(ValueError):
    """The tensors of a file can't give the weight."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A weight that is one tensor of the file, as it is; `names` are the tensors that it is made of."""

    names: tuple[str, ...]
    word: ClassVar[str] = ""

    def below(self, rest: str) -> Self:
        """The same of what lies behind the names: `.weight`."""
        return replace(self, names=tuple(f"{name}{rest}" for name in self.names))

    @property
    def part(self) -> int | None:
        """Which part of its tensor it is; None for the whole."""
        return None

    def shape(self, found: Sequence[Shape], wanted: Shape) -> Shape:
        """The shape that tensors of these shapes give; `wanted` is that of the weight.

        Raises:
            MisfitError: they give nothing.
        """
        return found[0]

    def array(self, found: Sequence[Array], wanted: Shape) -> Array:
        """The weight, from tensors whose shapes fit."""
        return found[0]


@dataclass(frozen=True, slots=True)
class Concat(Origin):
    """Several tensors, one behind the other along `dim`."""

    dim: int = 0
    word: ClassVar[str] = "concat"

    def shape(self, found: Sequence[Shape], wanted: Shape) -> Shape:
        first, dim = found[0], _axis(self.dim, found[0])
        if {(*shape[:dim], *shape[dim + 1 :]) for shape in found} != {(*first[:dim], *first[dim + 1 :])}:
            raise MisfitError("they differ in more than one axis")
        return (*first[:dim], sum(shape[dim] for shape in found), *first[dim + 1 :])

    def array(self, found: Sequence[Array], wanted: Shape) -> Array:
        import numpy

        return numpy.concatenate(found, axis=self.dim)


@dataclass(frozen=True, slots=True)
class Split(Origin):
    """A piece of a tensor that is cut along `dim`: into `of` equal pieces, or into pieces of `sizes`."""

    index: int
    of: int = 0
    sizes: tuple[int, ...] = ()
    dim: int = 0
    word: ClassVar[str] = "split"

    def __post_init__(self) -> None:
        if (self.of > 0) == bool(self.sizes):
            raise MisfitError("`split` needs either `of`, the number of equal pieces, or their `sizes`")
        if not 0 <= self.index < (self.of or len(self.sizes)):
            raise MisfitError(f"there is no piece {self.index}: they are counted from 0")

    @property
    def part(self) -> int | None:
        return self.index

    def shape(self, found: Sequence[Shape], wanted: Shape) -> Shape:
        start, end, dim = self._bounds(found[0])
        return (*found[0][:dim], end - start, *found[0][dim + 1 :])

    def array(self, found: Sequence[Array], wanted: Shape) -> Array:
        start, end, dim = self._bounds(found[0].shape)
        return found[0][(slice(None),) * dim + (slice(start, end),)]

    def _bounds(self, shape: Shape) -> tuple[int, int, int]:
        dim = _axis(self.dim, shape)
        sizes = self.sizes or (shape[dim] // self.of,) * self.of
        if sum(sizes) != shape[dim]:
            raise MisfitError(f"axis {dim} is {shape[dim]}, not cut into {len(sizes)} such pieces")
        start = sum(sizes[: self.index])
        return start, start + sizes[self.index], dim


@dataclass(frozen=True, slots=True)
class Transpose(Origin):
    """A tensor with its axes in another order, reversed where nothing else is said."""

    dims: tuple[int, ...] = ()
    word: ClassVar[str] = "transpose"

    def shape(self, found: Sequence[Shape], wanted: Shape) -> Shape:
        return tuple(found[0][axis] for axis in self._order(found[0]))

    def array(self, found: Sequence[Array], wanted: Shape) -> Array:
        return found[0].transpose(self._order(found[0].shape))

    def _order(self, shape: Shape) -> Shape:
        order = tuple(_axis(dim, shape) for dim in self.dims or reversed(range(len(shape))))
        if sorted(order) != list(range(len(shape))):
            raise MisfitError(f"`dims` must name each of its {len(shape)} axes once")
        return order


@dataclass(frozen=True, slots=True)
class Reshape(Origin):
    """A tensor of as many elements, read in the shape of the weight."""

    word: ClassVar[str] = "reshape"

    def shape(self, found: Sequence[Shape], wanted: Shape) -> Shape:
        return wanted if prod(found[0]) == prod(wanted) else found[0]

    def array(self, found: Sequence[Array], wanted: Shape) -> Array:
        return found[0].reshape(wanted)


@dataclass(frozen=True, slots=True)
class Table(Mapping[str, Origin]):
    """What weights are, by their paths: the origin of the module around each, and what lies behind that."""

    around: dict[str, tuple[Origin, str]]

    def __getitem__(self, path: str) -> Origin:
        origin, rest = self.around[path]
        return origin.below(rest)

    def __iter__(self) -> Iterator[str]:
        return iter(self.around)

    def __len__(self) -> int:
        return len(self.around)


OPERATIONS: dict[str, type[Origin]] = {kind.word: kind for kind in (Concat, Reshape, Split, Transpose)}
"""What a rule can do beside naming: the options of each are the fields of its class behind `names`."""


def _axis(dim: int, shape: Shape) -> int:
    if not -len(shape) <= dim < len(shape):
        raise MisfitError(f"it has no axis {dim}")
    return dim % len(shape)
