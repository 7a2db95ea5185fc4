"""Convolutions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod, sqrt

from graphc.demands import divisible
from graphc.dims import Size, product
from graphc.ops.base import Count, Extent, Flag, Op, Padding, Requirement, extent, extents_fit, rank
from graphc.ops.window import windows, windows_fit
from graphc.tensor import Tensor, Uniform, Weight


class Conv2d(Op):
    """Convolution (cross-correlation) [N, C, H, W] → [N, out_channels, H', W'] (`torch.nn.Conv2d`)."""

    name = "conv2d"
    main = "out_channels"
    out_channels: Count
    kernel_size: Extent
    stride: Extent = 1
    padding: Padding = 0
    dilation: Extent = 1
    groups: Count = 1
    bias: Flag = True

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, 4)
        yield from extents_fit(
            input, kernel_size=self.kernel_size, stride=self.stride, padding=self.padding, dilation=self.dilation
        )
        yield from groups_divide(self.groups, input.channels, self.out_channels)
        yield from windows_fit(input, self.kernel_size, self.stride, self.padding, self.dilation)

    def infer(self, input: Tensor) -> Tensor:
        space = windows(input.space, self.kernel_size, self.stride, self.padding, self.dilation)
        return input.with_channels(self.out_channels).with_space(space)

    def weights(self, input: Tensor) -> Mapping[str, Weight]:
        shape = (self.out_channels, input.channels // self.groups, *extent(self.kernel_size, 2))
        return affine(shape, self.out_channels, self.bias)

    def macs(self, input: Tensor) -> Size:
        return product(self.infer(input).shape) * (input.channels // self.groups) * prod(extent(self.kernel_size, 2))


class ConvTranspose2d(Op):
    """Transposed convolution [N, C, H, W] → [N, out_channels, H', W'] (`torch.nn.ConvTranspose2d`)."""

    name = "conv_transpose2d"
    main = "out_channels"
    out_channels: Count
    kernel_size: Extent
    stride: Extent = 1
    padding: Padding = 0
    output_padding: Padding = 0
    groups: Count = 1
    bias: Flag = True
    dilation: Extent = 1

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, 4)
        yield from extents_fit(
            input,
            kernel_size=self.kernel_size,
            stride=self.stride,
            padding=self.padding,
            output_padding=self.output_padding,
            dilation=self.dilation,
        )
        yield from groups_divide(self.groups, input.channels, self.out_channels)
        for added, s, d in zip(extent(self.output_padding, 2), extent(self.stride, 2), extent(self.dilation, 2), strict=True):
            yield Requirement(added < max(s, d), f"output_padding {added} must be smaller than stride or dilation")

    def infer(self, input: Tensor) -> Tensor:
        settings = (self.kernel_size, self.stride, self.padding, self.output_padding, self.dilation)
        per_axis = (extent(e, 2) for e in settings)
        space = tuple(
            (size - 1) * s - 2 * p + d * (k - 1) + added + 1
            for size, k, s, p, added, d in zip(input.space, *per_axis, strict=True)
        )
        return input.with_channels(self.out_channels).with_space(space)

    def weights(self, input: Tensor) -> Mapping[str, Weight]:
        shape = (input.channels, self.out_channels // self.groups, *extent(self.kernel_size, 2))
        return affine(shape, self.out_channels, self.bias)

    def macs(self, input: Tensor) -> Size:
        return product(input.shape) * (self.out_channels // self.groups) * prod(extent(self.kernel_size, 2))


def groups_divide(groups: int, channels: Size, out_channels: int) -> Iterator[Requirement]:
    """The groups have equally many input and output channels."""
    yield Requirement(divisible(channels, groups), f"groups {groups} must divide the input's {channels} channels")
    yield Requirement(out_channels % groups == 0, f"groups {groups} must divide out_channels {out_channels}")


def affine(shape: tuple[Size, ...], outputs: int, bias: bool) -> Mapping[str, Weight]:
    """A weight and perhaps a bias with PyTorch's initial values: uniform within ±1/√fan_in, fan_in = all but the first axis."""
    fan_in = product(shape[1:])
    initial = Uniform(1 / sqrt(fan_in) if isinstance(fan_in, int) else 0.0)
    weight = {"weight": Weight(shape, initial)}
    return weight | {"bias": Weight((outputs,), initial)} if bias else weight
