"""What several elements come to: products, variances, sums so far, and values brought to a length of 1."""

from __future__ import annotations

from collections.abc import Iterator

from graphc.dims import Size, product
from graphc.ops.arithmetic import broadcast, broadcastable
from graphc.ops.base import Axis, Flag, Free, Natural, Pointwise, Positive, Requirement, elements, holds, not_smaller
from graphc.ops.loss import NonNegative
from graphc.ops.reach import Along, Seen, all_but, broadcasted, reduced
from graphc.ops.reduce import Reduction, without
from graphc.ops.saved import INPUT, NOTHING, Saved
from graphc.ops.shape import on_axes
from graphc.tensor import DType, Tensor


class Prod(Free):
    """The product along `dim`, over all elements if not given; of truth values whether all are true (`torch.prod`)."""

    name = "prod"
    keeps = Saved((0,), outputs=True)
    main = "dim"
    example = "1"
    dim: Axis | None = None
    """The axis that is gone afterwards; all if not given."""
    keepdim: Flag = False
    """Whether it stays as an axis of 1."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield Requirement(self.dim is not None or not self.keepdim, "keepdim is for one axis: give dim")
        yield from on_axes(input, *(() if self.dim is None else (self.dim,)))

    def infer(self, input: Tensor) -> Tensor:
        axes = tuple(range(input.rank)) if self.dim is None else (self.dim % input.rank,)
        return Tensor(without(input.shape, axes, self.keepdim), whole(input))

    def work(self, input: Tensor) -> Size:
        return elements(input)

    def sees(self, input: Tensor) -> Seen:
        axes = range(input.rank) if self.dim is None else {self.dim % input.rank}
        return (reduced(input.rank, axes, self.keepdim),)


class Spread(Reduction):
    """How far the elements lie apart along `dim`."""

    correction: Natural = 1
    """What is subtracted from the number of elements; 1 is Bessel's."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield holds(input, "float32")
        yield from super().requires(input)
        count = product(input.shape[axis] for axis in self.axes(input))
        yield not_smaller(count, self.correction + 1, f"needs more than {self.correction} elements, got {count}")


class Std(Spread):
    """The standard deviation along `dim`, over all if not given: the root of `var` (`torch.std`)."""

    name = "std"
    keeps = Saved((0,), outputs=True)

    def work(self, input: Tensor) -> Size:
        return 4 * elements(input) + elements(self.infer(input))


class Var(Spread):
    """The variance along `dim`, over all if not given, divided by the number of elements - correction (`torch.var`)."""

    name = "var"
    keeps = INPUT

    def work(self, input: Tensor) -> Size:
        return 4 * elements(input)


class Cumsum(Free):
    """The sum of the elements so far along `dim` (`torch.cumsum`)."""

    name = "cumsum"
    each = 1
    keeps = NOTHING
    main = "dim"
    example = "1"
    dim: Axis
    """The axis along which it is summed."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from on_axes(input, self.dim)

    def infer(self, input: Tensor) -> Tensor:
        return Tensor(input.shape, whole(input))

    def sees(self, input: Tensor) -> Seen:
        return (all_but(input.rank, {self.dim % input.rank}),)


class Normalize(Pointwise):
    """input / max(‖input‖, eps) along `dim`, with the p-norm (`functional.normalize`)."""

    name = "normalize"
    each = 3
    operands = ("[N, 64]",)
    p: NonNegative = 2.0
    """Which norm: (Σ |x|^p)^(1/p)."""
    dim: Axis = 1
    """The axis along which the length is taken."""
    eps: Positive = 1e-12
    """The least that is divided by."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from on_axes(input, self.dim)
        yield holds(input, "float32")
        yield Requirement(self.p > 0, f"p {self.p} is not positive")

    def sees(self, input: Tensor) -> Seen:
        return (all_but(input.rank, {self.dim % input.rank}),)


class CosineSimilarity(Free):
    """The cosine of the angle between two values along `dim`, each at least eps (`functional.cosine_similarity`)."""

    name = "cosine_similarity"
    main = "dim"
    operands = ("[N, 64]",)
    dim: Axis = 1
    """The axis along which the two are compared."""
    eps: Positive = 1e-8
    """The least length that is divided by."""

    def requires(self, input: Tensor, other: Tensor) -> Iterator[Requirement]:
        for value in (input, other):
            yield holds(value, "float32")
        yield from broadcastable(input.shape, other.shape)
        yield from on_axes(Tensor(broadcast(input.shape, other.shape)), self.dim)

    def infer(self, input: Tensor, other: Tensor) -> Tensor:
        shape = broadcast(input.shape, other.shape)
        return input.with_shape(without(shape, (self.dim % len(shape),), keep=False))

    def work(self, input: Tensor, other: Tensor) -> Size:
        return 6 * product(broadcast(input.shape, other.shape))

    def sees(self, input: Tensor, other: Tensor) -> Seen:
        shape = broadcast(input.shape, other.shape)
        then = reduced(len(shape), {self.dim % len(shape)})
        seen = (broadcasted(value.shape, shape) for value in (input, other))
        return tuple(tuple(then[at.axis] if isinstance(at, Along) else at for at in sights) for sights in seen)


def whole(input: Tensor) -> DType:
    """The element type of a sum or product: truth values are counted."""
    return "int64" if input.dtype == "bool" else input.dtype
