"""Losses, from plain operators: ONNX has two of them, in the form that has labels and no smoothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from graphc.graph import Value
from graphc.ops.loss import (
    BinaryCrossEntropy,
    BinaryCrossEntropyWithLogits,
    CrossEntropy,
    HuberLoss,
    KlDiv,
    L1Loss,
    Loss,
    MseLoss,
    NllLoss,
    OfLabels,
    SmoothL1Loss,
    class_axis,
)
from graphc_onnx.draft import Operand
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.activation import scalar
from graphc_onnx.lowerings.base import lower

LEAST_LOGARITHM = -100.0


@lower.register
def mse_loss(op: MseLoss, to: Emitter, input: Value, target: Value) -> None:
    difference = to.step("difference", "Sub", input, target)
    reduce(op, to, to.step("square", "Mul", difference, difference))


@lower.register
def l1_loss(op: L1Loss, to: Emitter, input: Value, target: Value) -> None:
    reduce(op, to, distance(to, input, target))


@lower.register
def smooth_l1_loss(op: SmoothL1Loss, to: Emitter, input: Value, target: Value) -> None:
    """|d| where beta is 0, else the Huber loss divided by beta."""
    far = distance(to, input, target)
    reduce(op, to, to.step("scaled", "Div", _huber(to, far, op.beta), scalar(to, "beta", op.beta)) if op.beta else far)


@lower.register
def huber_loss(op: HuberLoss, to: Emitter, input: Value, target: Value) -> None:
    reduce(op, to, _huber(to, distance(to, input, target), op.delta))


def distance(to: Emitter, input: Value, target: Value) -> str:
    """|input - target|."""
    return to.step("distance", "Abs", to.step("difference", "Sub", input, target))


def _huber(to: Emitter, far: str, delta: float) -> str:
    """near · (far - near/2) with near = min(far, delta): far²/2 below delta, delta · (far - delta/2) above."""
    near = to.step("near", "Min", far, scalar(to, "delta", delta))
    half = to.step("half_near", "Mul", near, scalar(to, "half", 0.5))
    return to.step("huber", "Mul", near, to.step("rest", "Sub", far, half))


@lower.register
def binary_cross_entropy(op: BinaryCrossEntropy, to: Emitter, input: Value, target: Value) -> None:
    one = scalar(to, "one", 1)
    least = scalar(to, "least", LEAST_LOGARITHM)
    yes = to.step("log_yes", "Max", to.step("log", "Log", input), least)
    no = to.step("log_no", "Max", to.step("log_rest", "Log", to.step("rest", "Sub", one, input)), least)
    no_part = to.step("no_part", "Mul", to.step("target_no", "Sub", one, target), no)
    total = to.step("total", "Add", to.step("yes_part", "Mul", target, yes), no_part)
    reduce(op, to, to.step("entropy", "Neg", total))


@lower.register
def binary_cross_entropy_with_logits(
    op: BinaryCrossEntropyWithLogits, to: Emitter, input: Value, target: Value
) -> None:
    """softplus(x) - x · target."""
    at_target = to.step("at_target", "Mul", input, target)
    reduce(op, to, to.step("entropy", "Sub", to.step("softplus", "Softplus", input), at_target))


@lower.register
def kl_div(op: KlDiv, to: Emitter, input: Value, target: Value) -> None:
    """target · (log(target) - input); where target is 0, so is the loss."""
    if op.log_target:
        probability = to.step("probability", "Exp", target)
        losses = to.step("divergence", "Mul", probability, to.step("difference", "Sub", target, input))
    else:
        zero = scalar(to, "zero", 0)
        entropy = to.step("entropy", "Mul", target, to.step("log", "Log", target))
        finite = to.step("finite", "Where", to.step("is_zero", "Equal", target, zero), zero, entropy)
        losses = to.step("divergence", "Sub", finite, to.step("cross", "Mul", target, input))
    if op.reduction != "batchmean" or input.type.rank == 0:
        reduce(op, to, losses)
        return
    count = to.step("count", "Cast", to.step("batch", "Shape", input, end=1), to=TensorProto.FLOAT)
    total = to.step("total", "ReduceSum", losses, keepdims=0)
    to.emit("Div", total, to.step("count_alone", "Squeeze", count))


@lower.register
def nll_loss(op: NllLoss, to: Emitter, input: Value, target: Value) -> None:
    _of_labels(op, to, target, _classes(op, to, input, input))


@lower.register
def cross_entropy(op: CrossEntropy, to: Emitter, input: Value, target: Value) -> None:
    logarithm = to.step("log_softmax", "LogSoftmax", input, axis=class_axis(input.type))
    classes = _classes(op, to, input, logarithm, op.label_smoothing)
    if target.type.dtype == "int64":
        _of_labels(op, to, target, classes)
        return
    product = to.step("product", "Mul", target, classes.logarithm)
    reduce(op, to, classes.smoothed(to.step("at_target", "ReduceSum", product, classes.axis, keepdims=0)))


def reduce(op: Loss, to: Emitter, losses: Operand) -> None:
    """The op's value: the elements' losses, their mean or their sum."""
    if op.reduction == "none":
        to.emit("Identity", losses)
    else:
        to.emit("ReduceMean" if op.reduction == "mean" else "ReduceSum", losses, keepdims=0)


def _of_labels(op: OfLabels, to: Emitter, target: Value, classes: _Classes) -> None:
    """The mean is weighted: it is divided by the sum of the labels' weights, and what is ignored has none."""
    kept = to.step("kept", "Not", to.step("ignored", "Equal", target, to.constant("ignore_index", op.ignore_index)))
    nothing = scalar(to, "nothing", 0)
    label = to.step("label", "Where", kept, target, to.constant("no_label", 0))
    weight = to.step("label_weight", "Gather", classes.weight, label) if op.weight else scalar(to, "one", 1)
    share = to.step("share", "Where", kept, weight, nothing)
    losses = to.step("kept_loss", "Where", kept, classes.smoothed(classes.at(label)), nothing)
    if op.reduction != "mean":
        reduce(op, to, losses)
        return
    total = to.step("total", "ReduceSum", losses, keepdims=0)
    to.emit("Div", total, to.step("shares", "ReduceSum", share, keepdims=0))


