"""Elements repeated, an axis split, and what lies on one side of a matrix' diagonal."""

from __future__ import annotations

import math

import torch
from hypothesis import strategies as st

from graphc.tensor import Tensor
from optable.case import Case, Oracle
from optable.drawing import dims, dtypes, values
from optable.operands import IMAGE, INTEGERS, VECTOR, H, N, W
from optable.oracle import Apply, pointwise, with_axes
from optable.row import Refusal, Row, Wrong, on
from sketch import tensor


@st.composite
def unflattenings(draw: st.DrawFn) -> Case:
    parts = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    dim = draw(st.sampled_from([0, 0, 1, -1, 3]))
    shape = list(draw(values()).shape)
    if -len(shape) <= dim < len(shape):
        shape[dim] = math.prod(parts)
    sizes = [draw(st.sampled_from([size] * 6 + [-1, size + 1])) for size in parts]
    return {"dim": dim, "sizes": tuple(sizes)}, (Tensor(tuple(shape), draw(dtypes)),)


ROWS: dict[str, Row] = {
    "repeat_interleave": Row(
        pointwise(lambda x, **a: torch.repeat_interleave(with_axes(x), **a), repeats=st.integers(1, 3), dim=dims),
        settled=[
            *on((IMAGE,), {"repeats": 3, "dim": 0}, {"repeats": 3, "dim": 2}, {"repeats": 3, "dim": -1}),
            *on((tensor("H", "N", dtype="int64"),), {"repeats": N, "dim": 0}),
        ],
        refused=[
            Refusal({"repeats": H - W, "dim": 0}, (VECTOR,), "repeats H - W is not positive"),
        ],
        wrong=[
            Wrong({"repeats": 2}, "`repeat_interleave` needs `dim`", code="E403"),
        ],
    ),
    "tile": Row(
        pointwise(torch.tile, dims=st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple)),
        settled=[
            *on((IMAGE,), {"dims": (2, 3)}),
            *on((INTEGERS,), {"dims": (2, N, 1)}),
            *on((tensor(dtype="bool"),), {"dims": (4,)}),
        ],
        wrong=[
            Wrong({"dims": ()}, "dims Tuple should have at least 1 item after validation, not 0, got []"),
            Wrong({"dims": (0,)}, "dims should be greater than or equal to 1, got 0"),
        ],
        refused=[
            Refusal({"dims": (2, H - W)}, (tensor("H", "W"),), "H - W is not positive"),
        ],
    ),
    "tril": Row(
        pointwise(torch.tril, diagonal_=dims),
        settled=[
            *on((IMAGE,), {}, {"diagonal": 2}, {"diagonal": -3}),
            *on((tensor("H", "W", dtype="int64"),), {}, {"diagonal": 2}, {"diagonal": -3}),
            *on((tensor("H", 5, dtype="bool"),), {}),
        ],
        refused=[
            Refusal({}, (tensor("N"),), "needs a value with at least 2 axes, got [N]"),
        ],
        wrong=[
            Wrong({"diagonal": 0.5}, "diagonal should be a valid integer, got 0.5"),
        ],
    ),
    "triu": Row(
        pointwise(torch.triu, diagonal_=dims),
        settled=[
            *on((IMAGE,), {}, {"diagonal": 2}, {"diagonal": -3}),
            *on((tensor("H", "W", dtype="int64"),), {}, {"diagonal": 2}, {"diagonal": -3}),
            *on((tensor("H", 5, dtype="bool"),), {}),
        ],
        refused=[
            Refusal({}, (tensor("N"),), "needs a value with at least 2 axes, got [N]"),
        ],
        wrong=[
            Wrong({"diagonal": 0.5}, "diagonal should be a valid integer, got 0.5"),
        ],
    ),
    "unflatten": Row(
        Oracle(unflattenings(), lambda a, _: Apply(lambda x: torch.unflatten(with_axes(x), **a))),
        settled=[
            *on((IMAGE,), {"dim": 1, "sizes": (2, -1)}),
            *on((tensor(6 * H, 3, dtype="bool"),), {"dim": 0, "sizes": (H, 3, 2)}),
        ],
        refused=[
            Refusal({"dim": 1, "sizes": (2, -1)}, (VECTOR,), "an axis of 5 is no [2, -1]"),
            Refusal({"dim": 1, "sizes": (H, -1)}, (tensor("N", 6),), "6 is no [H, -1]"),
        ],
        wrong=[
            Wrong({"dim": 1}, "`unflatten` needs `sizes`", code="E403"),
        ],
    ),
}
