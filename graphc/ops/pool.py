"""Pooling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from math import prod
from typing import ClassVar

from graphc.demands import divisible
from graphc.dims import Size
from graphc.ops.base import (
    Extent,
    Flag,
    Free,
    Padding,
    Requirement,
    elements,
    even,
    extent,
    extents_fit,
    holds,
    not_smaller,
    rank,
)
from graphc.ops.reach import ALL, Along, Seen, along, parts
from graphc.ops.saved import INPUT, NOTHING, Saved
from graphc.ops.window import Window, counts, seen, windows, windows_fit
from graphc.tensor import DType, Tensor


class Pool(Free):
    """One value for each window over `axes` axes behind the channels; without a stride, windows lie side by side."""

    axes: ClassVar[int]
    main = "kernel_size"
    example = "2"
    kernel_size: Extent
    """The size of a window: one for all axes, or one each."""
    stride: Extent | None = None
    """How far apart windows are; side by side if not given."""
    padding: Padding = 0
    """How much is added at both ends of each axis, at most half a window."""

    @property
    def step(self) -> Extent:
        """The stride; where none is given, windows lie side by side."""
        return self.kernel_size if self.stride is None else self.stride

    @cached_property
    def settled(self) -> Mapping[str, object]:
        """No stride is one of the window's size, with steps of 1 there is nothing to round, and no padding counts."""
        found = dict(even({**super().settled, "stride": self.step}, self.axes, "kernel_size", "stride", "padding"))
        if found["stride"] == 1:
            found["ceil_mode"] = False
        if found["padding"] == 0 and not found.get("ceil_mode") and "count_include_pad" in found:
            found["count_include_pad"] = True
        return found

    def windows(self) -> Sequence[Window]:
        """The window along each axis."""
        raise NotImplementedError(self.name)

    def pooled(self, input: Tensor, *dtypes: DType, **extents: Extent) -> Iterator[Requirement]:
        """The operand has the axes and holds one of these types, and the windows fit."""
        yield rank(input, self.axes + 2)
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

    def infer(self, input: Tensor) -> Tensor | Mapping[str, Tensor]:
        return input.with_space(counts(self.windows(), input.space))

    def sees(self, input: Tensor) -> Seen:
        return (seen(self.windows(), Along(1)),)

    @property
    def covered(self) -> int:
        """How many elements a window has."""
        return prod(window.kernel for window in self.windows())


class MaxPool(Pool):
    """The largest value of each window, and with `return_indices` where in the space it is, all axes numbered as one.

    The outputs are `values` and `indices` then.
    """

    dilation: Extent = 1
    """How far apart a window's elements are."""
    return_indices: Flag = False
    """Whether there is a second output, `indices`."""
    ceil_mode: Flag = False
    """Whether a part of a window at the end counts as one."""

    def windows(self) -> Sequence[Window]:
        return windows(self.axes, self.kernel_size, self.step, self.padding, self.dilation, ceil_mode=self.ceil_mode)

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        whole: tuple[DType, ...] = () if self.axes == 1 and not self.return_indices else ("int64",)  # as PyTorch has it
        yield from self.pooled(input, "float32", *whole, dilation=self.dilation)

    def infer(self, input: Tensor) -> Tensor | Mapping[str, Tensor]:
        found = input.with_space(counts(self.windows(), input.space))
        return {"values": found, "indices": Tensor(found.shape, "int64")} if self.return_indices else found

    def work(self, input: Tensor) -> Size:
        return (self.covered - 1) * elements(self.infer(input))

    def saved(self, input: Tensor) -> Saved:
        """The operand, and where in it the largest are, as int64."""
        return Saved((0,), extra=8 * elements(self.infer(input)))


class MaxPool1d(MaxPool):
    """The largest value of each window [N, C, L] → [N, C, L']; `return_indices` says where (`torch.nn.MaxPool1d`)."""

    name = "max_pool1d"
    axes = 1
    operands = ("[N, 8, L]",)


class MaxPool2d(MaxPool):
    """The largest value of each window [N, C, H, W] → [N, C, H', W'] (`torch.nn.MaxPool2d`).

    With `return_indices` there are two outputs, `values` and `indices`, the places of the largest in H·W.
    """

    name = "max_pool2d"
    axes = 2


class MaxPool3d(MaxPool):
    """The largest value of each window [N, C, D, H, W] → [N, C, D', H', W'] (`torch.nn.MaxPool3d`)."""

    name = "max_pool3d"
    axes = 3
    operands = ("[N, 8, D, H, W]",)


