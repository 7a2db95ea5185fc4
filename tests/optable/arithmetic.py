"""Arithmetic on values, broadcast against each other and promoted to one element type as in PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import torch
from hypothesis import strategies as st

from graphc.tensor import Tensor
from optable.case import Oracle
from optable.drawing import mostly, one, similar, sizes, two, values
from optable.operands import FLAGS, IMAGE, INTEGERS, MATRIX
from optable.oracle import Apply, operator
from optable.row import Refusal, Row, each, on
from sketch import tensor


@st.composite
def matrices(draw: st.DrawFn) -> Sequence[Tensor]:
    """Two stacks of matrices or vectors that nearly always can be multiplied."""
    inner, batch = draw(sizes), draw(st.lists(st.integers(1, 3), max_size=2))
    found = []
    for axis in (-1, -2):
        whole = [*(draw(st.sampled_from([size] * 6 + [1, size + 1])) for size in batch), draw(sizes), draw(sizes)]
        whole[axis] = draw(st.sampled_from([inner] * 12 + [inner + 1]))
        rank = draw(st.sampled_from([len(whole)] * 3 + [2, 2, 1, 0]))
        shape = [inner] if rank == 1 else whole[len(whole) - rank :]
        found.append(Tensor(tuple(shape), draw(st.sampled_from([*mostly, "int64", "bool"]))))
    return found


ROWS: dict[str, Row] = {
    "add": Row(
        Oracle(two(similar()), lambda a, _: Apply(lambda *operands: reduce(torch.add, operands))),
        settled=[
            *each(
                {},
                (IMAGE, IMAGE),
                (IMAGE, tensor(6, 1, 1), tensor("W"), tensor(1, 1, "H", 1)),
                (INTEGERS, INTEGERS, INTEGERS),
                (FLAGS, FLAGS, INTEGERS, MATRIX),
            ),
        ],
        refused=[
            Refusal({}, (tensor("N", 3, 8),), "takes two values or more, got 1"),
            Refusal({}, (tensor("N", 3, 8), tensor("N", 4, 8)), "the operands have sizes 3 and 4"),
        ],
    ),
    "divide": Row(
        operator(torch.div),
        settled=[
            *on((INTEGERS, MATRIX), {}),
        ],
        refused=[
            Refusal({}, (MATRIX, tensor("N", 4)), "the operands have sizes 3 and 4"),
        ],
    ),
    "floor_divide": Row(
        operator(torch.floor_divide, ones=True),
        settled=[
            *each({}, (MATRIX, MATRIX), (INTEGERS, INTEGERS)),
        ],
        refused=[
            Refusal({}, (MATRIX, tensor("N", 4)), "the operands have sizes 3 and 4"),
        ],
    ),
    "matmul": Row(
        Oracle(two(matrices()), lambda a, _: Apply(torch.matmul)),
        settled=[
            *each(
                {},
                (IMAGE, tensor("N", 1, "W", 5)),
                (tensor("H"), IMAGE),
                (IMAGE, tensor("W")),
                (tensor("H"), tensor("H")),
                (INTEGERS, tensor(3, 4, dtype="int64")),
            ),
        ],
        refused=[
            Refusal(
                {},
                (tensor("N", 3, 8), tensor("N", 7, 4)),
                "the rows of the first have 8 elements, the columns of the second 7",
            ),
            Refusal({}, (tensor(3), tensor()), "needs values with an axis or more, got []"),
        ],
    ),
    "multiply": Row(
        Oracle(two(similar()), lambda a, _: Apply(lambda *operands: reduce(torch.mul, operands))),
        settled=[
            *each({}, (IMAGE, tensor(6, 1, 1), tensor("W")), (FLAGS, FLAGS)),
        ],
        refused=[
            Refusal({}, (MATRIX, tensor("N", 4)), "the operands have sizes 3 and 4"),
        ],
    ),
    "negative": Row(
        Oracle(one(values()), lambda a, _: Apply(torch.neg)),
        settled=[
            *on((INTEGERS,), {}),
        ],
        refused=[
            Refusal({}, (FLAGS,), "needs float32 or int64, got [N, 3] of bool"),
        ],
    ),
    "pow": Row(
        operator(torch.pow),
        settled=[
            *on((INTEGERS, tensor(1, dtype="bool")), {}),
        ],
        refused=[
            Refusal({}, (MATRIX, tensor("N", 4)), "the operands have sizes 3 and 4"),
        ],
    ),
    "remainder": Row(
        operator(torch.remainder, ones=True),
        settled=[
            *each({}, (MATRIX, INTEGERS), (INTEGERS, INTEGERS)),
        ],
        refused=[
            Refusal({}, (MATRIX, tensor("N", 4)), "the operands have sizes 3 and 4"),
        ],
    ),
    "subtract": Row(
        operator(torch.sub),
        settled=[
            *on((IMAGE, tensor("W", dtype="int64")), {}),
        ],
        refused=[
            Refusal({}, (tensor(3, 8), tensor(2, 8)), "the operands have sizes 3 and 2"),
        ],
    ),
}
