"""Non-maximum suppression of boxes in groups of any sizes: each fills a row as long as the longest group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from graphc_onnx.draft import Operand
from graphc_onnx.emitter import Emitter


@dataclass(frozen=True, slots=True)
class Rows:
    """A row for each group: of elements [M] those at `order`, one after the other, go to the places `at` [M, 1].

    `groups` and `length` [1] are how many rows there are, and how long they are.
    """

    groups: str
    length: str
    order: str
    at: str

    def filled(self, to: Emitter, name: str, values: Operand, number: ArrayLike, *behind: str) -> str:
        """Elements in that order in their rows, a number where there is none: [groups·length, *behind]."""
        at = to.below(name)
        shape = at.step("shape", "Concat", at.step("room", "Mul", self.groups, self.length), *behind, axis=0)
        blank = at.step("blank", "Expand", at.constant("number", number), shape)
        return at.step("filled", "ScatterND", blank, self.at, values)


def suppressed(
    to: Emitter,
    boxes: Operand,
    scores: Operand,
    group: Operand,
    *,
    iou_threshold: float,
    score_threshold: float = -np.inf,
) -> str:
    """The boxes [M, 4] that are kept, best first, of equal scores the first first: [K].

    One goes if another that is kept, better and of its group [M] has a larger IoU with it than the threshold, or if its
    own score isn't above the other threshold; NaN never is. The groups are small numbers from 0 on.
    """
    rows = _rows(to, group)
    four, one, empty = to.constant("four", [4]), to.constant("one", [1]), np.float32(-np.inf)
    sides = to.step("sides_in_order", "Gather", _proper(to, boxes), rows.order)
    rating = to.step("scores_in_order", "Gather", scores, rows.order)
    placed = rows.filled(to, "sides", sides, np.float32(0), four)
    rated = rows.filled(to, "rating", rating, empty)
    found = to.step(
        "found",
        "NonMaxSuppression",
        to.step("boxes", "Reshape", placed, to.step("boxes_shape", "Concat", rows.groups, rows.length, four, axis=0)),
        to.step("scores", "Reshape", rated, to.step("scores_shape", "Concat", rows.groups, one, rows.length, axis=0)),
        rows.length,
        to.constant("iou_threshold", _not_above(iou_threshold)),
        to.constant("score_threshold", np.float32(score_threshold)),
    )
    row = to.step("row", "Gather", found, to.constant("row_in", 0), axis=1)
    place = to.step("place", "Gather", found, to.constant("place_in", 2), axis=1)
    slot = to.step("slot", "Add", to.step("begin", "Mul", row, rows.length), place)
    number = to.step("number", "Gather", rows.filled(to, "numbers", rows.order, 0), slot)
    return _best_first(to, scores, number)


def of_each_picture(to: Emitter, index: Operand, picture: Operand, most: int | None = None) -> str:
    """The boxes at `index` [K] by their `picture` [M], in their order within each; only the first of each, so many."""
    to = to.below("picture")
    key, order = _sorted(to, "sorted", to.step("of", "Gather", picture, index), largest=0)
    found = to.step("found", "Gather", index, order)
    if most is None:
        return found
    place, _ = _places(to, key)
    return to.step("first", "Compress", found, to.step("few", "Less", place, to.constant("most", most)), axis=0)


def _rows(to: Emitter, group: Operand) -> Rows:
    to = to.below("rows")
    key, order = _sorted(to, "sorted", group, largest=0)
    place, count = _places(to, key)
    length = to.step("length", "ReduceMax", to.step("counts", "Concat", count, to.constant("least", [1]), axis=0))
    slot = to.step("slot", "Add", to.step("begin", "Mul", key, length), place)
    at = to.step("at", "Unsqueeze", slot, to.constant("last", [-1]))
    return Rows(to.step("groups", "Shape", count), length, order, at)


def _places(to: Emitter, key: Operand) -> tuple[str, str]:
    """The place of each of sorted numbers [M] among its equals, and how many of each number there are."""
    to.needs_opset(16)  # ScatterElements adds
    to = to.below("places")
    last = to.step("last", "ReduceMax", to.step("keys", "Concat", key, to.constant("key", [0]), axis=0))
    one = to.constant("one", [1])
    zeros = to.step("zeros", "Expand", to.constant("zero", [0]), to.step("groups", "Add", last, one))
    size = to.step("size", "Shape", key)
    ones = to.step("ones", "Expand", one, size)
    count = to.step("count", "ScatterElements", zeros, key, ones, axis=0, reduction="add")
    begin = to.step("first", "CumSum", count, to.constant("axis", 0), exclusive=1)
    number = to.step("number", "CumSum", ones, to.constant("along", 0), exclusive=1)
    return to.step("place", "Sub", number, to.step("first_of", "Gather", begin, key)), count


def _best_first(to: Emitter, scores: Operand, index: Operand) -> str:
    """The elements at `index` [K] by falling scores, of equal ones the first first."""
    to = to.below("best")
    number, _ = _sorted(to, "numbers", index, largest=0)
    _, order = _sorted(to, "scores", to.step("score", "Gather", scores, number), largest=1)
    return to.step("first", "Gather", number, order)


def _sorted(to: Emitter, name: str, values: Operand, *, largest: int) -> list[str]:
    """Values [n] in order, the first first of equal ones, and where each was."""
    count = to.step(f"{name}_count", "Shape", values)
    return to.steps("TopK", values, count, gives=(name, f"{name}_order"), axis=0, largest=largest)


def _proper(to: Emitter, boxes: Operand) -> str:
    """The boxes, where their corners are exchanged made ones without extent: ONNX Runtime would turn them round."""
    corner, other = to.steps("Split", boxes, to.constant("corners", [2, 2]), gives=("corner", "other"), axis=1)
    return to.step("proper", "Concat", corner, to.step("behind", "Max", corner, other), axis=1)


def _not_above(threshold: float) -> np.float32:
    """The largest number of float32 that is not above a threshold: an IoU is above both or neither."""
    near = np.float32(threshold)
    return np.nextafter(near, np.float32(-np.inf)) if float(near) > threshold else near
