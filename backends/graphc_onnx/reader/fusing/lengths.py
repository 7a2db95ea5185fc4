"""Vectors of length 1."""

from __future__ import annotations

from graphc.ops import Op
from graphc.ops.activation import Clamp, Sqrt
from graphc.ops.choice import Maximum
from graphc.ops.reduce import Sum
from graphc.ops.shape import Expand
from graphc.ops.statistic import Normalize
from graphc_onnx.reader.entries import Entry
from graphc_onnx.reader.fusing.operands import Found, Operands, is_square, made_by, with_number
from graphc_onnx.reader.growing import Growing


def normalized(to: Growing, op: Op, operands: Operands) -> Found:
    """x / max(√Σx², eps), along one axis."""
    floor = _floor(_unexpanded(operands[1]))
    root = made_by(floor[1], Sqrt) if floor else None
    total = made_by(root[1][0], Sum) if root else None
    if floor is None or total is None or not total[0].keepdim or not is_square(total[1][0], operands[0]):
        return None
    axes = total[0].axes(total[1][0].type)
    if len(axes) != 1 or floor[0] <= 0:
        return None
    return Normalize(dim=axes[0], eps=float(f"{floor[0]:.7g}")), [operands[0]]


def _unexpanded(entry: Entry | None) -> Entry | None:
    """What was repeated."""
    found = made_by(entry, Expand)
    return found[1][0] if found else entry


def _floor(entry: Entry | None) -> tuple[float, Entry] | None:
    """The least that a value may be, and the value."""
    clamp, larger = made_by(entry, Clamp), made_by(entry, Maximum)
    if clamp and clamp[0].min is not None and clamp[0].max is None:
        return float(clamp[0].min), clamp[1][0]
    return with_number(larger[1]) if larger else None
