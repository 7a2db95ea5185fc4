"""Parts scopes that share a name more than what they hold: where that makes the edit cheaper."""

from __future__ import annotations

from collections.abc import Iterator

from graphc.diff.matching import MOVED, SCOPE, Matching
from graphc.diff.side import Piece, Side
from graphc.graph import Scope


def loosen(matching: Matching) -> bool:
    """Parts pairs of scopes that cost more than two scopes of their own; whether there were any."""
    pairs = [(left, right) for left, right in matching.scopes() if left.parent is not None]
    parted = [part_if_cheaper(matching, *pair) for pair in pairs if _is_suspect(matching, *pair)]
    return any(parted)


def _is_suspect(matching: Matching, left: Scope, right: Scope) -> bool:
    inside = (item for item in matching.left.items[left] if item in matching.there)
    return matching.moved(left, right) or any(matching.moved(item, matching.there[item]) for item in inside)


def part_if_cheaper(matching: Matching, left: Scope, right: Scope) -> bool:
    """Parts two scopes if that is cheaper; whether it was."""
    mine = {*pieces(left, matching.left, matching.there), left}
    mine |= {matching.back[it] for it in pieces(right, matching.right, matching.back) if it in matching.back}
    before = _cost(matching, mine)
    matching.part(left)
    if _cost(matching, mine) + 2 * SCOPE < before:
        return True
    matching.pair(left, right)
    return False


def _cost(matching: Matching, mine: set[Piece]) -> int:
    there = matching.there
    return sum(MOVED for piece in mine if piece in there and matching.moved(piece, there[piece]))


def pieces(scope: Scope, side: Side, paired: dict[Piece, Piece]) -> Iterator[Piece]:
    """What a scope holds; a scope in it that is paired is one piece, of others what they hold."""
    for item in side.items[scope]:
        if isinstance(item, Scope) and item not in paired:
            yield from pieces(item, side, paired)
        else:
            yield item
