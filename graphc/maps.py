"""Which values are maps: channels over two axes of space, so that they can be looked at as pictures."""

from __future__ import annotations

from graphc.tensor import Tensor


def channel_axis(value: Tensor) -> int | None:
    """Where the channels of a batch of maps are; None for a value that is none.

    Maps are [N, C, H, W], or [N, H, W, C] where the last axis alone is fixed, or where all are and the others are
    alike. What has no space is no map: [N, C, 1, 1]. Attention [N, heads, queries, keys] has a map for each head.
    """
    if value.rank != 4 or value.dtype != "float32":
        return None
    first, second, third = value.shape[1:]
    fixed = [isinstance(size, int) for size in (first, second, third)]
    last = fixed == [False, False, True] or (all(fixed) and first == second != third)
    channels, space = (3, (first, second)) if last else (1, (second, third))
    return None if 1 in space else channels
