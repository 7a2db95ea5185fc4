"""More element-wise functions of one value: of numbers, and activations that are rarer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graphc.demands import equal
from graphc.ops.activation import OfNumbers, OfReals, Real, ToReals
from graphc.ops.base import Count, Requirement
from graphc.ops.saved import INPUT, NOTHING, OUTPUT
from graphc.tensor import Constant, Tensor, Weight


class Ceil(OfNumbers):
    """The next whole number from x on (`torch.ceil`)."""

    name = "ceil"
    keeps = NOTHING


class Cos(ToReals):
    """The cosine of x in radians (`torch.cos`)."""

    name = "cos"
    keeps = INPUT


class Erf(ToReals):
    """The error function, 2/√π ∫ exp(-t²) from 0 to x (`torch.erf`)."""

    name = "erf"
    keeps = INPUT


class Floor(OfNumbers):
    """The whole number before x, or x itself (`torch.floor`)."""

    name = "floor"
    keeps = NOTHING


class Hardtanh(OfReals):
    """x within min_val … max_val (`torch.nn.Hardtanh`)."""

    name = "hardtanh"
    keeps = INPUT
    min_val: Real = -1.0
    """The least that is let through."""
    max_val: Real = 1.0
    """The most that is let through."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield Requirement(self.min_val <= self.max_val, f"min_val {self.min_val} lies above max_val {self.max_val}")
        yield from super().requires(input)


class Logsigmoid(OfReals):
    """log(1 / (1 + exp(-x))) (`torch.nn.LogSigmoid`)."""

    name = "logsigmoid"


class Prelu(OfReals):
    """x where it is positive, else a learned factor · x: one, or one a channel (`torch.nn.PReLU`; He et al. 2015)."""

    name = "prelu"
    keeps = INPUT
    main = "num_parameters"
    example = "8"
    num_parameters: Count = 1
    """How many factors are learned: 1, or one for each channel."""
    init: Real = 0.25
    """What the factors begin with."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from super().requires(input)
        if self.num_parameters != 1:
            channels = input.channels if input.rank >= 2 else 1
            message = f"num_parameters {self.num_parameters} must be 1 or the {channels} channels of {input}"
            yield Requirement(equal(channels, self.num_parameters), message)

    def weights(self, input: Tensor) -> Mapping[str, Weight]:
        return {"weight": Weight((self.num_parameters,), Constant(self.init))}


class Reciprocal(ToReals):
    """1 / x (`torch.reciprocal`)."""

    name = "reciprocal"
    keeps = OUTPUT


class Round(OfNumbers):
    """The nearest whole number, the even one of two (`torch.round`)."""

    name = "round"
    keeps = NOTHING


class Rsqrt(ToReals):
    """1 / √x (`torch.rsqrt`)."""

    name = "rsqrt"
    keeps = OUTPUT


class Selu(OfReals):
    """1.0507 · x where it is positive, else 1.7581 · (exp(x) - 1) (`torch.nn.SELU`; Klambauer et al. 2017)."""

    name = "selu"
    keeps = INPUT


class Sign(OfNumbers):
    """1, 0 or -1, as x is positive, 0 or negative (`torch.sign`)."""

    name = "sign"
    keeps = NOTHING


class Sin(ToReals):
    """The sine of x in radians (`torch.sin`)."""

    name = "sin"
    keeps = INPUT


class Softsign(OfReals):
    """x / (1 + |x|) (`torch.nn.Softsign`)."""

    name = "softsign"
