"""Position codes made of sines and cosines."""

from __future__ import annotations

import torch
from hypothesis import strategies as st

from optable.case import Oracle
from optable.drawing import images, one, sizes
from optable.operands import IMAGE, N
from optable.oracle import Apply, batched, made, of_reals
from optable.row import Refusal, Row, Wrong, on
from sketch import tensor


def even(length: int, dim: int) -> torch.Tensor:
    if dim % 2:
        raise ValueError("odd")
    return torch.zeros(length, dim)


def of_place(x: torch.Tensor, channels: int) -> torch.Tensor:
    if channels % 4:
        raise ValueError("channels")
    return torch.zeros(len(x), channels, *x.shape[2:])


ROWS: dict[str, Row] = {
    "sine_position_2d": Row(
        Oracle(
            one(images(), channels=st.sampled_from([4, 8, 6])),
            lambda a, o: batched(2, o, Apply(lambda x: of_place(of_reals(x), **a))),
        ),
        settled=[
            *on((IMAGE,), {"channels": 8}),
            *on((tensor(2, 3, 5, 4),), {"channels": 4}),
        ],
        refused=[
            Refusal({"channels": 6}, (tensor("N", 3, 8, 8),), "4 must divide channels 6"),
        ],
        wrong=[
            Wrong({"channels": 0}, "channels should be greater than or equal to 1, got 0"),
        ],
    ),
    "sinusoid": Row(
        made(even, length=sizes, dim=st.integers(1, 6)),
        settled=[
            *on((), {"length": 40, "dim": 6}),
        ],
        refused=[
            Refusal({"length": N, "dim": 5}, (), "dim 5 must be even: each sine has its cosine"),
        ],
        wrong=[
            Wrong({"length": 3}, "`sinusoid` needs `dim`", code="E403"),
        ],
    ),
}