class AvgPool(Pool):
    """The mean of each window. What lies in the padding counts as 0, or not at all without `count_include_pad`."""

    keeps = INPUT

    ceil_mode: Flag = False
    """Whether a part of a window at the end counts as one."""
    count_include_pad: Flag = True
    """Whether what lies in the padding counts as 0; else not at all."""

    def windows(self) -> Sequence[Window]:
        return windows(self.axes, self.kernel_size, self.step, self.padding, 1, ceil_mode=self.ceil_mode)

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from self.pooled(input, "float32")

    def work(self, input: Tensor) -> Size:
        return self.covered * elements(self.infer(input))


class AvgPool1d(AvgPool):
    """The mean of each window [N, C, L] → [N, C, L'] (`torch.nn.AvgPool1d`)."""

    name = "avg_pool1d"
    axes = 1
    operands = ("[N, 8, L]",)


class AvgPool2d(AvgPool):
    """The mean of each window [N, C, H, W] → [N, C, H', W'] (`torch.nn.AvgPool2d`).

    What lies in the padding counts as 0, or not at all where `count_include_pad` is false.
    """

    name = "avg_pool2d"
    axes = 2


class AvgPool3d(AvgPool):
    """The mean of each window [N, C, D, H, W] → [N, C, D', H', W'] (`torch.nn.AvgPool3d`).

    Unlike the others, it takes no window that is larger than the value itself.
    """

    name = "avg_pool3d"
    axes = 3
    operands = ("[N, 8, D, H, W]",)

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from super().requires(input)
        for size, window in zip(input.space, self.windows(), strict=True):
            yield not_smaller(size, window.kernel, f"a window of {window.kernel} must fit into {size} without padding")


class AdaptivePool(Free):
    """One value for each of `output_size` parts along `axes` axes behind the channels."""

    axes: ClassVar[int]
    main = "output_size"
    example = "1"
    output_size: Extent
    """The spatial size of the output: one for all axes, or one each."""

    @cached_property
    def settled(self) -> Mapping[str, object]:
        return even(super().settled, self.axes, "output_size")

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, self.axes + 2)
        yield holds(input, "float32")
        yield from extents_fit(input, output_size=self.output_size)

    @property
    def parts(self) -> tuple[int, ...]:
        """The number of parts along each axis."""
        return extent(self.output_size, self.axes)

    def infer(self, input: Tensor) -> Tensor:
        return input.with_space(self.parts)

    def sees(self, input: Tensor) -> Seen:
        sizes = enumerate(zip(input.space, self.parts, strict=True), 2)
        space = (ALL if count == 1 else along(axis, parts(int(str(size)), count)) for axis, (size, count) in sizes)
        return ((Along(0), Along(1), *space),)


class AdaptiveAvgPool(AdaptivePool):
    """The mean of each part."""

    def work(self, input: Tensor) -> Size:
        return elements(input)

    def saved(self, input: Tensor) -> Saved:
        """The operand; but a mean over all keeps nothing."""
        return NOTHING if prod(self.parts) == 1 else INPUT


class AdaptiveAvgPool1d(AdaptiveAvgPool):
    """The mean of each of `output_size` parts of [N, C, L] (`torch.nn.AdaptiveAvgPool1d`)."""

    name = "adaptive_avg_pool1d"
    axes = 1
    operands = ("[N, 8, L]",)


class AdaptiveAvgPool2d(AdaptiveAvgPool):
    """The mean of each of `output_size` parts, as equal as they can be (`torch.nn.AdaptiveAvgPool2d`)."""

    name = "adaptive_avg_pool2d"
    axes = 2


class AdaptiveAvgPool3d(AdaptiveAvgPool):
    """The mean of each of `output_size` parts of [N, C, D, H, W] (`torch.nn.AdaptiveAvgPool3d`)."""

    name = "adaptive_avg_pool3d"
    axes = 3
    operands = ("[N, 8, D, H, W]",)


class AdaptiveMaxPool(AdaptivePool):
    """The largest value of each part."""

    def work(self, input: Tensor) -> Size:
        return elements(input) - elements(self.infer(input))

    def saved(self, input: Tensor) -> Saved:
        """The operand, and where in it the largest are, as int64."""
        return Saved((0,), extra=8 * elements(self.infer(input)))


class AdaptiveMaxPool1d(AdaptiveMaxPool):
    """The largest value of each of `output_size` parts of [N, C, L] (`torch.nn.AdaptiveMaxPool1d`)."""

    name = "adaptive_max_pool1d"
    axes = 1
    operands = ("[N, 8, L]",)


class AdaptiveMaxPool2d(AdaptiveMaxPool):
    """The largest value of each of `output_size` parts, as equal as they can be (`torch.nn.AdaptiveMaxPool2d`)."""

    name = "adaptive_max_pool2d"
    axes = 2


class AdaptiveMaxPool3d(AdaptiveMaxPool):
    """The largest value of each of `output_size` parts of [N, C, D, H, W] (`torch.nn.AdaptiveMaxPool3d`)."""

    name = "adaptive_max_pool3d"
    axes = 3
    operands = ("[N, 8, D, H, W]",)
