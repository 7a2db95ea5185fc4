"""Parts of values, and numbers beside values."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import strategies as st

from optable.case import Attributes, Case, Oracle, as_ints
from optable.drawing import dims, flags, indices, one, values
from optable.operands import FIXED, FLAGS, IMAGE, INTEGERS, MATRIX, SQUARE, VECTOR, H, N, W
from optable.oracle import Apply
from optable.row import Refusal, Row, Wrong, on
from sketch import tensor

bounds = st.one_of(st.none(), st.integers(-5, 5))


parts = st.one_of(st.none(), st.integers(-3, 3), *[st.tuples(bounds, bounds, st.sampled_from([None, 1, 2, 3]))] * 2)


def index_of(attributes: Attributes) -> tuple[object, ...]:
    """What stands in the brackets of a subscript."""
    return tuple(slice(*part) if isinstance(part, tuple) else part for part in attributes["index"])


def rolled(x: torch.Tensor, **attributes: Any) -> torch.Tensor:
    if x.dim() == 0:
        raise IndexError("torch gives a single number an axis 0")
    return torch.roll(x, **attributes)


@st.composite
def rolls(draw: st.DrawFn) -> Case:
    count = draw(st.integers(1, 2))
    several = [tuple(draw(dims) for _ in range(count + draw(st.sampled_from([0] * 6 + [1])))) for _ in range(2)]
    shifts, axes = (draw(st.sampled_from([found, found[0]])) for found in several)
    return {"shifts": shifts, "dims": axes}, (draw(values()),)


@st.composite
def splits(draw: st.DrawFn) -> Case:
    value, dim = draw(values()), draw(st.sampled_from([0, 0, 0, 1, -1, -2]))
    shape = as_ints(value)
    size = shape[dim] if -len(shape) <= dim < len(shape) else 2
    at = sorted(draw(st.sets(st.integers(1, size), max_size=2)) | {size})
    parts = tuple(after - before for before, after in zip([0, *at], at, strict=False))
    how = draw(st.sampled_from([parts, parts, draw(st.integers(1, 4)), (*parts, 1)]))
    return draw(st.sampled_from([{"split_size": how, "dim": dim}] + [{"split_size": how}] * (dim == 0))), (value,)


def chunked(x: torch.Tensor, chunks: int, dim: int = 0) -> tuple[torch.Tensor, ...]:
    """torch takes sizes that can't be divided too."""
    if x.shape[dim] % chunks:
        raise ValueError("not divisible")
    return torch.chunk(x, chunks, dim)


@st.composite
def rows(draw: st.DrawFn) -> Case:
    """A value, and whole numbers that nearly always are places along one of its axes."""
    cases = st.fixed_dictionaries({}, optional={"dim": st.sampled_from([0, 0, 1, -1, 2])})
    return draw(cases), (draw(values()), draw(indices()))


def index_selected(x: torch.Tensor, index: torch.Tensor, dim: int = 0) -> torch.Tensor:
    if index.dtype != torch.int64 or not -x.dim() <= dim < x.dim():
        raise IndexError("no whole numbers, or no axis")
    return x[(slice(None),) * (dim % x.dim()) + (index,)]


