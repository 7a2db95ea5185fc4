"""Convolutions that see only what comes before."""

from __future__ import annotations

import numpy as np

from graphc.graph import Value
from graphc.ops.masked import MaskedConv2d
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower
from graphc_onnx.lowerings.window import window


@lower.register
def masked_conv2d(op: MaskedConv2d, to: Emitter, input: Value) -> None:
    """A convolution with the weight times the mask."""
    shape = to.node.weights()["weight"].shape
    mask = np.zeros([int(str(size)) for size in shape], np.float32)
    for part in op.seen(mask.shape[1]):
        mask[part] = 1
    settings = window(2, kernel_size=op.kernel_size, stride=op.stride, padding=op.padding, dilation=op.dilation)
    weight = to.step("seen", "Mul", to.weight("weight"), to.constant("mask", mask))
    to.emit("Conv", input, weight, *(to.weights("bias") if op.bias else ()), **settings)
