"""The ops of the language, one file a family."""

from __future__ import annotations

from graphc.ops.activation import Dropout, Identity, Relu
from graphc.ops.base import Op, Requirement, Slot
from graphc.ops.conv import Conv2d, ConvTranspose2d
from graphc.ops.join import Add, CenterCrop, Concat
from graphc.ops.linear import Linear
from graphc.ops.norm import BatchNorm
from graphc.ops.pool import AdaptiveAvgPool2d, MaxPool2d
from graphc.ops.shape import Flatten

__all__ = ["OPS", "Op", "Requirement", "Slot"]

_ALL: tuple[type[Op], ...] = (
    AdaptiveAvgPool2d,
    Add,
    BatchNorm,
    CenterCrop,
    Concat,
    Conv2d,
    ConvTranspose2d,
    Dropout,
    Flatten,
    Identity,
    Linear,
    MaxPool2d,
    Relu,
)

OPS: dict[str, type[Op]] = {op.name: op for op in _ALL}
"""Every op by its name in a spec."""
