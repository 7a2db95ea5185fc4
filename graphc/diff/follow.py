"""What follows from an edit: ops and weights of other shapes, each under the edit that it goes back to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from graphc.cost.examples import Examples
from graphc.diff.matching import Matching
from graphc.graph import Node, Scope


@dataclass(slots=True)
class Follows:
    """How many ops and weights have other shapes for an edit."""

    ops: int = 0
    weights: int = 0


def follow(matching: Matching, edited: Mapping[Node, int]) -> dict[int, Follows]:
    """What follows, by edit; `edited` are the nodes of the right side that an edit is about, with its number.

    A changed shape goes back to the first operand with a changed shape, up to the edit that one of them is about.
    """
    examples = Examples(matching.left.graph.examples()), Examples(matching.right.graph.examples())
    causes: dict[Node, int] = {}
    found: dict[int, Follows] = {}
    for right in matching.right.nodes:
        left = matching.back.get(right)
        is_new = not isinstance(left, Node)
        if right in edited and (is_new or _reshaped(left, right, examples)):
            causes[right] = edited[right]
        if is_new or not isinstance(left, Node):
            continue
        weights = _weights(left, right)
        if not weights and not _reshaped(left, right, examples):
            continue
        cause = causes.get(right)
        if cause is None:
            cause = _above(right, causes)
        if cause is None:
            continue
        causes[right] = cause
        told = found.setdefault(cause, Follows())
        told.weights += weights
        told.ops += right not in edited
    return found


def _reshaped(left: object, right: Node, examples: tuple[Examples, Examples]) -> bool:
    """Whether it gives another shape, at the examples."""
    before, after = examples
    return isinstance(left, Node) and any(
        before.type(a.type) != after.type(b.type) for a, b in zip(left.outputs, right.outputs, strict=False)
    )


def _weights(left: Node, right: Node) -> int:
    """How many weights of a node have another shape."""
    if left.op.name != right.op.name:
        return 0
    mine, theirs = left.weights(), right.weights()
    return sum(mine[name].shape != theirs[name].shape for name in mine if name in theirs)


def _above(right: Node, causes: Mapping[Node, int]) -> int | None:
    """The cause of one of its operands, or else of what the block around it is given."""
    return next((causes[node] for node in (*_operands(right), *_given(right.scope)) if node in causes), None)


def _operands(node: Node) -> Iterable[Node]:
    return (value.node for value in node.operands)


def _given(scope: Scope | None) -> Iterable[Node]:
    while scope is not None:
        yield from (value.node for value in scope.inputs.values())
        scope = scope.parent
