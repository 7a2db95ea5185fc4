"""What several elements come to: products, variances, sums so far, and values brought to a length of 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from hypothesis import strategies as st
from torch.nn import functional

from optable.case import Oracle
from optable.drawing import dims, flags, pairs
from optable.operands import FLAGS, IMAGE, INTEGERS, MATRIX, VECTOR
from optable.oracle import Apply, of_reals, pointwise, with_axes
from optable.row import Refusal, Row, Wrong, each, on
from sketch import tensor


def producted(x: torch.Tensor, dim: int | None = None, keepdim: bool = False) -> torch.Tensor:
    if dim is None:
        if keepdim:
            raise ValueError("no axis to keep")
        return torch.prod(x)
    return torch.prod(with_axes(x), dim, keepdim)


def spread(function: Callable[..., torch.Tensor]) -> Oracle:
    """torch warns, and gives nan, where there are too few elements."""

    def spread_of(x: torch.Tensor, dim: int | None = None, correction: int = 1, **kept: bool) -> torch.Tensor:
        if (x.dim() == 0 and dim is not None) or torch.ones_like(x).sum(dim).flatten()[0] <= correction:
            raise IndexError("too few")
        return function(of_reals(x), dim, correction=correction, **kept)

    several = st.lists(dims, min_size=1, max_size=3).map(tuple)
    return pointwise(spread_of, dim_=st.one_of(dims, several), correction_=st.integers(0, 2), keepdim_=flags)


def similarity(x: torch.Tensor, y: torch.Tensor, **attributes: Any) -> torch.Tensor:
    """torch takes whole numbers beside real ones too."""
    if torch.broadcast_tensors(x, y)[0].dim() == 0:
        raise IndexError("no axis")
    return functional.cosine_similarity(of_reals(x), of_reals(y), **attributes)


ROWS: dict[str, Row] = {
    "cosine_similarity": Row(
        Oracle(
            st.tuples(st.fixed_dictionaries({}, optional={"dim": dims}), pairs()),
            lambda a, _: Apply(lambda x, y: similarity(x, y, **a)),
        ),
        settled=[
            *on((IMAGE, IMAGE), {}),
            *on((tensor("N", 1, 5), tensor("H", 1)), {"dim": -1}),
            *on((tensor(5), tensor(5)), {"dim": 0, "eps": 3.0}),
        ],
        refused=[
            Refusal({"dim": 2}, (MATRIX, MATRIX), "2 is not an axis of [N, 3]"),
        ],
        wrong=[
            Wrong({"eps": 0.0}, "eps should be greater than 0, got 0.0"),
        ],
    ),
    "cumsum": Row(
        pointwise(lambda x, dim: torch.cumsum(with_axes(x), dim), dim=dims),
        settled=[
            *on((tensor("N", "H"),), {"dim": 0}, {"dim": -1}),
            *on((INTEGERS,), {"dim": 0}, {"dim": -1}),
            *on((FLAGS,), {"dim": 0}, {"dim": -1}),
        ],
        refused=[
            Refusal({"dim": 2}, (MATRIX,), "2 is not an axis of [N, 3]"),
        ],
        wrong=[
            Wrong({}, "`cumsum` needs `dim`", code="E403"),
        ],
    ),
    "normalize": Row(
        pointwise(
            lambda x, **a: functional.normalize(with_axes(of_reals(x)), **a),
            p_=st.sampled_from([1.0, 2.0, 3.5]),
            dim_=dims,
        ),
        settled=[
            *on((IMAGE,), {"p": 1.0}, {}, {"p": 3.0}),
            *on((VECTOR,), {"dim": -1, "eps": 2.0}),
        ],
        refused=[
            Refusal({"p": 0.0}, (MATRIX,), "p 0.0 is not positive"),
        ],
        wrong=[
            Wrong({"eps": 0.0}, "eps should be greater than 0, got 0.0"),
        ],
    ),
    "prod": Row(
        pointwise(producted, dim_=dims, keepdim_=flags),
        settled=[
            *on((INTEGERS,), {"dim": 1}, {"dim": 1, "keepdim": True}, {"dim": -1}, {"dim": -1, "keepdim": True}),
            *on((FLAGS,), {"dim": 1}, {"dim": 1, "keepdim": True}, {"dim": -1}, {"dim": -1, "keepdim": True}, {}),
            *each({}, (tensor(2, 5),), (tensor(),)),
        ],
        refused=[
            Refusal({"keepdim": True}, (MATRIX,), "keepdim is for one axis: give dim"),
        ],
        wrong=[
            Wrong({"dim": (0, 1)}, "dim should be a valid integer, got [0, 1]"),
        ],
    ),
    "std": Row(
        spread(torch.std),
        settled=[
            *on((IMAGE,), {}, {"dim": (1, -1), "keepdim": True, "correction": 0}),
            *on((tensor(5, "H"),), {}),
        ],
        refused=[
            Refusal({"dim": 1}, (tensor("N", 1),), "needs more than 1 elements, got 1"),
        ],
        wrong=[
            Wrong({"unbiased": True}, "`std` has no attribute `unbiased`", code="E402"),
        ],
    ),
    "var": Row(
        spread(torch.var),
        settled=[
            *on((IMAGE,), {}, {"dim": (1, -1), "keepdim": True, "correction": 0}, {"dim": 1, "correction": 2}),
            *on((tensor(5, "H"),), {}),
            *on((tensor(),), {"correction": 0}),
        ],
        refused=[
            Refusal({"dim": 1}, (tensor("N", 1),), "needs more than 1 elements, got 1"),
        ],
        wrong=[
            Wrong({"correction": -1}, "correction should be greater than or equal to 0, got -1"),
            Wrong({"unbiased": True}, "`var` has no attribute `unbiased`", code="E402"),
        ],
    ),
}
