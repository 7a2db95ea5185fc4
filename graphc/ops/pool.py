"""Pooling."""

from __future__ import annotations

from collections.abc import Iterator

from graphc.demands import divisible
from graphc.ops.base import Extent, Flag, Free, Padding, Requirement, extent, extents_fit, rank
from graphc.ops.window import windows, windows_fit
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

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, 4)
        yield from extents_fit(
            input, kernel_size=self.kernel_size, stride=self.step, padding=self.padding, dilation=self.dilation
        )
        for kernel, padding in zip(extent(self.kernel_size, 2), extent(self.padding, 2), strict=True):
            yield Requirement(2 * padding <= kernel, f"padding {padding} must be at most half of kernel_size {kernel}")
        yield from windows_fit(input, self.kernel_size, self.step, self.padding, self.dilation)

    def prefers(self, input: Tensor) -> Iterator[Requirement]:
        """Windows that lie side by side cover the input."""
        for size, k, s, p in zip(input.space, *(extent(e, 2) for e in (self.kernel_size, self.step, self.padding)), strict=True):
            if k == s and p == 0 and not self.ceil_mode:
                yield Requirement(divisible(size, s), f"max_pool2d leaves out the last rows unless {s} divides {size}")

    def infer(self, input: Tensor) -> Tensor:
        space = windows(input.space, self.kernel_size, self.step, self.padding, self.dilation, self.ceil_mode)
        return input.with_space(space)


class AdaptiveAvgPool2d(Free):
    """The mean of each of `output_size` parts, as equal as they can be (`torch.nn.AdaptiveAvgPool2d`)."""

    name = "adaptive_avg_pool2d"
    main = "output_size"
    output_size: Extent

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, 4)
        yield from extents_fit(input, output_size=self.output_size)

    def infer(self, input: Tensor) -> Tensor:
        return input.with_space(extent(self.output_size, 2))
