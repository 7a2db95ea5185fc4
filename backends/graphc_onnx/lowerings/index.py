"""Parts of values, and numbers beside values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from graphc.demands import at_least
from graphc.dims import Size
from graphc.graph import Value
from graphc.ops.index import Chunk, Constant, Getitem, IndexSelect, Range, Roll, Split
from graphc_onnx.draft import Operand
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower

LAST = (1 << 63) - 1
"""Slice's end where nothing is cut off behind."""
Stage: TypeAlias = tuple[str, str, tuple[Operand, ...], dict[str, int]]
"""A node that reads the one before it: its name, its operator, its further operands, its attributes."""


@lower.register
def chunk(op: Chunk, to: Emitter, input: Value) -> None:
    """A Split by number, of which ONNX knows the sizes."""
    to.needs_opset(18)
    to.emit("Split", input, axis=op.dim, num_outputs=op.chunks)


@lower.register
def constant(op: Constant, to: Emitter) -> None:
    """What can take the number in its own element type does so (`operands.in_type`): others read a node."""
    to.put_off(lambda to: to.emit("Identity", to.number("number", op.value, op.infer().dtype)))


@lower.register
def getitem(op: Getitem, to: Emitter, input: Value) -> None:
    """Slice for all ranges, Gather for each element, from the last axis so that the others stay, Unsqueeze for None."""
    *before, last = list(_stages(op, to)) or [("all", "Identity", (), {})]
    value: Operand = input
    for name, operator, operands, attributes in before:
        value = to.step(name, operator, value, *operands, **attributes)
    _, operator, operands, attributes = last
    to.emit(operator, value, *operands, **attributes)


@lower.register
def index_select(op: IndexSelect, to: Emitter, input: Value, index: Value) -> None:
    to.emit("Gather", input, index, axis=op.dim)


@lower.register
def roll(op: Roll, to: Emitter, input: Value) -> None:
    """Along each axis the part that comes in at the other end, and the rest behind it."""
    value: Operand = input
    moves = op.moves()
    for number, (shift, axis) in enumerate(moves):
        at = to.below(f"axis_{number}")
        start = _cut(shift, input.type.shape[axis])
        along = at.constant("axis", [axis])
        cut, first, last = (at.vector(n, [size]) for n, size in (("cut", start), ("first", 0), ("last", LAST)))
        parts = (
            at.step("end", "Slice", value, cut, last, along),
            at.step("begin", "Slice", value, first, cut, along),
        )
        if number + 1 < len(moves):
            value = at.step("rolled", "Concat", *parts, axis=axis)
        else:
            to.emit("Concat", *parts, axis=axis)


def _cut(shift: Size, size: Size) -> Size:
    """Where an axis is cut: counted from the end, or less than its size."""
    near = isinstance(shift, int) and at_least(size, abs(shift)) is True
    return -shift if near and shift != 0 else -shift % size


@lower.register
def split(op: Split, to: Emitter, input: Value) -> None:
    to.emit("Split", input, to.vector("sizes", op.sizes(input.type)), axis=op.dim)


def _stages(op: Getitem, to: Emitter) -> Iterator[Stage]:
    taken = list(enumerate(part for part in op.index if part is not None))
    ranges = {axis: part for axis, part in taken if not isinstance(part, int) and part != (None, None, None)}
    if ranges:
        yield "slice", "Slice", _bounds(to, ranges), {}
    for axis, part in reversed(taken):
        if isinstance(part, int):
            yield f"element_{axis}", "Gather", (to.constant(f"index_{axis}", part),), {"axis": axis}
    left = [part for part in op.index if not isinstance(part, int)]
    new = [axis for axis, part in enumerate(left) if part is None]
    if new:
        yield "unsqueeze", "Unsqueeze", (to.constant("new", new),), {}


def _bounds(to: Emitter, ranges: dict[int, Range]) -> tuple[str, ...]:
    """The starts, ends, axes and steps of a Slice, whose rules are Python's."""
    starts: list[Size] = [0 if start is None else start for start, _, _ in ranges.values()]
    ends: list[Size] = [LAST if stop is None else stop for _, stop, _ in ranges.values()]
    steps: list[Size] = [1 if step is None else step for _, _, step in ranges.values()]
    found = to.vector("start", starts), to.vector("end", ends), to.constant("axes", list(ranges))
    return found if all(step == 1 for step in steps) else (*found, to.vector("step", steps))
