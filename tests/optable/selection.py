"""Ops that keep as many things as the data says."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from hypothesis import strategies as st

from graphc.tensor import DType, Tensor
from optable.case import Oracle
from optable.drawing import one, values
from optable.operands import MATRIX, N
from optable.oracle import Apply
from optable.row import Refusal, Row, Wrong, each, on
from sketch import tensor

BOXES, SCORES, PICTURES = tensor("N", 4), tensor("N"), tensor("N", dtype="int64")


def all_places(x: torch.Tensor) -> torch.Tensor:
    """Of the zeros that all operands are drawn as, none would be left."""
    if x.dim() != 1:
        raise ValueError("no row")
    return torch.ones_like(x).nonzero().squeeze(1)


@st.composite
def rated(draw: st.DrawFn) -> Sequence[Tensor]:
    """Nearly always as many scores and pictures as boxes, each of which has four numbers; sometimes groups too."""
    count = draw(st.integers(1, 5))
    sizes = [draw(st.sampled_from([count] * 12 + [count + 1])) for _ in range(3)]
    kinds: list[DType] = [draw(st.sampled_from([kind] * 12 + ["bool"])) for kind in ("float32", "int64")]
    boxes = Tensor((count, draw(st.sampled_from([4] * 12 + [5]))), "float32")
    rows = [Tensor((size,), kind) for size, kind in zip(sizes, (kinds[0], kinds[1], kinds[1]), strict=True)]
    return [boxes, *rows[: draw(st.integers(2, 3))]]


def best_alone(boxes: torch.Tensor, scores: torch.Tensor, *numbers: torch.Tensor) -> torch.Tensor:
    """Shapes and types alone: of boxes that are all the same one is left. `interpreter` does boxes."""
    if boxes.dim() != 2 or boxes.size(1) != 4 or scores.dtype != torch.float32:
        raise ValueError("boxes")
    if any(number.dtype != torch.int64 for number in numbers):
        raise ValueError("numbers")
    if any(row.shape != boxes.shape[:1] for row in (scores, *numbers)):
        raise ValueError("rows")
    return torch.zeros(1, dtype=torch.int64)


REFUSED = [
    ((tensor("N", 5), SCORES, PICTURES), "a box has 4 numbers, [N, 5] has 5"),
    ((BOXES, tensor("H"), PICTURES), "[N, 4] are not as many as [H]"),
    ((BOXES, SCORES, SCORES), "needs int64, got [N] of float32"),
    ((BOXES, PICTURES, PICTURES), "needs float32, got [N] of int64"),
    ((BOXES, MATRIX, PICTURES), "needs a value with 1 axes, got [N, 3]"),
]
ROWS = {
    "nms": Row(
        Oracle(
            st.tuples(
                st.fixed_dictionaries(
                    {"iou_threshold": st.sampled_from([0.0, 0.3, 0.7])},
                    optional={
                        "score_threshold": st.sampled_from([-1.0, 0.5]),
                        "max_per_picture": st.integers(1, 3),
                        "pictures": st.just(9),
                    },
                ),
                rated(),
            ),
            lambda a, _: Apply(best_alone),
        ),
        settled=[
            *on((BOXES, SCORES, PICTURES), {"iou_threshold": 0.5}, {"iou_threshold": 0.3, "score_threshold": 0.0}),
            *on((BOXES, SCORES, PICTURES, PICTURES), {"iou_threshold": 0.7, "max_per_picture": 2, "pictures": N}),
        ],
        refused=[Refusal({"iou_threshold": 0.5}, operands, message) for operands, message in REFUSED],
        wrong=[
            Wrong({}, "`nms` needs `iou_threshold`", code="E403"),
            Wrong({"iou_threshold": 2.0}, "iou_threshold should be less than or equal to 1, got 2.0"),
        ],
    ),
    "nonzero": Row(
        Oracle(one(values(most=2)), lambda a, _: Apply(all_places)),
        settled=[
            *each({}, (tensor("N"),), (tensor(2 * N, dtype="int64"),), (tensor("H", dtype="bool"),)),
        ],
        refused=[Refusal({}, (MATRIX,), "needs a value with 1 axes, got [N, 3]")],
    ),
}
