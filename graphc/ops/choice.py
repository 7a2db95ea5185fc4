"""One of two values, element by element: the larger, the smaller, what is true of both, and what is put over it."""

from __future__ import annotations

from collections.abc import Iterator

from graphc.ops.activation import Whole
from graphc.ops.arithmetic import Binary, broadcast, broadcastable
from graphc.ops.base import Flag, Free, Requirement, holds
from graphc.ops.compare import Comparison
from graphc.ops.source import KINDS, Real
from graphc.tensor import Tensor


class LogicalAnd(Comparison):
    """Whether both are true, or another number than 0 (`torch.logical_and`)."""

    name = "logical_and"


class LogicalNot(Free):
    """Whether `input` is false, or 0 (`torch.logical_not`)."""

    name = "logical_not"

    def infer(self, input: Tensor) -> Tensor:
        return Tensor(input.shape, "bool")


class LogicalOr(Comparison):
    """Whether one of two is true, or another number than 0 (`torch.logical_or`)."""

    name = "logical_or"


class LogicalXor(Comparison):
    """Whether just one of two is true, or another number than 0 (`torch.logical_xor`)."""

    name = "logical_xor"


class Maximum(Binary):
    """The larger of two values (`torch.maximum`)."""

    name = "maximum"


class Minimum(Binary):
    """The smaller of two values (`torch.minimum`)."""

    name = "minimum"


class MaskedFill(Free):
    """`value` where `mask` is true, else `input`, broadcast against each other (`torch.Tensor.masked_fill`).

    PyTorch cuts a value to the element type of `input`; here it must be of that type, or a whole number for a real one.
    """

    name = "masked_fill"
    main = "value"
    value: Flag | Whole | Real

    def requires(self, input: Tensor, mask: Tensor) -> Iterator[Requirement]:
        yield holds(mask, "bool")
        kind = KINDS[type(self.value)]
        fits = kind == input.dtype or (kind, input.dtype) == ("int64", "float32")
        yield Requirement(fits, f"{self.value} is {kind}, {input} holds {input.dtype}")
        yield from broadcastable(input.shape, mask.shape)

    def infer(self, input: Tensor, mask: Tensor) -> Tensor:
        return input.with_shape(broadcast(input.shape, mask.shape))
