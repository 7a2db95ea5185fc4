"""Axes split, joined and brought into another order, in the notation of einops."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hypothesis import strategies as st

from graphc.tensor import Tensor
from optable.case import Case, Oracle
from optable.drawing import dtypes
from optable.operands import IMAGE, H, W
from optable.oracle import Apply
from optable.row import Refusal, Row, Wrong, on
from rearranging import rearranged
from sketch import tensor


@st.composite
def rearrangements(draw: st.DrawFn) -> Case:
    """A pattern, and a value that nearly always has its axes."""
    names = ["N", "C", "h", "w", "two_h", "d"][: draw(st.integers(0, 6))]
    sizes = {name: draw(st.integers(1, 4)) for name in names}
    left, right = (draw(grouped(draw(st.permutations(names)))) for _ in range(2))
    shape = [math.prod(sizes[name] for name in group) for group in left]
    given = {name: sizes[name] for group in left for name in group[draw(st.sampled_from([1] * 9 + [0, 2])) :]}
    off = draw(st.sampled_from([0] * 12 + [1]))
    wrong = [size + off * (axis == 0) for axis, size in enumerate(shape)]
    rank = draw(st.sampled_from([len(shape)] * 9 + [0]))
    pattern = " -> ".join(" ".join(map(written_group, side)) for side in (left, right))
    return {"pattern": pattern, **given}, (Tensor(tuple(wrong[:rank]), draw(dtypes)),)


@st.composite
def grouped(draw: st.DrawFn, names: Sequence[str]) -> list[list[str]]:
    """Names in groups, some of them empty."""
    groups: list[list[str]] = []
    for name in names:
        if not groups or draw(st.booleans()):
            groups += [[]] * draw(st.sampled_from([0] * 6 + [1]))
            groups.append([])
        groups[-1] = [*groups[-1], name]
    return groups


def written_group(group: Sequence[str]) -> str:
    return group[0] if len(group) == 1 else f"({' '.join(group)})" if group else "1"


ROWS: dict[str, Row] = {
    "rearrange": Row(
        Oracle(rearrangements(), lambda a, _: Apply(lambda x: rearranged(x, **a))),
        settled=[
            *on(
                (IMAGE,),
                {"pattern": "N C h w -> N C h w"},
                {"pattern": "N C h w -> N h w C"},
                {"pattern": "N C h w -> N (h w) C"},
                {"pattern": "N C h w -> N (C h w)"},
                {"pattern": "N C h w -> N C (w h)"},
                {"pattern": "N C h w -> (N h w C)"},
                {"pattern": "N (a b) h w -> a N b h w", "a": 2},
                {"pattern": "N (a b) h w -> N a b h w", "b": 3},
                {"pattern": "N (a b c) h w -> (w b) 1 (c N) (h a)", "b": 3, "c": 1},
                {"pattern": "N (a b) h w -> N (b a) (h w)", "a": 2, "b": 3},
                {"pattern": "N C h w -> 1 N C 1 h w"},
            ),
            *on((tensor(7 * H, 2 * W, 5),), {"pattern": "(h m) (w n) C -> (h w) 1 (m n C)", "m": 7, "n": 2}),
            *on((tensor("N", 10 * H, "W"),), {"pattern": "N (h m) W -> N (m W) h", "h": H}),
            *on((tensor(6, 1, 5, dtype="bool"),), {"pattern": "(a b) 1 c -> c 1 (b a)", "a": 2}),
            *on((tensor(1, 1),), {"pattern": "1 1 -> "}),
            *on((tensor(),), {"pattern": " -> 1"}),
        ],
        refused=[
            Refusal({"pattern": "N C -> C N"}, (tensor("N", 3, 8),), "begins with 2 axes, [N, 3, 8] has 3"),
            Refusal(
                {"pattern": "N (a b) -> a N b"},
                (tensor("N", 6),),
                "needs the size of `a` or `b`: (a b) is an axis of 6",
            ),
            Refusal({"pattern": "N (a b) -> a N b", "a": 4}, (tensor("N", 6),), "6 can't be split into (a b): a is 4"),
            Refusal(
                {"pattern": "N (a b) -> a N b", "a": 2},
                (tensor("N", "H"),),
                "H can't be split into (a b): a is 2",
                code="E503",
            ),
            Refusal(
                {"pattern": "N (a b) -> a N b", "a": 4, "b": 2}, (tensor("N", 6),), "has (a b), which is 8, for an axis"
            ),
            Refusal({"pattern": "N C -> C N", "c": 4}, (tensor("N", 6),), "the pattern has no axis `c`: N C -> C N"),
            Refusal({"pattern": "N 1 -> N"}, (tensor("N", 6),), "the pattern has 1 for an axis of 6"),
        ],
        wrong=[
            Wrong({}, "`rearrange` needs `pattern`", code="E403"),
            Wrong({"pattern": "a b", "a": 2}, "pattern needs one `->`"),
            Wrong({"pattern": "a b -> b"}, "pattern has the axis `a` on the left only"),
            Wrong({"pattern": "a -> a", "a": 0}, "a should be greater than or equal to 1, got 0"),
            Wrong({"pattern": "a -> a", "a": True}, "a should be a valid integer, got true"),
            Wrong({"pattern": "a -> a", "a": "3"}, ""),
            Wrong({"pattern": "a b"}, "pattern needs one `->`"),
            Wrong({"pattern": "a -> b -> a"}, "pattern needs one `->`"),
            Wrong({"pattern": "a b -> a"}, "pattern has the axis `b` on the left only"),
            Wrong({"pattern": "a -> a b"}, "pattern has the axis `b` on the right only"),
            Wrong({"pattern": "a a -> a"}, "pattern has the axis `a` twice on one side"),
            Wrong({"pattern": "a (b -> a b"}, "pattern has parentheses that are not closed, or inside others: `a (b`"),
            Wrong(
                {"pattern": "((a) b) -> a b"},
                "pattern has parentheses that are not closed, or inside others: `((a) b)`",
            ),
            Wrong({"pattern": "a ... -> ... a"}, "pattern has `...`, which is no name of an axis"),
            Wrong({"pattern": "a 2 -> a 2"}, "pattern has `2`, which is no name of an axis"),
        ],
    ),
}
