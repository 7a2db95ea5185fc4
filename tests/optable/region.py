"""What lies in a box of a feature map, in a grid of one size for all boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from hypothesis import strategies as st
from torch.nn import functional

from graphc.tensor import DType, Tensor
from optable.case import Attributes, Oracle
from optable.drawing import flags, images, one
from optable.operands import IMAGE, SMALL
from optable.oracle import Apply
from optable.row import Refusal, Row, Wrong, on
from sketch import tensor

SIZE = {"output_size": st.sampled_from([1, 2, 3, (3, 2)]), "spatial_scale_": st.sampled_from([1.0, 0.5, 0.3, 2.0])}
SETTINGS = SIZE | {"sampling_ratio_": st.integers(-1, 3), "aligned_": flags}
BOXES, PICTURES = tensor("H", 4), tensor("H", dtype="int64")
REGIONS = (SMALL, BOXES, PICTURES)


@st.composite
def operands(draw: st.DrawFn) -> Sequence[Tensor]:
    """Nearly always so many pictures as boxes, each of which has four numbers."""
    count = draw(st.integers(1, 5))
    kinds: list[DType] = [draw(st.sampled_from([kind] * 12 + ["bool"])) for kind in ("float32", "int64")]
    boxes = Tensor((count, draw(st.sampled_from([4] * 12 + [5, 1]))), kinds[0])
    picture = Tensor((draw(st.sampled_from([count] * 12 + [count + 1])),), kinds[1])
    return draw(images()), boxes, picture


def pooled(x: torch.Tensor, boxes: torch.Tensor, picture: torch.Tensor, size: int | tuple[int, int]) -> torch.Tensor:
    """Shapes and types alone: whole pictures are pooled. torchvision checks none, and does boxes in `interpreter`."""
    kinds: Sequence[torch.dtype] = [value.dtype for value in (x, boxes, picture)]
    if kinds != [torch.float32, torch.float32, torch.int64] or x.dim() != 4:
        raise ValueError("types")
    if boxes.shape != (len(picture), 4):
        raise ValueError("boxes")
    found: torch.Tensor = functional.adaptive_max_pool2d(x[picture], size)
    return found


def of_regions(**attributes: st.SearchStrategy[Any]) -> Oracle:
    drawn = st.tuples(one(st.just(BOXES), **attributes).map(lambda case: case[0]), operands())
    return Oracle(drawn, lambda a, _: Apply(lambda x, boxes, picture: pooled(x, boxes, picture, a["output_size"])))


REFUSED: list[tuple[Attributes, Sequence[Tensor], str]] = [
    ({"output_size": 7}, (IMAGE, tensor("N", 5), tensor("N", dtype="int64")), "a box has 4 numbers, [N, 5] has 5"),
    ({"output_size": 7}, (IMAGE, tensor(3, 4), tensor(2, dtype="int64")), "there are 3 boxes and pictures for 2"),
    ({"output_size": 7}, (IMAGE, BOXES, tensor("H")), "needs int64, got [H] of float32"),
]
ROWS: dict[str, Row] = {
    "roi_align": Row(
        of_regions(**SETTINGS),
        settled=[
            *on(
                REGIONS,
                {"output_size": 7, "sampling_ratio": 2, "spatial_scale": 0.25},
                {"output_size": (3, 5), "sampling_ratio": 2, "aligned": True},
                {"output_size": 2},
                {"output_size": 3, "aligned": True},
            ),
            *on((tensor(2, 5, 9, 7), tensor(4, 4), tensor(4, dtype="int64")), {"output_size": (1, 2)}),
        ],
        refused=[Refusal(*case) for case in REFUSED],
        wrong=[
            Wrong({}, "`roi_align` needs `output_size`", code="E403"),
            Wrong({"output_size": 7, "spatial_scale": 0.0}, "spatial_scale should be greater than 0"),
        ],
    ),
    "roi_pool": Row(
        of_regions(**SIZE),
        settled=[
            *on(REGIONS, {"output_size": 7, "spatial_scale": 0.25}, {"output_size": (3, 5)}, {"output_size": 1}),
        ],
        refused=[Refusal(*case) for case in REFUSED],
        wrong=[
            Wrong({"spatial_scale": 0.5}, "`roi_pool` needs `output_size`", code="E403"),
        ],
    ),
}
