"""Pooling."""

from __future__ import annotations

from optable.case import Oracle
from optable.drawing import extents, flags, images, of_rank, one, window, window_of_means
from optable.operands import FIXED, HALF_FIXED, IMAGE, ROW, SOLID
from optable.oracle import Apply, batched, layer, of_reals
from optable.row import Refusal, Row, Wrong, on
from sketch import tensor


def max_pool(axes: int) -> Oracle:
    drawn = one(of_rank(axes), **window(axes), ceil_mode_=flags, return_indices_=flags)
    return Oracle(drawn, lambda a, o: batched(axes, o, layer("MaxPool", axes)(**a)))


def avg_pool(axes: int) -> Oracle:
    """torch averages whole numbers too, and cuts off what is behind the point."""
    drawn = one(of_rank(axes), **window_of_means(axes), ceil_mode_=flags, count_include_pad_=flags)
    return Oracle(drawn, lambda a, o: batched(axes, o, Apply(lambda x: layer("AvgPool", axes)(**a)(of_reals(x)))))


def adaptive_pool(axes: int, kind: str) -> Oracle:
    """With an output of 1 torch takes the mean of any number of axes."""
    drawn = one(images([axes + 2]), output_size=extents(1, 5, axes))
    return Oracle(drawn, lambda a, _: Apply(lambda x: layer(f"Adaptive{kind}Pool", axes)(**a)(of_reals(x))))


