"""The arithmetic that convolution and pooling share: how many windows fit."""

from __future__ import annotations

from collections.abc import Iterator

from graphc.demands import at_least
from graphc.dims import Size, ceil_divide, smaller
from graphc.ops.base import Requirement, extent
from graphc.tensor import Shape, Tensor

Extents = int | tuple[int, ...]


def windows(
    space: Shape, kernel_size: Extents, stride: Extents, padding: Extents, dilation: Extents, ceil_mode: bool = False
) -> Shape:
    """How many windows fit along each axis: (size + 2·padding - reach) // stride + 1, with reach = dilation·(kernel - 1) + 1.

    `ceil_mode` rounds up, but a window never starts in the padding behind the input (as in `torch.nn.MaxPool2d`).
    """
    axes = len(space)
    per_axis = (extent(e, axes) for e in (kernel_size, stride, padding, dilation))
    return tuple(_fit(size, *axis, ceil_mode) for size, *axis in zip(space, *per_axis, strict=True))


def windows_fit(
    input: Tensor, kernel_size: Extents, stride: Extents, padding: Extents, dilation: Extents
) -> Iterator[Requirement]:
    """At least one window fits along each axis."""
    axes = len(input.space)
    per_axis = (extent(e, axes) for e in (kernel_size, stride, padding, dilation))
    for size, k, _, p, d in zip(input.space, *per_axis, strict=True):
        reach = d * (k - 1) + 1
        padded = f"{size} + 2·{p}" if p else f"{size}"
        yield Requirement(at_least(size + 2 * p, reach), f"a window of {reach} must fit into {padded}, input {input}")


def _fit(size: Size, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool) -> Size:
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    if not ceil_mode:
        return room // stride + 1
    return smaller(ceil_divide(room, stride) + 1, (size + padding - 1) // stride + 1)
