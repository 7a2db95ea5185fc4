"""Ops that change only the shape, or bring values together along a new axis."""

from __future__ import annotations

import math

import torch
from hypothesis import strategies as st
from torch import nn

from optable.case import Case, Oracle, as_ints
from optable.drawing import dims, one, similar, values
from optable.operands import FIXED, FLAGS, IMAGE, INTEGERS, MATRIX, H, N, W
from optable.oracle import Apply, pointwise
from optable.row import Refusal, Row, Wrong, on
from sketch import tensor


def squeezed(x: torch.Tensor, dim: int | tuple[int, ...]) -> torch.Tensor:
    """torch leaves an axis of another size as it is, and gives a single number an axis 0."""
    axes = dim if isinstance(dim, tuple) else (dim,)
    if x.dim() == 0 or any(x.shape[axis] != 1 for axis in axes):
        raise IndexError("no axis of size 1")
    return torch.squeeze(x, dim)


@st.composite
def reshapes(draw: st.DrawFn) -> Case:
    """A value, and a shape that nearly always has as many elements."""
    value = draw(values())
    left, shape = math.prod(as_ints(value)), []
    while left > 1 and draw(st.booleans()):
        shape.append(draw(st.sampled_from([n for n in range(1, left + 1) if left % n == 0])))
        left //= shape[-1]
    rest = draw(st.sampled_from([[left]] * 4 + [[-1]] * 4 + [[], [left + 1], [0]]))
    return {"shape": tuple(draw(st.permutations([*shape, *rest])))}, (value,)


@st.composite
def expansions(draw: st.DrawFn) -> Case:
    """A value, and a shape that it can nearly always be repeated to."""
    value = draw(values(most=3))
    kept = [draw(st.sampled_from([3 if size == 1 else size] * 6 + [-1, size, size + 1])) for size in as_ints(value)]
    new = draw(st.lists(st.sampled_from([1, 2, 3, 2, -1]), max_size=2))
    shape = [*new, *kept]
    return {"shape": tuple(shape[draw(st.sampled_from([0] * 9 + [1])) :])}, (value,)


