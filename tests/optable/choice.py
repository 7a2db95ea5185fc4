"""One of two values, element by element: the larger, the smaller, what is true of both, and what is put over it."""

from __future__ import annotations

import torch
from hypothesis import strategies as st

from graphc.tensor import DType, Tensor
from optable.case import Case, Oracle
from optable.drawing import pairs
from optable.operands import FLAGS, IMAGE, INTEGERS, MATRIX
from optable.oracle import Apply, operator, pointwise
from optable.row import Refusal, Row, Wrong, each, on
from sketch import tensor


@st.composite
def fills(draw: st.DrawFn) -> Case:
    operands = draw(pairs())
    kind: DType = "int64" if draw(st.integers(0, 9)) == 9 else "bool"
    value = draw(st.sampled_from([True, False, 2, -0.5, 1.0]))
    return {"value": value}, (operands[0], Tensor(operands[1].shape, kind))


def masked_filled(x: torch.Tensor, mask: torch.Tensor, value: float) -> torch.Tensor:
    """torch cuts a value to the element type."""
    if torch.tensor(value).dtype != x.dtype and (type(value) is not int or x.dtype != torch.float32):
        raise ValueError("another element type")
    return x.masked_fill(mask, value)


ROWS: dict[str, Row] = {
    "logical_and": Row(
        operator(torch.logical_and),
        settled=[
            *each({}, (FLAGS, FLAGS), (FLAGS, INTEGERS), (MATRIX, tensor("N", 1, dtype="int64"))),
        ],
        refused=[
            Refusal({}, (MATRIX, tensor("N", 4)), "the operands have sizes 3 and 4"),
        ],
    ),
    "logical_not": Row(
        pointwise(torch.logical_not),
        settled=[
            *each({}, (FLAGS,), (INTEGERS,), (MATRIX,)),
        ],
    ),
    "logical_or": Row(
        operator(torch.logical_or),
        settled=[
            *each({}, (FLAGS, FLAGS), (FLAGS, INTEGERS), (MATRIX, tensor("N", 1, dtype="int64"))),
        ],
        refused=[
            Refusal({}, (MATRIX, tensor("N", 4)), "the operands have sizes 3 and 4"),
        ],
    ),
    "logical_xor": Row(
        operator(torch.logical_xor),
        settled=[
            *each({}, (FLAGS, FLAGS), (FLAGS, INTEGERS), (MATRIX, tensor("N", 1, dtype="int64"))),
        ],
        refused=[
            Refusal({}, (MATRIX, tensor("N", 4)), "the operands have sizes 3 and 4"),
        ],
    ),
    "masked_fill": Row(
        Oracle(fills(), lambda a, _: Apply(lambda x, mask: masked_filled(x, mask, **a))),
        settled=[
            *on((IMAGE, tensor("H", 1, dtype="bool")), {"value": 2}),
            *on((tensor(3), FLAGS), {"value": -0.5}),
            *on((MATRIX, FLAGS), {"value": float("-inf")}),
            *on((INTEGERS, FLAGS), {"value": 7}),
            *on((FLAGS, tensor("N", 1, dtype="bool")), {"value": False}, {"value": True}),
        ],
        wrong=[
            Wrong({}, "`masked_fill` needs `value`", code="E403"),
            Wrong({"value": "0"}, ""),
        ],
        refused=[
            Refusal({"value": 2}, (MATRIX, INTEGERS), "needs bool, got [N, 3] of int64"),
            Refusal({"value": 0.5}, (INTEGERS, FLAGS), "0.5 is float32, [N, 3] holds int64"),
        ],
    ),
    "maximum": Row(
        operator(torch.maximum),
        settled=[
            *each({}, (FLAGS, FLAGS), (FLAGS, INTEGERS), (MATRIX, tensor("N", 1, dtype="int64"))),
        ],
        refused=[
            Refusal({}, (MATRIX, tensor("N", 4)), "the operands have sizes 3 and 4"),
        ],
    ),
    "minimum": Row(
        operator(torch.minimum),
        settled=[
            *each({}, (FLAGS, FLAGS), (FLAGS, INTEGERS), (MATRIX, tensor("N", 1, dtype="int64"))),
        ],
        refused=[
            Refusal({}, (MATRIX, tensor("N", 4)), "the operands have sizes 3 and 4"),
        ],
    ),
}
