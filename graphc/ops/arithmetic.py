"""Arithmetic on values, broadcast against each other and promoted to one element type as in PyTorch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce

from graphc.dims import Size, product
from graphc.ops.base import Free, Op, Pointwise, Requirement, elements, holds, same_size
from graphc.ops.reach import ALL, Along, Seen, broadcasted
from graphc.ops.saved import FACTORS, INPUT, NOTHING
from graphc.tensor import DType, Shape, Tensor


class _Folded(Free):
    """Any number of operands, two at least, from left to right."""

    def requires(self, *inputs: Tensor) -> Iterator[Requirement]:
        yield Requirement(len(inputs) >= 2, f"takes two values or more, got {len(inputs)}")
        shape = inputs[0].shape
        for right in inputs[1:]:
            yield from broadcastable(shape, right.shape)
            shape = broadcast(shape, right.shape)

    def infer(self, *inputs: Tensor) -> Tensor:
        return Tensor(reduce(broadcast, (value.shape for value in inputs)), promoted(inputs))

    def work(self, *inputs: Tensor) -> Size:
        return (len(inputs) - 1) * elements(self.infer(*inputs))

    def sees(self, *inputs: Tensor) -> Seen:
        return tuple(broadcasted(value.shape, self.infer(*inputs).shape) for value in inputs)


class Binary(Free):
    """Two operands."""

    each = 1

    def requires(self, input: Tensor, other: Tensor) -> Iterator[Requirement]:
        yield from broadcastable(input.shape, other.shape)

    def infer(self, input: Tensor, other: Tensor) -> Tensor:
        return Tensor(broadcast(input.shape, other.shape), promoted((input, other)))

    def sees(self, input: Tensor, other: Tensor) -> Seen:
        result = broadcast(input.shape, other.shape)
        return broadcasted(input.shape, result), broadcasted(other.shape, result)


class _OfNumbers(Binary):
    """Two operands, not both of bool."""

    def requires(self, input: Tensor, other: Tensor) -> Iterator[Requirement]:
        yield Requirement(promoted((input, other)) != "bool", "needs a value that is not bool, got two of bool")
        yield from super().requires(input, other)


class Add(_Folded):
    """The sum of its operands; of bool, whether one is true (`torch.add`)."""

    name = "add"
    keeps = NOTHING


class Multiply(_Folded):
    """The product of its operands, element by element; of bool, whether all are true (`torch.mul`)."""

    name = "multiply"
    keeps = FACTORS


class Subtract(Binary):
    """The difference of two values; not of bool (`torch.sub`)."""

    name = "subtract"
    keeps = NOTHING

    def requires(self, input: Tensor, other: Tensor) -> Iterator[Requirement]:
        yield holds(input, "float32", "int64")
        yield holds(other, "float32", "int64")
        yield from super().requires(input, other)


class Divide(Binary):
    """The quotient of two values, as float32 (`torch.div`)."""

    name = "divide"
    keeps = FACTORS

    def infer(self, input: Tensor, other: Tensor) -> Tensor:
        return Tensor(broadcast(input.shape, other.shape))


class Pow(_OfNumbers):
    """`input` to the power of `other` (`torch.pow`)."""

    name = "pow"
    keeps = INPUT


class FloorDivide(_OfNumbers):
    """The quotient of two values, rounded down (`torch.floor_divide`)."""

    name = "floor_divide"
    keeps = NOTHING


class Remainder(_OfNumbers):
    """What is left of `input` after `floor_divide`, with the sign of `other` (`torch.remainder`)."""

    name = "remainder"
    keeps = NOTHING


class Negative(Pointwise):
    """`input` with the other sign; not of bool (`torch.neg`)."""

    name = "negative"
    keeps = NOTHING

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield holds(input, "float32", "int64")


class Matmul(Op):
    """The matrix product (`torch.matmul`).

    input [*, n, k], other [*, k, m] → [*, n, m], the axes in front broadcast against each other. An operand [k] is a
    row on the left and a column on the right, and its axis of 1 goes.
    """

    name = "matmul"
    each = 0
    keeps = FACTORS
    operands = ("[N, 8, T, 64]", "[N, 8, 64, S]")

    def requires(self, input: Tensor, other: Tensor) -> Iterator[Requirement]:
        for value in (input, other):
            yield Requirement(value.rank >= 1, f"needs values with an axis or more, got {value}")
            yield holds(value, "float32", "int64")
        alike = input.dtype == other.dtype
        yield Requirement(alike, f"needs two values of one element type, got {input.dtype} and {other.dtype}")
        inner = input.shape[-1], other.shape[-2:][0]
        yield same_size(*inner, f"the rows of the first have {inner[0]} elements, the columns of the second {inner[1]}")
        yield from broadcastable(input.shape[:-2], other.shape[:-2])

    def infer(self, input: Tensor, other: Tensor) -> Tensor:
        batch = broadcast(input.shape[:-2], other.shape[:-2])
        return Tensor((*batch, *input.shape[-2:-1], *other.shape[-2:][1:]), input.dtype)

    def macs(self, input: Tensor, other: Tensor) -> Size:
        return product(self.infer(input, other).shape) * input.shape[-1]

    def sees(self, input: Tensor, other: Tensor) -> Seen:
        batch = broadcast(input.shape[:-2], other.shape[:-2])
        rows, columns = input.shape[-2:-1], other.shape[-2:][1:]
        left, right = (broadcasted(value.shape[:-2], batch) for value in (input, other))
        left += (*(Along(len(batch) + axis) for axis in range(len(rows))), ALL)
        right += (ALL, *(Along(len(batch) + len(rows) + axis) for axis in range(len(columns))))
        return left, right


def broadcastable(left: Shape, right: Shape) -> Iterator[Requirement]:
    """From the last axis on, two sizes agree or one of them is 1; a free size is not taken for a 1."""
    for a, b in zip(reversed(left), reversed(right), strict=False):
        if 1 not in (a, b):
            yield same_size(a, b, f"the operands have sizes {a} and {b}")


def broadcast(left: Shape, right: Shape) -> Shape:
    """The common shape of two values that can be broadcast."""
    longer, shorter = sorted((left, right), key=len, reverse=True)
    padded = (1,) * (len(longer) - len(shorter)) + shorter
    return tuple(b if a == 1 else a for a, b in zip(longer, padded, strict=True))


def promoted(inputs: Sequence[Tensor]) -> DType:
    """The element type that can hold all of theirs."""
    held = {value.dtype for value in inputs}
    return next(dtype for dtype in _WIDEST_FIRST if dtype in held)


_WIDEST_FIRST: tuple[DType, ...] = ("float32", "int64", "bool")
