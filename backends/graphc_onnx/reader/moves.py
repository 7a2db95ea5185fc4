"""Where a value comes from that was only moved on its way, perhaps through a layer over its last axis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from graphc.graph import Node, Value
from graphc.layout import MOVES, Atom, Layout, begin, moved, one_op
from graphc.ops.index import Chunk, Getitem
from graphc.ops.linear import Linear
from graphc_onnx.reader.entries import UnreadError
from graphc_onnx.reader.growing import Growing

LONGEST = 32
"""Steps that are looked at on the way back."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a value lies in another one, `source`. Where there is a `linear`, in what that would make of the source."""

    source: Value
    layout: Layout
    linear: Node | None = None


def way(value: Value, *, through: bool = False) -> Way:
    """The way back to what was moved; where asked through a fully connected layer, before which it was moved, too."""
    found = _moved(value)
    node = found.source.node
    if not through or not isinstance(node.op, Linear):
        return found
    before = _moved(node.operands[0])
    axes = before.layout
    if not axes.here or axes.here[-1] != axes.source[-1] or axes.taken:
        before = Way(node.operands[0], begin(node.operands[0].type.shape))
        axes = before.layout
    last = (Atom(node.op.out_features),) if node.op.out_features != 1 else ()
    layout = Layout((*axes.source[:-1], last), (*axes.here[:-1], last))
    return _along(layout, found.source, value, before.source, node) or found


def _moved(value: Value) -> Way:
    """The way back through what only moves elements."""
    chain = list(_chain(value))
    for start in range(len(chain)):
        source = chain[-1 - start]
        found = _along(begin(source.type.shape), source, value, source, None)
        if found is not None:
            return found
    return Way(value, begin(value.type.shape))


def _chain(value: Value) -> Iterator[Value]:
    """A value, and those that it was moved from."""
    for _ in range(LONGEST):
        yield value
        if type(value.node.op) not in STEPS:
            return
        value = value.node.operands[0]
    yield value


def _along(layout: Layout, start: Value, end: Value, source: Value, linear: Node | None) -> Way | None:
    """A layout at the start of a chain as it is at its end; None where a step can't be followed."""
    steps = []
    for value in _chain(end):
        if value is start:
            break
        steps.append(value)
    made: Layout | None = layout
    for value in reversed(steps):
        made = None if made is None else step(value, made)
    return None if made is None else Way(source, made, linear)


def step(value: Value, layout: Layout) -> Layout | None:
    """A layout behind the op that gives a value."""
    node = value.node
    if isinstance(node.op, Getitem):
        return _picked(node.op, layout, value)
    if isinstance(node.op, Chunk):
        return _part(node.op, node.outputs.index(value), layout)
    return moved(node.op, layout, node.operands[0].type, value.type)


STEPS = frozenset({*MOVES, Getitem, Chunk})
"""The ops that a way leads through."""


def _picked(op: Getitem, layout: Layout, output: Value) -> Layout | None:
    """One place along one axis, which may stay as one of size 1; of all others everything."""
    parts = [(axis, part) for axis, part in enumerate(op.index) if part != (None, None, None)]
    if len(parts) != 1:
        return None
    axis, part = parts[0]
    place = part[0] or 0 if isinstance(part, tuple) else part
    if not isinstance(place, int) or place < 0 or (isinstance(part, tuple) and output.type.shape[axis] != 1):
        return None
    found = layout.at(axis, place)
    if found is None or not isinstance(part, tuple):
        return found
    return Layout(found.source, (*found.here[:axis], (), *found.here[axis:]), found.taken)


def _part(op: Chunk, number: int, layout: Layout) -> Layout | None:
    """One of several equal parts of an axis."""
    shape = list(layout.shape())
    axis = op.dim % len(shape)
    shape[axis : axis + 1] = [op.chunks, shape[axis] // op.chunks]
    split = layout.reshaped(tuple(shape))
    return None if split is None else split.at(axis, number)


def arranged(to: Growing, value: Value, layout: Layout) -> Value:
    """A value as it lies in a layout of which it is the source.

    Raises:
        UnreadError: its sizes can't be given.
    """
    if layout.is_identity:
        return value
    op = one_op(layout)
    if op is None:
        raise UnreadError("a layout can't be given")
    return to.add(op, [value], None).output
