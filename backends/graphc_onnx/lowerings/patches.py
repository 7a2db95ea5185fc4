"""Windows as columns and back, and pooling undone."""

from __future__ import annotations

import numpy as np

from graphc.dims import Size, product
from graphc.graph import Value
from graphc.ops.base import extent
from graphc.ops.patches import Fold, MaxUnpool2d, Unfold
from graphc.ops.window import Window
from graphc_onnx.draft import Operand
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower
from graphc_onnx.lowerings.shape import target


@lower.register
def unfold(op: Unfold, to: Emitter, input: Value) -> None:
    """The rows and then the columns of each window gathered: [N, C, kh, H', kw, W'], brought into order."""
    value: Operand = input
    pads = [0, 0, *extent(op.padding, 2)]
    if any(pads):
        value = to.step("padded", "Pad", input, to.constant("pads", pads * 2))
    rows, columns = zip(op.windows(), input.type.space, strict=True)
    value = to.step("rows", "Gather", value, _elements(to.below("height"), *rows), axis=2)
    value = to.step("elements", "Gather", value, _elements(to.below("width"), *columns), axis=4)
    ordered = to.step("ordered", "Transpose", value, perm=[0, 1, 2, 4, 3, 5])
    after = to.node.output.type.shape
    counts = [window.count(size) for window, size in (rows, columns)]
    before = (*input.type.shape[:2], *extent(op.kernel_size, 2), *counts)
    to.emit("Reshape", ordered, target(to, "shape", before, after))


def _elements(to: Emitter, window: Window, size: Size) -> str:
    """Which elements of a padded axis each window has: [kernel, windows]."""
    count, inside = window.count(size), window.dilation * np.arange(window.kernel)[:, None]
    if isinstance(count, int):
        return to.constant("elements", inside + window.stride * np.arange(count))
    zero, stride = to.constant("zero", 0), to.constant("stride", window.stride)
    end = to.number("end", count * window.stride, "int64")
    starts = to.step("starts", "Range", zero, end, stride)
    return to.step("elements", "Add", to.constant("inside", inside), starts)


@lower.register
def fold(op: Fold, to: Emitter, input: Value) -> None:
    to.needs_opset(18)  # the first with Col2Im
    block = to.constant("block", extent(op.kernel_size, 2))
    settings = {"dilations": op.dilation, "strides": op.stride}
    spread = {name: extent(value, 2) for name, value in settings.items()}
    to.emit("Col2Im", input, to.vector("size", op.space()), block, **spread, pads=extent(op.padding, 2) * 2)


@lower.register
def max_unpool2d(_: MaxUnpool2d, to: Emitter, input: Value, indices: Value, like: Value | None = None) -> None:
    """The values put over zeros, the places of a channel in a row: ONNX's MaxUnpool numbers those of all channels."""
    after = to.node.output.type.shape
    rows, places = (
        to.step(name, "Reshape", value, to.constant(f"{name}_shape", [0, 0, -1]))
        for name, value in (("rows", input), ("places", indices))
    )
    flat = to.vector("flat", (*after[:2], product(after[2:])))
    zeros = to.step("zeros", "Expand", to.constant("zero", np.float32(0)), flat)
    filled = to.step("filled", "ScatterElements", zeros, places, rows, axis=2)
    to.emit("Reshape", filled, to.vector("shape", after))
