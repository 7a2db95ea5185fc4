"""Several elements become one: sums, means and extremes along axes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from hypothesis import strategies as st

from optable.case import Attributes, Oracle
from optable.drawing import dims, flags, one, values
from optable.operands import FLAGS, IMAGE, INTEGERS, MATRIX, VECTOR
from optable.oracle import Apply, with_class_axis
from optable.row import Refusal, Row, Wrong, each, on
from sketch import tensor


def reduction(function: Callable[..., torch.Tensor], over_all: object = None) -> Oracle:
    """A function along axes."""

    def reduced(attributes: Attributes, x: torch.Tensor) -> torch.Tensor:
        if x.dim() == 0 and "dim" in attributes:
            raise IndexError("torch gives a single number an axis 0")
        return function(x, **{"dim": over_all, "keepdim": False} | attributes)

    several = st.lists(dims, min_size=1, max_size=3).map(tuple)
    cases = one(values(), dim_=st.one_of(dims, several), keepdim_=flags)
    return Oracle(cases, lambda a, _: Apply(lambda x: reduced(a, x)))


ROWS: dict[str, Row] = {
    "amax": Row(
        reduction(torch.amax, over_all=()),
        settled=[
            *on((IMAGE,), {}, {"dim": (2, -1)}, {"dim": (2, -1), "keepdim": True}),
            *each({}, (INTEGERS,), (tensor(),)),
            *on((FLAGS,), {}, {"dim": 1}),
        ],
        refused=[
            Refusal({"dim": 2}, (MATRIX,), "dim 2 is not an axis of [N, 3]"),
        ],
        wrong=[
            Wrong({"dim": ()}, "dim should be a valid integer, got []"),
        ],
    ),
    "amin": Row(
        reduction(torch.amin, over_all=()),
        settled=[
            *on((IMAGE,), {}, {"dim": (2, -1)}, {"dim": (2, -1), "keepdim": True}),
            *each({}, (INTEGERS,), (tensor(),)),
            *on((FLAGS,), {}, {"dim": 1}),
        ],
        refused=[
            Refusal({"dim": 2}, (MATRIX,), "dim 2 is not an axis of [N, 3]"),
        ],
        wrong=[
            Wrong({"dim": ()}, "dim should be a valid integer, got []"),
        ],
    ),
    "argmax": Row(
        Oracle(
            one(values(), dim_=dims, keepdim_=flags),
            lambda a, _: Apply(lambda x: torch.argmax(x, **with_class_axis(a, x))),
        ),
        settled=[
            *each({}, (VECTOR,), (tensor(6),), (tensor("N", "H"),)),
            *on((IMAGE,), {"dim": -3}, {"dim": 2, "keepdim": True}),
            *on((INTEGERS,), {"dim": 0}),
        ],
        refused=[
            Refusal({"dim": 2}, (MATRIX,), "dim 2 is not an axis of [N, 3]"),
        ],
        wrong=[
            Wrong({"dim": (1,)}, "dim should be a valid integer, got [1]"),
        ],
    ),
    "mean": Row(
        reduction(torch.mean),
        settled=[
            *on((IMAGE,), {"dim": (2, -1)}, {"dim": (2, -1), "keepdim": True}, {}, {"keepdim": True}, {"dim": -2}),
            *on((tensor(),), {}, {"keepdim": True}),
        ],
        refused=[
            Refusal({"dim": (1, -1)}, (MATRIX,), "dim has an axis of [N, 3] twice"),
        ],
        wrong=[
            Wrong({"dim": ()}, "dim should be a valid integer, got []"),
            Wrong({"dim": 1.0}, "dim should be a valid integer, got 1.0"),
        ],
    ),
    "sum": Row(
        reduction(torch.sum),
        settled=[
            *on((IMAGE,), {}, {"dim": (2, -1)}, {"dim": (2, -1), "keepdim": True}),
            *each({}, (INTEGERS,), (tensor(),)),
            *on((FLAGS,), {}, {"dim": 1}),
        ],
        refused=[
            Refusal({"dim": 2}, (MATRIX,), "dim 2 is not an axis of [N, 3]"),
        ],
        wrong=[
            Wrong({"dim": ()}, "dim should be a valid integer, got []"),
        ],
    ),
}
