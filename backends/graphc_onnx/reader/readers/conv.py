"""Convolutions and fully connected layers."""

from __future__ import annotations

from dataclasses import replace

from graphc.graph import Value
from graphc.ops import conv
from graphc.ops.arithmetic import Matmul
from graphc.ops.linear import Linear
from graphc.ops.resize import Pad
from graphc_onnx.reader.entries import Stored, UnreadError
from graphc_onnx.reader.readers.window import Window, even, window
from graphc_onnx.reader.site import Site, reads

CONVOLUTIONS = {1: conv.Conv1d, 2: conv.Conv2d, 3: conv.Conv3d}
TRANSPOSED = {1: conv.ConvTranspose1d, 2: conv.ConvTranspose2d, 3: conv.ConvTranspose3d}


@reads("Conv")
def convolution(site: Site) -> Value:
    """Uneven padding becomes a step of its own."""
    input, weights = site.value(0), _weights(site)
    shape = weights[0].shape
    found = window(site, input.type.space, tuple(shape[2:]))
    input, found = padded(site, input, found)
    kind = CONVOLUTIONS.get(len(found.kernel))
    if kind is None:
        raise UnreadError("Conv: over more than three axes")
    op = kind(
        out_channels=shape[0],
        kernel_size=even(found.kernel),
        stride=even(found.stride),
        padding=even(found.before),
        dilation=even(found.dilation),
        groups=site.whole("group", 1),
        bias=len(weights) > 1,
    )
    return site.give(op, input, weights=weights)


@reads("ConvTranspose")
def transposed_convolution(site: Site) -> Value:
    input, weights = site.value(0), _weights(site)
    shape = weights[0].shape
    found = window(site, input.type.space, tuple(shape[2:]))
    kind = TRANSPOSED.get(len(found.kernel))
    if kind is None or not found.is_even or "output_shape" in site.attributes:
        raise UnreadError("ConvTranspose: uneven padding, or a shape that is given")
    groups = site.whole("group", 1)
    op = kind(
        out_channels=shape[1] * groups,
        kernel_size=even(found.kernel),
        stride=even(found.stride),
        padding=even(found.before),
        output_padding=even(site.ints("output_padding") or (0,)),
        groups=groups,
        bias=len(weights) > 1,
        dilation=even(found.dilation),
    )
    return site.give(op, input, weights=weights)


def padded(site: Site, input: Value, found: Window, number: float = 0) -> tuple[Value, Window]:
    """The input with the padding that a window can't have, and the window without it."""
    if found.is_even:
        return input, found
    none = (0,) * len(found.kernel)
    return site.give(Pad(pad=found.pads, value=number), input), replace(found, before=none, behind=none)


@reads("Gemm")
def gemm(site: Site) -> Value:
    """A fully connected layer; else a product of two values and a sum."""
    if site.whole("transA", 0) or site.real("alpha", 1.0) != 1 or site.real("beta", 1.0) != 1:
        raise UnreadError("Gemm: with factors, or a transposed left side")
    weight = site.stored(1)
    if not site.whole("transB", 0):
        weight = turned(weight)
    bias = [site.stored(2)] if site.has(2) else []
    if any(each.shape != weight.shape[:1] for each in bias):
        raise UnreadError("Gemm: the bias is no vector")
    return linear(site, site.value(0), weight, bias)


@reads("MatMul")
def matmul(site: Site) -> Value:
    other = site.entry(1)
    if isinstance(other, Stored) and len(other.shape) == 2:
        return linear(site, site.value(0), turned(other), [])
    return site.give(Matmul(), site.value(0), site.value(1))


def linear(site: Site, input: Value, weight: Stored, bias: list[Stored]) -> Value:
    """x Wᵀ + b, of a weight [out, in]."""
    if input.type.rank < 1 or input.type.shape[-1] != weight.shape[1]:
        raise UnreadError(f"{site.operator}: the weight has another number of columns")
    return site.give(Linear(out_features=weight.shape[0], bias=bool(bias)), input, weights=[weight, *bias])


def turned(weight: Stored) -> Stored:
    """A stored matrix with its axes in the other order."""
    return Stored(weight.name, weight.shape[::-1], weight.dtype)


def _weights(site: Site) -> list[Stored]:
    """The weight and perhaps the bias."""
    weights = [site.stored(index) for index in (1, 2) if site.has(index)]
    if len(weights[0].shape) < 3:
        raise UnreadError(f"{site.operator}: the weight has {len(weights[0].shape)} axes")
    return weights
