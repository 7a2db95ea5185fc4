"""Tables of learned vectors, and tensors that are learned by themselves."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from hypothesis import strategies as st
from torch import nn

from graphc.tensor import Tensor
from optable.case import Attributes, Oracle
from optable.drawing import channels, indices, one, sizes
from optable.operands import INTEGERS, MATRIX, H, W
from optable.row import Refusal, Row, Wrong, on
from sketch import tensor


def embedding(attributes: Attributes, _: Sequence[Tensor]) -> nn.Module:
    try:
        return nn.Embedding(**attributes)
    except AssertionError as error:
        raise ValueError("padding_idx") from error


class Learned(nn.Module):
    """A parameter as a module."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(shape))

    def forward(self) -> torch.Tensor:
        return self.weight


ROWS: dict[str, Row] = {
    "embedding": Row(
        Oracle(
            one(
                indices(),
                num_embeddings=st.integers(2, 5),
                embedding_dim=channels,
                padding_idx_=st.sampled_from([0, 1, -2] * 3 + [5, -6]),
            ),
            embedding,
        ),
        settled=[
            *on((INTEGERS,), {"num_embeddings": 5, "embedding_dim": 3}),
            *on((tensor("N", "H", 2, dtype="int64"),), {"num_embeddings": 5, "embedding_dim": 3, "padding_idx": -1}),
        ],
        refused=[
            Refusal({"num_embeddings": 3, "embedding_dim": 2, "padding_idx": 3}, (MATRIX,), "padding_idx 3 is none"),
            Refusal({"num_embeddings": 3, "embedding_dim": 2, "padding_idx": -4}, (MATRIX,), "padding_idx -4 is none"),
            Refusal({"num_embeddings": H - W, "embedding_dim": 2}, (INTEGERS,), "num_embeddings H - W is not positive"),
        ],
        wrong=[
            Wrong({"num_embeddings": 3}, "`embedding` needs `embedding_dim`", code="E403"),
        ],
    ),
    "parameter": Row(
        Oracle(
            st.tuples(st.fixed_dictionaries({"shape": st.lists(sizes, max_size=4).map(tuple)}), st.just(())),
            lambda a, _: Learned(a["shape"]),
        ),
        settled=[
            *on((), {"shape": (1, 3, 5)}, {"shape": (), "std": 0.02}),
        ],
        refused=[
            Refusal({"shape": (H - W,)}, (), "a size of H - W is not positive"),
        ],
        wrong=[
            Wrong({"shape": (0,)}, "shape should be greater than or equal to 1, got 0"),
        ],
    ),
}
