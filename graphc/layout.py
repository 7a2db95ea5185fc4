"""Where elements lie that were only moved: the axes of a value as those of another one, split, joined and reordered.

A chain of reshapes and transposes is one layout. Two chains that do the same have the same, however they are written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from graphc.dims import Size, product
from graphc.ops import Op
from graphc.ops.rearrange import Rearrange
from graphc.ops.repeat import Unflatten
from graphc.ops.shape import Flatten, Permute, Reshape, Squeeze, Transpose, Unsqueeze, quotient
from graphc.tensor import Shape, Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Atom:
    """An axis that is not split any further; one of size 1 has no atom."""

    size: Size


Axes: TypeAlias = tuple[tuple[Atom, ...], ...]
"""What each axis is made of; the last atom runs fastest."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The axes of a value (`source`), and how its elements lie now (`here`); of some atoms one place was taken."""

    source: Axes
    here: Axes
    taken: Mapping[Atom, int] = field(default_factory=dict)

    @property
    def is_identity(self) -> bool:
        """Whether nothing was moved."""
        return self.source == self.here

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """All atoms of the source, in their order."""
        return tuple(atom for axis in self.source for atom in axis)

    def permuted(self, order: Sequence[int]) -> Layout:
        """With its axes in another order."""
        return Layout(self.source, tuple(self.here[axis] for axis in order), self.taken)

    def reshaped(self, shape: Shape) -> Layout | None:
        """With the same elements in another shape; None where it can't be said which axes become which."""
        made, waiting = self, [atom for axis in self.here for atom in axis]
        axes: list[tuple[Atom, ...]] = []
        for size in shape:
            found = _fitting(waiting, size)
            if found is None:
                return None
            whole, parts = found
            if parts:
                made, whole = made.split(whole[-1], parts), [*whole[:-1], parts[0]]
            axes.append(tuple(whole))
        return None if waiting else Layout(made.source, tuple(axes), made.taken)

    def split(self, whole: Atom, parts: tuple[Atom, ...]) -> Layout:
        """With an atom split into several, wherever it stands."""
        source, here = (tuple(_split(axis, whole, parts) for axis in axes) for axes in (self.source, self.here))
        return Layout(source, here, self.taken)

    def at(self, axis: int, place: int) -> Layout | None:
        """Without an axis, of which one place is taken; None where that is no atom."""
        if len(self.here[axis]) != 1:
            return None
        here = (*self.here[:axis], *self.here[axis + 1 :])
        return Layout(self.source, here, {**self.taken, self.here[axis][0]: place})

    def shape(self) -> Shape:
        """The sizes of the axes as they are now."""
        return tuple(product(atom.size for atom in axis) for axis in self.here)


def begin(shape: Shape) -> Layout:
    """Nothing moved yet."""
    axes = tuple((Atom(size),) if size != 1 else () for size in shape)
    return Layout(axes, axes)


def moved(op: Op, layout: Layout, before: Tensor, after: Tensor) -> Layout | None:
    """What becomes of a layout when an op works on the value; None where it does more than move elements."""
    work = MOVES.get(type(op))
    return None if work is None else work(op, layout, before, after)


def one_op(layout: Layout) -> Rearrange | None:
    """The op that does all of it at once; None where its sizes can't be given."""
    layout = merged(layout)
    names = {atom: f"a{number}" for number, atom in enumerate(layout.atoms)}
    sizes: dict[str, Size] = {}
    for axis in layout.source:
        rest = next((atom for atom in axis if not isinstance(atom.size, int)), axis[0] if axis else None)
        sizes.update((names[atom], atom.size) for atom in axis if atom is not rest)
    sides = (" ".join(_written(axis, names) for axis in axes) for axes in (layout.source, layout.here))
    return Rearrange.model_validate({"pattern": " -> ".join(sides), **sizes})


def merged(layout: Layout) -> Layout:
    """With atoms that stand beside each other on both sides as one, so that equal layouts are written alike."""
    while True:
        behind = dict(_neighbours(layout.source))
        pair = next(((one, other) for one, other in _neighbours(layout.here) if behind.get(one) is other), None)
        if pair is None:
            return layout
        joint = Atom(pair[0].size * pair[1].size)
        source, here = (tuple(_joined(axis, *pair, joint) for axis in axes) for axes in (layout.source, layout.here))
        layout = Layout(source, here, layout.taken)


def _fitting(waiting: list[Atom], size: Size) -> tuple[list[Atom], tuple[Atom, ...]] | None:
    """The first atoms that make a size, which are taken away, and the two parts of the last where it is split."""
    found: list[Atom] = []
    while size != 1:
        if not waiting:
            return None
        found.append(waiting.pop(0))
        rest = _divided(size, found[-1].size)
        if rest is None:
            left = _divided(found[-1].size, size)
            if left is None:
                return None
            waiting.insert(0, Atom(left))
            return found, (Atom(size), waiting[0])
        size = rest
    return found, ()


def _neighbours(axes: Axes) -> Iterator[tuple[Atom, Atom]]:
    for axis in axes:
        yield from pairwise(axis)


def _joined(axis: tuple[Atom, ...], one: Atom, other: Atom, joint: Atom) -> tuple[Atom, ...]:
    return tuple(joint if atom is one else atom for atom in axis if atom is not other)


def _split(axis: tuple[Atom, ...], whole: Atom, parts: tuple[Atom, ...]) -> tuple[Atom, ...]:
    if whole not in axis:
        return axis
    at = axis.index(whole)
    return (*axis[:at], *parts, *axis[at + 1 :])


def _written(axis: tuple[Atom, ...], names: Mapping[Atom, str]) -> str:
    if not axis:
        return "1"
    said = " ".join(names[atom] for atom in axis)
    return said if len(axis) == 1 else f"({said})"


def _divided(size: Size, by: Size) -> Size | None:
    """A size divided by another one, where nothing is left."""
    found = quotient([size], [by])
    return found if found is not None and found * by == size else None


def _shaped(op: Op, layout: Layout, before: Tensor, after: Tensor) -> Layout | None:
    return layout.reshaped(after.shape)


def _ordered(op: Permute | Transpose, layout: Layout, before: Tensor, after: Tensor) -> Layout:
    return layout.permuted(op.order(before))


def _rearranged(op: Rearrange, layout: Layout, before: Tensor, after: Tensor) -> Layout | None:
    sizes = op.split(before)
    split = layout.reshaped(tuple(sizes[name] for name in op.parsed.names))
    return None if split is None else split.permuted(op.parsed.order).reshaped(after.shape)


MOVES: Mapping[type[Op], Callable[..., Layout | None]] = {
    Flatten: _shaped,
    Permute: _ordered,
    Rearrange: _rearranged,
    Reshape: _shaped,
    Squeeze: _shaped,
    Transpose: _ordered,
    Unflatten: _shaped,
    Unsqueeze: _shaped,
}
"""The ops that only move elements."""
