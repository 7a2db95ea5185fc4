"""More element-wise functions of one value: of numbers, and activations that are rarer."""

from __future__ import annotations

import torch
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from optable.case import Oracle
from optable.drawing import one, values
from optable.operands import FLAGS, IMAGE, INTEGERS, MATRIX, ROW, VECTOR
from optable.oracle import of_numbers, of_reals, pointwise
from optable.row import Refusal, Row, Wrong, each, on
from sketch import tensor


class Prelu(nn.PReLU):
    """torch reads a channel's factor where there is no axis of channels too."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if input.dim() < 2 and self.num_parameters > 1:
            raise ValueError("no channels")
        return super().forward(input)


ROWS: dict[str, Row] = {
    "ceil": Row(
        pointwise(torch.ceil),
        settled=[
            *each({}, (IMAGE,), (INTEGERS,)),
        ],
        refused=[
            Refusal({}, (FLAGS,), "needs float32 or int64, got [N, 3] of bool"),
        ],
    ),
    "cos": Row(
        pointwise(torch.cos),
        settled=[
            *each({}, (IMAGE,), (INTEGERS,), (tensor(),)),
        ],
    ),
    "erf": Row(
        pointwise(torch.erf),
        settled=[
            *each({}, (IMAGE,), (INTEGERS,), (tensor(),)),
        ],
    ),
    "floor": Row(
        pointwise(torch.floor),
        settled=[
            *each({}, (IMAGE,), (INTEGERS,)),
        ],
        refused=[
            Refusal({}, (FLAGS,), "needs float32 or int64, got [N, 3] of bool"),
        ],
    ),
    "hardtanh": Row(
        pointwise(
            lambda x, **a: functional.hardtanh(of_reals(x), **a),
            min_val_=st.floats(-2, 0.5),
            max_val_=st.floats(-0.5, 2),
        ),
        settled=[
            *on((IMAGE,), {}, {"min_val": 0.25, "max_val": 0.5}),
            *on((VECTOR,), {}),
        ],
        refused=[
            Refusal({"min_val": 2.0}, (MATRIX,), "min_val 2.0 lies above max_val 1.0"),
        ],
        wrong=[
            Wrong({"min": 0.0}, "`hardtanh` has no attribute `min`", code="E402"),
        ],
    ),
    "logsigmoid": Row(
        pointwise(functional.logsigmoid),
        settled=[
            *each({}, (IMAGE,), (VECTOR,)),
        ],
        refused=[
            Refusal({}, (INTEGERS,), "needs float32, got [N, 3] of int64"),
        ],
    ),
    "prelu": Row(
        Oracle(
            one(values(), num_parameters_=st.sampled_from([1, 1, 2, 3]), init_=st.floats(0, 1)), lambda a, _: Prelu(**a)
        ),
        settled=[
            *on((IMAGE,), {}, {"num_parameters": 6, "init": 0.1}),
            *on((VECTOR,), {}),
            *each({"num_parameters": 6, "init": 0.1}, (tensor("N", 6),), (ROW,)),
        ],
        refused=[
            Refusal(
                {"num_parameters": 2}, (tensor("N", 3, 8),), "num_parameters 2 must be 1 or the 3 channels of [N, 3, 8]"
            ),
        ],
        wrong=[
            Wrong({"num_parameters": 0}, "num_parameters should be greater than or equal to 1, got 0"),
        ],
    ),
    "reciprocal": Row(
        pointwise(torch.reciprocal),
        settled=[
            *each({}, (IMAGE,), (INTEGERS,), (tensor(),)),
        ],
    ),
    "round": Row(
        pointwise(torch.round),
        settled=[
            *each({}, (IMAGE,), (INTEGERS,)),
        ],
        refused=[
            Refusal({}, (FLAGS,), "needs float32 or int64, got [N, 3] of bool"),
        ],
    ),
    "rsqrt": Row(
        pointwise(torch.rsqrt),
        settled=[
            *each({}, (IMAGE,), (INTEGERS,), (tensor(),)),
        ],
    ),
    "selu": Row(
        pointwise(functional.selu),
        settled=[
            *each({}, (IMAGE,), (VECTOR,)),
        ],
        refused=[
            Refusal({}, (INTEGERS,), "needs float32, got [N, 3] of int64"),
        ],
    ),
    "sign": Row(
        pointwise(lambda x: torch.sign(of_numbers(x))),
        settled=[
            *each({}, (IMAGE,), (INTEGERS,)),
        ],
        refused=[
            Refusal({}, (FLAGS,), "needs float32 or int64, got [N, 3] of bool"),
        ],
    ),
    "sin": Row(
        pointwise(torch.sin),
        settled=[
            *each({}, (IMAGE,), (INTEGERS,), (tensor(),)),
        ],
    ),
    "softsign": Row(
        pointwise(lambda x: functional.softsign(of_reals(x))),
        settled=[
            *each({}, (IMAGE,), (VECTOR,)),
        ],
        refused=[
            Refusal({}, (INTEGERS,), "needs float32, got [N, 3] of int64"),
        ],
    ),
}
