"""Layers that are written with several operators: fully connected ones with a bias, layer norms."""

from __future__ import annotations

from graphc.graph import Value
from graphc.ops import Op
from graphc.ops.activation import Sqrt
from graphc.ops.arithmetic import Add, Subtract
from graphc.ops.linear import Linear
from graphc.ops.norm import LayerNorm
from graphc.ops.reduce import Mean
from graphc_onnx.reader.entries import Entry, Stored
from graphc_onnx.reader.fusing.operands import Found, Operands, is_square, made_by, pairs, with_number
from graphc_onnx.reader.growing import Growing


def linear_bias(to: Growing, op: Op, operands: Operands) -> Found:
    """A fully connected layer without a bias, and the bias."""
    for value, bias in pairs(operands):
        found = made_by(value, Linear)
        if found and not found[0].bias and isinstance(bias, Stored) and bias.shape == (found[0].out_features,):
            return Linear(out_features=found[0].out_features), [found[1][0], *_owned(to, value), bias]
    return None


def layer_norm(to: Growing, op: Op, operands: Operands) -> Found:
    """(x - mean) / √(variance + eps), along the last axes."""
    root = made_by(operands[1], Sqrt)
    shifted = made_by(root[1][0], Add) if root else None
    parts = with_number(shifted[1]) if shifted else None
    centred = made_by(operands[0], Subtract)
    if parts is None or centred is None:
        return None
    dims = _last(made_by(centred[1][1], Mean), centred[1][0])
    spread = made_by(parts[1], Mean)
    if dims is None or spread is None or _last(spread, spread[1][0]) != dims:
        return None
    if not is_square(spread[1][0], operands[0]):
        return None
    return LayerNorm(dims=dims, eps=float(f"{parts[0]:.7g}"), elementwise_affine=False), [centred[1][0]]


def _last(mean: tuple[Mean, tuple[Value, ...]] | None, value: Value) -> int | None:
    """How many last axes of a value a mean is taken along."""
    if mean is None or mean[1][0] is not value or not mean[0].keepdim:
        return None
    axes, rank = sorted(mean[0].axes(value.type)), value.type.rank
    return len(axes) if axes == list(range(rank - len(axes), rank)) else None


def norm_scale(to: Growing, op: Op, operands: Operands) -> Found:
    """A norm without a scale, and the scale."""
    for value, scale in pairs(operands):
        found = made_by(value, LayerNorm)
        if found and not found[0].elementwise_affine and _fits(scale, found[0], found[1][0]):
            return LayerNorm(dims=found[0].dims, eps=found[0].eps, bias=False), [found[1][0], scale]
    return None


def norm_bias(to: Growing, op: Op, operands: Operands) -> Found:
    """A norm with a scale but no bias, and the bias."""
    for value, bias in pairs(operands):
        found = made_by(value, LayerNorm)
        if found and found[0].elementwise_affine and not found[0].bias and _fits(bias, found[0], found[1][0]):
            made = LayerNorm(dims=found[0].dims, eps=found[0].eps)
            return made, [found[1][0], *_owned(to, value), bias]
    return None


def _fits(entry: Entry | None, op: LayerNorm, input: Value) -> bool:
    return isinstance(entry, Stored) and entry.shape == op.normalized_shape(input.type)


def _owned(to: Growing, entry: Entry | None) -> tuple[Stored, ...]:
    return to.weights_of(entry) if isinstance(entry, Value) else ()
