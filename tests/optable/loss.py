"""Losses: what training makes small."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import torch
from hypothesis import strategies as st
from torch.nn import functional

from graphc.tensor import DType, Tensor
from optable.case import Attributes, Case, Oracle
from optable.drawing import dtypes, flags, one, pairs, values
from optable.operands import IMAGE, LABELS, MATRIX, VECTOR
from optable.oracle import Apply
from optable.row import Refusal, Row, Wrong, on
from sketch import tensor


@st.composite
def labelled(draw: st.DrawFn, /, **attributes: st.SearchStrategy[Any]) -> Case:
    """Numbers for classes and labels or probabilities, nearly always of the right shape; a weight for each class."""
    shape = draw(st.lists(st.integers(1, 4), min_size=draw(st.sampled_from([1] * 12 + [0])), max_size=5))
    axis = min(1, len(shape) - 1)
    count = shape[axis] if shape else 1
    without = [size for number, size in enumerate(shape) if number != axis]
    target = draw(st.sampled_from([shape, *[without] * 3]))
    wrong = draw(st.sampled_from([[]] * 8 + [[1]]))
    wanted: list[DType] = ["int64"] * 9 if target is without else ["float32"] * 9
    kind = draw(st.sampled_from([*wanted, "float32", "int64", "bool"]))
    weight = st.sampled_from([count] * 9 + [count + 1]).map(lambda length: tuple(0.5 + i for i in range(length)))
    ignored = st.sampled_from([-100, 0, 1])
    given = {"weight_": weight, "ignore_index_": ignored, "reduction_": reductions, **attributes}
    found, _ = draw(one(values(), **given))
    return found, (Tensor(tuple(shape), draw(dtypes)), Tensor((*target, *wrong), kind))


reductions = st.sampled_from(["none", "mean", "sum"])


def compared(function: Callable[..., torch.Tensor], **attributes: st.SearchStrategy[Any]) -> Oracle:
    """A loss of two values; some take values of different shapes and types, most with a warning."""

    def loss(attributes: Attributes, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        if x.shape != y.shape or {x.dtype, y.dtype} != {torch.float32}:
            raise ValueError("the values are not alike")
        return function(x, y, **attributes)

    drawn = one(values(), **({} if "reduction" in attributes else {"reduction_": reductions}), **attributes)
    cases = st.tuples(drawn.map(lambda case: case[0]), pairs())
    return Oracle(cases, lambda a, _: Apply(lambda x, y: loss(a, x, y)))


def labels(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """torch takes one label for [K] as [1] too."""
    if x.dim() == 1 and target.dim() == 1 and target.dtype == torch.int64:
        raise ValueError("[K] has a label []")
    return target


def with_weight(attributes: Attributes) -> Attributes:
    return {name: torch.tensor(value) if name == "weight" else value for name, value in attributes.items()}


def labelled_cases(*, smoothing: bool = False) -> list[Case]:
    """All settings with labels of 6 classes, and with probabilities where there is a smoothing."""
    shared: list[Attributes] = [
        {"weight": weight, "ignore_index": ignored, "reduction": reduction}
        for weight, ignored, reduction in product((None, WEIGHT), (IGNORED, 1), ("none", "mean", "sum"))
    ]
    labels = (IMAGE, LABELS), (tensor(6), tensor(dtype="int64"))
    plain = [*on(labels[0], *shared), *on(labels[1], *shared), *on((VECTOR, tensor("N", dtype="int64")), {})]
    if not smoothing:
        return plain
    smooth = [{**given, "label_smoothing": 0.1} for given in shared]
    return [
        *plain,
        *on(labels[0], *smooth),
        *on(labels[1], *smooth),
        *on((IMAGE, IMAGE), *(given for given in (*shared, *smooth) if given["ignore_index"] == IGNORED)),
        *on((tensor("N", "H", "W"), tensor("N", "W", dtype="int64")), {}),
        *on((tensor(6), tensor(6)), {"label_smoothing": 0.2}),
    ]


WEIGHT = (0.5, 1.0, 2.0, 0.1, 1.5, 3.0)
IGNORED = -100


ROWS: dict[str, Row] = {
    "binary_cross_entropy": Row(
        compared(functional.binary_cross_entropy),
        settled=[
            *on((IMAGE, IMAGE), {"reduction": "none"}, {}, {"reduction": "sum"}),
            *on((tensor(), tensor()), {}),
        ],
        refused=[
            Refusal({}, (MATRIX, tensor("N", 4)), "needs values of the same shape, got [N, 3] and [N, 4]"),
        ],
        wrong=[
            Wrong({"reduction": "batchmean"}, "reduction should be 'none', 'mean' or 'sum'"),
        ],
    ),
    "binary_cross_entropy_with_logits": Row(
        compared(functional.binary_cross_entropy_with_logits),
        settled=[
            *on((IMAGE, IMAGE), {"reduction": "none"}, {}, {"reduction": "sum"}),
            *on((tensor(), tensor()), {}),
        ],
        refused=[
            Refusal({}, (MATRIX, tensor("N", 4)), "needs values of the same shape, got [N, 3] and [N, 4]"),
        ],
        wrong=[
            Wrong({"reduction": "batchmean"}, "reduction should be 'none', 'mean' or 'sum'"),
        ],
    ),
    "cross_entropy": Row(
        Oracle(
            labelled(label_smoothing_=st.sampled_from([0.0, 0.1, 1.0])),
            lambda a, _: Apply(lambda x, y: functional.cross_entropy(x, labels(x, y), **with_weight(a))),
        ),
        settled=labelled_cases(smoothing=True),
        refused=[
            Refusal({"weight": (1.0, 2.0)}, (MATRIX, MATRIX), "weight has 2 numbers for 3 classes"),
        ],
        wrong=[
            Wrong({"label_smoothing": 1.5}, "label_smoothing should be less than or equal to 1, got 1.5"),
            Wrong({"weight": 1.0}, "weight should be a valid tuple, got 1.0"),
            Wrong({"ignore_index": None}, "ignore_index should be a valid integer, got none"),
        ],
    ),
    "huber_loss": Row(
        compared(functional.huber_loss, delta_=st.sampled_from([1.0, 0.5])),
        settled=[
            *on((IMAGE, IMAGE), {"reduction": "none"}, {}, {"reduction": "sum"}),
            *on((tensor(), tensor()), {}),
            *on((VECTOR, VECTOR), {"delta": 2.0}),
        ],
        wrong=[
            Wrong({"delta": 0.0}, "delta should be greater than 0, got 0.0"),
        ],
        refused=[
            Refusal({}, (MATRIX, tensor("N", 4)), "needs values of the same shape, got [N, 3] and [N, 4]"),
        ],
    ),
    # torch warns of "mean"
    "kl_div": Row(
        compared(functional.kl_div, reduction=st.sampled_from(["none", "sum", "batchmean"]), log_target_=flags),
        settled=[
            *on(
                (IMAGE, IMAGE),
                {"reduction": "none"},
                {},
                {"reduction": "sum"},
                {"reduction": "none", "log_target": True},
                {"log_target": True},
                {"reduction": "sum", "log_target": True},
                {"reduction": "batchmean", "log_target": True},
                {"reduction": "batchmean"},
            ),
            *on((tensor(), tensor()), {}, {"reduction": "batchmean"}),
        ],
        refused=[
            Refusal({}, (MATRIX, tensor("N", 4)), "needs values of the same shape, got [N, 3] and [N, 4]"),
        ],
        wrong=[
            Wrong({"reduction": "median"}, "reduction should be 'none', 'mean', 'sum' or 'batchmean'"),
        ],
    ),
    "l1_loss": Row(
        compared(functional.l1_loss),
        settled=[
            *on((IMAGE, IMAGE), {"reduction": "none"}, {}, {"reduction": "sum"}),
            *on((tensor(), tensor()), {}),
        ],
        refused=[
            Refusal({}, (MATRIX, tensor("N", 4)), "needs values of the same shape, got [N, 3] and [N, 4]"),
        ],
        wrong=[
            Wrong({"reduction": "batchmean"}, "reduction should be 'none', 'mean' or 'sum'"),
        ],
    ),
    "mse_loss": Row(
        compared(functional.mse_loss),
        settled=[
            *on((IMAGE, IMAGE), {"reduction": "none"}, {}, {"reduction": "sum"}),
            *on((tensor(), tensor()), {}),
        ],
        refused=[
            Refusal({}, (MATRIX, tensor("N", 4)), "needs values of the same shape, got [N, 3] and [N, 4]"),
            Refusal({}, (MATRIX, tensor("N")), "needs values of the same shape, got [N, 3] and [N]"),
        ],
        wrong=[
            Wrong({"reduction": "batchmean"}, "reduction should be 'none', 'mean' or 'sum'"),
            Wrong({"reduction": None}, ""),
        ],
    ),
    "nll_loss": Row(
        Oracle(labelled(), lambda a, _: Apply(lambda x, y: functional.nll_loss(x, labels(x, y), **with_weight(a)))),
        settled=labelled_cases(),
        refused=[
            Refusal({"weight": (1.0, 2.0)}, (MATRIX, tensor("N", dtype="int64")), "weight has 2 numbers for 3 classes"),
        ],
        wrong=[
            Wrong({"label_smoothing": 0.1}, "`nll_loss` has no attribute `label_smoothing`", code="E402"),
        ],
    ),
    "smooth_l1_loss": Row(
        compared(functional.smooth_l1_loss, beta_=st.sampled_from([1.0, 0.5, 0.0])),
        settled=[
            *on((IMAGE, IMAGE), {"reduction": "none"}, {}, {"reduction": "sum"}),
            *on((tensor(), tensor()), {}),
            *on((VECTOR, VECTOR), {"beta": 2.0}, {"beta": 0.0}),
        ],
        wrong=[
            Wrong({"beta": -1.0}, "beta should be greater than or equal to 0, got -1.0"),
        ],
        refused=[
            Refusal({}, (MATRIX, tensor("N", 4)), "needs values of the same shape, got [N, 3] and [N, 4]"),
        ],
    ),
}
