"""Attention, from plain operators in every opset, or as ONNX's own operator; and the masks that say what it may see."""

from __future__ import annotations

from math import sqrt

import numpy as np

from graphc.dims import Size
from graphc.graph import Value
from graphc.ops.attention import Attention, CausalMask
from graphc_onnx.draft import Operand
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower
from graphc_onnx.lowerings.shape import target

FUSED_SINCE = 23
"""The opset that brought the operator `Attention`."""


@lower.register
def attention(op: Attention, to: Emitter, *operands: Value | None) -> None:
    """softmax(q kᵀ · scale + bias) v, of query, key, value and perhaps a mask and a bias."""
    query, key, value = (operand for operand in operands[:3] if operand is not None)
    mask, bias = (*operands[3:], None, None)[:2]
    if to.opset >= FUSED_SINCE and mask is None and bias is None and _is_one_operator(op, query, key, value):
        _fused(op, to, query, key, value)
    else:
        _plain(op, to, (query, key, value), mask, bias)


def _is_one_operator(op: Attention, query: Value, key: Value, value: Value) -> bool:
    """Whether ONNX's operator takes the operands as they are: it broadcasts nothing, and wants its number of axes."""
    batches = {operand.type.shape[:-2] for operand in (query, key, value)}
    return len(batches) == 1 and query.type.rank == (4 if op.heads is None else 3)


def _fused(op: Attention, to: Emitter, query: Value, key: Value, value: Value) -> None:
    """ONNX's own operator. No mask goes in: where a row sees nothing PyTorch gives 0, and ONNX says nothing of it."""
    heads = {} if op.heads is None else {"q_num_heads": op.heads, "kv_num_heads": op.heads}
    scale = {} if op.scale is None else {"scale": float(op.scale)}
    to.emit("Attention", query, key, value, is_causal=int(op.is_causal), **heads, **scale)


def _plain(
    op: Attention, to: Emitter, operands: tuple[Value, Value, Value], mask: Value | None, bias: Value | None
) -> None:
    """Two matrix products around a softmax."""
    query, key, value = operands
    q = to.step("scaled", "Mul", _heads(op, to, "query", query), _scale(op, to, query))
    k, v = _heads(op, to, "key", key, columns=True), _heads(op, to, "value", value)
    scores = to.step("scores", "MatMul", q, k)
    if op.is_causal:
        scores = _hidden(to, scores, _causal(to, query.type.shape[-2], key.type.shape[-2]))
    if bias is not None:
        scores = to.step("biased", "Add", scores, bias)
    _give(op, to, _weights(to, scores, mask, can_be_empty=mask is not None or bias is not None), v)


def _give(op: Attention, to: Emitter, weights: str, values: Operand) -> None:
    """The op's value: the weighted sums, the heads side by side again."""
    if op.heads is None:
        to.emit("MatMul", weights, values)
        return
    after = to.node.output.type.shape
    split = (*after[:-1], op.heads, after[-1] // op.heads)
    rows = to.step("rows", "Transpose", to.step("sums", "MatMul", weights, values), perm=_swapped(len(split)))
    to.emit("Reshape", rows, target(to, "shape", split, after))


def _heads(op: Attention, to: Emitter, name: str, value: Value, *, columns: bool = False) -> Operand:
    """[*, T, C] as [*, heads, T, C/heads], or [*, heads, C/heads, T] with `columns`."""
    at, before = to.below(name), value.type.shape
    if op.heads is None:
        rank = len(before)
        return at.step("columns", "Transpose", value, perm=_swapped(rank, 1)) if columns else value
    split = (*before[:-1], op.heads, before[-1] // op.heads)
    parts = at.step("split", "Reshape", value, target(at, "shape", before, split))
    front, last = list(range(len(before) - 2)), len(before) - 2
    order = [last + 1, last + 2, last] if columns else [last + 1, last, last + 2]
    return at.step("heads", "Transpose", parts, perm=[*front, *order])


def _swapped(rank: int, last: int = 2) -> list[int]:
    """The order in which the axis at `last` from the end, counted from 1, changes places with the one before it."""
    order = list(range(rank))
    order[rank - last], order[rank - last - 1] = order[rank - last - 1], order[rank - last]
    return order


def _scale(op: Attention, to: Emitter, query: Value) -> str:
    """What the scores are multiplied by."""
    size = query.type.shape[-1] // (op.heads or 1)
    if op.scale is not None:
        return to.constant("scale", np.float32(op.scale))
    if isinstance(size, int):
        return to.constant("scale", np.float32(1 / sqrt(size)))
    root = to.step("root", "Sqrt", to.number("size", size, "float32"))
    return to.step("scale", "Reciprocal", root)


def _weights(to: Emitter, scores: str, mask: Value | None, *, can_be_empty: bool) -> str:
    """The softmax of each row; one of scores that are all -inf would be nan, and is 0 as in PyTorch."""
    if mask is not None and mask.type.dtype == "bool":
        scores = _hidden(to, scores, mask)
    elif mask is not None:
        scores = to.step("masked", "Add", scores, mask)
    weights = to.step("weights", "Softmax", scores, axis=-1)
    if not can_be_empty:
        return weights
    to.needs_opset(18)  # ReduceMax takes its axes as an operand
    largest = to.step("largest", "ReduceMax", scores, to.constant("last", [-1]))
    empty = to.step("empty", "Equal", largest, to.constant("nothing", np.float32(-np.inf)))
    return to.step("shares", "Where", empty, to.constant("zero", np.float32(0)), weights)


def _hidden(to: Emitter, scores: str, seen: Operand) -> str:
    """The scores, -inf where nothing is seen."""
    return to.step("seen", "Where", seen, scores, to.constant("hidden", np.float32(-np.inf)))


def _causal(to: Emitter, rows: Size, columns: Size) -> str:
    """Where a row sees a column [rows, columns]: from the first one to that of its own number."""
    at = to.below("causal")
    return at.step("mask", "GreaterOrEqual", *_numbered(at, rows, columns))


def _numbered(at: Emitter, rows: Size, columns: Size) -> tuple[str, str]:
    """The numbers of the rows [rows, 1] and of the columns [columns]."""
    zero, one = at.constant("zero", 0), at.constant("one", 1)
    down = at.step("down", "Range", zero, at.number("rows", rows, "int64"), one)
    across = at.step("across", "Range", zero, at.number("columns", columns, "int64"), one)
    return at.step("downwards", "Unsqueeze", down, at.constant("axis", [1])), across


@lower.register
def causal_mask(op: CausalMask, to: Emitter) -> None:
    to.emit("GreaterOrEqual", *_numbered(to, op.size, op.size))