ROWS: dict[str, Row] = {
    "adaptive_avg_pool1d": Row(
        adaptive_pool(1, "Avg"),
        settled=[
            *on((ROW,), {"output_size": 1}, {"output_size": 5}),
            *on((tensor("N", 2, 15),), {"output_size": 1}, {"output_size": 5}),
        ],
        refused=[
            Refusal({"output_size": 2}, (IMAGE,), "needs a value with 3 axes"),
        ],
        wrong=[
            Wrong({"output_size": 0}, "output_size should be greater than or equal to 1, got 0"),
        ],
    ),
    "adaptive_avg_pool2d": Row(
        adaptive_pool(2, "Avg"),
        settled=[
            *on((IMAGE,), {"output_size": 1}, {"output_size": 7}, {"output_size": (1, 25)}),
            *on((FIXED,), {"output_size": (1, 1)}, {"output_size": (11, 7)}, {"output_size": (3, 5)}),
            *on((HALF_FIXED,), {"output_size": (5, 4)}),
        ],
        wrong=[
            Wrong({"output_size": 0}, "output_size should be greater than or equal to 1, got 0"),
        ],
        refused=[
            Refusal({"output_size": 2}, (ROW,), "needs a value with 4 axes"),
        ],
    ),
    "adaptive_avg_pool3d": Row(
        adaptive_pool(3, "Avg"),
        settled=[
            *on((SOLID,), {"output_size": 1}, {"output_size": 5}, {"output_size": (7, 1, 3)}),
            *on((tensor("N", 2, 4, 6, 8),), {"output_size": (2, 3, 2)}, {"output_size": (2, 3, 5)}),
        ],
        refused=[
            Refusal({"output_size": 2}, (IMAGE,), "needs a value with 5 axes"),
        ],
        wrong=[
            Wrong({"output_size": 0}, "output_size should be greater than or equal to 1, got 0"),
        ],
    ),
    "adaptive_max_pool1d": Row(
        adaptive_pool(1, "Max"),
        settled=[
            *on((ROW,), {"output_size": 1}, {"output_size": 5}),
            *on((tensor("N", 2, 15),), {"output_size": 1}, {"output_size": 5}),
        ],
        refused=[
            Refusal({"output_size": 2}, (IMAGE,), "needs a value with 3 axes"),
        ],
        wrong=[
            Wrong({"output_size": 0}, "output_size should be greater than or equal to 1, got 0"),
        ],
    ),
    "adaptive_max_pool2d": Row(
        adaptive_pool(2, "Max"),
        settled=[
            *on((IMAGE,), {"output_size": 1}, {"output_size": 7}, {"output_size": (1, 25)}),
            *on((FIXED,), {"output_size": 1}, {"output_size": (11, 7)}, {"output_size": (3, 5)}),
            *on((HALF_FIXED,), {"output_size": (5, 4)}),
        ],
        refused=[
            Refusal({"output_size": 2}, (ROW,), "needs a value with 4 axes"),
        ],
        wrong=[
            Wrong({"output_size": 0}, "output_size should be greater than or equal to 1, got 0"),
        ],
    ),
    "adaptive_max_pool3d": Row(
        adaptive_pool(3, "Max"),
        settled=[
            *on((SOLID,), {"output_size": 1}, {"output_size": 5}, {"output_size": (7, 1, 3)}),
            *on((tensor("N", 2, 4, 6, 8),), {"output_size": (2, 3, 2)}, {"output_size": (2, 3, 5)}),
        ],
        refused=[
            Refusal({"output_size": 2}, (IMAGE,), "needs a value with 5 axes"),
        ],
        wrong=[
            Wrong({"output_size": 0}, "output_size should be greater than or equal to 1, got 0"),
        ],
    ),
    "avg_pool1d": Row(
        avg_pool(1),
        settled=[
            *on(
                (ROW,),
                {"kernel_size": 2},
                {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False},
            ),
        ],
        refused=[
            Refusal({"kernel_size": 3}, (tensor("N", 3, 2),), "a window of 3 must fit into 2, input [N, 3, 2]"),
        ],
        wrong=[
            Wrong({"kernel_size": 2, "dilation": 1}, "`avg_pool1d` has no attribute `dilation`", code="E402"),
        ],
    ),
    "avg_pool2d": Row(
        avg_pool(2),
        settled=[
            *on(
                (IMAGE,),
                {"kernel_size": 2},
                {"kernel_size": (3, 2), "stride": (2, 1), "padding": 1},
                {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
                {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False},
                {"kernel_size": 2, "stride": 3, "padding": 1, "ceil_mode": True},
                {"kernel_size": 2, "stride": 3, "padding": 1, "ceil_mode": True, "count_include_pad": False},
            ),
            *on(
                (FIXED,),
                {"kernel_size": 1, "stride": 4, "ceil_mode": True},
                {"kernel_size": 2, "padding": 1, "count_include_pad": False},
            ),
        ],
        wrong=[
            Wrong({"kernel_size": 2, "dilation": 1}, "`avg_pool2d` has no attribute `dilation`", code="E402"),
        ],
        refused=[
            Refusal({"kernel_size": 3}, (tensor("N", 3, 2, 9),), "a window of 3 must fit into 2, input [N, 3, 2, 9]"),
        ],
    ),
    "avg_pool3d": Row(
        avg_pool(3),
        settled=[
            *on(
                (SOLID,),
                {"kernel_size": 2},
                {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False},
            ),
        ],
        refused=[
            Refusal(
                {"kernel_size": 2, "padding": 1}, (tensor("N", 3, 1, 9, 9),), "a window of 2 must fit into 1 without"
            ),
        ],
        wrong=[
            Wrong({"kernel_size": 2, "dilation": 1}, "`avg_pool3d` has no attribute `dilation`", code="E402"),
        ],
    ),
    "max_pool1d": Row(
        max_pool(1),
        settled=[
            *on(
                (ROW,),
                {"kernel_size": 2},
                {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2},
                {"kernel_size": 3, "stride": 2, "return_indices": True, "ceil_mode": True},
            ),
        ],
        refused=[
            Refusal({"kernel_size": 2}, (tensor("N", 3, 9, dtype="int64"),), "needs float32, got [N, 3, 9] of int64"),
        ],
        wrong=[
            Wrong({}, "`max_pool1d` needs `kernel_size`", code="E403"),
        ],
    ),
    "max_pool2d": Row(
        max_pool(2),
        settled=[
            *on(
                (IMAGE,),
                {"kernel_size": 2},
                {"kernel_size": 3, "stride": 2, "padding": 1},
                {"kernel_size": (2, 3), "stride": (1, 2), "dilation": (3, 2)},
                {"kernel_size": 3, "stride": 2, "ceil_mode": True},
                {"kernel_size": 2, "stride": 3, "padding": 1, "ceil_mode": True},
                {"kernel_size": 2, "return_indices": True},
            ),
            *on((FIXED,), {"kernel_size": 1, "stride": 4, "ceil_mode": True}),
        ],
        refused=[
            Refusal(
                {"kernel_size": 2, "padding": 2}, (tensor("N", 3, 8, 8),), "padding 2 must be at most half of kernel"
            ),
        ],
        wrong=[
            Wrong({}, "`max_pool2d` needs `kernel_size`", code="E403"),
            Wrong({"kernel_size": 2, "ceil_mode": "true"}, ""),
            Wrong({"kernel_size": 2, "return_indices": 1}, "return_indices should be a valid boolean, got 1"),
        ],
    ),
    "max_pool3d": Row(
        max_pool(3),
        settled=[
            *on(
                (SOLID,),
                {"kernel_size": 2},
                {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2},
                {"kernel_size": 3, "stride": 2, "return_indices": True, "ceil_mode": True},
            ),
        ],
        refused=[
            Refusal(
                {"kernel_size": 3}, (tensor("N", 3, 2, 9, 9),), "a window of 3 must fit into 2, input [N, 3, 2, 9, 9]"
            ),
        ],
        wrong=[
            Wrong({}, "`max_pool3d` needs `kernel_size`", code="E403"),
        ],
    ),
}
