"""Every second place from each start, side by side: a rule of the normal form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from itertools import product as every
from math import prod
from typing import TYPE_CHECKING, TypeAlias

from graphc.graph import Value
from graphc.layout import Atom, Layout, begin, one_op
from graphc.ops.index import Getitem, Part
from graphc.ops.join import Concat
from graphc.remaking import Arguments, Made
from graphc.tensor import Shape

if TYPE_CHECKING:
    from graphc.diff.normal import Normal

Picked: TypeAlias = tuple[Value, dict[int, tuple[int, int]]]
"""A value, and by axis the first place that is taken of it and the step."""


def squared(at: Normal, op: Concat, arguments: Arguments, output: Value) -> Made | None:
    """Places at equal distances, from each start, side by side along another axis: they are moved there.

    As `x[:, 0::2, 0::2]`, `x[:, 1::2, 0::2]`, `x[:, 0::2, 1::2]` and `x[:, 1::2, 1::2]` in Swin's patch merging.
    """
    found = [_picked(value) for value in arguments if value is not None]
    (source, first), axis = found[0], op.dim % output.type.rank
    steps = {each: step for each, (_, step) in sorted(first.items())}
    order = _order([{each: start for each, (start, _) in picked.items()} for _, picked in found], steps)
    if op.center or axis in steps or order is None or any(value is not source for value, _ in found):
        return None
    if any({each: step for each, (_, step) in sorted(picked.items())} != steps for _, picked in found):
        return None
    layout = _laid(at.type(source).shape, steps, order, axis)
    made = None if layout is None else one_op(layout)
    return None if made is None else (made, [source])


def _picked(value: Value) -> Picked:
    """Where a value comes from of which only places at equal distances were taken, and which."""
    picked: dict[int, tuple[int, int]] = {}
    while isinstance(value.node.op, Getitem):
        parts = {each: part for each, part in enumerate(value.node.op.index) if part != (None, None, None)}
        found = {each: _step(part) for each, part in parts.items()}
        if None in found.values() or found.keys() & picked.keys():
            break
        picked.update({each: step for each, step in found.items() if step is not None})
        value = value.node.operands[0]
    return value, picked


def _step(part: Part) -> tuple[int, int] | None:
    """The start and the step of a range to the end."""
    if not isinstance(part, tuple) or part[1] is not None:
        return None
    start, step = part[0] or 0, part[2] or 1
    return (start, step) if isinstance(start, int) and isinstance(step, int) and 0 <= start < step > 1 else None


def _order(starts: Sequence[Mapping[int, int]], steps: Mapping[int, int]) -> tuple[int, ...] | None:
    """The axes, the slowest first, so that these are all the starts, one behind the other; None where they are not."""
    if not steps or len(starts) != prod(steps.values()):
        return None
    for order in permutations(steps):
        wanted = [dict(zip(order, each, strict=True)) for each in every(*(range(steps[axis]) for axis in order))]
        if wanted == list(starts):
            return order
    return None


def _laid(shape: Shape, steps: Mapping[int, int], order: Sequence[int], axis: int) -> Layout | None:
    """A value of this shape with the places of each step side by side along an axis."""
    if any(shape[each] % step != 0 for each, step in steps.items()):
        return None
    layout, inner = begin(shape), {each: Atom(step) for each, step in steps.items()}
    for each, step in steps.items():
        whole = layout.source[each][0]
        parts = (inner[each],) if whole.size == step else (Atom(whole.size // step), inner[each])
        layout = layout.split(whole, parts)
    here = [tuple(atom for atom in atoms if atom not in inner.values()) for atoms in layout.here]
    here[axis] = (*(inner[each] for each in order), *here[axis])
    return Layout(layout.source, tuple(here))
