"""Ops that keep as many things as the data says."""

from __future__ import annotations

import numpy as np

from graphc.graph import Value
from graphc.ops.selection import Nms, Nonzero
from graphc_onnx.draft import Operand
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower
from graphc_onnx.lowerings.suppression import of_each_picture, suppressed


@lower.register
def nonzero(_: Nonzero, to: Emitter, input: Value) -> None:
    """Of an operand with one axis ONNX gives one row of places."""
    to.emit("Squeeze", to.step("places", "NonZero", input), to.constant("row", [0]))


@lower.register
def nms(op: Nms, to: Emitter, boxes: Value, scores: Value, picture: Value, group: Value | None = None) -> None:
    least = -np.inf if op.score_threshold is None else op.score_threshold
    found = suppressed(
        to, boxes, scores, _together(to, picture, group), iou_threshold=op.iou_threshold, score_threshold=least
    )
    to.emit("Identity", of_each_picture(to, found, picture, op.max_per_picture))


def _together(to: Emitter, picture: Value, group: Value | None) -> Operand:
    """A number for each picture and group."""
    if group is None:
        return picture
    last = to.step("last_group", "ReduceMax", to.step("groups", "Concat", group, to.constant("first", [0]), axis=0))
    count = to.step("count_of_groups", "Add", last, to.constant("more", [1]))
    return to.step("picture_and_group", "Add", to.step("of_picture", "Mul", picture, count), group)
