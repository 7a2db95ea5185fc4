"""Element-wise functions of one value, softmax and dropout."""

from __future__ import annotations

from collections.abc import Callable

import torch
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from optable.case import Oracle
from optable.drawing import dims, images, one, values
from optable.operands import FLAGS, IMAGE, INTEGERS, MATRIX, VECTOR
from optable.oracle import Apply, of_rank_4, pointwise, with_class_axis
from optable.row import Refusal, Row, Wrong, each, on
from oracle import torchvision
from sketch import tensor

numbers = st.one_of(st.integers(-3, 3), st.sampled_from([-0.5, 0.5, 2.0]))


def of_classes(function: Callable[..., torch.Tensor]) -> Oracle:
    """A function along one axis."""
    return Oracle(one(values(), dim_=dims), lambda a, _: Apply(lambda x: function(x, **with_class_axis(a, x))))


ROWS: dict[str, Row] = {
    "abs": Row(
        pointwise(torch.abs),
        settled=[
            *each({}, (IMAGE,), (INTEGERS,)),
        ],
        refused=[
            Refusal({}, (FLAGS,), "needs float32 or int64, got [N, 3] of bool"),
        ],
    ),
    "clamp": Row(
        Oracle(one(values(), min_=numbers, max_=numbers), lambda a, _: Apply(lambda x: torch.clamp(x, **a))),
        settled=[
            *on((IMAGE,), {"max": 2}, {"min": -1, "max": 2}, {"min": 0.5, "max": 2}, {"min": 3, "max": 2}),
            *on((FLAGS,), {"max": 2}, {"min": -1, "max": 2}, {"min": 0.5, "max": 2}, {"min": 3, "max": 2}),
            *on(
                (INTEGERS,), {"max": 2}, {"min": -1, "max": 2}, {"min": 0.5, "max": 2}, {"min": 3, "max": 2}, {"min": 0}
            ),
        ],
        refused=[
            Refusal({}, (MATRIX,), "needs min or max, or both"),
        ],
        wrong=[
            Wrong({"min": "0"}, ""),
            Wrong({"min": True}, "min should be a valid integer, got true"),
            Wrong({"max": float("inf")}, ""),
            Wrong({"max": 9223372036854775808}, "the number is larger than 2**62", code="E305"),
        ],
    ),
    "detach": Row(
        pointwise(torch.detach),
        settled=[
            *on((IMAGE,), {}),
        ],
    ),
    # with 0 or 1 torch takes whole numbers too
    "dropout": Row(
        Oracle(one(values(), p_=st.sampled_from([0.1, 0.5])), lambda a, _: nn.Dropout(**a)),
        settled=[
            *on((IMAGE,), {"p": 0.3}),
        ],
        wrong=[
            Wrong({"p": 1.5}, "p should be less than or equal to 1, got 1.5"),
            Wrong({"p": -0.5}, "p should be greater than or equal to 0, got -0.5"),
            Wrong({"p": float("nan")}, ""),
        ],
        refused=[
            Refusal({}, (INTEGERS,), "needs float32, got [N, 3] of int64"),
        ],
    ),
    "dropout2d": Row(
        Oracle(
            one(images([4] * 12 + [3, 5]), p_=st.sampled_from([0.1, 0.5])),
            lambda a, _: Apply(lambda x: nn.Dropout2d(**a)(of_rank_4(x))),
        ),
        settled=[
            *on((IMAGE,), {}),
        ],
        refused=[
            Refusal({}, (MATRIX,), "needs a value with 4 axes, got [N, 3] with 2"),
        ],
        wrong=[
            Wrong({"p": 1.5}, "p should be less than or equal to 1, got 1.5"),
        ],
    ),
    "elu": Row(
        pointwise(functional.elu, alpha_=st.sampled_from([1.0, -0.5, 0.0])),
        settled=[
            *on((IMAGE,), {}, {"alpha": -2.0}),
        ],
        refused=[
            Refusal({}, (INTEGERS,), "needs float32, got [N, 3] of int64"),
        ],
        wrong=[
            Wrong({"slope": 0.1}, "`elu` has no attribute `slope`", code="E402"),
        ],
    ),
    "exp": Row(
        pointwise(torch.exp),
        settled=[
            *each({}, (IMAGE,), (INTEGERS,), (tensor("N"),), (FLAGS,)),
        ],
    ),
    "float": Row(
        pointwise(torch.Tensor.float),
        settled=[
            *each({}, (IMAGE,), (FLAGS,), (INTEGERS,)),
        ],
    ),
    "gelu": Row(
        pointwise(functional.gelu, approximate_=st.sampled_from(["none", "tanh"])),
        settled=[
            *on((IMAGE,), {}, {"approximate": "tanh"}),
        ],
        wrong=[
            Wrong({"approximate": "erf"}, "approximate should be 'none' or 'tanh'"),
            Wrong({"approximate": None}, ""),
        ],
        refused=[
            Refusal({}, (INTEGERS,), "needs float32, got [N, 3] of int64"),
        ],
    ),
    "hardsigmoid": Row(
        pointwise(functional.hardsigmoid),
        settled=[
            *on((IMAGE,), {}),
        ],
        refused=[
            Refusal({}, (INTEGERS,), "needs float32, got [N, 3] of int64"),
        ],
    ),
    "hardswish": Row(
        pointwise(functional.hardswish),
        settled=[
            *on((IMAGE,), {}),
        ],
        refused=[
            Refusal({}, (INTEGERS,), "needs float32, got [N, 3] of int64"),
        ],
    ),
    "identity": Row(
        Oracle(one(values()), lambda a, _: nn.Identity()),
        settled=[
            *on((INTEGERS,), {}),
        ],
    ),
    "leaky_relu": Row(
        pointwise(functional.leaky_relu, negative_slope_=st.sampled_from([0.01, 2.0, -1.0])),
        settled=[
            *on((IMAGE,), {}, {"negative_slope": 0.3}),
        ],
        refused=[
            Refusal({}, (INTEGERS,), "needs float32, got [N, 3] of int64"),
        ],
        wrong=[
            Wrong({"slope": 0.1}, "`leaky_relu` has no attribute `slope`", code="E402"),
        ],
    ),
    "log": Row(
        pointwise(torch.log),
        settled=[
            *each({}, (IMAGE,), (INTEGERS,), (tensor("N"),)),
        ],
    ),
    "log2": Row(
        pointwise(torch.log2),
        settled=[
            *each({}, (IMAGE,), (INTEGERS,), (tensor("N"),)),
        ],
    ),
    "log_softmax": Row(
        of_classes(functional.log_softmax),
        settled=[
            *each({}, (VECTOR,), (tensor(6),), (tensor("N", "H"),)),
            *on((IMAGE,), {"dim": 0}, {"dim": 1}, {"dim": -1}),
        ],
        refused=[
            Refusal({}, (INTEGERS,), "needs float32, got [N, 3] of int64"),
        ],
        wrong=[
            Wrong({"dim": (0, 1)}, "dim should be a valid integer, got [0, 1]"),
        ],
    ),
    "long": Row(
        pointwise(torch.Tensor.long),
        settled=[
            *each({}, (IMAGE,), (FLAGS,), (INTEGERS,)),
        ],
    ),
    "mish": Row(
        pointwise(functional.mish),
        settled=[
            *on((IMAGE,), {}),
        ],
        refused=[
            Refusal({}, (INTEGERS,), "needs float32, got [N, 3] of int64"),
        ],
    ),
    "relu": Row(
        Oracle(one(values()), lambda a, _: nn.ReLU()),
        settled=[
            *on((IMAGE,), {}),
        ],
        wrong=[
            Wrong({"inplace": True}, "`relu` has no attribute `inplace`", code="E402"),
        ],
        refused=[
            Refusal({}, (FLAGS,), "needs float32 or int64, got [N, 3] of bool"),
        ],
    ),
    "relu6": Row(
        pointwise(functional.relu6),
        settled=[
            *each({}, (IMAGE,), (INTEGERS,)),
        ],
        refused=[
            Refusal({}, (FLAGS,), "needs float32 or int64, got [N, 3] of bool"),
        ],
    ),
    "sigmoid": Row(
        pointwise(torch.sigmoid),
        settled=[
            *each({}, (IMAGE,), (INTEGERS,), (tensor("N"),), (FLAGS,)),
        ],
    ),
    "silu": Row(
        pointwise(functional.silu),
        settled=[
            *on((IMAGE,), {}),
        ],
        refused=[
            Refusal({}, (INTEGERS,), "needs float32, got [N, 3] of int64"),
        ],
    ),
    "softmax": Row(
        of_classes(functional.softmax),
        settled=[
            *each({}, (VECTOR,), (tensor(6),), (tensor("N", "H"),)),
            *on((IMAGE,), {"dim": 0}, {"dim": 1}, {"dim": -1}),
        ],
        refused=[
            Refusal({}, (tensor("N", 3, 8, 8),), "needs dim, the axis: [N, 3, 8, 8] has 4 axes"),
        ],
        wrong=[
            Wrong({"dim": (0, 1)}, "dim should be a valid integer, got [0, 1]"),
        ],
    ),
    "softplus": Row(
        pointwise(functional.softplus, beta_=st.sampled_from([1.0, 0.5]), threshold_=st.sampled_from([20.0, 1.0])),
        settled=[
            *on((IMAGE,), {}, {"beta": 3.0, "threshold": 2.0}, {"threshold": 1.0}, {"beta": 0.5}),
        ],
        wrong=[
            Wrong({"beta": 0}, "beta should be greater than 0, got 0"),
        ],
        refused=[
            Refusal({}, (INTEGERS,), "needs float32, got [N, 3] of int64"),
        ],
    ),
    "sqrt": Row(
        pointwise(torch.sqrt),
        settled=[
            *each({}, (IMAGE,), (INTEGERS,), (tensor("N"),)),
        ],
    ),
    # torchvision takes other types too where p is 0, and gives a single number a batch
    "stochastic_depth": Row(
        Oracle(
            one(values(least=1), p=st.sampled_from([0.1, 0.5]), mode_=st.sampled_from(["row", "batch"])),
            lambda a, _: torchvision().ops.StochasticDepth(**{"mode": "row"} | a),
        ),
        settled=[
            *on((IMAGE,), {"p": 0.3}),
            *on((tensor("N"),), {"p": 1.0, "mode": "batch"}),
        ],
        refused=[
            Refusal({"p": 0.1}, (INTEGERS,), "needs float32, got [N, 3] of int64"),
        ],
        wrong=[
            Wrong({}, "`stochastic_depth` needs `p`", code="E403"),
            Wrong({"p": 0.5, "mode": "column"}, "mode should be 'row' or 'batch'"),
        ],
    ),
    "tanh": Row(
        pointwise(torch.tanh),
        settled=[
            *each({}, (IMAGE,), (INTEGERS,), (tensor("N"),)),
        ],
    ),
}
