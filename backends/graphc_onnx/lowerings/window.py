"""The attributes that convolution and pooling share."""

from __future__ import annotations

from typing import TypeAlias

from graphc.ops.base import extent

Extents: TypeAlias = int | tuple[int, ...]


def window(
    axes: int, *, kernel_size: Extents, stride: Extents, padding: Extents, dilation: Extents
) -> dict[str, tuple[int, ...]]:
    """A window that moves along some axes; the padding is the same before and behind each."""
    return {
        "kernel_shape": extent(kernel_size, axes),
        "strides": extent(stride, axes),
        "pads": extent(padding, axes) * 2,
        "dilations": extent(dilation, axes),
    }
