"""Layers and means over what was moved: rules of the normal form.

A fully connected layer, or a mean, can come before the elements are moved or afterwards; and queries, keys and values
can be three layers, or the thirds of one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.dims import product
from graphc.graph import Node, Value
from graphc.layout import Layout, begin, moved, one_op
from graphc.ops import pool
from graphc.ops.index import Getitem
from graphc.ops.linear import Linear
from graphc.ops.rearrange import Rearrange
from graphc.ops.reduce import Mean
from graphc.remaking import Arguments, Made

if TYPE_CHECKING:
    from graphc.diff.normal import Normal

ALL = (None, None, None)


def late(at: Normal, op: Linear, arguments: Arguments, output: Value) -> Made | None:
    """A layer over the last axis comes before the others are moved."""
    found = _moved(at, arguments[0])
    if found is None or found[1].here[-1:] != found[1].source[-1:]:
        return None
    source, layout = found
    last = begin((op.out_features,)).here
    behind = Layout((*layout.source[:-1], *last), (*layout.here[:-1], *last))
    return arranged(at, at.new(op, [source], output.node, like=output.node), behind, output.node)


def projected(at: Normal, op: Getitem, arguments: Arguments, output: Value) -> Made | None:
    """One of the parts that a layer gives side by side, moved, is what a layer with that part of its rows gives."""
    found, picked = _moved(at, arguments[0]), _place(op)
    if found is None or picked is None or not isinstance(found[0].node.op, Linear):
        return None
    layer, left = found[0].node, found[1].at(*picked)
    taken = next(iter(left.taken), None) if left else None
    if left is None or taken not in left.source[-1] or layer.home != layer.path:
        return None
    rows = tuple(atom for atom in left.source[-1] if atom is not taken)
    part = layer.op.model_copy(update={"out_features": product(atom.size for atom in rows)})
    made = at.new(part, layer.arguments, layer, part=str(picked[1]))
    return arranged(at, made, Layout((*left.source[:-1], rows), left.here), output.node)


def averaged(at: Normal, op: Mean | pool.AdaptiveAvgPool, arguments: Arguments, output: Value) -> Made | None:
    """A mean along axes that were moved is one along them where they were."""
    found = _moved(at, arguments[0])
    if found is None or (isinstance(op, pool.AdaptiveAvgPool) and set(op.parts) != {1}):
        return None
    source, layout = found
    rank = len(layout.here)
    given = at.type(source).with_shape(layout.shape())
    axes = op.axes(given) if isinstance(op, Mean) else tuple(range(rank - len(op.parts), rank))
    gone = {atom for axis in axes for atom in layout.here[axis]}
    dim = tuple(axis for axis, atoms in enumerate(layout.source) if atoms and gone.issuperset(atoms))
    if not dim or gone != {atom for axis in dim for atom in layout.source[axis]}:
        return None
    stays = not isinstance(op, Mean) or op.keepdim
    here = (() if axis in axes else atoms for axis, atoms in enumerate(layout.here) if stays or axis not in axes)
    left = tuple(atoms for axis, atoms in enumerate(layout.source) if axis not in dim)
    mean = at.new(Mean(dim=dim), [source], output.node, like=output.node)
    return arranged(at, mean, Layout(left, tuple(here)), output.node)


def _moved(at: Normal, value: Value | None) -> tuple[Value, Layout] | None:
    """What was moved, and how it lies now."""
    if value is None or not isinstance(value.node.op, Rearrange):
        return None
    source = value.node.operands[0]
    layout = moved(value.node.op, begin(at.type(source).shape), at.type(source), at.type(value))
    return None if layout is None else (source, layout)


def arranged(at: Normal, value: Value, layout: Layout, near: Node) -> Value | None:
    """A value as it lies in a layout of which it is the source; None where that can't be said."""
    if layout.is_identity:
        return value
    made = one_op(layout)
    return None if made is None else at.new(made, [value], near)


def _place(op: Getitem) -> tuple[int, int] | None:
    """The only axis of which one place is taken, and the place."""
    parts = [(axis, part) for axis, part in enumerate(op.index) if part != ALL]
    axis, part = parts[0] if len(parts) == 1 else (0, None)
    return (axis, part) if isinstance(part, int) and part >= 0 else None
