"""Values as signals."""

from __future__ import annotations

import torch
from hypothesis import strategies as st

from graphc.tensor import Tensor
from optable.case import Oracle
from optable.drawing import dims, one, values
from optable.operands import FLAGS, IMAGE, INTEGERS, H, W
from optable.oracle import Apply, with_axes
from optable.row import Refusal, Row, Wrong, on
from sketch import tensor


def spectrum(x: torch.Tensor, **attributes: object) -> tuple[torch.Tensor, ...]:
    """torch also takes whole numbers, which we leave to `float`."""
    if not x.is_floating_point():
        raise ValueError("no real numbers")
    found = torch.fft.fft2(x, **attributes)
    return found.real, found.imag


@st.composite
def fields(draw: st.DrawFn) -> Tensor:
    """Values whose last axis has three places or more: of fewer the imaginary part is but rounding."""
    kind = draw(values())
    return kind.with_shape((*kind.shape[:-1], draw(st.integers(3, 6)))) if kind.rank else kind


lengths = st.tuples(st.integers(1, 6), st.integers(3, 6))
several = st.lists(dims, min_size=1, max_size=3).map(tuple)

ROWS: dict[str, Row] = {
    "fft2": Row(
        Oracle(
            one(fields(), s_=lengths, norm_=st.sampled_from(["backward", "ortho", "forward"])),
            lambda a, _: Apply(lambda x: spectrum(x, **a)),
        ),
        settled=[
            *on((IMAGE,), {}, {"s": (16, 5)}, {"s": (2 * H, W // 2), "norm": "ortho"}),
            *on((tensor("H", 7),), {"norm": "forward"}),
        ],
        refused=[Refusal({}, (tensor("N"),), "needs a value with at least two axes, got [N]")],
        wrong=[Wrong({"s": 3}, "s should be a valid tuple, got 3")],
    ),
    "flip": Row(
        Oracle(
            one(values(), dims=st.one_of(dims, several)),
            lambda a, _: Apply(
                lambda x: torch.flip(with_axes(x), [a["dims"]] if isinstance(a["dims"], int) else a["dims"])
            ),
        ),
        settled=[
            *on((IMAGE,), {"dims": (2, -1)}),
            *on((INTEGERS,), {"dims": 1}),
            *on((FLAGS,), {"dims": (0,)}),
        ],
        refused=[Refusal({"dims": 2}, (tensor("N", 3),), "2 is not an axis of [N, 3]")],
        wrong=[Wrong({}, "`flip` needs `dims`", code="E403")],
    ),
}
