"""Blocks that were exchanged for others: what little they have in common by chance is not told as kept."""

from __future__ import annotations

from graphc.diff.matching import Matching
from graphc.graph import Scope

MOST_COMMON = 0.5
"""The part of two blocks of other names that may be paired where they are still two blocks (Dice's coefficient)."""


def exchange(matching: Matching) -> None:
    """Parts what two blocks have in common that stand in the same place, are other blocks, and share little."""
    gone = {
        (matching.scope(it.parent), it.name): it
        for it in matching.left.scopes()
        if _is_lone(matching, it) and it.parent
    }
    for right in matching.right.scopes():
        if right in matching.back or right.kind != "block":
            continue
        left = gone.get((right.parent, right.name))
        if left is not None and left.label != right.label and _common(matching, left, right) < MOST_COMMON:
            _part(matching, left, right)


def _is_lone(matching: Matching, scope: Scope) -> bool:
    return scope.kind == "block" and scope not in matching.there


def _common(matching: Matching, left: Scope, right: Scope) -> float:
    """The part of two scopes that is paired with the other, if nothing of either is paired elsewhere; else all."""
    inside = set(right.nodes())
    mine = [matching.node(node) for node in left.nodes()]
    paired = [node for node in mine if node is not None]
    if not all(node in inside for node in paired) or sum(node in matching.back for node in inside) != len(paired):
        return 1.0
    return 2 * len(paired) / (len(mine) + len(inside))


def _part(matching: Matching, left: Scope, right: Scope) -> None:
    for piece in (*left.nodes(), *left.scopes()):
        if piece in matching.there:
            matching.part(piece)
    for scope in right.scopes():
        if scope in matching.back:
            matching.part(matching.back[scope])
