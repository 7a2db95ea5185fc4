"""Ops that change only the shape, or bring values together."""

from __future__ import annotations

from itertools import combinations

from graphc.dims import Size, product
from graphc.graph import Value
from graphc.ops import shape
from graphc.ops.activation import Float, Long
from graphc.ops.join import Concat
from graphc.ops.repeat import Tile
from graphc.tensor import Shape
from graphc_onnx.reader.entries import Entry, Stored, UnreadError, kind_of
from graphc_onnx.reader.site import Site, reads


@reads("Flatten")
def flatten(site: Site) -> Value:
    """Two axes remain; where the first is none or several, that is another shape."""
    input, axis = site.value(0), site.whole("axis", 1)
    rank = input.type.rank
    axis = axis % rank if axis < 0 else axis
    if axis == 1 and rank > 1:
        return site.give(shape.Flatten(), input)
    front, behind = product(input.type.shape[:axis]), product(input.type.shape[axis:])
    return site.give(shape.Reshape(shape=(front, behind)), input)


@reads("Reshape")
def reshape(site: Site) -> Entry:
    """Neighbouring axes that become one are flattened; else the same elements have another shape."""
    data = site.entry(0)
    before = data.shape if isinstance(data, Stored) else site.type(0).shape
    wanted = target(site, before, site.known(1).sizes)
    if isinstance(data, Stored):
        return restored(data, wanted)
    if wanted == before:
        return data
    flat = joined(before, wanted)
    if flat is not None:
        first, last = flat
        return site.give(shape.Flatten(start_dim=first, end_dim=last if last < len(before) - 1 else -1), data)
    return site.give(shape.Reshape(shape=shape.with_rest(wanted)), data)


def target(site: Site, before: Shape, sizes: Shape) -> Shape:
    """The shape that is meant: 0 keeps a size, -1 is what is left."""
    keeps = not site.whole("allowzero", 0)
    shape_: list[Size] = [before[at] if each == 0 and keeps else each for at, each in enumerate(sizes)]
    if -1 in shape_:
        left = shape.quotient(before, [each for each in shape_ if each != -1])
        if left is None:
            raise UnreadError("Reshape: what -1 is is not certain")
        shape_[shape_.index(-1)] = left
    return tuple(shape_)


def joined(before: Shape, after: Shape) -> tuple[int, int] | None:
    """The first and the last of the axes that became one; None where it is not so."""
    count = len(before) - len(after) + 1
    if count < 2:
        return None
    for first in range(len(after)):
        last = first + count - 1
        if (*before[:first], product(before[first : last + 1]), *before[last + 1 :]) == after:
            return first, last
    return None


def restored(data: Stored, wanted: Shape) -> Stored:
    """A tensor of the file in another shape."""
    fixed = tuple(each for each in wanted if isinstance(each, int))
    if len(fixed) != len(wanted) or product(fixed) != data.count:
        raise UnreadError("Reshape: a tensor of the file has another number of elements")
    return Stored(data.name, fixed, data.dtype)


@reads("Transpose")
def permute(site: Site) -> Entry:
    data = site.entry(0)
    rank = len(data.shape) if isinstance(data, Stored) else site.type(0).rank
    order = site.ints("perm") or tuple(reversed(range(rank)))
    if isinstance(data, Stored):
        if sorted(order) != list(range(rank)):
            raise UnreadError("Transpose: of other axes than there are")
        return Stored(data.name, tuple(data.shape[axis] for axis in order), data.dtype)
    return site.give(swapped(order), data) if order != tuple(range(rank)) else data


def swapped(order: tuple[int, ...]) -> shape.Transpose | shape.Permute:
    """Two axes that change places, the last two without a word; else all axes in their order."""
    rank = len(order)
    for one, two in combinations(range(rank), 2):
        swap = list(range(rank))
        swap[one], swap[two] = two, one
        if tuple(swap) == order:
            return shape.Transpose() if (one, two) == (rank - 2, rank - 1) else shape.Transpose(dim0=one, dim1=two)
    return shape.Permute(dims=order)


@reads("Squeeze")
def squeeze(site: Site) -> Entry:
    data, axes = site.entry(0), site.numbers(1, "axes")
    before = data.shape if isinstance(data, Stored) else site.type(0).shape
    axes = tuple(at for at, size in enumerate(before) if size == 1) if axes is None else axes
    if isinstance(data, Stored):
        gone = {axis % len(before) for axis in axes}
        return restored(data, tuple(size for at, size in enumerate(before) if at not in gone))
    return site.give(shape.Squeeze(dim=axes[0] if len(axes) == 1 else axes), data) if axes else data


@reads("Unsqueeze")
def unsqueeze(site: Site) -> Entry:
    """One new axis after the other, from the first on."""
    data, axes = site.entry(0), site.numbers(1, "axes") or ()
    before = data.shape if isinstance(data, Stored) else site.type(0).shape
    places = sorted(axis % (len(before) + len(axes)) for axis in axes)
    if isinstance(data, Stored):
        wanted = list(before)
        for place in places:
            wanted.insert(place, 1)
        return restored(data, tuple(wanted))
    for place in places:
        data = site.give(shape.Unsqueeze(dim=place), data)
    return data


@reads("Expand")
def expand(site: Site) -> Entry:
    """ONNX's broadcasts both ways: a wanted 1 keeps a size."""
    data, sizes = site.value(0), site.known(1).sizes
    before = data.type.shape
    new = len(sizes) - len(before)
    sizes = (*before[:-new], *sizes)[: len(before)] if new < 0 else sizes
    wanted = tuple(before[at - new] if size == 1 and at >= new else size for at, size in enumerate(sizes))
    return data if wanted == before else site.give(shape.Expand(shape=wanted), data)


@reads("Tile")
def tile(site: Site) -> Value:
    return site.give(Tile(dims=site.known(1).sizes), site.value(0))


@reads("Concat")
def concat(site: Site) -> Value:
    values = [site.value(index) for index in range(len(site.inputs))]
    return values[0] if len(values) == 1 else site.give(Concat(dim=site.whole("axis", 0)), *values)


@reads("Cast")
def cast(site: Site) -> Entry:
    """From one type of real numbers to another nothing changes here; that to truth values is no op."""
    input, wanted = site.value(0), kind_of(site.whole("to", 1))
    if input.type.dtype == wanted:
        return input
    if wanted == "bool":
        raise UnreadError("Cast: to bool")
    return site.give(Float() if wanted == "float32" else Long(), input)
