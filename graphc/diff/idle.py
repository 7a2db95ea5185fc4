"""What does nothing at the sizes of a file, and a map that is moved round its edges: rules of the normal form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.dims import Size, substitute
from graphc.graph import Value
from graphc.ops.index import Getitem, Roll
from graphc.ops.join import Concat
from graphc.ops.resize import Pad
from graphc.remaking import Arguments, Made

if TYPE_CHECKING:
    from graphc.diff.normal import Normal

ALL = (None, None, None)


def unpadded(at: Normal, op: Pad, arguments: Arguments, output: Value) -> Made | None:
    """Where nothing is added, nothing is padded."""
    return arguments[0] if all(substitute(size, at.sizes) == 0 for size in op.pad) else None


def uncut(at: Normal, op: Getitem, arguments: Arguments, output: Value) -> Made | None:
    """A part that is all of it is no part."""
    value = arguments[0]
    ranges = [part for part in op.index if isinstance(part, tuple)]
    is_forward = len(ranges) == len(op.index) and all(step in {None, 1} for _, _, step in ranges)
    is_all = value is not None and is_forward and at.type(value).shape == at.type(output).shape
    return value if is_all else None


def turned(at: Normal, op: Concat, arguments: Arguments, output: Value) -> Made | None:
    """What is left of an axis behind a place, and then what is in front of it, is the map moved round its edges."""
    if len(arguments) != 2 or op.center:
        return None
    behind, front = (value.node for value in arguments if value is not None)
    if not isinstance(behind.op, Getitem) or not isinstance(front.op, Getitem) or behind.operands != front.operands:
        return None
    source = behind.operands[0]
    axis = op.dim % source.type.rank
    size = at.type(source).shape[axis]
    starts, ends = _only(behind.op, axis), _only(front.op, axis)
    if starts is None or ends is None or not isinstance(size, int):
        return None
    start, end = starts[0], ends[1]
    is_round = start is not None and starts == (start, None, None) and ends == (None, end, None)
    places = [substitute(place, at.sizes) for place in (start, end) if place is not None]
    if not is_round or len(places) < 2 or not all(isinstance(place, int) for place in places):
        return None
    first, last = (int(str(place)) % size for place in places)
    return (Roll(shifts=(-first,), dims=(axis,)), [source]) if first == last else None


def rolled(at: Normal, op: Roll, arguments: Arguments, output: Value) -> Made | None:
    """Moves one after the other are one, by numbers; a move by nothing is none."""
    value = arguments[0]
    assert value is not None
    source, steps = value, op.moves()
    if isinstance(value.node.op, Roll):
        source, steps = value.node.operands[0], [*value.node.op.moves(), *steps]
    moves: dict[int, Size] = {}
    for shift, axis in steps:
        place = axis % source.type.rank
        moves[place] = moves.get(place, 0) + substitute(shift, at.sizes)
    shape = at.type(source).shape
    if not all(isinstance(each, int) for axis, shift in moves.items() for each in (shift, shape[axis])):
        return None
    left = {axis: shift % shape[axis] for axis, shift in sorted(moves.items()) if shift % shape[axis]}
    made = Roll.model_validate({"shifts": tuple(left.values()), "dims": tuple(left)}) if left else None
    if made is None:
        return source
    return None if made == op and source is value else (made, [source])


def _only(op: Getitem, axis: int) -> tuple[Size | None, Size | None, Size | None] | None:
    """What is taken along one axis, where all others are taken whole."""
    others = [part for place, part in enumerate(op.index) if place != axis]
    part = op.index[axis] if axis < len(op.index) else None
    return part if isinstance(part, tuple) and all(other == ALL for other in others) else None
