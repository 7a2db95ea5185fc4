"""Pooling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from graphc.demands import divisible
from graphc.ops.base import Extent, Flag, Free, Padding, Requirement, extent, extents_fit, holds, rank
from graphc.ops.window import Window, counts, windows, windows_fit
from graphc.tensor import Tensor


class MaxPool2d(Free):
    """The largest value of each window [N, C, H, W] → [N, C, H', W'] (`torch.nn.MaxPool2d`)."""

    name = "max_pool2d"
    main = "kernel_size"
    kernel_size: Extent
    stride: Extent | None = None
    padding: Padding = 0
    dilation: Extent = 1
    ceil_mode: Flag = False

    @property
    def step(self) -> Extent:
        """The stride; where none is given, windows lie side by side."""
        return self.kernel_size if self.stride is None else self.stride

    def windows(self) -> Sequence[Window]:
        """The window along each axis."""
        return windows(2, self.kernel_size, self.step, self.padding, self.dilation, ceil_mode=self.ceil_mode)

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, 4)
        yield holds(input, "float32", "int64")
        yield from extents_fit(
            input, kernel_size=self.kernel_size, stride=self.step, padding=self.padding, dilation=self.dilation
        )
        for window in self.windows():
            message = f"padding {window.padding} must be at most half of kernel_size {window.kernel}"
            yield Requirement(2 * window.padding <= window.kernel, message)
        yield from windows_fit(self.windows(), input)

    def prefers(self, input: Tensor) -> Iterator[Requirement]:
        """Windows that lie side by side cover the input."""
        for size, window in zip(input.space, self.windows(), strict=True):
            side_by_side = window.stride == window.reach and window.padding == 0
            if side_by_side and not window.ceil_mode:
                message = f"max_pool2d leaves out the last rows unless {window.stride} divides {size}"
                yield Requirement(divisible(size, window.stride), message)

    def infer(self, input: Tensor) -> Tensor:
        return input.with_space(counts(self.windows(), input.space))


class AdaptiveAvgPool2d(Free):
    """The mean of each of `output_size` parts, as equal as they can be (`torch.nn.AdaptiveAvgPool2d`)."""

    name = "adaptive_avg_pool2d"
    main = "output_size"
    output_size: Extent

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, 4)
        yield holds(input, "float32")
        yield from extents_fit(input, output_size=self.output_size)

    def infer(self, input: Tensor) -> Tensor:
        return input.with_space(extent(self.output_size, 2))
