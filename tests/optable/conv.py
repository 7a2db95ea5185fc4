"""Convolutions."""

from __future__ import annotations

from hypothesis import strategies as st

from optable.case import Oracle
from optable.drawing import channels, extents, flags, of_rank, one, window
from optable.operands import FIXED, IMAGE, ROW, SOLID
from optable.oracle import batched, in_features, layer
from optable.row import Refusal, Row, Wrong, on
from sketch import tensor

conv = {"out_channels": channels, "groups_": st.integers(1, 3), "bias_": flags}


def convolution(axes: int) -> Oracle:
    return Oracle(
        one(of_rank(axes), **window(axes), **conv),
        lambda a, o: batched(axes, o, layer("Conv", axes)(in_features(o, 1), **a)),
    )


def transposed_convolution(axes: int) -> Oracle:
    drawn = one(of_rank(axes), **window(axes), **conv, output_padding_=extents(0, 2, axes))
    return Oracle(drawn, lambda a, o: batched(axes, o, layer("ConvTranspose", axes)(in_features(o, 1), **a)))


ROWS: dict[str, Row] = {
    "conv1d": Row(
        convolution(1),
        settled=[
            *on(
                (ROW,),
                {"out_channels": 4, "kernel_size": 3},
                {
                    "out_channels": 9,
                    "kernel_size": 3,
                    "stride": 2,
                    "padding": 2,
                    "dilation": 2,
                    "groups": 3,
                    "bias": False,
                },
            ),
        ],
        refused=[
            Refusal({"out_channels": 8, "kernel_size": 3}, (tensor("N", 3, 9, 9),), "needs a value with 3 axes"),
        ],
        wrong=[
            Wrong({"out_channels": 8}, "`conv1d` needs `kernel_size`", code="E403"),
        ],
    ),
    "conv2d": Row(
        convolution(2),
        settled=[
            *on(
                (IMAGE,),
                {"out_channels": 4, "kernel_size": 3},
                {"out_channels": 4, "kernel_size": (1, 4), "stride": (2, 3), "padding": (0, 1), "bias": False},
                {"out_channels": 9, "kernel_size": 3, "stride": 2, "padding": 2, "dilation": (2, 1), "groups": 3},
            ),
            *on((FIXED,), {"out_channels": 12, "kernel_size": 2, "groups": 6}),
        ],
        refused=[
            Refusal({"out_channels": 8, "kernel_size": 3}, (tensor("N", 3, 2, 9),), "a window of 3 must fit into 2"),
            Refusal(
                {"out_channels": 8, "kernel_size": 3},
                (tensor("N", "H", 9, 9),),
                "the number of channels of [N, H, 9, 9]",
            ),
            Refusal(
                {"out_channels": 8, "kernel_size": 3, "groups": 2},
                (tensor("N", 3, 9, 9),),
                "groups 2 must divide the input",
            ),
            Refusal(
                {"out_channels": 9, "kernel_size": 3, "groups": 2},
                (tensor("N", 4, 9, 9),),
                "groups 2 must divide out_ch",
            ),
        ],
        wrong=[
            Wrong({}, "`conv2d` needs `out_channels`", code="E403"),
            Wrong({"out_channels": 8}, "`conv2d` needs `kernel_size`", code="E403"),
            Wrong({"kernel_size": 3}, "`conv2d` needs `out_channels`", code="E403"),
            Wrong({"out_channels": 0, "kernel_size": 3}, "out_channels should be greater than or equal to 1, got 0"),
            Wrong({"out_channels": 8.0, "kernel_size": 3}, "out_channels should be a valid integer, got 8.0"),
            Wrong({"out_channels": True, "kernel_size": 3}, "out_channels should be a valid integer, got true"),
            Wrong({"out_channels": "8", "kernel_size": 3}, ""),
            Wrong({"out_channels": 8, "kernel_size": 0}, "kernel_size should be greater than or equal to 1, got 0"),
            Wrong(
                {"out_channels": 8, "kernel_size": (3, 0)}, "kernel_size should be greater than or equal to 1, got 0"
            ),
            Wrong({"out_channels": 8, "kernel_size": None}, "kernel_size should be a valid integer, got none"),
            Wrong(
                {"out_channels": 8, "kernel_size": 3, "stride": 0}, "stride should be greater than or equal to 1, got 0"
            ),
            Wrong(
                {"out_channels": 8, "kernel_size": 3, "padding": -1},
                "padding should be greater than or equal to 0, got -1",
            ),
            Wrong({"out_channels": 8, "kernel_size": 3, "padding": "same"}, "`same` is not a name here", code="E302"),
            Wrong(
                {"out_channels": 8, "kernel_size": 3, "dilation": 0},
                "dilation should be greater than or equal to 1, got 0",
            ),
            Wrong(
                {"out_channels": 8, "kernel_size": 3, "groups": 0}, "groups should be greater than or equal to 1, got 0"
            ),
            Wrong({"out_channels": 8, "kernel_size": 3, "bias": 1}, "bias should be a valid boolean, got 1"),
            Wrong(
                {"out_channels": 8, "kernel_size": 3, "in_channels": 3},
                "`conv2d` has no attribute `in_channels`",
                code="E402",
            ),
        ],
    ),
    "conv3d": Row(
        convolution(3),
        settled=[
            *on(
                (SOLID,),
                {"out_channels": 4, "kernel_size": 3},
                {
                    "out_channels": 9,
                    "kernel_size": 3,
                    "stride": 2,
                    "padding": 2,
                    "dilation": 2,
                    "groups": 3,
                    "bias": False,
                },
            ),
        ],
        refused=[
            Refusal(
                {"out_channels": 8, "kernel_size": (3, 3)}, (tensor("N", 3, 9, 9, 9),), "kernel_size needs 3 numbers"
            ),
        ],
        wrong=[
            Wrong(
                {"out_channels": 8, "kernel_size": 3, "padding_mode": "zeros"},
                "`conv3d` has no attribute `padding_mode`",
                code="E402",
            ),
        ],
    ),
    "conv_transpose1d": Row(
        transposed_convolution(1),
        settled=[
            *on(
                (ROW,),
                {"out_channels": 4, "kernel_size": 2, "stride": 2},
                {"out_channels": 9, "kernel_size": 3, "stride": 3, "padding": 1, "output_padding": 2, "groups": 3},
            ),
        ],
        refused=[
            Refusal({"out_channels": 8, "kernel_size": 3}, (IMAGE,), "needs a value with 3 axes"),
        ],
        wrong=[
            Wrong({"out_channels": 8}, "`conv_transpose1d` needs `kernel_size`", code="E403"),
        ],
    ),
    "conv_transpose2d": Row(
        transposed_convolution(2),
        settled=[
            *on(
                (IMAGE,),
                {"out_channels": 4, "kernel_size": 2, "stride": 2},
                {"out_channels": 4, "kernel_size": (3, 4), "stride": (2, 3), "padding": (1, 2), "bias": False},
                {"out_channels": 9, "kernel_size": 3, "stride": 3, "output_padding": (2, 1), "groups": 3},
            ),
            *on((FIXED,), {"out_channels": 4, "kernel_size": 3, "padding": 2, "output_padding": 1, "dilation": (2, 3)}),
        ],
        refused=[
            Refusal({"out_channels": 8, "kernel_size": 1, "padding": 1}, (tensor("N", 3, 2, 2),), "nothing is left"),
        ],
        wrong=[
            Wrong(
                {"out_channels": 8, "kernel_size": 3, "output_padding": -1},
                "output_padding should be greater than or equal to 0, got -1",
            ),
        ],
    ),
    "conv_transpose3d": Row(
        transposed_convolution(3),
        settled=[
            *on(
                (SOLID,),
                {"out_channels": 4, "kernel_size": 2, "stride": 2},
                {"out_channels": 9, "kernel_size": 3, "stride": 3, "padding": 1, "output_padding": 2, "groups": 3},
            ),
        ],
        refused=[
            Refusal({"out_channels": 8, "kernel_size": 3}, (IMAGE,), "needs a value with 5 axes"),
        ],
        wrong=[
            Wrong({"out_channels": 8}, "`conv_transpose3d` needs `kernel_size`", code="E403"),
        ],
    ),
}
