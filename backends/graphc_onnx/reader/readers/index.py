"""Parts of values."""

from __future__ import annotations

from collections.abc import Sequence

from graphc.dims import Size
from graphc.graph import Value
from graphc.ops import index
from graphc.ops.embedding import Embedding
from graphc.ops.shape import Reshape
from graphc_onnx.reader.entries import MOST_CALCULATED, Entry, Known, Stored, UnreadError
from graphc_onnx.reader.entries import known as known_of
from graphc_onnx.reader.site import Site, reads

LAST = 1 << 62
"""From here on a bound means the end of the axis."""
WHOLE = (None, None, None)


@reads("Gather")
def gather(site: Site) -> Value:
    """One element, a row of a table that the file has for each number, or a value's elements at another's."""
    data, places, axis = site.entry(0), site.entry(1), site.whole("axis", 0)
    found = known_of(places)
    if found is not None and found.array.size == 1:
        place = found.one()
        if not isinstance(place, int):
            raise UnreadError("Gather: at a free place")
        input = site.value(0)
        at = axis % max(input.type.rank, 1)
        part: index.Part = (place, place + 1 or None, None) if found.array.ndim else place
        return site.give(index.Getitem(index=(*(WHOLE,) * at, part)), input)
    if found is not None and _is_range(found):
        return _taken(site, site.value(0), axis, found)
    if isinstance(data, Stored) and len(data.shape) == 2 and axis == 0 and not _counts_back(found):
        op = Embedding(num_embeddings=data.shape[0], embedding_dim=data.shape[1])
        return site.give(op, site.value(1), weights=[data])
    return site.give(index.IndexSelect(dim=axis), site.value(0), site.value(1))


def _is_range(places: Known) -> bool:
    """Whether places come one behind the other."""
    numbers = list(places.sizes)
    first = numbers[0] if numbers else None
    return isinstance(first, int) and first >= 0 and numbers == list(range(first, first + len(numbers)))


def _counts_back(places: Known | None) -> bool:
    """Whether a place is counted from the end."""
    return places is not None and any(isinstance(each, int) and each < 0 for each in places.sizes)


def _taken(site: Site, input: Value, axis: int, places: Known) -> Value:
    """Elements at places that are known: all in their order, in another shape, or a range of them."""
    at, numbers = axis % input.type.rank, list(places.sizes)
    first, shape = int(str(numbers[0])), input.type.shape
    if len(numbers) != shape[at]:
        input = site.give(index.Getitem(index=(*(WHOLE,) * at, (first or None, first + len(numbers), None))), input)
    if places.array.ndim == 1:
        return input
    return site.give(Reshape(shape=(*shape[:at], *places.array.shape, *shape[at + 1 :])), input)


@reads("GatherND")
def gather_rows(site: Site) -> Value:
    """Rows at places that are known, each told by one number."""
    places = known_of(site.entry(1), MOST_CALCULATED)
    if places is None or places.array.ndim < 1 or places.array.shape[-1] != 1 or site.whole("batch_dims", 0):
        raise UnreadError("GatherND: at places of several numbers, or that are not known")
    found, data = Known(places.array[..., 0], places.dtype), site.entry(0)
    if isinstance(data, Stored) and len(data.shape) == 2 and not _counts_back(found):
        op = Embedding(num_embeddings=data.shape[0], embedding_dim=data.shape[1])
        return site.give(op, site.to.value(found), weights=[data])
    return site.give(index.IndexSelect(dim=0), site.value(0), site.to.value(found))


@reads("Slice")
def cut(site: Site) -> Entry:
    """Ranges along axes; backwards there is no op."""
    input = site.value(0)
    starts, ends = site.sizes(1, "starts"), site.sizes(2, "ends")
    if starts is None or ends is None:
        raise UnreadError("Slice: without bounds")
    axes = site.numbers(3, "axes") or tuple(range(len(starts)))
    steps = site.sizes(4) or (1,) * len(starts)
    parts: list[index.Part] = [WHOLE] * input.type.rank
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        if not isinstance(step, int) or step < 1:
            raise UnreadError("Slice: backwards, or by a free step")
        parts[axis] = (_start(start), _end(end, input.type.shape[axis]), None if step == 1 else step)
    while parts and parts[-1] == WHOLE:
        parts.pop()
    return site.give(index.Getitem(index=tuple(parts)), input) if parts else input


def _start(start: Size) -> Size | None:
    return None if start == 0 else start


def _end(end: Size, size: Size) -> Size | None:
    """The end; None where nothing is cut off behind."""
    far = isinstance(end, int) and (end >= LAST or (isinstance(size, int) and end >= size))
    return None if far or end == size else end


@reads("Split")
def split(site: Site) -> Sequence[Value]:
    axis, count = site.whole("axis", 0), len(site.node.output)
    sizes = site.sizes(1, "split")
    size = site.type(0).shape[axis]
    if sizes is None or all(each * count == size for each in sizes):
        return site.give_all(index.Chunk(chunks=count, dim=axis), site.value(0))
    return site.give_all(index.Split(split_size=sizes, dim=axis), site.value(0))
