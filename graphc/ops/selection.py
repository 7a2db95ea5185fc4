"""Ops that keep as many things as the data says: the size of what they give is known only when they run."""

from __future__ import annotations

from collections.abc import Iterator

from graphc.dims import Size
from graphc.ops.base import KEPT, Free, Requirement, elements, rank
from graphc.ops.reach import UNKNOWN, Seen
from graphc.ops.saved import NOTHING, Saved
from graphc.tensor import Tensor


class Selection(Free):
    """An op that gives the places, as int64, of what it keeps; no gradient flows back through it."""

    keeps = NOTHING
    detaches = True

    def saved(self, *operands: Tensor) -> Saved:
        return NOTHING


class Nonzero(Selection):
    """Where a value with one axis is true, or another number than 0, in order (`torch.nonzero(input).squeeze(1)`).

    [T] → int64 [K], with K ≤ T, which only the data knows.
    """

    name = "nonzero"
    operands = ("bool [T]",)

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, 1)

    def infer(self, input: Tensor) -> Tensor:
        return Tensor((KEPT,), "int64")

    def most(self, input: Tensor) -> Size:
        return input.shape[0]

    def work(self, input: Tensor) -> Size:
        return elements(input)

    def sees(self, input: Tensor) -> Seen:
        return ((UNKNOWN,),)
