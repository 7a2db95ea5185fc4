"""Ops that bring several values together."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from hypothesis import strategies as st

from graphc.tensor import Tensor
from optable.case import Oracle, as_ints
from optable.drawing import channels, dtypes, images, similar, two
from optable.operands import FIXED, IMAGE, INTEGERS, MATRIX, SMALL, H
from optable.oracle import Apply
from optable.row import Refusal, Row, Wrong, each, on
from sketch import tensor


@st.composite
def crops(draw: st.DrawFn) -> Sequence[Tensor]:
    input = draw(images())
    target = [draw(st.integers(1, 2)), draw(channels), *(draw(st.integers(1, 1 + s)) for s in as_ints(input)[2:])]
    return input, Tensor(tuple(target), draw(dtypes))


def center_crop(input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """As in Ronneberger et al. 2015, figure 1."""
    if input.dim() != target.dim() or input.dim() < 3:
        raise ValueError("ranks")
    for axis in range(2, input.dim()):
        rest = input.shape[axis] - target.shape[axis]
        input = input.narrow(axis, rest // 2, target.shape[axis])
    return input


ROWS: dict[str, Row] = {
    "center_crop": Row(
        Oracle(two(crops()), lambda a, _: Apply(center_crop)),
        settled=[
            *each(
                {},
                (IMAGE, SMALL),
                (IMAGE, tensor("N", 1, "h", 7)),
                (FIXED, tensor("N", 2, 8, 14)),
                (IMAGE, IMAGE),
                (tensor("N", 6, H + 5), tensor(1, 1, "H")),
            ),
        ],
        refused=[
            Refusal({}, (tensor("N", 3, 8, 8), tensor("N", 3, 9, 8)), "can't cut 9 out of 8"),
        ],
    ),
    "concat": Row(
        Oracle(
            st.tuples(st.fixed_dictionaries({}, optional={"dim": st.integers(-3, 3)}), similar()),
            lambda a, _: Apply(lambda *operands: torch.cat(operands, a.get("dim", 1))),
        ),
        settled=[
            *on((IMAGE, tensor("N", 2, "H", "W"), IMAGE), {}),
            *on((IMAGE, tensor("N", 6, "H", 3)), {"dim": -1}),
            *on((INTEGERS,), {"dim": 0}),
        ],
        refused=[
            Refusal(
                {},
                (tensor("N", 3, "H"), tensor("N", 4, "W")),
                "along axis 2 the operands have H and W; only axis 1 may differ",
            ),
            Refusal({"dim": 5}, (MATRIX,), "dim 5 is not an axis of [N, 3]"),
        ],
        wrong=[
            Wrong({"axis": 1}, "`concat` has no attribute `axis`", code="E402"),
        ],
    ),
}
