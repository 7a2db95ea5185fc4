"""One of two values, element by element: the larger, the smaller, what is true of both, and what is put over it."""

from __future__ import annotations

from collections.abc import Iterator

from graphc.ops.activation import Whole
from graphc.ops.arithmetic import Binary, broadcast, broadcastable
from graphc.ops.base import Flag, Free, Requirement, holds
from graphc.ops.compare import Comparison
from graphc.ops.reach import Seen, alike, broadcasted
from graphc.ops.saved import NOTHING, Saved
from graphc.ops.source import KINDS, Real
from graphc.tensor import Tensor


class LogicalAnd(Comparison):
    """Whether both are true, or another number than 0 (`torch.logical_and`)."""

    name = "logical_and"
    operands = ("bool [N, T]",)


class LogicalNot(Free):
    """Whether `input` is false, or 0 (`torch.logical_not`)."""

    name = "logical_not"
    each = 1
    keeps = NOTHING
    operands = ("bool [N, T]",)

    def infer(self, input: Tensor) -> Tensor:
        return Tensor(input.shape, "bool")

    def sees(self, input: Tensor) -> Seen:
        return (alike(input.rank),)


class LogicalOr(Comparison):
    """Whether one of two is true, or another number than 0 (`torch.logical_or`)."""

    name = "logical_or"
    operands = ("bool [N, T]",)


class LogicalXor(Comparison):
    """Whether just one of two is true, or another number than 0 (`torch.logical_xor`)."""

    name = "logical_xor"
    operands = ("bool [N, T]",)


class Maximum(Binary):
    """The larger of two values (`torch.maximum`)."""

    name = "maximum"
    keeps = Saved((0, 1))


class Minimum(Binary):
    """The smaller of two values (`torch.minimum`)."""

    name = "minimum"
    keeps = Saved((0, 1))


class MaskedFill(Free):
    """`value` where `mask` is true, else `input`, broadcast against each other (`torch.Tensor.masked_fill`).

    PyTorch cuts a value to the element type of `input`; here it must be of that type, or a whole number for a real one.
    """

    name = "masked_fill"
    each = 1
    keeps = Saved((1,))
    main = "value"
    example = "0"
    operands = ("[N, T, 64]", "bool [N, T, 1]")
    value: Flag | Whole | Real
    """What is put where the mask is true."""

    def requires(self, input: Tensor, mask: Tensor) -> Iterator[Requirement]:
        yield holds(mask, "bool")
        kind = KINDS[type(self.value)]
        fits = kind == input.dtype or (kind, input.dtype) == ("int64", "float32")
        yield Requirement(fits, f"{self.value} is {kind}, {input} holds {input.dtype}")
        yield from broadcastable(input.shape, mask.shape)

    def infer(self, input: Tensor, mask: Tensor) -> Tensor:
        return input.with_shape(broadcast(input.shape, mask.shape))

    def sees(self, input: Tensor, mask: Tensor) -> Seen:
        result = broadcast(input.shape, mask.shape)
        return broadcasted(input.shape, result), broadcasted(mask.shape, result)
