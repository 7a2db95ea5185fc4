"""Element-wise functions of one value, softmax and dropout."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from graphc.ops.base import Axis, Fraction, Free, Pointwise, Positive, Requirement, elements, holds, rank
from graphc.ops.reach import Seen, alike, all_but
from graphc.ops.saved import INPUT, NOTHING, OUTPUT, Saved
from graphc.tensor import DType, Tensor

Real: TypeAlias = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Whole: TypeAlias = Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]
Number: TypeAlias = Annotated[Axis | Real, Field(ge=-(2**63), lt=2**63)]
"""A whole number stays one; none is so large that it would become a real one."""


class Identity(Pointwise):
    """The value as it is (`torch.nn.Identity`)."""

    name = "identity"
    each = 0
    keeps = NOTHING
    view = True


class OfReals(Pointwise):
    """A function of real numbers: takes no other type."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield holds(input, "float32")


class OfNumbers(Pointwise):
    """A function that takes whole numbers to whole numbers."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield holds(input, "float32", "int64")


class ToReals(Free):
    """A function of any value that gives real numbers, each of the value's element at the same place."""

    each = 1

    def infer(self, input: Tensor) -> Tensor:
        return Tensor(input.shape)

    def sees(self, input: Tensor) -> Seen:
        return (alike(input.rank),)


class Relu(OfNumbers):
    """max(0, x) (`torch.nn.ReLU`)."""

    name = "relu"
    keeps = OUTPUT


class Relu6(OfNumbers):
    """min(max(0, x), 6) (`torch.nn.ReLU6`)."""

    name = "relu6"
    keeps = INPUT


class LeakyRelu(OfReals):
    """x where it is positive, else negative_slope · x (`torch.nn.LeakyReLU`)."""

    name = "leaky_relu"
    keeps = INPUT
    main = "negative_slope"
    example = "0.2"
    negative_slope: Real = 0.01
    """The factor where x is negative."""


class Elu(OfReals):
    """x where it is positive, else alpha · (exp(x) - 1) (`torch.nn.ELU`; Clevert et al. 2015)."""

    name = "elu"
    keeps = INPUT
    main = "alpha"
    alpha: Real = 1.0
    """Where x falls, the result goes to -alpha."""


class Gelu(OfReals):
    """x · Φ(x) with the normal distribution's Φ; `approximate: tanh` computes that with tanh (`torch.nn.GELU`)."""

    name = "gelu"
    keeps = INPUT
    main = "approximate"
    example = "{approximate: tanh}"
    approximate: Literal["none", "tanh"] = "none"
    """`tanh` computes Φ with tanh, as the paper's formula and GPT-2; `none` is exact."""


class Silu(OfReals):
    """x · σ(x), also called swish (`torch.nn.SiLU`)."""

    name = "silu"
    keeps = INPUT


class Mish(OfReals):
    """x · tanh(softplus(x)) (`torch.nn.Mish`; Misra 2019)."""

    name = "mish"
    keeps = INPUT


class Hardswish(OfReals):
    """x · min(max(0, x + 3), 6) / 6 (`torch.nn.Hardswish`; Howard et al. 2019)."""

    name = "hardswish"
    keeps = INPUT


class Hardsigmoid(OfReals):
    """min(max(0, x + 3), 6) / 6 (`torch.nn.Hardsigmoid`)."""

    name = "hardsigmoid"
    keeps = INPUT


class Softplus(OfReals):
    """log(1 + exp(beta · x)) / beta, and x itself where beta · x is above threshold (`torch.nn.Softplus`)."""

    name = "softplus"
    keeps = INPUT
    beta: Positive = 1.0
    """How sharp the bend at 0 is."""
    threshold: Real = 20.0
    """Where beta · x is above it, the result is x itself."""


class Sigmoid(ToReals):
    """σ(x) = 1 / (1 + exp(-x)) (`torch.nn.Sigmoid`)."""

    name = "sigmoid"
    keeps = OUTPUT


class Tanh(ToReals):
    """The hyperbolic tangent (`torch.nn.Tanh`)."""

    name = "tanh"
    keeps = OUTPUT


class Exp(ToReals):
    """e to the power of x (`torch.exp`)."""

    name = "exp"
    keeps = OUTPUT


class Log(ToReals):
    """The natural logarithm (`torch.log`)."""

    name = "log"
    keeps = INPUT


class Log2(ToReals):
    """The logarithm to the base of 2 (`torch.log2`)."""

    name = "log2"
    keeps = INPUT


class Sqrt(ToReals):
    """The square root (`torch.sqrt`)."""

    name = "sqrt"
    keeps = OUTPUT


class Abs(OfNumbers):
    """|x| (`torch.abs`)."""

    name = "abs"
    keeps = INPUT


class Float(ToReals):
    """The value as float32; true is 1 (`torch.Tensor.float`)."""

    name = "float"
    each = 0
    keeps = NOTHING


