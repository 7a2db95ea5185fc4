"""Elements by their places: the largest, those in order, and those at the places that another value says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from hypothesis import strategies as st
from torch.nn import functional

from graphc.tensor import Tensor
from optable.case import Case, Oracle, as_ints
from optable.drawing import dims, dtypes, flags, indices, one, shapes, two, values
from optable.operands import FLAGS, IMAGE, INTEGERS, MATRIX, H, N, W
from optable.oracle import Apply, of_numbers, pointwise, whole, with_axes
from optable.row import Refusal, Row, Wrong, each, on
from sketch import tensor


def largest(x: torch.Tensor, k: int, dim: int = -1, **attributes: Any) -> tuple[torch.Tensor, ...]:
    """torch refuses to give fewer than k."""
    return tuple(torch.topk(x, min(k, x.size(dim)), dim, **attributes))


@st.composite
def gathers(draw: st.DrawFn) -> Case:
    value = draw(values())
    dim = draw(st.sampled_from([0, 0, 1, -1, 3]))
    shape = [draw(st.sampled_from([size] * 6 + [1, size + 1])) for size in as_ints(value)]
    cut = draw(st.sampled_from([0] * 9 + [1]))
    return {"dim": dim}, (value, Tensor(tuple(shape[cut:]), draw(indices()).dtype))


@st.composite
def sampled(draw: st.DrawFn, rank: int) -> Sequence[Tensor]:
    value = draw(values())
    first = value.shape[:1] or (1,)
    shape = (*first, *draw(values(least=rank - 1, most=rank - 1)).shape)[draw(st.sampled_from([0] * 12 + [1])) :]
    wrong = draw(st.sampled_from([0] * 12 + [1]))
    return value, Tensor(tuple(size + wrong for size in shape), draw(indices()).dtype)


def of_samples(x: torch.Tensor, index: torch.Tensor, rank: int) -> torch.Tensor:
    """torch broadcasts an index for one sample."""
    if x.dim() < 2 or index.dim() != rank or len(index) != len(x):
        raise ValueError("no index for each sample")
    rest = x[0, 0].shape
    whole_index = whole(index).reshape(*index.shape, *[1] * len(rest)).expand(*index.shape, *rest)
    rows = [row.gather(0, i.unsqueeze(0) if rank == 1 else i) for row, i in zip(x, whole_index, strict=True)]
    return torch.stack(rows).reshape(*index.shape, *rest)


@st.composite
def scatterings(draw: st.DrawFn) -> Case:
    rest, count = draw(shapes), draw(st.integers(1, 3))
    index = Tensor((count, *draw(st.sampled_from([()] * 9 + [(1,)]))), draw(indices()).dtype)
    rows = draw(st.sampled_from([count] * 9 + [count + 1]))
    fill = draw(st.sampled_from([None, 0, 2, 0.5, True]))
    shape = (draw(st.integers(1, 4)), *rest)[draw(st.sampled_from([0] * 12 + [1])) :]
    given = {"shape": shape} | ({} if fill is None else {"fill": fill})
    return given, (index, Tensor((rows, *rest), draw(dtypes)))


def scattered(index: torch.Tensor, source: torch.Tensor, shape: tuple[int, ...], fill: float = 0) -> torch.Tensor:
    """torch broadcasts what is put."""
    if index.dim() != 1 or source.shape != (len(index), *shape[1:]) or not shape:
        raise ValueError("shapes")
    if torch.tensor(fill).dtype != source.dtype and (type(fill) is not int or source.dtype != torch.float32):
        raise ValueError("another element type")
    return torch.full(shape, fill, dtype=source.dtype).index_put((whole(index),), source)


ROWS: dict[str, Row] = {
    "argsort": Row(
        pointwise(lambda x, **a: torch.argsort(with_axes(of_numbers(x)), **a), dim_=dims, descending_=flags),
        settled=[
            *on((IMAGE,), {"dim": 1}, {"dim": 1, "descending": True}, {}, {"descending": True}),
            *on((INTEGERS,), {}),
        ],
        refused=[
            Refusal({"dim": 2}, (MATRIX,), "2 is not an axis of [N, 3]"),
        ],
        wrong=[
            Wrong({"stable": True}, "`argsort` has no attribute `stable`", code="E402"),
        ],
    ),
    "gather": Row(
        Oracle(
            gathers(),
            lambda a, _: Apply(lambda x, index: torch.gather(with_axes(x), a["dim"], whole(with_axes(index)))),
        ),
        settled=[
            *on((IMAGE, tensor(1, 3, 5, "W", dtype="int64")), {"dim": 2}),
            *on((FLAGS, tensor("N", 7, dtype="int64")), {"dim": -1}),
        ],
        refused=[
            Refusal(
                {"dim": 1},
                (MATRIX, tensor("N", 3, 1, dtype="int64")),
                "[N, 3] and [N, 3, 1] have different numbers of axes",
            ),
            Refusal(
                {"dim": 0},
                (tensor(2, 3), tensor(5, 4, dtype="int64")),
                "along axis 1 there are 3 elements, 4 are taken",
            ),
        ],
        wrong=[
            Wrong({}, "`gather` needs `dim`", code="E403"),
        ],
    ),
    "one_hot": Row(
        Oracle(
            one(indices(), num_classes=st.integers(1, 4)),
            lambda a, _: Apply(lambda x: functional.one_hot(whole(x), **a)),
        ),
        settled=[
            *on((tensor("N", "H", dtype="int64"),), {"num_classes": 4}),
        ],
        wrong=[
            Wrong({}, "`one_hot` needs `num_classes`", code="E403"),
            Wrong({"num_classes": -1}, "num_classes should be greater than or equal to 1, got -1"),
        ],
        refused=[
            Refusal({"num_classes": 3}, (MATRIX,), "needs int64, got [N, 3] of float32"),
        ],
    ),
    "pick": Row(
        Oracle(two(sampled(1)), lambda a, _: Apply(lambda x, index: of_samples(x, index, 1))),
        settled=[
            *each({}, (IMAGE, tensor("N", dtype="int64")), (FLAGS, tensor("N", dtype="int64"))),
        ],
        refused=[
            Refusal({}, (tensor(3, 5), tensor(4, dtype="int64")), "there are 3 samples and an index for 4"),
        ],
    ),
    "scatter": Row(
        Oracle(scatterings(), lambda a, _: Apply(lambda index, source: scattered(index, source, **a))),
        settled=[
            *on((tensor("N", dtype="int64"), IMAGE), {"shape": (5, 6, H, W), "fill": 2}),
            *on((tensor(4, dtype="int64"), tensor(4)), {"shape": (12,), "fill": -0.5}),
            *on((tensor("H", dtype="int64"), tensor("H", dtype="int64")), {"shape": (2 * H,)}),
            *on((tensor("N", dtype="int64"), FLAGS), {"shape": (4, 3), "fill": True}),
        ],
        refused=[
            Refusal(
                {"shape": (4, 2)}, (tensor(3, dtype="int64"), tensor(3)), "an index [3] and values [3] give no [4, 2]"
            ),
            Refusal(
                {"shape": (4,), "fill": True},
                (tensor(3, dtype="int64"), tensor(3)),
                "fill True is bool, [3] holds float32",
            ),
        ],
        wrong=[
            Wrong({"fill": 0}, "`scatter` needs `shape`", code="E403"),
        ],
    ),
    "sort": Row(
        pointwise(lambda x, **a: tuple(torch.sort(with_axes(of_numbers(x)), **a)), dim_=dims, descending_=flags),
        settled=[
            *on((IMAGE,), {"dim": 1}, {"dim": 1, "descending": True}, {}, {"descending": True}),
            *on((INTEGERS,), {}),
        ],
        wrong=[
            Wrong({"stable": False}, "`sort` has no attribute `stable`", code="E402"),
        ],
        refused=[
            Refusal({"dim": 2}, (MATRIX,), "2 is not an axis of [N, 3]"),
        ],
    ),
    "take": Row(
        Oracle(two(sampled(2)), lambda a, _: Apply(lambda x, index: of_samples(x, index, 2))),
        settled=[
            *each(
                {},
                (IMAGE, tensor("N", 4, dtype="int64")),
                (tensor("N", "H", dtype="int64"), tensor("N", "W", dtype="int64")),
            ),
        ],
        refused=[
            Refusal({}, (tensor("N", 5, 4), tensor("N", dtype="int64")), "needs an index with 2 axes, got [N]"),
        ],
    ),
    "topk": Row(
        pointwise(lambda x, **a: largest(with_axes(x), **a), k=st.integers(1, 5), dim_=dims, largest_=flags),
        settled=[
            *on((IMAGE,), {"k": 3}, {"k": 15, "dim": 2}, {"k": 6, "dim": 1}, {"k": 40}),
            *on((INTEGERS,), {"k": 2, "largest": False}),
            *on((tensor(2 * H, "N"),), {"k": N + 1, "dim": 0}),
        ],
        refused=[
            Refusal({"k": 3, "dim": 2}, (MATRIX,), "2 is not an axis of [N, 3]"),
        ],
        wrong=[
            Wrong({}, "`topk` needs `k`", code="E403"),
            Wrong({"k": 0}, "k should be greater than or equal to 1, got 0"),
        ],
    ),
}
