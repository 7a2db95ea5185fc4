"""Fully connected layers."""

from __future__ import annotations

from torch import nn

from optable.case import Oracle
from optable.drawing import channels, flags, one, values
from optable.oracle import in_features
from optable.row import Refusal, Row, Wrong, each, on
from sketch import tensor

ROWS: dict[str, Row] = {
    "linear": Row(
        Oracle(one(values(), out_features=channels, bias_=flags), lambda a, o: nn.Linear(in_features(o, -1), **a)),
        settled=[
            *on((tensor("N", 6),), {"out_features": 4}, {"out_features": 4, "bias": False}),
            *each({"out_features": 4}, (tensor("N", "H", 6),), (tensor(6),)),
            *on((tensor("N", "H", "W", 6),), {"out_features": 4, "bias": False}),
        ],
        refused=[
            Refusal({"out_features": 8}, (tensor("N", "H"),), "the last size of [N, H]"),
        ],
        wrong=[
            Wrong({"out_features": 0}, "out_features should be greater than or equal to 1, got 0"),
        ],
    ),
}
