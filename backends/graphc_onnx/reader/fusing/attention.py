"""Attention from matrix products and a softmax."""

from __future__ import annotations

from math import isclose, prod, sqrt

import numpy as np

from graphc.graph import Value
from graphc.ops import Op
from graphc.ops.activation import Softmax
from graphc.ops.arithmetic import Add, Divide, Matmul, Multiply
from graphc.ops.attention import Attention
from graphc.ops.repeat import Unflatten
from graphc.ops.shape import Flatten, Permute, Reshape, Squeeze, Transpose, Unsqueeze
from graphc_onnx.reader.entries import MOST_CALCULATED, Entry, Known, UnreadError
from graphc_onnx.reader.fusing.operands import CLOSE, Found, Operands, made_by, number, with_number
from graphc_onnx.reader.growing import Growing
from graphc_onnx.reader.readers.shape import swapped

RESHAPED = (Flatten, Reshape, Squeeze, Unflatten, Unsqueeze)
"""The ops that keep the elements in their order."""


def attention(to: Growing, op: Op, operands: Operands) -> Found:
    """softmax(q kᵀ · scale [+ bias] [+ mask]) v."""
    weights = made_by(operands[0], Softmax)
    if weights is None or weights[0].axis(weights[1][0].type) not in {-1, weights[1][0].type.rank - 1}:
        return None
    scores, added = _masked(to, weights[1][0])
    scores, scale = _scaled(scores)
    product = made_by(scores, Matmul)
    if product is None:
        return None
    query, of_query = _scaled(product[1][0])
    turned, of_key = _scaled(product[1][1])
    if not isinstance(query, Value) or not isinstance(turned, Value) or turned.type.rank < 2:
        return None
    key, of_rows = _scaled(_columns(to, turned))
    made = _attention(scale * of_query * of_key * of_rows, query)
    return made, [query, key, operands[1], *added]


def _attention(scale: float, query: Value) -> Attention:
    size = query.type.shape[-1]
    is_usual = isinstance(size, int) and isclose(scale, 1 / sqrt(size), rel_tol=CLOSE)
    return Attention() if is_usual else Attention(scale=float(f"{scale:.6g}"))


def _masked(to: Growing, scores: Value) -> tuple[Entry, list[Entry]]:
    """The scores, and what is added to them: a mask, a bias or both."""
    inner, mask = _windowed(to, scores) or (scores, None)
    added: list[Entry] = [] if mask is None else [mask]
    total = made_by(inner, Add)
    if total and len(total[1]) == 2 and isinstance(total[1][0].node.op, (Matmul, Multiply, Divide)):
        return total[1][0], [*added, total[1][1]]
    return inner, added


def _windowed(to: Growing, scores: Value) -> tuple[Value, Value] | None:
    """Scores whose batch is parted as [pictures, windows] for a mask that is known, and that mask for the batch."""
    total = made_by(_before(scores), Add)
    if total is None or len(total[1]) != 2:
        return None
    parted, mask = total[1]
    known, shape = to.calculated.get(mask.node.op), parted.type.shape
    if known is None or len(shape) != scores.type.rank + 1 or _before(parted).type != scores.type:
        return None
    pictures, windows = shape[:2]
    if not isinstance(pictures, int) or not isinstance(windows, int) or shape[2:] != scores.type.shape[1:]:
        return None
    return _before(parted), _repeated(to, known, pictures, windows)


def _repeated(to: Growing, mask: Known, pictures: int, windows: int) -> Value:
    """A mask [windows, …] for each of the pictures, one after the other."""
    rest = mask.array.shape[-3:]
    if pictures * windows * prod(rest) > MOST_CALCULATED:
        raise UnreadError("a mask has more numbers than are looked into")
    wide = np.broadcast_to(mask.array, (pictures, windows, *rest))
    return to.value(Known(wide.reshape(-1, *rest), mask.dtype))


def _before(value: Value) -> Value:
    """What was brought into another shape."""
    return value.node.operands[0] if isinstance(value.node.op, RESHAPED) else value


def _scaled(entry: Entry) -> tuple[Entry, float]:
    """What is multiplied by a number or divided by one, and the factor."""
    product, quotient = made_by(entry, Multiply), made_by(entry, Divide)
    found = with_number(product[1]) if product else None
    if found:
        return found[1], found[0]
    below = number(quotient[1][1]) if quotient else None
    return (quotient[1][0], 1 / below) if quotient and below else (entry, 1.0)


def _columns(to: Growing, turned: Value) -> Value:
    """The keys as rows: what was turned, or else turned once more."""
    swap = made_by(turned, Transpose)
    rank = turned.type.rank
    if swap and {swap[0].dim0 % rank, swap[0].dim1 % rank} == {rank - 2, rank - 1}:
        return swap[1][0]
    moved = made_by(turned, Permute)
    if moved:
        order = list(moved[0].order(moved[1][0].type))
        order[-1], order[-2] = order[-2], order[-1]
        return to.add(swapped(tuple(order)), [moved[1][0]], None).output
    return to.add(Transpose(), [turned], None).output
