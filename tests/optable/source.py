"""Values that no operand holds: of one number, counted, or random."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import get_args

import torch
from hypothesis import strategies as st

from graphc.tensor import DType
from optable.drawing import flags, shapes
from optable.operands import FLAGS, IMAGE, INTEGERS, H, W
from optable.oracle import made, of_reals, pointwise
from optable.row import Refusal, Row, Wrong, each, on
from sketch import tensor


def arange(end: float, start: float = 0, step: float = 1) -> torch.Tensor:
    return torch.arange(start, end, step)


numbers = st.one_of(flags, st.integers(-9, 9), st.integers(-9, 9), st.sampled_from([0.5, -0.1, 1e38, 1e39]))
rows = st.lists(numbers, min_size=1, max_size=3).map(tuple)


def tabled(data: Sequence[object]) -> torch.Tensor:
    """torch takes truth values beside numbers too, and makes what is too large infinite."""
    table = torch.tensor(data)
    found = [number for row in data for number in (row if isinstance(row, tuple) else (row,))]
    if len({isinstance(number, bool) for number in found}) > 1 or not table.float().isfinite().all():
        raise ValueError(data)
    return table


def typed(function: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    """A function that gives an element type by its name."""
    return lambda shape, dtype="float32": function(shape, dtype=getattr(torch, dtype))


ROWS: dict[str, Row] = {
    "arange": Row(
        made(
            arange,
            end=st.one_of(st.integers(-3, 9), st.sampled_from([0.5, 2.5, 7.0])),
            start_=st.one_of(st.integers(-3, 9), st.just(0.25)),
            step_=st.sampled_from([1, 2, 3, -1, -2, 0, 0.5, -0.75]),
        ),
        settled=[
            *on(
                (),
                {"end": 7},
                {"end": 7, "step": 3},
                {"end": 7, "step": 0.75},
                {"end": 7, "start": -2},
                {"end": 7, "start": -2, "step": 3},
                {"end": 7, "start": -2, "step": 0.75},
                {"end": 7, "start": 0.5},
                {"end": 7, "start": 0.5, "step": 3},
                {"end": 7, "start": 0.5, "step": 0.75},
                {"end": -4, "start": 3, "step": -2},
                {"end": 10000, "start": 0.1, "step": 0.7},
            ),
        ],
        wrong=[
            Wrong({"end": True}, "end should be a valid integer, got true"),
        ],
        refused=[
            Refusal({"end": 0}, (), "nothing lies from 0 to 0 in steps of 1"),
        ],
    ),
    "full": Row(
        made(
            lambda **a: torch.full(a["shape"], a["fill_value"]),
            shape=shapes,
            fill_value=st.one_of(flags, st.integers(-9, 9), st.floats(allow_nan=False)),
        ),
        settled=[
            *on(
                (),
                {"shape": (2, 3), "fill_value": 2},
                {"shape": (2, 3), "fill_value": -0.5},
                {"shape": (2, 3), "fill_value": True},
            ),
        ],
        wrong=[
            Wrong({"shape": (2,)}, "`full` needs `fill_value`", code="E403"),
        ],
        refused=[
            Refusal({"shape": (H - W,), "fill_value": 1}, (), "a size of H - W is not positive"),
        ],
    ),
    "normal_like": Row(
        pointwise(lambda x: torch.randn_like(of_reals(x))),
        refused=[
            Refusal({}, (INTEGERS,), "needs float32, got [N, 3] of int64"),
        ],
    ),
    "ones": Row(
        made(typed(torch.ones), shape=shapes, dtype_=st.sampled_from(get_args(DType))),
        settled=[
            *on(
                (),
                {"shape": (2, 3)},
                {"shape": ()},
                {"shape": (3,), "dtype": "int64"},
                {"shape": (3,), "dtype": "bool"},
            ),
        ],
        refused=[
            Refusal({"shape": (H - W,)}, (), "a size of H - W is not positive"),
        ],
        wrong=[
            Wrong({"shape": (2,), "dtype": "float64"}, "dtype should be 'float32', 'int64' or 'bool'"),
        ],
    ),
    "ones_like": Row(
        pointwise(torch.ones_like),
        settled=[
            *each({}, (IMAGE,), (INTEGERS,), (FLAGS,), (tensor(),)),
        ],
    ),
    "tensor": Row(
        made(tabled, data=st.one_of(rows, st.lists(rows, min_size=1, max_size=3).map(tuple))),
        settled=[
            *on(
                (),
                {"data": (1, -2, 2**40)},
                {"data": (0.1, 2)},
                {"data": ((True, False), (False, False))},
                {"data": ((10, 13), (16, 30), (33.5, 23))},
            ),
        ],
        wrong=[
            Wrong({"data": ()}, "data Tuple should have at least 1 item"),
            Wrong({"data": (((1,),),)}, "data should be"),
            Wrong({}, "`tensor` needs `data`", code="E403"),
        ],
        refused=[
            Refusal({"data": ((1, 2), (3,))}, (), "rows of 1 and 2 numbers give no table"),
            Refusal({"data": (1, True)}, (), "truth values and numbers can't stand side by side"),
        ],
    ),
    "zeros": Row(
        made(typed(torch.zeros), shape=shapes, dtype_=st.sampled_from(get_args(DType))),
        settled=[
            *on(
                (),
                {"shape": (2, 3)},
                {"shape": ()},
                {"shape": (3,), "dtype": "int64"},
                {"shape": (3,), "dtype": "bool"},
            ),
        ],
        wrong=[
            Wrong({"shape": (0,)}, "shape should be greater than or equal to 1, got 0"),
            Wrong({"shape": (2,), "dtype": "float64"}, "dtype should be 'float32', 'int64' or 'bool'"),
        ],
        refused=[
            Refusal({"shape": (H - W,)}, (), "a size of H - W is not positive"),
        ],
    ),
    "zeros_like": Row(
        pointwise(torch.zeros_like),
        settled=[
            *each({}, (IMAGE,), (INTEGERS,), (FLAGS,), (tensor(),)),
        ],
    ),
}
