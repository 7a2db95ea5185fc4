"""Convolutions."""

from __future__ import annotations

from graphc.graph import Value
from graphc.ops.base import extent
from graphc.ops.conv import Conv2d, Convolution, TransposedConvolution
from graphc_onnx.draft import Operand
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import cannot_lower, lower
from graphc_onnx.lowerings.window import window


@lower.register
def convolution(op: Convolution, to: Emitter, input: Value) -> None:
    _emit(op, to, input, *to.weights())


@lower.register
def conv2d(op: Conv2d, to: Emitter, input: Value, weight: Value | None = None) -> None:
    """With its own weights, or with the one that is given."""
    _emit(op, to, input, *(to.weights() if weight is None else (weight,)))


def _emit(op: Convolution, to: Emitter, *operands: Operand) -> None:
    settings = window(op.axes, kernel_size=op.kernel_size, stride=op.stride, padding=op.padding, dilation=op.dilation)
    to.emit("Conv", *operands, **settings, group=op.groups)


@lower.register
def transposed_convolution(op: TransposedConvolution, to: Emitter, input: Value) -> None:
    pads, added = _paddings(op)
    if min(pads) < 0:
        raise cannot_lower(to.node, "output_padding exceeds stride - 1 + padding", "pad in a step of its own")
    settings = window(op.axes, kernel_size=op.kernel_size, stride=op.stride, padding=op.padding, dilation=op.dilation)
    settings |= {"pads": pads, "output_padding": added}
    to.emit("ConvTranspose", input, *to.weights(), **settings, group=op.groups)


def _paddings(op: TransposedConvolution) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The paddings before and behind each axis, and the output_padding.

    PyTorch wants output_padding < stride or < dilation, ONNX Runtime < stride: the excess comes off the padding behind.
    """
    padding, added, stride = (extent(e, op.axes) for e in (op.padding, op.output_padding, op.stride))
    excess = [max(0, more - step + 1) for more, step in zip(added, stride, strict=True)]
    behind = tuple(p - e for p, e in zip(padding, excess, strict=True))
    return padding + behind, tuple(more - e for more, e in zip(added, excess, strict=True))
