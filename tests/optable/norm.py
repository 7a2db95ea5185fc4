"""Normalisation."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from torch import nn

from graphc.tensor import Tensor
from optable.case import Attributes, Oracle, as_ints
from optable.drawing import flags, images, one, values
from optable.operands import FIXED, IMAGE, MATRIX, ROW, VECTOR
from optable.oracle import Apply, in_features, of_reals
from optable.row import Refusal, Row, Wrong, on
from oracle import torchvision
from sketch import tensor


def norm(attributes: Attributes, operands: Sequence[Tensor]) -> nn.Module:
    kinds = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}
    if operands[0].rank not in kinds:
        raise ValueError("no such BatchNorm")
    return kinds[operands[0].rank](in_features(operands, 1), **attributes).eval()


def with_shape(attributes: Attributes, operands: Sequence[Tensor]) -> Attributes:
    """The sizes of the last axes instead of their number."""
    shape, count = as_ints(operands[0]), attributes.get("dims", 1)
    if count > len(shape):
        raise ValueError("axes")
    rest = {name: value for name, value in attributes.items() if name != "dims"}
    return rest | {"normalized_shape": shape[len(shape) - count :]}


def group_norm(attributes: Attributes, operands: Sequence[Tensor]) -> nn.Module:
    rest = {name: value for name, value in attributes.items() if name != "num_groups"}
    return nn.GroupNorm(attributes["num_groups"], in_features(operands, 1), **rest)


def instance_norm(attributes: Attributes, operands: Sequence[Tensor]) -> nn.Module:
    kinds = {3: nn.InstanceNorm1d, 4: nn.InstanceNorm2d, 5: nn.InstanceNorm3d}
    if operands[0].rank not in kinds:
        raise ValueError("no such InstanceNorm")
    return kinds[operands[0].rank](in_features(operands, 1), **attributes).eval()


def of_images(operands: Sequence[Tensor]) -> Sequence[Tensor]:
    """torchvision broadcasts over other ranks and types too."""
    if operands[0].rank != 4 or operands[0].dtype != "float32":
        raise ValueError("no image")
    return operands


ROWS: dict[str, Row] = {
    "batch_norm": Row(
        Oracle(
            one(
                values(least=1),
                eps_=st.sampled_from([1e-5, 0.5]),
                momentum_=st.sampled_from([0.1, 0.0, 1.0]),
                affine_=flags,
                track_running_stats_=flags,
            ),
            norm,
        ),
        settled=[
            *on((IMAGE,), {}, {"track_running_stats": False}),
            *on((tensor("N", 6),), {"eps": 0.1}),
            *on((ROW,), {"affine": False}),
            *on((tensor("N", 6, 2, "H", "W"),), {"eps": 0.5, "affine": False, "track_running_stats": False}),
        ],
        refused=[
            Refusal({}, (tensor(3),), "needs a value with 2 or 3 or 4 or 5 axes, got [3] with 1"),
            Refusal({"track_running_stats": False}, (tensor(1, 3),), "needs two values or more in each channel"),
        ],
        wrong=[
            Wrong({"eps": -1.0}, "eps should be greater than 0, got -1.0"),
            Wrong({"eps": "1e-5"}, ""),
            Wrong({"eps": float("inf")}, ""),
            Wrong({"momentum": 2.0}, "momentum should be less than or equal to 1, got 2.0"),
            Wrong({"num_features": 3}, "`batch_norm` has no attribute `num_features`", code="E402"),
        ],
    ),
    "frozen_batch_norm": Row(
        Oracle(
            one(images(), eps_=st.sampled_from([1e-5, 0.5, 0.0])),
            lambda a, o: torchvision().ops.FrozenBatchNorm2d(in_features(of_images(o), 1), **a),
        ),
        settled=[
            *on((IMAGE,), {}),
            *on((FIXED,), {"eps": 0.1}),
        ],
        refused=[
            Refusal({}, (MATRIX,), "needs a value with 4 axes, got [N, 3] with 2"),
        ],
        wrong=[
            Wrong({"eps": -0.1}, "eps should be greater than or equal to 0, got -0.1"),
        ],
    ),
    "group_norm": Row(
        Oracle(
            one(values(least=1), num_groups=st.integers(1, 3), eps_=st.sampled_from([1e-5, 0.5]), affine_=flags),
            group_norm,
        ),
        settled=[
            *on((IMAGE,), {"num_groups": 3}),
            *on((tensor("N", 6),), {"num_groups": 1, "eps": 0.1}),
            *on((ROW,), {"num_groups": 6, "affine": False}),
        ],
        refused=[
            Refusal({"num_groups": 2}, (tensor("N", 3, 8),), "num_groups 2 must divide the input's 3 channels"),
            Refusal({"num_groups": 2}, (tensor(1, 2),), "needs two values or more in each group"),
        ],
        wrong=[
            Wrong({}, "`group_norm` needs `num_groups`", code="E403"),
        ],
    ),
    "instance_norm": Row(
        Oracle(
            one(values(least=2), momentum_=st.sampled_from([0.1, 1.0]), affine_=flags, track_running_stats_=flags),
            instance_norm,
        ),
        settled=[
            *on((IMAGE,), {}, {"track_running_stats": True}),
            *on((ROW,), {"eps": 0.1, "affine": True}),
            *on((tensor("N", 6, 2, "H", "W"),), {"affine": True, "track_running_stats": True}),
        ],
        refused=[
            Refusal({}, (tensor("N", 3, 1),), "needs two values or more in each channel"),
        ],
        wrong=[
            Wrong({"eps": -1.0}, "eps should be greater than 0, got -1.0"),
        ],
    ),
    "layer_norm": Row(
        Oracle(
            one(
                values(),
                dims_=st.integers(1, 3),
                eps_=st.sampled_from([1e-5, 0.5]),
                elementwise_affine_=flags,
                bias_=flags,
            ),
            lambda a, o: nn.LayerNorm(**with_shape(a, o)),
        ),
        settled=[
            *on((tensor("N", "H", 7),), {}),
            *on((VECTOR,), {"eps": 0.1, "bias": False}),
            *on((FIXED,), {"dims": 2, "elementwise_affine": False}, {"dims": 2}),
        ],
        refused=[
            Refusal({"dims": 3}, (MATRIX,), "needs the last 3 axes, got [N, 3] with 2"),
            Refusal({}, (tensor("N", "H"),), "the last size of [N, H]"),
        ],
        wrong=[
            Wrong({"dims": 0}, "dims should be greater than or equal to 1, got 0"),
            Wrong({"normalized_shape": 8}, "`layer_norm` has no attribute `normalized_shape`", code="E402"),
        ],
    ),
    # torch takes whole numbers too, and gives real ones
    "local_response_norm": Row(
        Oracle(
            one(values(), size=st.integers(1, 6), alpha_=st.floats(0, 1), beta_=st.floats(0, 1), k_=st.floats(1, 2)),
            lambda a, _: Apply(lambda x: nn.LocalResponseNorm(**a)(of_reals(x))),
        ),
        settled=[
            *on(
                (IMAGE,),
                {"size": 1, "alpha": 0.3},
                {"size": 2, "alpha": 0.3},
                {"size": 5, "alpha": 0.3},
                {"size": 9, "alpha": 0.3},
                {"size": 14, "alpha": 0.3},
            ),
            *on(
                (FIXED,),
                {"size": 1, "alpha": 0.3},
                {"size": 2, "alpha": 0.3},
                {"size": 5, "alpha": 0.3},
                {"size": 9, "alpha": 0.3},
                {"size": 14, "alpha": 0.3},
            ),
            *on((ROW,), {"size": 5, "alpha": 0.5, "beta": 1.5, "k": 2.0}),
            *on((tensor("N", "H", "W", 3),), {"size": 3}),
            *on((tensor("N", "H", "W", 3, 2),), {"size": 4}),
        ],
        wrong=[
            Wrong({"size": 0}, "size should be greater than or equal to 1, got 0"),
        ],
        refused=[
            Refusal({"size": 3}, (MATRIX,), "needs a value with at least 3 axes, got [N, 3] with 2"),
        ],
    ),
    "rms_norm": Row(
        Oracle(
            one(values(), dims_=st.integers(1, 3), eps_=st.sampled_from([None, 0.5]), elementwise_affine_=flags),
            lambda a, o: nn.RMSNorm(**with_shape(a, o)),
        ),
        settled=[
            *on((tensor("N", "H", 7),), {}),
            *on((FIXED,), {"dims": 2, "eps": 0.1, "elementwise_affine": False}),
        ],
        refused=[
            Refusal({}, (tensor("N", "H"),), "the last size of [N, H]"),
        ],
        wrong=[
            Wrong({"dims": 0}, "dims should be greater than or equal to 1, got 0"),
        ],
    ),
}
