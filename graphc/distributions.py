"""The distributions that `init` can give to a weight: those of `torch.nn.init`, without the underscore at their end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod, sqrt
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from graphc.tensor import Bilinear, Constant, Gaussian, Initial, Normal, Uniform, Weight

Number: TypeAlias = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Spread: TypeAlias = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Mode: TypeAlias = Literal["fan_in", "fan_out"]
Nonlinearity: TypeAlias = Literal["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]


class Distribution(BaseModel):
    """How a weight's first values are drawn. A subclass declares its arguments as fields, as `torch.nn.init` does."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    name: ClassVar[str]
    main: ClassVar[str | None] = None
    """The argument that may be written alone: `{constant: 0.1}`."""
    need: ClassVar[str] = ""
    """What it needs of a weight's sizes, where they must be fixed: see `fits`."""

    def of(self, shape: Sequence[int]) -> Initial:
        """The initial values of a weight of that shape."""
        raise NotImplementedError(self.name)

    def fits(self, shape: Sequence[int]) -> bool:
        """Whether a weight of that shape has what it needs."""
        return True

    def given_to(self, weight: Weight) -> Weight:
        """A weight with these initial values; its free sizes, which no distribution counts, are left out."""
        return replace(weight, initial=self.of([size for size in weight.shape if isinstance(size, int)]))


class ConstantValue(Distribution):
    """The same number everywhere (`constant_`)."""

    name = "constant"
    main = "val"
    val: Number

    def of(self, shape: Sequence[int]) -> Initial:
        return Constant(self.val)


class UniformValues(Distribution):
    """Evenly from [a, b) (`uniform_`)."""

    name = "uniform"
    a: Number = 0.0
    b: Number = 1.0

    def of(self, shape: Sequence[int]) -> Initial:
        return Uniform((self.b - self.a) / 2, (self.a + self.b) / 2)


class NormalValues(Distribution):
    """A normal distribution (`normal_`)."""

    name = "normal"
    mean: Number = 0.0
    std: Spread = 1.0

    def of(self, shape: Sequence[int]) -> Initial:
        return Normal(self.mean, self.std)


class TruncatedNormal(Distribution):
    """A normal distribution within [a, b] (`trunc_normal_`)."""

    name = "trunc_normal"
    mean: Number = 0.0
    std: Spread = 1.0
    a: Number = -2.0
    b: Number = 2.0

    def of(self, shape: Sequence[int]) -> Initial:
        return Normal(self.mean, self.std, limits=(self.a, self.b))


class BilinearKernel(Distribution):
    """With a kernel of 2·stride a transposed convolution interpolates each channel (Long et al. 2014, 3.3)."""

    name = "bilinear"
    need = "interpolates each channel: it needs [in, out, *kernel], and out divides in"

    def of(self, shape: Sequence[int]) -> Initial:
        return Bilinear()

    def fits(self, shape: Sequence[int]) -> bool:
        return len(shape) > 2 and shape[0] % shape[1] == 0


class GaussianKernel(Distribution):
    """Each kernel of [out, in, *kernel] is a Gaussian around its middle, moved by `mean`, whose values sum to 1."""

    name = "gaussian_kernel"
    main = "std"
    std: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
    mean: Number = 0.0

    def of(self, shape: Sequence[int]) -> Initial:
        return Gaussian(self.std, self.mean)


class Scaled(Distribution):
    """One whose spread depends on the number of inputs or outputs."""

    need = "counts inputs and outputs: it needs two fixed axes or more"

    def fits(self, shape: Sequence[int]) -> bool:
        return len(shape) > 1


class XavierUniform(Scaled):
    """Evenly, with a variance of gain²·2/(fan_in + fan_out) (`xavier_uniform_`; Glorot and Bengio 2010)."""

    name = "xavier_uniform"
    gain: Number = 1.0

    def of(self, shape: Sequence[int]) -> Initial:
        return Uniform(self.gain * sqrt(6 / sum(fans(shape))))


class XavierNormal(Scaled):
    """Normal, with a variance of gain²·2/(fan_in + fan_out) (`xavier_normal_`; Glorot and Bengio 2010)."""

    name = "xavier_normal"
    gain: Number = 1.0

    def of(self, shape: Sequence[int]) -> Initial:
        return Normal(0.0, self.gain * sqrt(2 / sum(fans(shape))))


class Kaiming(Scaled):
    """What both of He et al. 2015, 2.2, have in common: the spread that keeps the variance through a nonlinearity."""

    a: Number = 0.0
    mode: Mode = "fan_in"
    nonlinearity: Nonlinearity = "leaky_relu"

    def std(self, shape: Sequence[int]) -> float:
        """The standard deviation for a weight of that shape."""
        fan_in, fan_out = fans(shape)
        return gain(self.nonlinearity, self.a) / sqrt(fan_in if self.mode == "fan_in" else fan_out)


class KaimingUniform(Kaiming):
    """Evenly, with a variance of gain²/fan (`kaiming_uniform_`; He et al. 2015, 2.2)."""

    name = "kaiming_uniform"

    def of(self, shape: Sequence[int]) -> Initial:
        return Uniform(sqrt(3) * self.std(shape))


class KaimingNormal(Kaiming):
    """Normal, with a variance of gain²/fan (`kaiming_normal_`; He et al. 2015, 2.2)."""

    name = "kaiming_normal"

    def of(self, shape: Sequence[int]) -> Initial:
        return Normal(0.0, self.std(shape))


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """How many inputs an output has, and how many outputs an input: for [out, in, *kernel], as PyTorch counts."""
    field = prod(shape[2:])
    return shape[1] * field, shape[0] * field


def gain(nonlinearity: Nonlinearity, a: float) -> float:
    """What a nonlinearity takes away of the spread (`torch.nn.init.calculate_gain`)."""
    gains = {"tanh": 5 / 3, "relu": sqrt(2), "leaky_relu": sqrt(2 / (1 + a**2)), "selu": 3 / 4}
    return gains.get(nonlinearity, 1.0)


_ALL = (
    BilinearKernel,
    ConstantValue,
    GaussianKernel,
    KaimingNormal,
    KaimingUniform,
    NormalValues,
    TruncatedNormal,
    UniformValues,
    XavierNormal,
    XavierUniform,
)
DISTRIBUTIONS: dict[str, type[Distribution]] = {kind.name: kind for kind in _ALL}
"""Every distribution by its name in a spec."""
