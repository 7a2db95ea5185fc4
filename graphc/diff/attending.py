"""Attention over several axes of a batch, with what is added to its scores: a rule of the normal form.

The windows of a map can be axes of their own, or lie in the batch; masks and biases can be summed up before.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from math import prod
from typing import TYPE_CHECKING

from graphc.diff.arrays import spread, zeros
from graphc.diff.calculating import MOST
from graphc.diff.moving import arranged
from graphc.dims import product
from graphc.graph import Node, Value
from graphc.layout import begin
from graphc.opaque import Calculated
from graphc.ops.arithmetic import Add
from graphc.ops.attention import Attention
from graphc.ops.embedding import Learned
from graphc.ops.shape import Reshape
from graphc.remaking import Arguments, Made
from graphc.tensor import Shape

if TYPE_CHECKING:
    from graphc.diff.normal import Normal

KNOWN = (Calculated, Learned)
"""What is the same for every input."""


def attended(at: Normal, op: Attention, arguments: Arguments, output: Value) -> Made | None:
    """Attention has one axis of a batch; what is added to its scores comes in one order, the same for all apart."""
    read = [value for value in arguments[:3] if value is not None]
    shapes = {at.type(value).shape[:-2] for value in read}
    batch, added = next(iter(shapes)), _added(at, arguments[3:])
    if op.heads is None or len(shapes) > 1 or not all(isinstance(size, int) for size in batch):
        return None
    beside = [_over(at, value, batch, output.node) if value else None for value in added]
    if any((one is None) != (other is None) for one, other in zip(added, beside, strict=True)):
        return None
    flat = {value: _flat(at, value, output.node) for value in dict.fromkeys(read)}
    made = op, [*(flat[value] for value in read), *beside]
    if len(batch) == 1:
        return None if all(one is other for one, other in zip_longest(made[1], arguments)) else made
    attention = at.new(*made, output.node, like=output.node)
    back = begin(at.type(attention).shape).reshaped(at.type(output).shape)
    return None if back is None else arranged(at, attention, back, output.node)


def _flat(at: Normal, value: Value, near: Node) -> Value:
    """[*, T, C] with one axis for all of the batch."""
    *batch, tokens, size = at.type(value).shape
    return value if len(batch) == 1 else _reshaped(at, value, (product(batch), tokens, size), near)


def _reshaped(at: Normal, value: Value, shape: Shape, near: Node) -> Value:
    return value if at.type(value).shape == shape else at.new(Reshape(shape=shape), [value], near)


def _added(at: Normal, arguments: Sequence[Value | None]) -> list[Value | None]:
    """The mask and the bias; where both are real numbers, what was calculated is the mask, and one alone a bias."""
    mask, bias = [*arguments, None, None][:2]
    if mask is not None and mask.type.dtype == "bool":
        return [mask, bias]
    terms = [value for value in (mask, bias) if value is not None]
    terms = [value for value in _terms(terms) or terms if not _is_zero(value)]
    if len(terms) == 1:
        return [None, terms[0]]
    return [*sorted(terms, key=lambda value: not isinstance(value.node.op, Calculated))]


def _terms(values: Sequence[Value]) -> list[Value] | None:
    """What is summed up in one value, if that is the same for every input; None where it is more than two."""
    if len(values) != 1 or not isinstance(values[0].node.op, Add):
        return None
    terms = values[0].node.operands
    return list(terms) if len(terms) == 2 and all(isinstance(each.node.op, KNOWN) for each in terms) else None


def _is_zero(value: Value) -> bool:
    """Whether it adds nothing."""
    op = value.node.op
    return isinstance(op, Calculated) and op == Calculated.of(zeros(op.shape), op.dtype)


def _over(at: Normal, value: Value, batch: Shape, near: Node) -> Value | None:
    """What is added to scores [*batch, heads, T, S], for a batch of one axis; the same for all has none."""
    shape = at.type(value).shape
    front = shape[:-3]
    if all(size == 1 for size in front):
        same = next((axis for axis, size in enumerate(shape[:-2]) if size != 1), len(shape) - 2)
        return _reshaped(at, value, shape[same:], near)
    if front == batch:
        return _reshaped(at, value, (product(batch), *shape[-3:]), near)
    array = at.arrays.get(value.node.op)
    counts = tuple(size for size in batch if isinstance(size, int))
    if array is None or prod(counts) * prod(array.shape[-3:]) > MOST:
        return None
    wide = spread(array, counts)
    return at.new(at.numbers(wide, value.type.dtype), (), near)
