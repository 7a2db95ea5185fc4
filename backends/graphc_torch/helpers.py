"""Functions that a generated file may need; each is copied into the file that calls it."""

from __future__ import annotations

from torch import Tensor


def center_crop(x: Tensor, target: Tensor) -> Tensor:
    """The middle of `x` [N, C, *], of the spatial size of `target` [*, *, *]."""
    for dim in range(2, x.dim()):
        start = (x.size(dim) - target.size(dim)) // 2
        x = x.narrow(dim, start, target.size(dim))
    return x
