"""What a pattern of einops does, element by element: the oracle of `rearrange`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np
import torch


def rearranged(x: torch.Tensor, pattern: str, **sizes: int) -> torch.Tensor:
    """Element by element: the place of each is counted along the named axes."""
    left, right = ([group.split() for group in groups_of(side)] for side in pattern.split("->"))
    if len(left) != x.dim():
        raise ValueError("axes")
    for group, size in zip(left, x.shape, strict=True):
        unknown = [name for name in group if name not in sizes]
        known = math.prod(sizes[name] for name in group if name in sizes)
        if len(unknown) > 1 or size % known or (not unknown and size != known):
            raise ValueError("sizes")
        sizes |= dict.fromkeys(unknown, size // known)
    names = [name for group in left for name in group]
    found = np.zeros([math.prod(sizes[name] for name in group) for group in right], np.int64)
    for number, place in enumerate(np.ndindex(*(sizes[name] for name in names))):
        at = dict(zip(names, place, strict=True))
        found[tuple(flat_place(group, sizes, at) for group in right)] = number
    return x.reshape(-1)[torch.from_numpy(found)]


def groups_of(side: str) -> list[str]:
    return [group.strip("()").replace("1", "") for group in re.findall(r"\([^()]*\)|[^\s()]+", side)]


def flat_place(group: Sequence[str], sizes: Mapping[str, int], at: Mapping[str, int]) -> int:
    place = 0
    for name in group:
        place = place * sizes[name] + at[name]
    return place
