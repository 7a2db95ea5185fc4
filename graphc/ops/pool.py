"""Pooling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from graphc.demands import divisible
from graphc.ops.base import Extent, Flag, Free, Padding, Requirement, extent, extents_fit, holds, rank
from graphc.ops.window import Window, counts, windows, windows_fit
from graphc.tensor import DType, Tensor


class Pool2d(Free):
    """One value for each window [N, C, H, W] → [N, C, H', W']; without a stride, windows lie side by side."""

    main = "kernel_size"
    kernel_size: Extent
    stride: Extent | None = None
    padding: Padding = 0

    @property
    def step(self) -> Extent:
        """The stride; where none is given, windows lie side by side."""
        return self.kernel_size if self.stride is None else self.stride

    def windows(self) -> Sequence[Window]:
        """The window along each axis."""
        raise NotImplementedError(self.name)

    def pooled(self, input: Tensor, *dtypes: DType, **extents: Extent) -> Iterator[Requirement]:
        """The operand is an image of one of these types, and the windows fit."""
        yield rank(input, 4)
        yield holds(input, *dtypes)
        yield from extents_fit(input, kernel_size=self.kernel_size, stride=self.step, padding=self.padding, **extents)
        for window in self.windows():
            message = f"padding {window.padding} must be at most half of kernel_size {window.kernel}"
            yield Requirement(2 * window.padding <= window.kernel, message)
        yield from windows_fit(self.windows(), input)

    def prefers(self, input: Tensor) -> Iterator[Requirement]:
        """Windows that lie side by side cover the input."""
        for size, window in zip(input.space, self.windows(), strict=True):
            side_by_side = window.stride == window.reach and window.padding == 0
            if side_by_side and not window.ceil_mode:
                message = f"{self.name} leaves out the last rows unless {window.stride} divides {size}"
                yield Requirement(divisible(size, window.stride), message)

    def infer(self, input: Tensor) -> Tensor:
        return input.with_space(counts(self.windows(), input.space))


class MaxPool2d(Pool2d):
    """The largest value of each window [N, C, H, W] → [N, C, H', W'] (`torch.nn.MaxPool2d`)."""

    name = "max_pool2d"
    dilation: Extent = 1
    ceil_mode: Flag = False

    def windows(self) -> Sequence[Window]:
        return windows(2, self.kernel_size, self.step, self.padding, self.dilation, ceil_mode=self.ceil_mode)

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from self.pooled(input, "float32", "int64", dilation=self.dilation)


class AvgPool2d(Pool2d):
    """The mean of each window [N, C, H, W] → [N, C, H', W'] (`torch.nn.AvgPool2d`).

    What lies in the padding counts as 0, or not at all where `count_include_pad` is false.
    """

    name = "avg_pool2d"
    ceil_mode: Flag = False
    count_include_pad: Flag = True

    def windows(self) -> Sequence[Window]:
        return windows(2, self.kernel_size, self.step, self.padding, 1, ceil_mode=self.ceil_mode)

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from self.pooled(input, "float32")


class AdaptivePool2d(Free):
    """One value for each of `output_size` parts of an image."""

    main = "output_size"
    output_size: Extent

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, 4)
        yield holds(input, "float32")
        yield from extents_fit(input, output_size=self.output_size)

    def infer(self, input: Tensor) -> Tensor:
        return input.with_space(extent(self.output_size, 2))


class AdaptiveAvgPool2d(AdaptivePool2d):
    """The mean of each of `output_size` parts, as equal as they can be (`torch.nn.AdaptiveAvgPool2d`)."""

    name = "adaptive_avg_pool2d"


class AdaptiveMaxPool2d(AdaptivePool2d):
    """The largest value of each of `output_size` parts, as equal as they can be (`torch.nn.AdaptiveMaxPool2d`)."""

    name = "adaptive_max_pool2d"
