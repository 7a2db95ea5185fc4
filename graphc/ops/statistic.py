"""What several elements come to: products, variances, sums so far, and values brought to a length of 1."""

from __future__ import annotations

from collections.abc import Iterator

from graphc.dims import product
from graphc.ops.arithmetic import broadcast, broadcastable
from graphc.ops.base import Axis, Flag, Free, Natural, Pointwise, Positive, Requirement, holds, not_smaller
from graphc.ops.loss import NonNegative
from graphc.ops.reduce import Reduction, without
from graphc.ops.shape import on_axes
from graphc.tensor import DType, Tensor


class Prod(Free):
    """The product along `dim`, over all elements if not given; of truth values whether all are true (`torch.prod`)."""

    name = "prod"
    main = "dim"
    dim: Axis | None = None
    keepdim: Flag = False

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield Requirement(self.dim is not None or not self.keepdim, "keepdim is for one axis: give dim")
        yield from on_axes(input, *(() if self.dim is None else (self.dim,)))

    def infer(self, input: Tensor) -> Tensor:
        axes = tuple(range(input.rank)) if self.dim is None else (self.dim % input.rank,)
        return Tensor(without(input.shape, axes, self.keepdim), whole(input))


class Spread(Reduction):
    """How far the elements lie apart along `dim`."""

    correction: Natural = 1

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield holds(input, "float32")
        yield from super().requires(input)
        count = product(input.shape[axis] for axis in self.axes(input))
        yield not_smaller(count, self.correction + 1, f"needs more than {self.correction} elements, got {count}")


class Std(Spread):
    """The standard deviation along `dim`, over all if not given: the root of `var` (`torch.std`)."""

    name = "std"


class Var(Spread):
    """The variance along `dim`, over all if not given, divided by the number of elements - correction (`torch.var`)."""

    name = "var"


class Cumsum(Free):
    """The sum of the elements so far along `dim` (`torch.cumsum`)."""

    name = "cumsum"
    main = "dim"
    dim: Axis

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from on_axes(input, self.dim)

    def infer(self, input: Tensor) -> Tensor:
        return Tensor(input.shape, whole(input))


class Normalize(Pointwise):
    """input / max(‖input‖, eps) along `dim`, with the p-norm (`functional.normalize`)."""

    name = "normalize"
    p: NonNegative = 2.0
    dim: Axis = 1
    eps: Positive = 1e-12

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from on_axes(input, self.dim)
        yield holds(input, "float32")
        yield Requirement(self.p > 0, f"p {self.p} is not positive")


class CosineSimilarity(Free):
    """The cosine of the angle between two values along `dim`, each at least eps (`functional.cosine_similarity`)."""

    name = "cosine_similarity"
    main = "dim"
    dim: Axis = 1
    eps: Positive = 1e-8

    def requires(self, input: Tensor, other: Tensor) -> Iterator[Requirement]:
        for value in (input, other):
            yield holds(value, "float32")
        yield from broadcastable(input.shape, other.shape)
        yield from on_axes(Tensor(broadcast(input.shape, other.shape)), self.dim)

    def infer(self, input: Tensor, other: Tensor) -> Tensor:
        shape = broadcast(input.shape, other.shape)
        return input.with_shape(without(shape, (self.dim % len(shape),), keep=False))


def whole(input: Tensor) -> DType:
    """The element type of a sum or product: truth values are counted."""
    return "int64" if input.dtype == "bool" else input.dtype
