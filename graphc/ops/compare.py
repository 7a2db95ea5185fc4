"""Comparison of values, and the choice that it decides."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

from graphc.ops.arithmetic import broadcast, broadcastable, promoted
from graphc.ops.base import Free, Requirement, holds
from graphc.ops.reach import Seen, broadcasted
from graphc.ops.saved import INPUT, NOTHING
from graphc.tensor import Tensor


class Comparison(Free):
    """Two values compared element by element, broadcast against each other: true or false for each."""

    each = 1
    keeps = NOTHING

    def requires(self, input: Tensor, other: Tensor) -> Iterator[Requirement]:
        yield from broadcastable(input.shape, other.shape)

    def infer(self, input: Tensor, other: Tensor) -> Tensor:
        return Tensor(broadcast(input.shape, other.shape), "bool")

    def sees(self, input: Tensor, other: Tensor) -> Seen:
        result = broadcast(input.shape, other.shape)
        return broadcasted(input.shape, result), broadcasted(other.shape, result)


class Eq(Comparison):
    """Whether `input` = `other` (`torch.eq`)."""

    name = "eq"


class Ne(Comparison):
    """Whether `input` ≠ `other` (`torch.ne`)."""

    name = "ne"


class Lt(Comparison):
    """Whether `input` < `other` (`torch.lt`)."""

    name = "lt"


class Le(Comparison):
    """Whether `input` ≤ `other` (`torch.le`)."""

    name = "le"


class Gt(Comparison):
    """Whether `input` > `other` (`torch.gt`)."""

    name = "gt"


class Ge(Comparison):
    """Whether `input` ≥ `other` (`torch.ge`)."""

    name = "ge"


class Where(Free):
    """`input` where `condition` is true, `other` elsewhere, all broadcast against each other (`torch.where`)."""

    name = "where"
    each = 1
    keeps = INPUT
    operands = ("bool [N, T, 1]", "[N, T, 64]")

    def requires(self, condition: Tensor, input: Tensor, other: Tensor) -> Iterator[Requirement]:
        yield holds(condition, "bool")
        yield from broadcastable(condition.shape, input.shape)
        yield from broadcastable(broadcast(condition.shape, input.shape), other.shape)

    def infer(self, condition: Tensor, input: Tensor, other: Tensor) -> Tensor:
        shape = reduce(broadcast, (condition.shape, input.shape, other.shape))
        return Tensor(shape, promoted((input, other)))

    def sees(self, condition: Tensor, input: Tensor, other: Tensor) -> Seen:
        result = self.infer(condition, input, other).shape
        return tuple(broadcasted(value.shape, result) for value in (condition, input, other))
