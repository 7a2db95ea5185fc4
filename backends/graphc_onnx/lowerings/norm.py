"""Normalisation."""

from __future__ import annotations

import numpy as np

from graphc.graph import Value
from graphc.ops.norm import BatchNorm
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower


@lower.register
def batch_norm(op: BatchNorm, to: Emitter, input: Value) -> None:
    """With the running statistics; without any, PyTorch takes those of the batch in inference too."""
    if not op.track_running_stats:
        _with_batch_statistics(op, to, input)
        return
    learned = to.weights("weight", "bias") if op.affine else _one_and_zero(to, input)
    to.emit("BatchNormalization", input, *learned, *to.weights("running_mean", "running_var"), epsilon=op.eps)


def _one_and_zero(to: Emitter, input: Value) -> list[str]:
    """The scale and the bias of a norm that has not learned any."""
    channels = input.type.channels
    return [to.constant("scale", np.ones(channels, np.float32)), to.constant("bias", np.zeros(channels, np.float32))]


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
    normal = to.step("normal", "Div", centred, deviation)
    scaled = to.step("scaled", "Mul", normal, _per_channel("weight", to, input))
    to.emit("Add", scaled, _per_channel("bias", to, input))


def _per_channel(name: str, to: Emitter, input: Value) -> str:
    """A weight [C] as [C, 1, …], to be broadcast over [N, C, …]."""
    shape = to.constant(f"{name}_shape", [-1] + [1] * len(input.type.space))
    return to.step(name, "Reshape", to.weight(name), shape)