@dataclass(frozen=True, slots=True)
class _Classes:
    """The logarithms of the classes' probabilities, times the weights, and the axis that they are along."""

    to: Emitter
    dim: int
    axis: str
    weight: str
    logarithm: Operand
    smoothing: float

    def at(self, label: str) -> str:
        """The logarithm at each label."""
        column = self.to.step("label_column", "Unsqueeze", label, self.axis)
        found = self.to.step("found", "GatherElements", self.logarithm, column, axis=self.dim)
        return self.to.step("at_label", "Squeeze", found, self.axis)

    def smoothed(self, at_target: str) -> str:
        """The negative of what is at the target, mixed with the mean over all classes."""
        to = self.to
        if not self.smoothing:
            return to.step("loss", "Neg", at_target)
        to.needs_opset(18)  # ReduceMean takes its axes as an operand
        mean = to.step("mean", "ReduceMean", self.logarithm, self.axis, keepdims=0)
        own = to.step("own_part", "Mul", at_target, scalar(to, "own", 1 - self.smoothing))
        even = to.step("even_part", "Mul", mean, scalar(to, "even", self.smoothing))
        return to.step("loss", "Neg", to.step("mixed", "Add", own, even))


def _classes(op: OfLabels, to: Emitter, input: Value, logarithm: Operand, smoothing: float = 0.0) -> _Classes:
    dim = class_axis(input.type)
    axis = to.constant("axis", [dim])
    if op.weight is None:
        return _Classes(to, dim, axis, "", logarithm, smoothing)
    weight = to.constant("weight", np.asarray(op.weight, np.float32))
    column = to.step(
        "weight_column", "Reshape", weight, to.constant("weight_shape", [-1] + [1] * len(input.type.space))
    )
    return _Classes(to, dim, axis, weight, to.step("weighted", "Mul", logarithm, column), smoothing)
