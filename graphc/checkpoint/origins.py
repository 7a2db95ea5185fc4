"""What a weight is in somebody else's file: a tensor of another name, a piece of one, or several together.

Operations stand in each other: a tensor that one is made of is named, or is itself what another one gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, ClassVar, TypeAlias

if TYPE_CHECKING:
    from typing import Self

    from graphc.initial import Array

Shape: TypeAlias = tuple[int, ...]
Piece: TypeAlias = tuple[int, ...]
"""The number of a piece, of a piece of that, and so on, the largest first."""
NOTHING = "none"
"""Where a path stands in a table: what follows is of no weight."""


class MisfitError(ValueError):
    """The tensors of a file can't give the weight."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A weight that is one tensor of the file, as it is; `operands` are names of tensors, or what gives one."""

    operands: tuple[str | Origin, ...]
    word: ClassVar[str] = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The tensors that it is made of."""
        return tuple(name for name, _ in self.pieces())

    def pieces(self) -> Iterator[tuple[str, Piece]]:
        """Each tensor that it is made of, and which piece of it."""
        for operand in self.operands:
            if isinstance(operand, str):
                yield operand, self.piece
            else:
                yield from ((name, (*inner, *self.piece)) for name, inner in operand.pieces())

    @property
    def piece(self) -> Piece:
        """Which piece of what it is made of; empty for the whole."""
        return ()

    def below(self, rest: str) -> Self:
        """The same of what lies behind the names: `.weight`."""
        behind = (it + rest if isinstance(it, str) else it.below(rest) for it in self.operands)
        return replace(self, operands=tuple(behind))

    def shape(self, tensors: Mapping[str, Shape], wanted: Shape) -> Shape:
        """The shape that tensors of these shapes give; `wanted` is that of the weight.

        Raises:
            MisfitError: they give nothing.
        """
        return self._shape(
            [tensors[it] if isinstance(it, str) else it.shape(tensors, ()) for it in self.operands], wanted
        )

    def array(self, tensors: Mapping[str, Array], wanted: Shape) -> Array:
        """The weight, from tensors whose shapes fit."""
        return self._array(
            [tensors[it] if isinstance(it, str) else it.array(tensors, ()) for it in self.operands], wanted
        )

    def _shape(self, found: Sequence[Shape], wanted: Shape) -> Shape:
        return found[0]

    def _array(self, found: Sequence[Array], wanted: Shape) -> Array:
        return found[0]


@dataclass(frozen=True, slots=True)
class Concat(Origin):
    """Several tensors, one behind the other along `dim`."""

    dim: int = 0
    word: ClassVar[str] = "concat"

    def _shape(self, found: Sequence[Shape], wanted: Shape) -> Shape:
        first, dim = found[0], _axis(self.dim, found[0])
        if {(*shape[:dim], *shape[dim + 1 :]) for shape in found} != {(*first[:dim], *first[dim + 1 :])}:
            raise MisfitError("they differ in more than one axis")
        return (*first[:dim], sum(shape[dim] for shape in found), *first[dim + 1 :])

    def _array(self, found: Sequence[Array], wanted: Shape) -> Array:
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
    def piece(self) -> Piece:
        return (self.index,)

    def _shape(self, found: Sequence[Shape], wanted: Shape) -> Shape:
        start, end, dim = self._bounds(found[0])
        return (*found[0][:dim], end - start, *found[0][dim + 1 :])

    def _array(self, found: Sequence[Array], wanted: Shape) -> Array:
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

    def _shape(self, found: Sequence[Shape], wanted: Shape) -> Shape:
        return tuple(found[0][axis] for axis in self._order(found[0]))

    def _array(self, found: Sequence[Array], wanted: Shape) -> Array:
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

    def _shape(self, found: Sequence[Shape], wanted: Shape) -> Shape:
        return wanted if prod(found[0]) == prod(wanted) else found[0]

    def _array(self, found: Sequence[Array], wanted: Shape) -> Array:
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


def is_below(name: str, places: Iterable[str]) -> bool:
    """Whether a tensor is one of these, or lies behind one: `norm.bias` behind `norm`."""
    return any(f"{name}.".startswith(f"{place}.") for place in places)
