"""Other sizes of the space that a value covers: interpolation, padding, and channels that become space."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import strategies as st
from torch.nn import functional

from graphc.tensor import Tensor
from optable.case import Case, Oracle
from optable.drawing import images, one, values
from optable.operands import FIXED, FLAGS, IMAGE, INTEGERS, MATRIX, SMALL, H, W
from optable.oracle import Apply, of_rank_4, of_reals
from optable.row import Refusal, Row, Wrong, on
from sketch import tensor


@st.composite
def interpolations(draw: st.DrawFn) -> Case:
    modes = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5}
    mode = draw(st.sampled_from(["nearest", "nearest", "nearest-exact", *modes]))
    rank = draw(st.sampled_from([modes.get(mode, 4)] * 9 + [3, 5]))
    value = draw(images([rank]))
    number, factor = st.integers(1, 9), st.sampled_from([2, 3, 2.0, 0.5, 1.5, 0.25])
    way = draw(st.sampled_from(["size", "scale_factor", "scale_factor", "like", "both"]))
    drawn = {"size": number, "scale_factor": factor}
    given = {n: draw(several(v, rank - 2)) for n, v in drawn.items() if way in (n, "both")}
    other = {"align_corners": draw(st.booleans())} if mode in modes and draw(st.booleans()) else {}
    like = [draw(images([rank] * 9 + [4]))] if way == "like" else []
    return {**given, **other, **({"mode": mode} if mode != "nearest" else {})}, (value, *like)


def several(number: st.SearchStrategy[Any], axes: int) -> st.SearchStrategy[Any]:
    """One for all axes, or one for each."""
    return st.one_of(number, st.sampled_from([axes] * 6 + [axes + 1]).flatmap(lambda n: st.tuples(*[number] * n)))


def interpolated(x: torch.Tensor, like: torch.Tensor | None = None, **attributes: Any) -> torch.Tensor:
    if like is not None:
        if like.dim() != x.dim():
            raise ValueError("axes")
        attributes["size"] = like.shape[2:]
    return functional.interpolate(of_reals(x), **attributes)


@st.composite
def shuffled(draw: st.DrawFn) -> Tensor:
    """An image with many channels."""
    value = draw(images())
    return Tensor((value.shape[0], draw(st.sampled_from([4, 8, 12, 9, 6])), *value.space), value.dtype)


pads = st.lists(st.sampled_from([0, 1, 1, 2, -1]), min_size=2, max_size=5).map(tuple)


def padded(x: torch.Tensor, pad: tuple[int, ...], mode: str = "constant", value: float = 0) -> torch.Tensor:
    """In the other modes torch can cut off too."""
    if mode != "constant" and (min(pad) < 0 or value != 0 or x.dtype != torch.float32):
        raise ValueError("not here")
    return functional.pad(x, pad, mode, value if mode == "constant" else None)


ROWS: dict[str, Row] = {
    "interpolate": Row(
        Oracle(interpolations(), lambda a, _: Apply(lambda *operands: interpolated(*operands, **a))),
        settled=[
            *on((IMAGE, SMALL), {}, {"mode": "bilinear"}, {"mode": "nearest-exact"}),
            *on(
                (IMAGE,),
                {"size": 7},
                {"size": 7, "mode": "nearest-exact"},
                {"size": 7, "mode": "bilinear"},
                {"size": 7, "mode": "bicubic"},
                {"size": (H + 3, 40)},
                {"size": (H + 3, 40), "mode": "nearest-exact"},
                {"size": (H + 3, 40), "mode": "bilinear"},
                {"size": (H + 3, 40), "mode": "bicubic"},
                {"scale_factor": 2},
                {"scale_factor": 2, "mode": "nearest-exact"},
                {"scale_factor": 2, "mode": "bilinear"},
                {"scale_factor": 2, "mode": "bicubic"},
                {"scale_factor": 3.0},
                {"scale_factor": 3.0, "mode": "nearest-exact"},
                {"scale_factor": 3.0, "mode": "bilinear"},
                {"scale_factor": 3.0, "mode": "bicubic"},
                {"scale_factor": 0.5},
                {"scale_factor": 0.5, "mode": "nearest-exact"},
                {"scale_factor": 0.5, "mode": "bilinear"},
                {"scale_factor": 0.5, "mode": "bicubic"},
                {"scale_factor": (1.5, 0.75)},
                {"scale_factor": (1.5, 0.75), "mode": "nearest-exact"},
                {"scale_factor": (1.5, 0.75), "mode": "bilinear"},
                {"scale_factor": (1.5, 0.75), "mode": "bicubic"},
                {"scale_factor": 2, "mode": "bilinear", "align_corners": True},
                {"scale_factor": 2, "mode": "bicubic", "align_corners": True},
            ),
            *on(
                (FIXED,),
                {"size": (1, 5), "mode": "bilinear", "align_corners": True},
                {"size": (1, 5), "mode": "bicubic", "align_corners": True},
                {"scale_factor": 1.3, "mode": "bilinear"},
            ),
            *on((tensor("N", 3, "H"),), {"scale_factor": 2}, {"scale_factor": 2, "mode": "linear"}),
            *on((tensor("N", 2, 3, "H", 4),), {"size": 5}, {"size": 5, "mode": "trilinear"}),
        ],
        refused=[
            Refusal({}, (tensor("N", 3, 8, 8),), "needs one of size, scale_factor and a second value"),
            Refusal({"scale_factor": 0.7}, (tensor("N", 3, "H"),), "H is free: 0.7 is no fraction of it by 2, 4, 8"),
            Refusal({"size": 3, "mode": "bilinear"}, (tensor("N", 3, 8),), "needs a value with 4 axes"),
            Refusal(
                {"size": 3, "align_corners": True}, (tensor("N", 3, 8),), "align_corners is not for the mode nearest"
            ),
        ],
        wrong=[
            Wrong({"scale_factor": 0}, "scale_factor should be greater than or equal to 1, got 0"),
            Wrong({"scale_factor": 2, "mode": "area"}, "mode should be 'nearest', 'nearest-exact'"),
        ],
    ),
    "pad": Row(
        Oracle(
            one(
                values(),
                pad=pads,
                mode_=st.sampled_from(["constant"] * 3 + ["reflect", "replicate"]),
                value_=st.sampled_from([0, 0.0, 1, -0.5]),
            ),
            lambda a, _: Apply(lambda x: padded(x, **a)),
        ),
        settled=[
            *on(
                (IMAGE,),
                {"pad": (1, 2)},
                {"pad": (0, 0, -1, 3), "value": -0.5},
                {"pad": (0, W, H // 2, 0, 1, 1), "value": 2},
                {"pad": (1, 2, 3, 0), "mode": "reflect"},
                {"pad": (1, 2, 3, 0), "mode": "replicate"},
            ),
            *on((INTEGERS,), {"pad": (1, 1), "value": 7}),
            *on((FLAGS,), {"pad": (1, 0, 1, 1)}),
            *on((tensor("N", 2, "H"),), {"pad": (H - 1, 2), "mode": "reflect"}),
        ],
        refused=[
            Refusal({"pad": (1, 1, 1)}, (MATRIX,), "pad needs two numbers for each axis, got 3"),
            Refusal({"pad": (2, 8), "mode": "reflect"}, (tensor("N", 3, 8),), "8 is more than can be reflected of 8"),
        ],
        wrong=[
            Wrong({"pad": (1,)}, "pad Tuple should have at least 2 items after validation, not 1, got [1]"),
            Wrong({"pad": (1, 1), "mode": "circular"}, "mode should be 'constant', 'reflect' or 'replicate'"),
        ],
    ),
    "pixel_shuffle": Row(
        Oracle(
            one(shuffled(), upscale_factor=st.sampled_from([1, 2, 2, 3])),
            lambda a, _: Apply(lambda x: functional.pixel_shuffle(of_reals(of_rank_4(x)), **a)),
        ),
        settled=[
            *on((tensor("N", 12, "H", "W"),), {"upscale_factor": 2}),
        ],
        refused=[
            Refusal({"upscale_factor": 2}, (tensor("N", 6, 8, 8),), "4 must divide the 6 channels"),
        ],
        wrong=[
            Wrong({"upscale_factor": 0}, "upscale_factor should be greater than or equal to 1, got 0"),
        ],
    ),
    "pixel_unshuffle": Row(
        Oracle(
            one(images(), downscale_factor=st.sampled_from([1, 2, 2, 3])),
            lambda a, _: Apply(lambda x: functional.pixel_unshuffle(of_reals(of_rank_4(x)), **a)),
        ),
        settled=[
            *on((tensor("N", 3, 2 * H, 2 * W),), {"downscale_factor": 2}),
            *on((tensor("N", 2, 14, 7),), {"downscale_factor": 7}),
        ],
        refused=[
            Refusal({"downscale_factor": 2}, (tensor("N", 3, 5, 4),), "2 must divide the 5 rows or columns"),
        ],
        wrong=[
            Wrong({"downscale_factor": 0}, "downscale_factor should be greater than or equal to 1, got 0"),
        ],
    ),
}
