"""Ops that bring several values together."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from hypothesis import strategies as st

from graphc.tensor import Tensor
from optable.case import Case, Oracle, as_ints
from optable.drawing import channels, dtypes, images, similar, two
from optable.operands import FIXED, IMAGE, INTEGERS, MATRIX, SMALL, H
from optable.oracle import Apply
from optable.row import Refusal, Row, Wrong, each, on
from sketch import tensor


@st.composite
def crops(draw: st.DrawFn) -> Sequence[Tensor]:
    input = draw(images())
    target = [draw(st.integers(1, 2)), draw(channels), *(draw(st.integers(1, 1 + s)) for s in as_ints(input)[2:])]
    return input, Tensor(tuple(target), draw(dtypes))


def center_crop(input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """As in Ronneberger et al. 2015, figure 1."""
    if input.dim() != target.dim() or input.dim() < 3:
        raise ValueError("ranks")
    for axis in range(2, input.dim()):
        rest = input.shape[axis] - target.shape[axis]
        input = input.narrow(axis, rest // 2, target.shape[axis])
    return input


def depth_concat(*operands: torch.Tensor, dim: int = 1) -> torch.Tensor:
    """Torch7's nn.DepthConcat: each operand narrow()ed into zeros, from ⌊(size - own) / 2⌋ on. Not for the channels."""
    rank = operands[0].dim()
    if any(x.dim() != rank for x in operands) or not -rank <= dim < rank:
        raise IndexError("no such axis")
    if any(x.shape[a] != operands[0].shape[a] for x in operands for a in range(min(2, rank)) if a != dim % rank):
        raise ValueError("other sizes differ")
    shape = [max(x.shape[a] for x in operands) for a in range(rank)]
    parts = []
    for x in operands:
        shape[dim] = x.shape[dim]
        part = torch.zeros(shape, dtype=torch.result_type(x, torch.zeros((), dtype=x.dtype)))
        middle = part
        for axis in range(rank):
            middle = middle.narrow(axis, (shape[axis] - x.shape[axis]) // 2, x.shape[axis])
        middle.copy_(x)
        parts.append(part)
    return torch.cat(parts, dim)


@st.composite
def maps(draw: st.DrawFn) -> Case:
    """Some maps, of nearly as many samples and channels, and of any size, to be centred; or alike, to be joined."""
    if draw(st.booleans()):
        return draw(st.fixed_dictionaries({}, optional={"dim": st.integers(-3, 3)})), draw(similar())
    samples, channel, rank = draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.sampled_from([4, 4, 4, 3, 5]))
    found = []
    for _ in range(draw(st.integers(1, 3))):
        odd = draw(st.sampled_from([0] * 9 + [1]))
        space = [draw(st.integers(1, 5)) for _ in range(rank - 2)]
        found.append(Tensor((samples + odd, draw(st.integers(1, 3)) if draw(st.booleans()) else channel, *space)))
    return {"center": True} | draw(st.fixed_dictionaries({}, optional={"dim": st.integers(-4, 3)})), found


def joined(*operands: torch.Tensor, dim: int = 1, center: bool = False) -> torch.Tensor:
    return depth_concat(*operands, dim=dim) if center else torch.cat(operands, dim)


ROWS: dict[str, Row] = {
    "center_crop": Row(
        Oracle(two(crops()), lambda a, _: Apply(center_crop)),
        settled=[
            *each(
                {},
                (IMAGE, SMALL),
                (IMAGE, tensor("N", 1, "h", 7)),
                (FIXED, tensor("N", 2, 8, 14)),
                (IMAGE, IMAGE),
                (tensor("N", 6, H + 5), tensor(1, 1, "H")),
            ),
        ],
        refused=[
            Refusal({}, (tensor("N", 3, 8, 8), tensor("N", 3, 9, 8)), "can't cut 9 out of 8"),
        ],
    ),
    "concat": Row(
        Oracle(
            maps(),
            lambda a, _: Apply(lambda *operands: joined(*operands, **a)),
        ),
        settled=[
            *on((IMAGE, tensor("N", 2, "H", "W"), IMAGE), {}),
            *on((IMAGE, tensor("N", 6, "H", 3)), {"dim": -1}),
            *on((INTEGERS,), {"dim": 0}),
            *each(
                {"center": True},
                (IMAGE, tensor("N", 2, 3, 4), tensor("N", 1, "h", "w")),
                (IMAGE, IMAGE),
                (tensor("N", 2, 5, 8), tensor("N", 1, 8, 5), tensor("N", 3, 1, 1)),
                (tensor("N", 2, "H", dtype="int64"), tensor("N", 2, 30, dtype="int64")),
            ),
            *on((IMAGE, tensor("N", 6, "h", 3)), {"center": True, "dim": -1}),
        ],
        refused=[
            Refusal(
                {},
                (tensor("N", 3, "H"), tensor("N", 4, "W")),
                "along axis 2 the operands have H and W; only axis 1 may differ",
            ),
            Refusal({"dim": 5}, (MATRIX,), "dim 5 is not an axis of [N, 3]"),
            Refusal({"center": True}, (IMAGE, tensor("N", 6, 3)), "have different numbers of axes"),
            Refusal({"center": True}, (IMAGE, tensor(3, 6, 3, 3)), "along axis 0 the operands have N and 3"),
        ],
        wrong=[
            Wrong({"axis": 1}, "`concat` has no attribute `axis`", code="E402"),
        ],
    ),
}
