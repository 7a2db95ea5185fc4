"""Convolutions that see only what comes before."""

from __future__ import annotations

from hypothesis import strategies as st
from torch import nn

from optable.case import Attributes, Case, Oracle
from optable.drawing import channels, flags, images, one, window
from optable.operands import IMAGE
from optable.oracle import batched, in_features
from optable.row import Refusal, Row, Wrong, on
from sketch import tensor


def masked() -> st.SearchStrategy[Case]:
    kernel = st.sampled_from([1, 3, 3, 5, 2, (1, 3), (3, 2)])
    drawn = window(2) | {"kernel_size": kernel, "out_channels": channels, "bias_": flags, "mask": st.sampled_from("AB")}
    return one(images(), **drawn, colours_=st.integers(1, 3), parts_=st.sampled_from([1, 1, 2]))


class Masked(nn.Conv2d):
    """The mask changes neither shapes nor costs."""

    def __init__(self, attributes: Attributes, in_channels: int) -> None:
        rest = {name: value for name, value in attributes.items() if name not in ("mask", "colours", "parts")}
        super().__init__(in_channels, **rest)
        if not all(size % 2 for size in self.kernel_size) or self.out_channels % attributes.get("parts", 1):
            raise ValueError("no middle")


ROWS: dict[str, Row] = {
    "masked_conv2d": Row(
        Oracle(masked(), lambda a, o: batched(2, o, Masked(a, in_features(o, 1)))),
        settled=[
            *on(
                (IMAGE,),
                {"out_channels": 8, "kernel_size": 3, "padding": 1, "mask": "A", "colours": 3},
                {"out_channels": 8, "kernel_size": 3, "padding": 1, "mask": "A", "colours": 3, "parts": 2},
                {"out_channels": 8, "kernel_size": 3, "padding": 1, "mask": "B", "colours": 3},
                {"out_channels": 8, "kernel_size": 3, "padding": 1, "mask": "B", "colours": 3, "parts": 2},
                {"out_channels": 3, "kernel_size": (1, 5), "bias": False, "mask": "A", "colours": 3},
                {"out_channels": 4, "kernel_size": 1, "mask": "B"},
            ),
        ],
        refused=[
            Refusal({"out_channels": 8, "kernel_size": 2, "mask": "A"}, (tensor("N", 3, 8, 8),), "2 has no middle"),
            Refusal(
                {"out_channels": 8, "kernel_size": 3, "mask": "A", "parts": 3},
                (tensor("N", 3, 8, 8),),
                "parts 3 must divide out_channels 8",
            ),
        ],
        wrong=[
            Wrong({"out_channels": 8, "kernel_size": 3}, "`masked_conv2d` needs `mask`", code="E403"),
            Wrong({"out_channels": 8, "kernel_size": 3, "mask": "C"}, "mask should be 'A' or 'B'"),
        ],
    ),
}