class Long(Pointwise):
    """The value as int64: fractions are cut off, true is 1 (`torch.Tensor.long`)."""

    name = "long"
    each = 0
    keeps = NOTHING

    def infer(self, input: Tensor) -> Tensor:
        return Tensor(input.shape, "int64")


class Detach(Pointwise):
    """The value as it is, but no gradient flows back through it (`torch.Tensor.detach`)."""

    name = "detach"
    detaches = True
    each = 0
    keeps = NOTHING
    view = True


class Clamp(Free):
    """x within min … max; max alone where min lies above it (`torch.clamp`)."""

    name = "clamp"
    each = 1
    keeps = INPUT
    example = "{min: 0, max: 6}"
    min: Number | None = None
    """The least that is let through, if any."""
    max: Number | None = None
    """The most that is let through, if any."""

    @property
    def is_real(self) -> bool:
        """Whether a bound is a real number: then so is the result."""
        return isinstance(self.min, float) or isinstance(self.max, float)

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield Requirement(self.min is not None or self.max is not None, "needs min or max, or both")

    def infer(self, input: Tensor) -> Tensor:
        whole: DType = "float32" if input.dtype == "float32" or self.is_real else "int64"
        return Tensor(input.shape, whole)

    def sees(self, input: Tensor) -> Seen:
        return (alike(input.rank),)


class OfClasses(OfReals):
    """A function along one axis, that of the classes. Where `dim` is not given that is the last of [K] or [N, K].

    PyTorch's functions choose by the number of axes, which it calls deprecated; nobody can guess it for [N, K, H, W].
    """

    main = "dim"
    each = 5
    keeps = OUTPUT
    example = "{dim: 1}"
    dim: Axis | None = None
    """The axis of the classes."""

    def axis(self, input: Tensor) -> int:
        """The axis, as it is given."""
        return class_axis(self.dim, input)

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from super().requires(input)
        yield from has_class_axis(self.dim, input)

    def sees(self, input: Tensor) -> Seen:
        return (all_but(input.rank, {self.axis(input) % input.rank}),)


class Softmax(OfClasses):
    """exp(x) / Σ exp(x) along `dim`, for [K] and [N, K] the last axis if not given (`torch.nn.Softmax`)."""

    name = "softmax"


class LogSoftmax(OfClasses):
    """x - log Σ exp(x) along `dim`, for [K] and [N, K] the last axis if not given (`torch.nn.LogSoftmax`)."""

    name = "log_softmax"


class Dropout(OfReals):
    """In training, zeroes each element with probability p and scales the others by 1/(1 - p) (`torch.nn.Dropout`)."""

    name = "dropout"
    each = 0
    main = "p"
    example = "0.1"
    operands = ("[N, 64]",)
    p: Fraction = 0.5
    """How probable it is that an element becomes 0."""

    def shares(self, training: bool) -> bool:
        return not (training and self.p)

    def saved(self, input: Tensor) -> Saved:
        return Saved(extra=4 * elements(input)) if self.p else NOTHING


class Dropout2d(OfReals):
    """In training, zeroes each channel of [N, C, H, W] with probability p, scales the others (`torch.nn.Dropout2d`)."""

    name = "dropout2d"
    each = 0
    main = "p"
    example = "0.1"
    p: Fraction = 0.5
    """How probable it is that a channel becomes 0."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, 4)
        yield from super().requires(input)

    def shares(self, training: bool) -> bool:
        return not (training and self.p)

    def saved(self, input: Tensor) -> Saved:
        return Saved(extra=4 * elements(input.with_space((1, 1)))) if self.p else NOTHING


class StochasticDepth(OfReals):
    """In training, zeroes each sample (`mode: batch`: all) with probability p and scales the others by 1/(1 - p).

    `torchvision.ops.StochasticDepth` (Huang et al. 2016).
    """

    name = "stochastic_depth"
    each = 0
    main = "p"
    example = "0.1"
    p: Fraction
    """How probable it is that a sample, or all of them, becomes 0."""
    mode: Literal["row", "batch"] = "row"
    """`row` decides for each sample, `batch` once for all."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield Requirement(input.rank >= 1, "needs a value with at least one axis")
        yield from super().requires(input)

    def shares(self, training: bool) -> bool:
        return not (training and self.p)

    def saved(self, input: Tensor) -> Saved:
        return Saved(extra=4 * elements(Tensor(input.shape[:1] if self.mode == "row" else ()))) if self.p else NOTHING


def class_axis(dim: int | None, input: Tensor) -> int:
    """The axis of the classes: as given, else the last."""
    return input.rank - 1 if dim is None else dim


def has_class_axis(dim: int | None, input: Tensor) -> Iterator[Requirement]:
    """The value has the axis, and it is given where it is not plain."""
    yield Requirement(input.rank >= 1, "needs a value with at least one axis")
    if dim is None:
        yield Requirement(input.rank <= 2, f"needs dim, the axis: {input} has {input.rank} axes")
    else:
        yield Requirement(-input.rank <= dim < input.rank, f"dim {dim} is not an axis of {input}")
