"""Comparison of values, and the choice that it decides."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from hypothesis import strategies as st

from graphc.tensor import DType, Tensor
from optable.case import Oracle
from optable.drawing import pairs, two
from optable.operands import FLAGS, INTEGERS, MATRIX
from optable.oracle import Apply, operator
from optable.row import Refusal, Row, each
from sketch import tensor


@st.composite
def choices(draw: st.DrawFn) -> Sequence[Tensor]:
    """Three values, of which the first is nearly always of truth."""
    condition, *others = draw(pairs(3))
    return Tensor(condition.shape, draw(st.sampled_from([*truth, condition.dtype]))), *others


truth: list[DType] = ["bool"] * 12


ROWS: dict[str, Row] = {
    "eq": Row(
        operator(torch.eq),
        settled=[
            *each({}, (MATRIX, INTEGERS), (FLAGS, FLAGS)),
        ],
        refused=[
            Refusal({}, (MATRIX, tensor("N", 4)), "the operands have sizes 3 and 4"),
        ],
    ),
    "ge": Row(
        operator(torch.ge),
        settled=[
            *each({}, (MATRIX, INTEGERS), (FLAGS, FLAGS)),
        ],
        refused=[
            Refusal({}, (MATRIX, tensor("N", 4)), "the operands have sizes 3 and 4"),
        ],
    ),
    "gt": Row(
        operator(torch.gt),
        settled=[
            *each({}, (MATRIX, INTEGERS), (FLAGS, FLAGS)),
        ],
        refused=[
            Refusal({}, (MATRIX, tensor("N", 4)), "the operands have sizes 3 and 4"),
        ],
    ),
    "le": Row(
        operator(torch.le),
        settled=[
            *each({}, (MATRIX, INTEGERS), (FLAGS, FLAGS)),
        ],
        refused=[
            Refusal({}, (MATRIX, tensor("N", 4)), "the operands have sizes 3 and 4"),
        ],
    ),
    "lt": Row(
        operator(torch.lt),
        settled=[
            *each({}, (MATRIX, INTEGERS), (FLAGS, FLAGS)),
        ],
        refused=[
            Refusal({}, (MATRIX, tensor("N", 4)), "the operands have sizes 3 and 4"),
        ],
    ),
    "ne": Row(
        operator(torch.ne),
        settled=[
            *each({}, (MATRIX, INTEGERS), (FLAGS, FLAGS)),
        ],
        refused=[
            Refusal({}, (MATRIX, tensor("N", 4)), "the operands have sizes 3 and 4"),
        ],
    ),
    "where": Row(
        Oracle(two(choices()), lambda a, _: Apply(torch.where)),
        settled=[
            *each({}, (FLAGS, INTEGERS, MATRIX), (tensor("N", 1, dtype="bool"), FLAGS, FLAGS)),
        ],
        refused=[
            Refusal({}, (FLAGS, tensor("N", 4), MATRIX), "the operands have sizes 3 and 4"),
            Refusal({}, (MATRIX, MATRIX, MATRIX), "needs bool, got [N, 3] of float32"),
        ],
    ),
}
