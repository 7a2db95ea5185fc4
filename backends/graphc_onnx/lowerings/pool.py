"""Pooling."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from graphc.dims import Size
from graphc.graph import Value
from graphc.ops.base import extent
from graphc.ops.pool import AdaptiveAvgPool2d, AdaptiveMaxPool2d, AvgPool2d, MaxPool2d
from graphc_onnx.draft import Array, Operand
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower
from graphc_onnx.lowerings.window import window


@lower.register
def avg_pool2d(op: AvgPool2d, to: Emitter, input: Value) -> None:
    _require_right_windows(op, to)
    settings = window(2, kernel_size=op.kernel_size, stride=op.step, padding=op.padding, dilation=1)
    del settings["dilations"]  # only from opset 19 on
    counted = int(op.count_include_pad)
    to.emit("AveragePool", input, **settings, ceil_mode=int(op.ceil_mode), count_include_pad=counted)


@lower.register
def max_pool2d(op: MaxPool2d, to: Emitter, input: Value) -> None:
    _require_right_windows(op, to)
    settings = window(2, kernel_size=op.kernel_size, stride=op.step, padding=op.padding, dilation=op.dilation)
    to.emit("MaxPool", input, **settings, ceil_mode=int(op.ceil_mode))


def _require_right_windows(op: AvgPool2d | MaxPool2d, to: Emitter) -> None:
    """Before opset 22, ONNX counts a window that starts in the padding behind the input.

    Rounding up gives one, for some size, where it starts at size + padding or later: at ⌈room / stride⌉·stride, at most
    room + stride - 1, with room = size + 2·padding - reach.
    """
    if op.ceil_mode and any(w.padding + w.stride > w.reach for w in op.windows()):
        to.needs_opset(22)


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


@lower.register
def adaptive_max_pool2d(op: AdaptiveMaxPool2d, to: Emitter, input: Value) -> None:
    """The largest of all where one part is wanted, ordinary pooling where the parts are equal.

    Else each part of the rows is cut out and its largest row kept, then each part of the columns.
    """
    parts = extent(op.output_size, 2)
    if parts == (1, 1):
        to.emit("GlobalMaxPool", input)
        return
    equal = _equal_parts(input, parts)
    if equal:
        to.emit("MaxPool", input, kernel_shape=equal, strides=equal)
        return
    to.needs_opset(18)  # ReduceMax takes its axes as an operand
    rows = _largest(to.below("height"), input, input.type.shape[2], 2, parts[0])
    columns = _largest(to.below("width"), to.step("rows", "Concat", *rows, axis=2), input.type.shape[3], 3, parts[1])
    to.emit("Concat", *columns, axis=3)


def _largest(to: Emitter, value: Operand, size: Size, axis: int, parts: int) -> list[str]:
    """The largest element of each part along an axis, which has size 1 then."""
    along = to.constant("axis", [axis])
    if isinstance(size, int):
        starts, ends = (
            to.constant(name, column) for name, column in zip(("start", "end"), bounds(size, parts), strict=True)
        )
    else:
        starts, ends = _bounds(to, to.step("size", "Gather", to.step("sizes", "Shape", value), along), parts)
    found = []
    for part in range(parts):
        at = to.below(f"part_{part}")
        number = at.constant("number", part)
        start, end = (at.step(name, "Gather", whole, number) for name, whole in (("start", starts), ("end", ends)))
        found.append(at.step("largest", "ReduceMax", at.step("cut", "Slice", value, start, end, along), along))
    return found


def _equal_parts(input: Value, parts: tuple[int, ...]) -> list[int] | None:
    """The sizes of the parts where these are all equal."""
    pairs = zip(input.type.space, parts, strict=True)
    equal = [size // count for size, count in pairs if isinstance(size, int) and size % count == 0]
    return equal if len(equal) == len(parts) else None


def pooling_matrix(size: int, parts: int) -> Array:
    """The mean of each part [parts, size]: part i is ⌊i·size/parts⌋ … ⌈(i+1)·size/parts⌉ - 1, as in PyTorch."""
    place = np.arange(size)
    start, end = bounds(size, parts)
    inside = (start <= place) & (place < end)
    shares: Array = inside / (end - start)
    return shares.astype(np.float32)


def bounds(size: int, parts: int) -> tuple[Array, Array]:
    """Where each part starts and ends [parts, 1]."""
    part = np.arange(parts)[:, None]
    return part * size // parts, -(-(part + 1) * size // parts)


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
