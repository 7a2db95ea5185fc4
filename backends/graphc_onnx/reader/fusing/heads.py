"""Attention of several heads, from what is moved before and behind it.

PyTorch's `nn.MultiheadAttention` has one projection for queries, keys and values, and puts the tokens first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from graphc.dims import Size, product
from graphc.graph import Node, Value
from graphc.layout import Layout, begin
from graphc.ops import Op
from graphc.ops.attention import Attention
from graphc.tensor import Tensor
from graphc_onnx.reader.entries import Stored
from graphc_onnx.reader.fusing.operands import Operands
from graphc_onnx.reader.growing import Growing
from graphc_onnx.reader.moves import Way, arranged, way

ROLES = ("q", "k", "v")
"""What the projections of queries, keys and values are called."""
_PACKED = re.compile(r"([._]in_proj)?[._](weight|bias)$")


def nothing_moved(to: Growing, op: Op, operands: Operands) -> Value | None:
    """What lies again as it did; a fully connected layer between is one over what was not moved."""
    found = _behind(to, op, operands, through=True)
    if found is None or not found.layout.is_identity:
        return None
    if found.linear is None:
        return found.source
    if found.linear.operands[0] is found.source:
        return found.linear.output
    origin = to.origins[found.linear]
    return to.add(found.linear.op, [found.source], origin.node, origin.weights).output


def heads(to: Growing, op: Op, operands: Operands) -> Value | None:
    """Attention over an axis of heads, which are then put side by side: the op does that itself."""
    found = _behind(to, op, operands)
    node = found.source.node if found else None
    if found is None or node is None or not _has_heads(node):
        return None
    *batch, head, tokens, size = found.layout.source
    if len(head) != 1 or found.layout.here[-1:] != ((*head, *size),):
        return None
    read = [_side_by_side(to, value, role) for value, role in zip(node.operands[:3], ROLES, strict=True)]
    made = node.op.model_copy(update={"heads": head[0].size})
    value = to.add(made, [*read, *node.arguments[3:]], to.origins[node].node).output
    return arranged(to, value, Layout((*batch, tokens, (*head, *size)), found.layout.here))


def _behind(to: Growing, op: Op, operands: Operands, *, through: bool = False) -> Way | None:
    """The way back from what an op would make of its operand; None where that can't be said."""
    value = operands[0]
    if not isinstance(value, Value):
        return None
    output = to.judged(op, [value]).output
    if not isinstance(output, Tensor):
        return None
    made = Node("", op, (value,), output, to.root, to.span).output
    found = way(made, through=through)
    return None if found.source is made else found


def _has_heads(node: Node) -> bool:
    """Whether it is attention in which heads are an axis of all operands."""
    ranks = {value.type.rank for value in node.operands[:3]} | {node.output.type.rank}
    counts = {value.type.shape[-3] for value in node.operands[:3] if value.type.rank > 2}
    return isinstance(node.op, Attention) and node.op.heads is None and len(ranks) == len(counts) == 1


def _side_by_side(to: Growing, value: Value, role: str) -> Value:
    """Queries, keys or values with their heads in the last axis, straight from their projection if they can be."""
    found = way(value, through=True)
    part = _projected(to, found, _merged(found.layout), role) if found.linear else None
    return arranged(to, value, _merged(begin(value.type.shape))) if part is None else part


def _merged(layout: Layout) -> Layout:
    """[*, heads, T, C] as [*, T, heads·C]."""
    *batch, head, tokens, size = layout.here
    return Layout(layout.source, (*batch, tokens, (*head, *size)), layout.taken)


def _projected(to: Growing, found: Way, layout: Layout, role: str) -> Value | None:
    """The projection, or the part of one that several have together; None where heads are not all of that part."""
    node, last = found.linear, layout.source[-1]
    left = tuple(atom for atom in last if atom not in layout.taken)
    if node is None or layout.here[-1] != left or not set(layout.taken) <= set(last):
        return None
    rest = Layout((*layout.source[:-1], left), layout.here)
    if not layout.taken and node.operands[0] is found.source:
        return arranged(to, node.output, rest)
    op, weights = node.op, to.origins[node].weights
    if layout.taken:
        op = op.model_copy(update={"out_features": product(atom.size for atom in left)})
        weights = _parts(weights, role, product(atom.size for atom in layout.taken))
    return arranged(to, to.add(op, [found.source], to.origins[node].node, weights).output, rest)


def _parts(weights: Sequence[Stored], role: str, count: Size) -> tuple[Stored, ...]:
    """One of so many equal parts of each weight."""
    return tuple(
        Stored(f"{_PACKED.sub('', each.name)}.{role}.{kind}", (each.count // int(str(count)),), each.dtype)
        for each, kind in zip(weights, ("weight", "bias"), strict=False)
    )
