"""Convolutions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from math import prod, sqrt
from typing import ClassVar

from graphc.demands import divisible
from graphc.dims import Size, product
from graphc.ops.base import (
    Count,
    Extent,
    Flag,
    Op,
    Padding,
    Requirement,
    even,
    extent,
    extents_fit,
    fixed,
    holds,
    not_smaller,
    rank,
    same_size,
)
from graphc.ops.reach import ALL, UNKNOWN, Along, Reach, Seen, Sight
from graphc.ops.saved import FACTORS, INPUT, Saved
from graphc.ops.window import Window, counts, seen, windows, windows_fit
from graphc.tensor import Shape, Tensor, Uniform, Weight


class Convolution(Op):
    """Convolution (cross-correlation) over `axes` axes behind the channels."""

    axes: ClassVar[int]
    main = "out_channels"
    each = 0
    keeps = INPUT
    example = "{out_channels: 16, kernel_size: 3, padding: 1}"
    out_channels: Count
    """The number of kernels, each of which gives a channel."""
    kernel_size: Extent
    """The size of the kernel: one for all axes, or one each."""
    stride: Extent = 1
    """How far the kernel moves from place to place."""
    padding: Padding = 0
    """How many zeros are added at both ends of each axis."""
    dilation: Extent = 1
    """How far apart the kernel's elements read."""
    groups: Count = 1
    """How many groups of channels are convolved apart; it divides both numbers of channels."""
    bias: Flag = True
    """Whether a learned number is added to each channel."""

    @cached_property
    def settled(self) -> Mapping[str, object]:
        return even(super().settled, self.axes, "kernel_size", "stride", "padding", "dilation")

    def windows(self) -> Sequence[Window]:
        """The kernel along each axis."""
        return windows(self.axes, self.kernel_size, self.stride, self.padding, self.dilation)

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from image(input, self.axes)
        yield from extents_fit(
            input, kernel_size=self.kernel_size, stride=self.stride, padding=self.padding, dilation=self.dilation
        )
        yield from groups_divide(self.groups, input.channels, self.out_channels)
        yield from windows_fit(self.windows(), input)

    def infer(self, input: Tensor) -> Tensor:
        return input.with_channels(self.out_channels).with_space(counts(self.windows(), input.space))

    def weights(self, input: Tensor) -> Mapping[str, Weight]:
        shape = (self.out_channels, input.channels // self.groups, *extent(self.kernel_size, self.axes))
        return affine(shape, self.out_channels, self.bias)

    def macs(self, input: Tensor) -> Size:
        kernel = prod(extent(self.kernel_size, self.axes))
        return product(self.infer(input).shape) * (input.channels // self.groups) * kernel

    def sees(self, input: Tensor) -> Seen:
        return (seen(self.windows(), ALL if self.groups == 1 else UNKNOWN),)


class Conv1d(Convolution):
    """Convolution (cross-correlation) [N, C, L] → [N, out_channels, L'] (`torch.nn.Conv1d`)."""

    name = "conv1d"
    axes = 1
    operands = ("[N, 8, L]",)


class Conv2d(Convolution):
    """Convolution (cross-correlation) [N, C, H, W] → [N, out_channels, H', W'] (`torch.nn.Conv2d`).

    A `weight` [out_channels, C/groups, kernel, kernel] that is given takes the place of its own (`functional.conv2d`).
    """

    name = "conv2d"
    axes = 2

    def requires(self, input: Tensor, weight: Tensor | None = None) -> Iterator[Requirement]:
        yield from super().requires(input)
        if weight is not None:
            yield Requirement(
                not self.bias, "a convolution with a given weight has no bias: add one in a step of its own"
            )
            yield holds(weight, "float32")
            yield rank(weight, 4)
            wanted = (self.out_channels, input.channels // self.groups, *extent(self.kernel_size, 2))
            for found, size in zip(weight.shape, wanted, strict=True):
                yield same_size(found, size, f"the weight {weight} must be {Tensor(wanted)}")

    def infer(self, input: Tensor, weight: Tensor | None = None) -> Tensor:
        return super().infer(input)

    def weights(self, input: Tensor, weight: Tensor | None = None) -> Mapping[str, Weight]:
        return super().weights(input) if weight is None else {}

    def macs(self, input: Tensor, weight: Tensor | None = None) -> Size:
        return super().macs(input)

    def saved(self, input: Tensor, weight: Tensor | None = None) -> Saved:
        return INPUT if weight is None else FACTORS

    def sees(self, input: Tensor, weight: Tensor | None = None) -> Seen:
        return super().sees(input) if weight is None else (*super().sees(input), (ALL,) * 4)


class Conv3d(Convolution):
    """Convolution (cross-correlation) [N, C, D, H, W] → [N, out_channels, D', H', W'] (`torch.nn.Conv3d`)."""

    name = "conv3d"
    axes = 3
    operands = ("[N, 8, D, H, W]",)


class TransposedConvolution(Op):
    """Transposed convolution over `axes` axes behind the channels."""

    axes: ClassVar[int]
    main = "out_channels"
    each = 0
    keeps = INPUT
    example = "{out_channels: 4, kernel_size: 2, stride: 2}"
    out_channels: Count
    """The number of channels of the output."""
    kernel_size: Extent
    """The size of the kernel: one for all axes, or one each."""
    stride: Extent = 1
    """How far apart the kernel is put down for neighbours."""
    padding: Padding = 0
    """How much is cut off at both ends of each axis."""
    output_padding: Padding = 0
    """How much is added behind each axis: which of the sizes it is that a stride leaves open."""
    groups: Count = 1
    """How many groups of channels are convolved apart; it divides both numbers of channels."""
    bias: Flag = True
    """Whether a learned number is added to each channel."""
    dilation: Extent = 1
    """How far apart the kernel's elements are put down."""

    @cached_property
    def settled(self) -> Mapping[str, object]:
        return even(super().settled, self.axes, "kernel_size", "stride", "padding", "output_padding", "dilation")

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from image(input, self.axes)
        yield from extents_fit(
            input,
            kernel_size=self.kernel_size,
            stride=self.stride,
            padding=self.padding,
            output_padding=self.output_padding,
            dilation=self.dilation,
        )
        yield from groups_divide(self.groups, input.channels, self.out_channels)
        for size, made, (k, s, p, added, d) in zip(input.space, self.space(input), self.per_axis(), strict=True):
            yield Requirement(added < max(s, d), f"output_padding {added} must be smaller than stride or dilation")
            if d * (k - 1) + added < 2 * p:
                yield not_smaller(made, 1, f"{size} becomes {made}: nothing is left, input {input}")

    def per_axis(self) -> Sequence[tuple[int, ...]]:
        """The kernel, stride, padding, output_padding and dilation along each axis."""
        settings = (self.kernel_size, self.stride, self.padding, self.output_padding, self.dilation)
        return list(zip(*(extent(setting, self.axes) for setting in settings), strict=True))

    def space(self, input: Tensor) -> Shape:
        """The spatial size of the output."""
        pairs = zip(input.space, self.per_axis(), strict=True)
        return tuple((size - 1) * s - 2 * p + d * (k - 1) + added + 1 for size, (k, s, p, added, d) in pairs)

    def infer(self, input: Tensor) -> Tensor:
        return input.with_channels(self.out_channels).with_space(self.space(input))

    def weights(self, input: Tensor) -> Mapping[str, Weight]:
        shape = (input.channels, self.out_channels // self.groups, *extent(self.kernel_size, self.axes))
        return affine(shape, self.out_channels, self.bias)

    def macs(self, input: Tensor) -> Size:
        return product(input.shape) * (self.out_channels // self.groups) * prod(extent(self.kernel_size, self.axes))

    def sees(self, input: Tensor) -> Seen:
        space = (_spread(axis, k, s, p, d) for axis, (k, s, p, _, d) in enumerate(self.per_axis(), 2))
        return ((Along(0), ALL if self.groups == 1 else UNKNOWN, *space),)


class ConvTranspose1d(TransposedConvolution):
    """Transposed convolution [N, C, L] → [N, out_channels, L'] (`torch.nn.ConvTranspose1d`)."""

    name = "conv_transpose1d"
    axes = 1
    operands = ("[N, 8, L]",)


class ConvTranspose2d(TransposedConvolution):
    """Transposed convolution [N, C, H, W] → [N, out_channels, H', W'] (`torch.nn.ConvTranspose2d`)."""

    name = "conv_transpose2d"
    axes = 2


class ConvTranspose3d(TransposedConvolution):
    """Transposed convolution [N, C, D, H, W] → [N, out_channels, D', H', W'] (`torch.nn.ConvTranspose3d`)."""

    name = "conv_transpose3d"
    axes = 3
    operands = ("[N, 8, D, H, W]",)


def image(input: Tensor, axes: int) -> Iterator[Requirement]:
    """The operand is [N, C, *] with so many axes behind, and C is known."""
    yield rank(input, axes + 2)
    yield holds(input, "float32")
    yield fixed(input.channels, input, "the number of channels")


def groups_divide(groups: int, channels: Size, out_channels: int) -> Iterator[Requirement]:
    """The groups have equally many input and output channels."""
    yield Requirement(divisible(channels, groups), f"groups {groups} must divide the input's {channels} channels")
    yield Requirement(out_channels % groups == 0, f"groups {groups} must divide out_channels {out_channels}")


def affine(shape: tuple[Size, ...], outputs: int, bias: bool) -> Mapping[str, Weight]:
    """A weight and perhaps a bias with PyTorch's initial values: uniform within ±1/√(weights that one output reads)."""
    read = product(shape[1:])
    initial = Uniform(1 / sqrt(read) if isinstance(read, int) else 0.0)
    weight = {"weight": Weight(shape, initial)}
    return weight | {"bias": Weight((outputs,), initial)} if bias else weight


def _spread(axis: int, kernel: int, stride: int, padding: int, dilation: int) -> Sight:
    """What a transposed convolution reads; unknown where a position lies between all kernels, and reads nothing."""
    taps = [[o + padding - dilation * t for t in range(kernel)] for o in range(stride)]
    read = [[at // stride for at in positions if at % stride == 0] for positions in taps]
    return Along(axis, Reach(1, tuple((min(at), max(at)) for at in read))) if all(read) else UNKNOWN
