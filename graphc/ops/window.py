"""The arithmetic that convolution and pooling share: how many windows fit along an axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from graphc.demands import Truth, at_least
from graphc.dims import Size
from graphc.ops.base import Requirement, extent
from graphc.ops.reach import Along, Reach, Sight, Sights
from graphc.tensor import Shape, Tensor

Extents: TypeAlias = int | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """A window that moves along one axis. `ceil_mode` rounds their number up."""

    kernel: int
    stride: int
    padding: int
    dilation: int
    ceil_mode: bool = False

    @property
    def reach(self) -> int:
        """How far the window's elements lie apart, both ends included."""
        return self.dilation * (self.kernel - 1) + 1

    def count(self, size: Size) -> Size:
        """How many windows fit: (size + 2·padding - reach) // stride + 1.

        With `ceil_mode` one more where a part is left, but none that starts in the padding behind the input: the
        smaller of ⌈(size + 2·padding - reach) / stride⌉ + 1 and (size + padding - 1) // stride + 1, as in
        `torch.nn.MaxPool2d`.
        """
        added = 2 * self.padding - self.reach
        if self.ceil_mode:
            added = min(added + self.stride, self.padding) - 1
        return (size + added) // self.stride + 1

    def fits(self, size: Size) -> Truth:
        """Whether there is a window at all."""
        return at_least(self.count(size), 1)

    @property
    def reads(self) -> Reach:
        """Which positions of its input each window covers, those in the padding included."""
        return Reach(self.stride, ((-self.padding, self.reach - 1 - self.padding),))


def windows(
    axes: int, kernel: Extents, stride: Extents, padding: Extents, dilation: Extents, *, ceil_mode: bool = False
) -> Sequence[Window]:
    """The window along each axis."""
    per_axis = zip(*(extent(value, axes) for value in (kernel, stride, padding, dilation)), strict=True)
    return [Window(k, s, p, d, ceil_mode) for k, s, p, d in per_axis]


def counts(windows: Sequence[Window], space: Shape) -> Shape:
    """How many windows fit along each axis."""
    return tuple(window.count(size) for window, size in zip(windows, space, strict=True))


def windows_fit(windows: Sequence[Window], input: Tensor) -> Iterator[Requirement]:
    """At least one window fits along each axis."""
    for window, size in zip(windows, input.space, strict=True):
        padded = f"{size} + 2·{window.padding}" if window.padding else f"{size}"
        yield Requirement(window.fits(size), f"a window of {window.reach} must fit into {padded}, input {input}")


def seen(windows: Sequence[Window], channels: Sight) -> Sights:
    """What windows over [N, C, *] read, and what along the channels."""
    return (Along(0), channels, *(Along(axis, window.reads) for axis, window in enumerate(windows, 2)))
