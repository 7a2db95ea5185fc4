"""Ops that keep as many things as the data says: the size of what they give is known only when they run."""

from __future__ import annotations

from collections.abc import Iterator

from graphc.dims import Size, smaller
from graphc.ops.base import KEPT, Count, Fraction, Free, Requirement, Symbolic, elements, holds, rank, same_size
from graphc.ops.index import Number
from graphc.ops.reach import UNKNOWN, Seen
from graphc.ops.saved import NOTHING, Saved
from graphc.tensor import Tensor


class Selection(Free):
    """An op that gives the places, as int64, of what it keeps; no gradient flows back through it."""

    keeps = NOTHING
    detaches = True

    def saved(self, *operands: Tensor) -> Saved:
        return NOTHING


class Nonzero(Selection):
    """Where a value with one axis is true, or another number than 0, in order (`torch.nonzero(input).squeeze(1)`).

    [T] → int64 [K], with K ≤ T, which only the data knows.
    """

    name = "nonzero"
    operands = ("bool [T]",)

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, 1)

    def infer(self, input: Tensor) -> Tensor:
        return Tensor((KEPT,), "int64")

    def most(self, input: Tensor) -> Size:
        return input.shape[0]

    def work(self, input: Tensor) -> Size:
        return elements(input)

    def sees(self, input: Tensor) -> Seen:
        return ((UNKNOWN,),)


class Nms(Selection):
    """Which boxes are kept, best first, when each goes that a better one overlaps: non-maximum suppression.

    boxes [M, 4], scores [M], picture [M] and group [M] of int64 → int64 [K], with K ≤ M, which only the data knows
    (`torchvision.ops.batched_nms`). A box is x1, y1, x2, y2, and goes only by one of its own picture and group; those
    of a picture stand together, the first picture first. Of equal scores the first is better; NaN is never kept.
    """

    name = "nms"
    main = "iou_threshold"
    example = "0.7"
    operands = ("[R, 4]", "[R]", "int64 [R]")
    iou_threshold: Fraction
    """A box goes if its intersection over union with a better one is larger."""
    score_threshold: Number | None = None
    """What a score must be larger than, if given."""
    max_per_picture: Count | None = None
    """How many are kept of a picture at most, if not all."""
    pictures: Count | Symbolic = 1
    """How many pictures there are: with it `max_per_picture` says how many boxes are kept at most."""

    def requires(
        self, boxes: Tensor, scores: Tensor, picture: Tensor, group: Tensor | None = None
    ) -> Iterator[Requirement]:
        yield rank(boxes, 2)
        yield holds(boxes, "float32")
        yield same_size(boxes.shape[1], 4, f"a box has 4 numbers, {boxes} has {boxes.shape[1]}")
        yield rank(scores, 1)
        yield holds(scores, "float32")
        numbers = [scores, picture] if group is None else [scores, picture, group]
        for number in numbers[1:]:
            yield rank(number, 1)
            yield holds(number, "int64")
        for number in numbers:
            yield same_size(boxes.shape[0], number.shape[0], f"{boxes} are not as many as {number}")

    def infer(self, boxes: Tensor, scores: Tensor, picture: Tensor, group: Tensor | None = None) -> Tensor:
        return Tensor((KEPT,), "int64")

    def most(self, boxes: Tensor, scores: Tensor, picture: Tensor, group: Tensor | None = None) -> Size:
        count = boxes.shape[0]
        return count if self.max_per_picture is None else smaller(count, self.pictures * self.max_per_picture)

    def sees(self, boxes: Tensor, scores: Tensor, picture: Tensor, group: Tensor | None = None) -> Seen:
        return (UNKNOWN, UNKNOWN), (UNKNOWN,), (UNKNOWN,), (UNKNOWN,)