ROWS: dict[str, Row] = {
    "expand": Row(
        Oracle(expansions(), lambda a, _: Apply(lambda x: x.expand(a["shape"]))),
        settled=[
            *on((tensor("N", 1, "W"),), {"shape": (N, 3, W)}, {"shape": (2 * N, -1, W, W)}),
            *on((tensor("N", 1, 3, dtype="int64"),), {"shape": (3, -1, 5, -1)}),
            *on((tensor(dtype="bool"),), {"shape": (2, 3)}),
        ],
        refused=[
            Refusal({"shape": (N, 4)}, (MATRIX,), "a size of 3 can't become 4: only 1 is repeated"),
            Refusal({"shape": (N,)}, (MATRIX,), "[N, 3] has more axes than [N]"),
            Refusal({"shape": (-1, 3)}, (tensor(3),), "-1 keeps a size: a new axis has none"),
        ],
        wrong=[
            Wrong({"shape": 3}, "shape should be a valid tuple, got 3"),
        ],
    ),
    "flatten": Row(
        Oracle(one(values(), start_dim_=st.integers(-4, 4), end_dim_=st.integers(-4, 4)), lambda a, _: nn.Flatten(**a)),
        settled=[
            *on(
                (IMAGE,),
                {},
                {"start_dim": 0},
                {"start_dim": 2},
                {"end_dim": 2},
                {"start_dim": 0, "end_dim": 1},
                {"start_dim": -1},
            ),
            *on((FIXED,), {}, {"end_dim": 2}),
            *on((tensor("N"),), {"start_dim": 0}),
        ],
        refused=[
            Refusal({"start_dim": 2, "end_dim": 1}, (tensor("N", 3, 8),), "start_dim 2 lies behind end_dim 1"),
        ],
        wrong=[
            Wrong({"start_dim": 1.0}, "start_dim should be a valid integer, got 1.0"),
        ],
    ),
    "permute": Row(
        Oracle(
            one(values(most=3), dims=st.lists(st.integers(-3, 2), max_size=4).map(tuple)),
            lambda a, _: Apply(lambda x: torch.permute(x, **a)),
        ),
        settled=[
            *on((IMAGE,), {"dims": (0, 2, -1, 1)}),
            *on((FLAGS,), {"dims": (1, 0)}),
            *on((tensor(),), {"dims": ()}),
        ],
        refused=[
            Refusal({"dims": (0, 1)}, (tensor("N", 3, 8),), "dims has 2 of the 3 axes of [N, 3, 8]"),
            Refusal({"dims": (0, -2)}, (MATRIX,), "an axis of [N, 3] is given twice"),
        ],
        wrong=[
            Wrong({"dims": None}, "dims should be a valid tuple, got none"),
        ],
    ),
    "reshape": Row(
        Oracle(reshapes(), lambda a, _: Apply(lambda x: torch.reshape(x, **a))),
        settled=[
            *on(
                (IMAGE,),
                {"shape": (-1,)},
                {"shape": (N, -1, W)},
                {"shape": (N, 3, 2, H, W)},
                {"shape": (H * W, -1, N)},
                {"shape": (2, -1, 1, 3)},
                {"shape": (H * N, 2 * W, 3)},
            ),
            *on((tensor(6, 11, 14, dtype="int64"),), {"shape": (3, -1, 7, 2)}),
            *on((tensor(1, 1, dtype="bool"),), {"shape": ()}),
            *on((tensor(),), {"shape": (1, -1)}),
        ],
        refused=[
            Refusal({"shape": (4, -1)}, (tensor(3, 6),), "[3, 6] and [4, -1] have different numbers of elements"),
            Refusal({"shape": (N, -1, -1)}, (tensor("N", 6),), "only one size can be -1"),
            Refusal({"shape": (H - W, 6)}, (tensor("N", 6),), "a size of H - W is not positive"),
        ],
        wrong=[
            Wrong({"shape": 3}, "shape should be a valid tuple, got 3"),
            Wrong({"shape": (2.0,)}, "shape should be a valid integer, got 2.0"),
        ],
    ),
    "squeeze": Row(
        Oracle(
            one(values(), dim=st.one_of(dims, st.lists(dims, min_size=1, max_size=3).map(tuple))),
            lambda a, _: Apply(lambda x: squeezed(x, **a)),
        ),
        settled=[
            *on((tensor("N", 1, "H"),), {"dim": 1}),
            *on((tensor(1, "H", 1, dtype="int64"),), {"dim": (0, -1)}),
        ],
        refused=[
            Refusal({"dim": 1}, (tensor("N", "H"),), "axis 1 of [N, H] must have size 1"),
        ],
        wrong=[
            Wrong({}, "`squeeze` needs `dim`", code="E403"),
        ],
    ),
    "stack": Row(
        Oracle(
            st.tuples(st.fixed_dictionaries({}, optional={"dim": dims}), similar()),
            lambda a, _: Apply(lambda *operands: torch.stack(operands, **a)),
        ),
        settled=[
            *on((MATRIX, MATRIX), {}),
            *on((MATRIX, INTEGERS, FLAGS), {"dim": -1}),
            *on((tensor("N"),), {"dim": 1}),
        ],
        refused=[
            Refusal({}, (MATRIX, tensor("N", 4)), "the operands have shapes [N, 3] and [N, 4]"),
        ],
        wrong=[
            Wrong({"dim": 0.5}, "dim should be a valid integer, got 0.5"),
        ],
    ),
    "transpose": Row(
        Oracle(
            one(values(), dim0_=dims, dim1_=dims),
            lambda a, _: Apply(lambda x: torch.transpose(x, **{"dim0": -2, "dim1": -1} | a)),
        ),
        settled=[
            *on((IMAGE,), {}),
            *on((INTEGERS,), {"dim0": 1, "dim1": 0}),
            *on((tensor("N"),), {"dim0": 0}),
        ],
        refused=[
            Refusal({}, (tensor("N"),), "-2 is not an axis of [N]"),
        ],
        wrong=[
            Wrong({"dim0": 1.0}, "dim0 should be a valid integer, got 1.0"),
        ],
    ),
    "unsqueeze": Row(
        pointwise(torch.unsqueeze, dim=dims),
        settled=[
            *on((IMAGE,), {"dim": 0}, {"dim": -1}),
            *on((tensor(),), {"dim": 0}, {"dim": -1}),
        ],
        wrong=[
            Wrong({}, "`unsqueeze` needs `dim`", code="E403"),
        ],
        refused=[
            Refusal({"dim": 3}, (MATRIX,), "3 is not an axis of [N, 3]"),
        ],
    ),
}
