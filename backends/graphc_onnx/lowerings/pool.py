"""Pooling."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from graphc.graph import Value
from graphc.ops.base import extent
from graphc.ops.pool import AdaptiveAvgPool2d, MaxPool2d
from graphc_onnx.draft import Array
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower
from graphc_onnx.lowerings.window import window


@lower.register
def max_pool2d(op: MaxPool2d, to: Emitter, input: Value) -> None:
    if op.ceil_mode and _last_window_may_start_behind(op):
        to.needs_opset(22)  # before, ONNX counts a window that starts in the padding behind the input
    settings = window(2, kernel_size=op.kernel_size, stride=op.step, padding=op.padding, dilation=op.dilation)
    to.emit("MaxPool", input, **settings, ceil_mode=int(op.ceil_mode))


def _last_window_may_start_behind(op: MaxPool2d) -> bool:
    """Whether, for some size, rounding up gives a window that starts at size + padding or later.

    It starts at ⌈room / stride⌉·stride, at most room + stride - 1, with room = size + 2·padding - reach.
    """
    axes = zip(*(extent(e, 2) for e in (op.kernel_size, op.step, op.padding, op.dilation)), strict=True)
    return any(padding + stride > dilation * (kernel - 1) + 1 for kernel, stride, padding, dilation in axes)


@lower.register
def adaptive_avg_pool2d(op: AdaptiveAvgPool2d, to: Emitter, input: Value) -> None:
    """A mean of all where one part is wanted, ordinary pooling where the parts are equal, else P_h · x · P_wᵀ.

    A row of a pooling matrix P [parts, size] has 1/n at the n elements of its part; it is computed in the graph
    where the size is free.
    """
    parts = extent(op.output_size, 2)
    if parts == (1, 1):
        to.emit("GlobalAveragePool", input)
        return
    equal = _equal_parts(input, parts)
    if equal:
        to.emit("AveragePool", input, kernel_shape=equal, strides=equal)
        return
    rows, columns = _matrix(to.below("height"), input, 2, parts[0]), _matrix(to.below("width"), input, 3, parts[1])
    across = to.step("across", "Transpose", columns, perm=[1, 0])
    to.emit("MatMul", rows, to.step("along_width", "MatMul", input, across))


def _equal_parts(input: Value, parts: tuple[int, ...]) -> list[int] | None:
    """The sizes of the parts where these are all equal."""
    pairs = zip(input.type.space, parts, strict=True)
    equal = [size // count for size, count in pairs if isinstance(size, int) and size % count == 0]
    return equal if len(equal) == len(parts) else None


def pooling_matrix(size: int, parts: int) -> Array:
    """The mean of each part [parts, size]: part i is ⌊i·size/parts⌋ … ⌈(i+1)·size/parts⌉ - 1, as in PyTorch."""
    part, place = np.arange(parts)[:, None], np.arange(size)
    start, end = part * size // parts, -(-(part + 1) * size // parts)
    inside = (start <= place) & (place < end)
    return (inside / (end - start)).astype(np.float32)


def _matrix(to: Emitter, input: Value, axis: int, parts: int) -> str:
    size = input.type.shape[axis]
    if isinstance(size, int):
        return to.constant("matrix", pooling_matrix(size, parts))
    sizes = to.step("sizes", "Shape", input)
    return _free_matrix(to, to.step("size", "Gather", sizes, to.constant("axis", axis)), parts)


def _free_matrix(to: Emitter, size: str, parts: int) -> str:
    """`pooling_matrix` as ONNX nodes, for a size that is read when the model runs."""
    place = to.step("place", "Range", to.constant("zero", 0), size, to.constant("one", 1))
    start, end = _bounds(to, size, parts)
    behind_start = to.step("behind_start", "GreaterOrEqual", place, start)
    inside = to.step("inside", "And", behind_start, to.step("before_end", "Less", place, end))
    length = to.step("length", "Sub", end, start)
    one_inside = to.step("one_inside", "Cast", inside, to=TensorProto.FLOAT)
    return to.step("matrix", "Div", one_inside, to.step("length_as_float", "Cast", length, to=TensorProto.FLOAT))


def _bounds(to: Emitter, size: str, parts: int) -> tuple[str, str]:
    """Where the parts start and end [parts, 1]."""
    part, count = np.arange(parts)[:, None], to.constant("parts", parts)
    first = to.step("start_times_parts", "Mul", to.constant("part", part), size)
    last = to.step("end_times_parts", "Mul", to.constant("next", part + 1), size)
    rounded_up = to.step("end_rounded", "Add", last, to.constant("parts_less_one", parts - 1))
    return to.step("start", "Div", first, count), to.step("end", "Div", rounded_up, count)
