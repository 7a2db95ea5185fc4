"""Element-wise functions of one value, softmax and dropout."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from graphc.ops.base import Axis, Fraction, Free, Pointwise, Positive, Requirement, holds, rank
from graphc.tensor import DType, Tensor

Real: TypeAlias = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Whole: TypeAlias = Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]
Number: TypeAlias = Annotated[Axis | Real, Field(ge=-(2**63), lt=2**63)]
"""A whole number stays one; none is so large that it would become a real one."""


class Identity(Pointwise):
    """The value as it is (`torch.nn.Identity`)."""

    name = "identity"


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

    def infer(self, input: Tensor) -> Tensor:
        return Tensor(input.shape)


class Relu(OfNumbers):
    """max(0, x) (`torch.nn.ReLU`)."""

    name = "relu"


class Relu6(OfNumbers):
    """min(max(0, x), 6) (`torch.nn.ReLU6`)."""

    name = "relu6"


class LeakyRelu(OfReals):
    """x where it is positive, else negative_slope · x (`torch.nn.LeakyReLU`)."""

    name = "leaky_relu"
    main = "negative_slope"
    negative_slope: Real = 0.01


class Elu(OfReals):
    """x where it is positive, else alpha · (exp(x) - 1) (`torch.nn.ELU`; Clevert et al. 2015)."""

    name = "elu"
    main = "alpha"
    alpha: Real = 1.0


class Gelu(OfReals):
    """x · Φ(x) with the normal distribution's Φ; `approximate: tanh` computes that with tanh (`torch.nn.GELU`)."""

    name = "gelu"
    main = "approximate"
    approximate: Literal["none", "tanh"] = "none"


class Silu(OfReals):
    """x · σ(x), also called swish (`torch.nn.SiLU`)."""

    name = "silu"


class Mish(OfReals):
    """x · tanh(softplus(x)) (`torch.nn.Mish`; Misra 2019)."""

    name = "mish"


class Hardswish(OfReals):
    """x · min(max(0, x + 3), 6) / 6 (`torch.nn.Hardswish`; Howard et al. 2019)."""

    name = "hardswish"


class Hardsigmoid(OfReals):
    """min(max(0, x + 3), 6) / 6 (`torch.nn.Hardsigmoid`)."""

    name = "hardsigmoid"


class Softplus(OfReals):
    """log(1 + exp(beta · x)) / beta, and x itself where beta · x is above threshold (`torch.nn.Softplus`)."""

    name = "softplus"
    beta: Positive = 1.0
    threshold: Real = 20.0


class Sigmoid(ToReals):
    """σ(x) = 1 / (1 + exp(-x)) (`torch.nn.Sigmoid`)."""

    name = "sigmoid"


class Tanh(ToReals):
    """The hyperbolic tangent (`torch.nn.Tanh`)."""

    name = "tanh"


class Exp(ToReals):
    """e to the power of x (`torch.exp`)."""

    name = "exp"


class Log(ToReals):
    """The natural logarithm (`torch.log`)."""

    name = "log"


class Sqrt(ToReals):
    """The square root (`torch.sqrt`)."""

    name = "sqrt"


class Abs(OfNumbers):
    """|x| (`torch.abs`)."""

    name = "abs"


class Float(ToReals):
    """The value as float32; true is 1 (`torch.Tensor.float`)."""

    name = "float"


class Detach(Pointwise):
    """The value as it is, but no gradient flows back through it (`torch.Tensor.detach`)."""

    name = "detach"


class Clamp(Free):
    """x within min … max; max alone where min lies above it (`torch.clamp`)."""

    name = "clamp"
    min: Number | None = None
    max: Number | None = None

    @property
    def is_real(self) -> bool:
        """Whether a bound is a real number: then so is the result."""
        return isinstance(self.min, float) or isinstance(self.max, float)

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield Requirement(self.min is not None or self.max is not None, "needs min or max, or both")

    def infer(self, input: Tensor) -> Tensor:
        whole: DType = "float32" if input.dtype == "float32" or self.is_real else "int64"
        return Tensor(input.shape, whole)


class OfClasses(OfReals):
    """A function along one axis, that of the classes. Where `dim` is not given that is the last of [K] or [N, K].

    PyTorch's functions choose by the number of axes, which it calls deprecated; nobody can guess it for [N, K, H, W].
    """

    main = "dim"
    dim: Axis | None = None

    def axis(self, input: Tensor) -> int:
        """The axis, as it is given."""
        return class_axis(self.dim, input)

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from super().requires(input)
        yield from has_class_axis(self.dim, input)


class Softmax(OfClasses):
    """exp(x) / Σ exp(x) along `dim`, for [K] and [N, K] the last axis if not given (`torch.nn.Softmax`)."""

    name = "softmax"


class LogSoftmax(OfClasses):
    """x - log Σ exp(x) along `dim`, for [K] and [N, K] the last axis if not given (`torch.nn.LogSoftmax`)."""

    name = "log_softmax"


class Dropout(OfReals):
    """In training, zeroes each element with probability p and scales the others by 1/(1 - p) (`torch.nn.Dropout`)."""

    name = "dropout"
    main = "p"
    p: Fraction = 0.5


class Dropout2d(OfReals):
    """In training, zeroes each channel of [N, C, H, W] with probability p, scales the others (`torch.nn.Dropout2d`)."""

    name = "dropout2d"
    main = "p"
    p: Fraction = 0.5

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, 4)
        yield from super().requires(input)


class StochasticDepth(OfReals):
    """In training, zeroes each sample (`mode: batch`: all) with probability p and scales the others by 1/(1 - p).

    `torchvision.ops.StochasticDepth` (Huang et al. 2016).
    """

    name = "stochastic_depth"
    main = "p"
    p: Fraction
    mode: Literal["row", "batch"] = "row"

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield Requirement(input.rank >= 1, "needs a value with at least one axis")
        yield from super().requires(input)


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
