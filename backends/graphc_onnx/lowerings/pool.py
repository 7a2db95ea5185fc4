"""Pooling."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from graphc.dims import Size, product
from graphc.graph import Value
from graphc.ops.pool import AdaptiveAvgPool, AdaptiveMaxPool, AvgPool, MaxPool
from graphc_onnx.draft import Array, Operand
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import cannot_lower, lower
from graphc_onnx.lowerings.window import window


@lower.register
def avg_pool(op: AvgPool, to: Emitter, input: Value) -> None:
    _require_right_windows(op, to)
    settings = window(op.axes, kernel_size=op.kernel_size, stride=op.step, padding=op.padding, dilation=1)
    del settings["dilations"]  # only from opset 19 on
    counted = int(op.count_include_pad)
    to.emit("AveragePool", input, **settings, ceil_mode=int(op.ceil_mode), count_include_pad=counted)


@lower.register
def max_pool(op: MaxPool, to: Emitter, input: Value) -> None:
    """ONNX numbers the elements of the whole value where PyTorch numbers those of each channel."""
    if input.type.dtype != "float32":
        raise cannot_lower(to.node, "it pools no whole numbers", "take `float` of them first")
    _require_right_windows(op, to)
    settings = window(op.axes, kernel_size=op.kernel_size, stride=op.step, padding=op.padding, dilation=op.dilation)
    rounds_up = int(op.ceil_mode)
    if not op.return_indices:
        to.emit("MaxPool", input, **settings, ceil_mode=rounds_up)
        return
    largest, places = to.steps("MaxPool", input, gives=("largest", "places"), **settings, ceil_mode=rounds_up)
    to.emit_output("values", "Identity", largest)
    to.emit_output("indices", "Mod", places, to.number("plane", product(input.type.space), "int64"))


def _require_right_windows(op: AvgPool | MaxPool, to: Emitter) -> None:
    """Before opset 22, ONNX counts a window that starts in the padding behind the input.

    Rounding up gives one, for some size, where it starts at size + padding or later: at ⌈room / stride⌉·stride, at most
    room + stride - 1, with room = size + 2·padding - reach.
    """
    if op.ceil_mode and any(w.padding + w.stride > w.reach for w in op.windows()):
        to.needs_opset(22)


@lower.register
def adaptive_avg_pool(op: AdaptiveAvgPool, to: Emitter, input: Value) -> None:
    """A mean of all where one part is wanted, ordinary pooling where the parts are equal, else matrix products.

    A row of a pooling matrix P [parts, size] has 1/n at the n elements of its part; it is computed in the graph
    where the size is free.
    """
    if not _has_equal_parts(op, to, input, "GlobalAveragePool", "AveragePool"):
        matrices = [_matrix(to.below(f"axis_{axis}"), input, axis, parts) for axis, parts in enumerate(op.parts, 2)]
        across = to.step("across", "Transpose", matrices[-1], perm=[1, 0])
        _give_means(op, to, input, [across, *reversed(matrices[:-1])])


def _give_means(op: AdaptiveAvgPool, to: Emitter, input: Value, matrices: list[str]) -> None:
    """x · Pᵀ along the last axis, P · x along the one before, and so along the first, with the others as one."""
    across, *others = matrices
    if not others:
        to.emit("MatMul", input, across)
        return
    value = to.step("along_last", "MatMul", input, across)
    if len(others) == 1:
        to.emit("MatMul", others[0], value)
        return
    value = to.step("along_second", "MatMul", others[0], value)
    value = to.step("planes", "Reshape", value, to.constant("planes_shape", [0, 0, 0, -1]))
    value = to.step("along_first", "MatMul", others[1], value)
    to.emit("Reshape", value, to.constant("shape", [0, 0, *op.parts]))


@lower.register
def adaptive_max_pool(op: AdaptiveMaxPool, to: Emitter, input: Value) -> None:
    """The largest of all where one part is wanted, ordinary pooling where the parts are equal.

    Else each part of the first axis is cut out and its largest element kept, then each part of the next.
    """
    if _has_equal_parts(op, to, input, "GlobalMaxPool", "MaxPool"):
        return
    to.needs_opset(18)  # ReduceMax takes its axes as an operand
    value: Operand = input
    for axis, parts in enumerate(op.parts, 2):
        at = to.below(f"axis_{axis}")
        found = _largest(at, value, input.type.shape[axis], axis, parts)
        value = at.step("largest", "Concat", *found, axis=axis)
    to.emit("Identity", value)


def _has_equal_parts(op: AdaptiveAvgPool | AdaptiveMaxPool, to: Emitter, input: Value, whole: str, part: str) -> bool:
    """Whether the parts are equal at all sizes; then the op is written: over all, or over windows side by side."""
    if set(op.parts) == {1}:
        to.emit(whole, input)
        return True
    pairs = zip(input.type.space, op.parts, strict=True)
    equal = [size // count for size, count in pairs if isinstance(size, int) and size % count == 0]
    if len(equal) < op.axes:
        return False
    to.emit(part, input, kernel_shape=equal, strides=equal)
    return True


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
