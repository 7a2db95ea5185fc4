"""Element-wise functions of one value."""

from __future__ import annotations

from graphc.ops.base import Fraction, Pointwise


class Identity(Pointwise):
    """The value as it is (`torch.nn.Identity`)."""

    name = "identity"


class Relu(Pointwise):
    """max(0, x) (`torch.nn.ReLU`)."""

    name = "relu"


class Dropout(Pointwise):
    """In training, zeroes each element with probability p and scales the others by 1/(1 - p) (`torch.nn.Dropout`)."""

    name = "dropout"
    main = "p"
    p: Fraction = 0.5
