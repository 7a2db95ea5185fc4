"""Ops that keep as many things as the data says."""

from __future__ import annotations

import torch

from optable.case import Oracle
from optable.drawing import one, values
from optable.operands import MATRIX, N
from optable.oracle import Apply
from optable.row import Refusal, Row, each
from sketch import tensor


def all_places(x: torch.Tensor) -> torch.Tensor:
    """Of the zeros that all operands are drawn as, none would be left."""
    if x.dim() != 1:
        raise ValueError("no row")
    return torch.ones_like(x).nonzero().squeeze(1)


ROWS = {
    "nonzero": Row(
        Oracle(one(values(most=2)), lambda a, _: Apply(all_places)),
        settled=[
            *each({}, (tensor("N"),), (tensor(2 * N, dtype="int64"),), (tensor("H", dtype="bool"),)),
        ],
        refused=[Refusal({}, (MATRIX,), "needs a value with 1 axes, got [N, 3]")],
    ),
}
