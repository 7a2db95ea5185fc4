"""Normalisation."""

from __future__ import annotations

import numpy as np

from graphc.dims import Size
from graphc.graph import Value
from graphc.ops.norm import BatchNorm, FrozenBatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm, RMSNorm
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower

RMS_EPS = float(np.finfo(np.float32).eps)


@lower.register
def batch_norm(op: BatchNorm, to: Emitter, input: Value) -> None:
    """With the running statistics; without any, PyTorch takes those of the batch in inference too."""
    if op.track_running_stats:
        _with_running_statistics(op, to, input)
    else:
        _with_batch_statistics(op, to, input)


@lower.register
def frozen_batch_norm(op: FrozenBatchNorm, to: Emitter, input: Value) -> None:
    to.emit("BatchNormalization", input, *to.weights(), epsilon=op.eps)


@lower.register
def instance_norm(op: InstanceNorm, to: Emitter, input: Value) -> None:
    """With the running statistics where there are any, else with those of each sample."""
    if op.track_running_stats:
        _with_running_statistics(op, to, input)
        return
    learned = to.weights() or one_and_zero(to, input.type.channels)
    to.emit("InstanceNormalization", input, *learned, epsilon=op.eps)


@lower.register
def group_norm(op: GroupNorm, to: Emitter, input: Value) -> None:
    """The groups normalised as if they were channels: ONNX's GroupNormalization is right only from opset 21 on."""
    groups = to.step("groups", "Reshape", input, to.constant("groups_shape", [0, op.num_groups, -1]))
    neutral = one_and_zero(to.below("group"), op.num_groups)
    normal = to.step("normal_groups", "InstanceNormalization", groups, *neutral, epsilon=op.eps)
    shape = to.step("shape", "Shape", input)
    if not op.affine:
        to.emit("Reshape", normal, shape)
        return
    _scale_and_shift(to, input, to.step("normal", "Reshape", normal, shape))


@lower.register
def layer_norm(op: LayerNorm, to: Emitter, input: Value) -> None:
    to.needs_opset(17)
    learned = to.weights() or [to.constant("scale", np.ones(op.normalized_shape(input.type), np.float32))]
    to.emit("LayerNormalization", input, *learned, axis=-op.dims, epsilon=op.eps)


@lower.register
def rms_norm(op: RMSNorm, to: Emitter, input: Value) -> None:
    """x / √(mean of x² + eps) · weight; ONNX has RMSNormalization only from opset 23 on."""
    to.needs_opset(18)  # ReduceMean takes its axes as an operand
    axes = to.constant("axes", list(range(-op.dims, 0)))
    square = to.step("mean_square", "ReduceMean", to.step("square", "Mul", input, input), axes)
    eps = to.constant("eps", np.float32(RMS_EPS if op.eps is None else op.eps))
    size = to.step("size", "Sqrt", to.step("shifted", "Add", square, eps))
    if not op.elementwise_affine:
        to.emit("Div", input, size)
        return
    to.emit("Mul", to.step("normal", "Div", input, size), to.weight("weight"))


@lower.register
def local_response_norm(op: LocalResponseNorm, to: Emitter, input: Value) -> None:
    """LRN for images and an odd size, which is all that ONNX Runtime takes; of an even one it halves otherwise."""
    if op.size % 2 and input.type.rank == 4:
        to.emit("LRN", input, size=op.size, alpha=op.alpha, beta=op.beta, bias=op.k)
        return
    mean = _mean_of_neighbours(op, to, to.step("square", "Mul", input, input))
    mean = to.step("mean", "Reshape", mean, to.step("shape", "Shape", input))
    scaled = to.step("scaled", "Mul", mean, to.constant("alpha", np.float32(op.alpha)))
    shifted = to.step("shifted", "Add", scaled, to.constant("k", np.float32(op.k)))
    to.emit("Div", input, to.step("divisor", "Pow", shifted, to.constant("beta", np.float32(op.beta))))


def _mean_of_neighbours(op: LocalResponseNorm, to: Emitter, square: str) -> str:
    """The channels pooled as the rows of an image [N, 1, C, *]."""
    rows = to.step("rows", "Reshape", square, to.constant("rows_shape", [0, 0, -1]))
    image = to.step("image", "Unsqueeze", rows, to.constant("one", [1]))
    before, behind = op.size // 2, (op.size - 1) // 2
    kernel, pads = (op.size, 1), (before, 0, behind, 0)
    return to.step("pooled", "AveragePool", image, kernel_shape=kernel, pads=pads, count_include_pad=1)


def _with_running_statistics(op: BatchNorm | InstanceNorm, to: Emitter, input: Value) -> None:
    """The norm of a layer that has counted the statistics of its batches."""
    learned = to.weights("weight", "bias") if op.affine else one_and_zero(to, input.type.channels)
    to.emit("BatchNormalization", input, *learned, *to.weights("running_mean", "running_var"), epsilon=op.eps)


def _with_batch_statistics(op: BatchNorm, to: Emitter, input: Value) -> None:
    """(x - mean) / √(variance + eps) · weight + bias, the variance that of the batch itself (divided by n)."""
    to.needs_opset(18)  # ReduceMean takes its axes as an operand
    axes = to.constant("axes", [0, *range(2, input.type.rank)])
    centred = to.step("centred", "Sub", input, to.step("mean", "ReduceMean", input, axes))
    variance = to.step("variance", "ReduceMean", to.step("squared", "Mul", centred, centred), axes)
    shifted = to.step("shifted", "Add", variance, to.constant("eps", np.float32(op.eps)))
    deviation = to.step("deviation", "Sqrt", shifted)
    if not op.affine:
        to.emit("Div", centred, deviation)
        return
    _scale_and_shift(to, input, to.step("normal", "Div", centred, deviation))


def one_and_zero(to: Emitter, channels: Size) -> list[str]:
    """The scale and the bias of a norm that has not learned any."""
    return [to.constant("scale", np.ones(channels, np.float32)), to.constant("bias", np.zeros(channels, np.float32))]


def _scale_and_shift(to: Emitter, input: Value, normal: str) -> None:
    """The op's value: what is normal, times the weight, plus the bias."""
    scaled = to.step("scaled", "Mul", normal, _per_channel("weight", to, input))
    to.emit("Add", scaled, _per_channel("bias", to, input))


def _per_channel(name: str, to: Emitter, input: Value) -> str:
    """A weight [C] as [C, 1, …], to be broadcast over [N, C, …]."""
    shape = to.constant(f"{name}_shape", [-1] + [1] * len(input.type.space))
    return to.step(name, "Reshape", to.weight(name), shape)
