"""Windows as columns and back, and pooling undone."""

from __future__ import annotations

import math

import torch
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from graphc.tensor import Tensor
from optable.case import REFUSALS, Attributes, Case, Oracle, as_ints
from optable.drawing import dtypes, extents, flags, images, indices, one, window, window_of_means
from optable.operands import FIXED, IMAGE, H, N, W
from optable.oracle import Apply, batched, of_reals, whole
from optable.row import Refusal, Row, Wrong, on
from sketch import tensor


@st.composite
def folds(draw: st.DrawFn) -> Case:
    attributes = draw(one(images(), **window(2)))[0]
    size = draw(extents(2, 7))
    space = size if isinstance(size, tuple) else (size, size)
    kernel = attributes["kernel_size"]
    elements = math.prod(kernel) if isinstance(kernel, tuple) else kernel**2
    try:
        found = functional.unfold(torch.zeros(1, 1, *space), **attributes)
        count = found.shape[2]
    except REFUSALS:
        count = 3
    off = draw(st.sampled_from([0] * 9 + [1]))
    shape = (draw(st.integers(1, 2)), elements * draw(st.integers(1, 2)) + off, count)
    return attributes | {"output_size": size}, (Tensor(shape, draw(dtypes)),)


@st.composite
def unpoolings(draw: st.DrawFn) -> Case:
    attributes = draw(one(images(), **window_of_means(2)))[0]
    shape = as_ints(draw(images([4] * 12 + [3])))
    plain = [(size - 1) * 2 + 2 for size in shape[2:]]
    other = tuple(size + draw(st.sampled_from([0] * 9 + [1])) for size in shape)
    like = (1, 1, *(size + draw(st.sampled_from([0, 0, 1, -1, 2])) for size in plain))
    operands = [Tensor(shape, draw(dtypes)), Tensor(other, draw(indices()).dtype)]
    return attributes, [*operands, *([Tensor(like)] if draw(flags) else [])]


def unpooled(
    attributes: Attributes, x: torch.Tensor, indices: torch.Tensor, like: torch.Tensor | None = None
) -> torch.Tensor:
    if like is not None and like.dim() != 4:
        raise ValueError("axes")
    size = None if like is None else like.shape[2:]
    found: torch.Tensor = nn.MaxUnpool2d(**attributes)(of_reals(x), whole(indices), size)
    return found


ROWS: dict[str, Row] = {
    "fold": Row(
        Oracle(folds(), lambda a, o: batched(1, o, Apply(lambda x: nn.Fold(**a)(of_reals(x))))),
        settled=[
            *on(
                (tensor("N", 12, 35),),
                {"kernel_size": (3, 2), "padding": (1, 0), "stride": (2, 1), "output_size": (9, 8)},
            ),
            *on((tensor("N", 8, 2 * N),), {"kernel_size": 2, "output_size": (N + 1, 3)}),
            *on((tensor("N", 4, 9),), {"kernel_size": 2, "dilation": 2, "stride": 2, "output_size": 7}),
        ],
        refused=[
            Refusal(
                {"kernel_size": 2, "output_size": 4},
                (tensor("N", 6, 9),),
                "4 elements of a window must divide the 6 rows",
            ),
            Refusal(
                {"kernel_size": 2, "output_size": 4},
                (tensor("N", 8, 5),),
                "[1, 1, 4, 4] has 9 windows, [N, 8, 5] has 5",
            ),
        ],
        wrong=[
            Wrong({"kernel_size": 2}, "`fold` needs `output_size`", code="E403"),
        ],
    ),
    "max_unpool2d": Row(
        Oracle(unpoolings(), lambda a, o: batched(2, o, Apply(lambda *operands: unpooled(a, *operands)))),
        settled=[
            *on((IMAGE, tensor("N", 6, "H", "W", dtype="int64")), {"kernel_size": 2}),
            *on(
                (IMAGE, tensor("N", 6, "H", "W", dtype="int64"), tensor("N", 1, 2 * H, 2 * W - 1)),
                {"kernel_size": 3, "stride": 2, "padding": 1},
            ),
        ],
        refused=[
            Refusal(
                {"kernel_size": 2}, (tensor("N", 3, 4, 4), tensor("N", 2, 4, 4, dtype="int64")), "have different shapes"
            ),
            Refusal(
                {"kernel_size": 2},
                (tensor("N", 3, 4, 4), tensor("N", 3, 4, 4, dtype="int64"), tensor("N", 3, 8, 10)),
                "10 is too far from 8",
            ),
        ],
        wrong=[
            Wrong({}, "`max_unpool2d` needs `kernel_size`", code="E403"),
        ],
    ),
    "unfold": Row(
        Oracle(one(images(), **window(2)), lambda a, o: batched(2, o, Apply(lambda x: nn.Unfold(**a)(of_reals(x))))),
        settled=[
            *on(
                (IMAGE,),
                {"kernel_size": 3},
                {"kernel_size": (2, 3), "dilation": (1, 2), "padding": (0, 1), "stride": (2, 3)},
            ),
            *on((FIXED,), {"kernel_size": 2, "stride": 2}),
        ],
        refused=[
            Refusal({"kernel_size": 4}, (tensor("N", 3, 3, 9),), "a window of 4 must fit into 3"),
        ],
        wrong=[
            Wrong({"kernel_size": 0}, "kernel_size should be greater than or equal to 1, got 0"),
        ],
    ),
}
