"""Attention from matrix products and a softmax."""

from __future__ import annotations

from math import isclose, sqrt

from graphc.graph import Value
from graphc.ops import Op
from graphc.ops.activation import Softmax
from graphc.ops.arithmetic import Add, Divide, Matmul, Multiply
from graphc.ops.attention import Attention
from graphc.ops.shape import Permute, Transpose
from graphc_onnx.reader.entries import Entry
from graphc_onnx.reader.fusing.operands import CLOSE, Found, Operands, made_by, number, with_number
from graphc_onnx.reader.growing import Growing
from graphc_onnx.reader.readers.shape import swapped


def attention(to: Growing, op: Op, operands: Operands) -> Found:
    """softmax(q kᵀ · scale [+ mask]) v."""
    weights = made_by(operands[0], Softmax)
    if weights is None or weights[0].axis(weights[1][0].type) not in {-1, weights[1][0].type.rank - 1}:
        return None
    scores, mask = _masked(weights[1][0])
    scores, scale = _scaled(scores)
    product = made_by(scores, Matmul)
    if product is None:
        return None
    query, of_query = _scaled(product[1][0])
    turned, of_key = _scaled(product[1][1])
    if not isinstance(query, Value) or not isinstance(turned, Value) or turned.type.rank < 2:
        return None
    made = _attention(scale * of_query * of_key, query)
    return made, [query, _columns(to, turned), operands[1], *([mask] if mask is not None else [])]


def _attention(scale: float, query: Value) -> Attention:
    size = query.type.shape[-1]
    is_usual = isinstance(size, int) and isclose(scale, 1 / sqrt(size), rel_tol=CLOSE)
    return Attention() if is_usual else Attention(scale=float(f"{scale:.6g}"))


def _masked(scores: Value) -> tuple[Entry, Entry | None]:
    """The scores, and what is added to them."""
    total = made_by(scores, Add)
    if total and len(total[1]) == 2 and isinstance(total[1][0].node.op, (Matmul, Multiply, Divide)):
        return total[1]
    return scores, None


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
