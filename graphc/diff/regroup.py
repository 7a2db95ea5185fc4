"""Exchanges the partners of whole scopes while that makes the edit cheaper: what single nodes can't do one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from graphc.diff.matching import MOVED, SCOPE, Matching, alone, of_left
from graphc.diff.polish import beside
from graphc.diff.side import Piece, Side
from graphc.diff.similar import Likeness
from graphc.graph import Node, Scope

MOST_CANDIDATES = 4
MOST_NODES = 256
"""Scopes with more are left as they are."""
MOST_WORK = 4
"""So many times the nodes of both graphs are looked at."""

Pair = Callable[[Scope, Scope], None]


def regroup(matching: Matching, likeness: Likeness, pair: Pair) -> bool:
    """Gives scopes better partners, the small ones first; `pair` pairs two scopes and what is in them."""
    work = _Regrouping(matching, likeness, pair, MOST_WORK * len(matching.left.nodes) + 1024)
    sizes = matching.left.sizes
    torn = _torn(matching)
    wanting = [
        it
        for it in matching.left.scopes()
        if it.parent and sizes[it] <= MOST_NODES and (it in torn or it not in matching.there)
    ]
    improved = [work.improved(scope) for scope in sorted(wanting, key=lambda it: sizes[it])]
    return any(improved)


@dataclass(slots=True)
class _Regrouping:
    matching: Matching
    likeness: Likeness
    pair: Pair
    budget: int
    failed: set[tuple[int, ...]] = field(default_factory=set)

    def improved(self, scope: Scope) -> bool:
        """Gives a scope the partner that its neighbours suggest, if that is cheaper."""
        likes: dict[Scope, float] = {}
        partner = self.matching.scope(scope)
        for other in dict.fromkeys(self._suggested(scope)):
            if partner is None or not (_is_in(other, partner) or _is_in(partner, other)):
                likes[other] = self.likeness.score(scope, other)
        best = sorted((it for it in likes if likes[it]), key=lambda it: -likes[it])
        return any(self._better(scope, other) for other in best[:MOST_CANDIDATES])

    def _better(self, left: Scope, right: Scope) -> bool:
        """Whether the two were paired for being cheaper; what failed for their likes is not tried again."""
        partners = left, right, self.matching.there.get(left, left), self.matching.back.get(right, right)
        key = tuple(self.likeness.prints.exact[it] for it in partners)
        if key in self.failed:
            return False
        if self._exchanged(left, right):
            return True
        self.failed.add(key)
        return False

    def _suggested(self, scope: Scope) -> Iterator[Scope]:
        """The scopes around what stands beside the pairs of its nodes' neighbours, of at most twice its size."""
        sizes, others = self.matching.left.sizes, self.matching.right.sizes
        for node in scope.nodes():
            for other in beside(self.matching, node):
                around: Scope | None = other.scope
                while around is not None and others[around] <= 2 * sizes[scope]:
                    yield around
                    around = around.parent

    def _exchanged(self, left: Scope, right: Scope) -> bool:
        """Pairs two scopes, and what they were paired with, with each other, if that is cheaper."""
        there, back = self.matching.there, self.matching.back
        partner, other = there.get(left), back.get(right)
        before, after = self.matching.left, self.matching.right
        first = [*_all(left, before), *(_all(other, before) if isinstance(other, Scope) else ())]
        second = [*_all(right, after), *(_all(partner, after) if isinstance(partner, Scope) else ())]
        mine = list(dict.fromkeys([*first, *(back[it] for it in second if it in back)]))
        theirs = list(dict.fromkeys([*second, *(there[it] for it in mine if it in there)]))
        self.budget -= len(mine)
        if self.budget < 0 or any(it.parent is None for it in mine if isinstance(it, Scope)):
            return False
        touched = self._touched(mine)
        kept = {it: there[it] for it in mine if it in there}
        was_cost = self._cost(touched, mine, theirs)
        self._undo(mine)
        self.pair(left, right)
        if isinstance(other, Scope) and isinstance(partner, Scope) and self.matching.free(other, partner):
            self.pair(other, partner)
        for one, was in kept.items():
            if self.matching.free(one, was):
                self.matching.pair(one, was)
        if self._cost(touched, mine, theirs) < was_cost:
            return True
        self._undo(mine)
        for pair in kept.items():
            self.matching.pair(*pair)
        return False

    def _undo(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            if piece in self.matching.there:
                self.matching.part(piece)

    def _touched(self, pieces: list[Piece]) -> set[Node]:
        """The nodes whose cost depends on what pieces are paired with."""
        nodes = {piece for piece in pieces if isinstance(piece, Node)}
        return nodes | {user for node in nodes for user, _ in self.matching.left.users[node]}

    def _cost(self, nodes: set[Node], mine: list[Piece], theirs: list[Piece]) -> int:
        there, back = self.matching.there, self.matching.back
        total = sum(of_left(self.matching, node) for node in nodes)
        for piece in theirs:
            if piece not in back:
                total += alone(piece) if isinstance(piece, Node) else SCOPE
        for piece in mine:
            if isinstance(piece, Scope):
                total += MOVED * self.matching.moved(piece, there[piece]) if piece in there else SCOPE
        return total


def _torn(matching: Matching) -> set[Scope]:
    """The scopes around nodes that have gone, moved, or read something else."""
    torn: set[Scope] = set()
    for left in matching.left.nodes:
        right = matching.node(left)
        if right is None or matching.rewired(left, right) or matching.moved(left, right):
            scope = matching.left.parent(left)
            while scope is not None and scope not in torn:
                torn.add(scope)
                scope = scope.parent
    return torn


def _is_in(scope: Scope, around: Scope) -> bool:
    """Whether a scope is the other, or in it."""
    place: Scope | None = scope
    while place is not None and place is not around:
        place = place.parent
    return place is around


def _all(scope: Scope, side: Side) -> Iterator[Piece]:
    """A scope and all pieces below it."""
    yield scope
    for item in side.items[scope]:
        if isinstance(item, Scope):
            yield from _all(item, side)
        else:
            yield item