ROWS: dict[str, Row] = {
    "chunk": Row(
        Oracle(
            one(values(), chunks=st.sampled_from([1, 2, 2, 3]), dim_=dims),
            lambda a, _: Apply(lambda x: chunked(x, **a)),
        ),
        settled=[
            *on((IMAGE,), {"dim": -3, "chunks": 3}),
            *on((tensor(2 * H, 3, dtype="int64"),), {"chunks": 2}),
        ],
        refused=[
            Refusal({"chunks": 2, "dim": 1}, (VECTOR,), "5 can't be divided into 2 equal parts"),
        ],
        wrong=[
            Wrong({"chunks": 0}, "chunks should be greater than or equal to 1, got 0"),
        ],
    ),
    "constant": Row(
        Oracle(
            st.tuples(
                st.fixed_dictionaries({"value": st.one_of(flags, st.integers(-9, 9), st.floats(allow_nan=False))}),
                st.just(()),
            ),
            lambda a, _: Apply(lambda: torch.tensor(a["value"])),
        ),
        settled=[
            *on((), {"value": 2}, {"value": 0.5}, {"value": True}),
        ],
        wrong=[
            Wrong({}, "`constant` needs `value`", code="E403"),
            Wrong({"value": "1"}, ""),
            Wrong({"value": None}, "value should be a valid boolean, got none"),
        ],
    ),
    "getitem": Row(
        Oracle(
            one(values(), index=st.lists(parts, min_size=1, max_size=4).map(tuple)),
            lambda a, _: Apply(lambda x: x[index_of(a)]),
        ),
        settled=[
            *on(
                (IMAGE,),
                {"index": (0, None, (1, None, None), -1)},
                {"index": ((None, None, None), (1, 5, 2), (-9, 18, 3), (-3, None, None))},
                {"index": ((None, None, None), 0, (H // 3, H - 1, None))},
            ),
            *on((FLAGS,), {"index": ((None, None, None), None, None)}),
            *on((INTEGERS,), {"index": ((None, None, None),)}),
            *on((tensor("H", 3, dtype="int64"),), {"index": ((None, -1, None), 2)}),
            *on((SQUARE,), {"index": ((-H, H * N - 3, None), (None, None, N))}),
        ],
        refused=[
            Refusal({"index": (0, 0, None, 0)}, (MATRIX,), "3 parts for [N, 3] with 2 axes"),
            Refusal({"index": ((None, None, None), 3)}, (MATRIX,), "there is no element 3 along an axis of 3"),
            Refusal({"index": (1,)}, (tensor("N"),), "there is no element 1 along an axis of N", code="E503"),
            Refusal({"index": ((2, -1, None),)}, (tensor(3),), "nothing is left of an axis of 3 from 2 to 2"),
            Refusal(
                {"index": ((H - 4, None, None),)}, (tensor("H"),), "the bound H - 4 must not be negative", code="E503"
            ),
            Refusal({"index": ((None, None, H - 4),)}, (tensor("H"),), "the step H - 4 must be positive", code="E503"),
        ],
        wrong=[
            Wrong({}, "`getitem` needs `index`", code="E403"),
            Wrong({"index": ()}, "index Tuple should have at least 1 item after validation, not 0, got []"),
            Wrong({"index": 0}, "index should be a valid tuple, got 0"),
            Wrong({"index": (0.0,)}, "index should be a valid integer, got 0.0"),
            Wrong({"index": (True,)}, "index should be a valid integer, got true"),
            Wrong({"index": ((0, 1),)}, ""),
            Wrong({"index": ((0, 1, 0),)}, "index should be greater than or equal to 1, got 0"),
            Wrong({"index": ((3, 0, -1),)}, "index should be greater than or equal to 1, got -1"),
        ],
    ),
    "index_select": Row(
        Oracle(rows(), lambda a, _: Apply(lambda x, index: index_selected(x, index, **a))),
        settled=[
            *on((IMAGE, tensor("H", 2, dtype="int64")), {}),
            *on((IMAGE, tensor(5, dtype="int64")), {"dim": -2}),
            *on((INTEGERS, tensor(dtype="int64")), {"dim": 1}),
        ],
        refused=[
            Refusal({}, (MATRIX, MATRIX), "needs int64, got [N, 3] of float32"),
        ],
        wrong=[
            Wrong({"dim": 1.0}, "dim should be a valid integer, got 1.0"),
        ],
    ),
    "roll": Row(
        Oracle(rolls(), lambda a, _: Apply(lambda x: rolled(x, **a))),
        settled=[
            *on((IMAGE,), {"shifts": (-3, 4), "dims": (2, -1)}, {"shifts": (H // 2, -W), "dims": (2, 3)}),
            *on((FIXED,), {"shifts": (0, -25, 11), "dims": (1, 2, 3)}),
            *on((INTEGERS,), {"shifts": 3, "dims": 0}),
            *on((FLAGS,), {"shifts": (5, 5), "dims": (0, 0)}),
        ],
        refused=[
            Refusal({"shifts": (1, 2), "dims": 0}, (MATRIX,), "2 shifts for 1 axes"),
        ],
        wrong=[
            Wrong({"shifts": 1}, "`roll` needs `dims`", code="E403"),
            Wrong({"shifts": (), "dims": ()}, "shifts should be a valid integer, got []"),
        ],
    ),
    "split": Row(
        Oracle(splits(), lambda a, _: Apply(lambda x: torch.split(x, a["split_size"], a.get("dim", 0)))),
        settled=[
            *on((IMAGE,), {"dim": 1, "split_size": 4}, {"dim": 2, "split_size": (5, H - 8, 3)}),
        ],
        refused=[
            Refusal({"split_size": 2, "dim": 1}, (tensor("N", "H"),), "H sets the number of parts and must be fixed"),
            Refusal({"split_size": (2, 3), "dim": 1}, (tensor("N", 6),), "the parts come to 5, the axis has 6"),
        ],
        wrong=[
            Wrong({"split_size": 0}, "split_size should be greater than or equal to 1, got 0"),
            Wrong({"split_size": ()}, "split_size should be a valid integer, got []"),
        ],
    ),
}
