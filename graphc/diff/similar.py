"""How much two pieces have in common, as what it saves to pair them."""

from __future__ import annotations

from dataclasses import dataclass, field

from graphc.diff.fingerprint import Prints
from graphc.diff.matching import altered
from graphc.diff.side import Piece, Side
from graphc.graph import Node, Scope

WHOLE = 4
"""What it saves to pair two equal nodes: one that goes and one that comes, with an operand each."""
LEAST = 0.5
LEAST_NAMED = 0.15
"""The part that two scopes must have in common (Dice's coefficient), and where both are the same block."""


@dataclass(slots=True)
class Likeness:
    """Scores of pairs of pieces; `inside` are the fingerprints of the scopes in a scope, `height` how deep it is."""

    prints: Prints
    left: Side
    right: Side
    height: dict[Piece, int] = field(default_factory=dict)
    inside: dict[Scope, set[tuple[int, str]]] = field(default_factory=dict)
    known: dict[tuple[int, int], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for side in (self.left, self.right):
            self.height.update(dict.fromkeys(side.nodes, 0))
            for scope in reversed([*side.scopes()]):
                self._measure(side, scope)

    def _measure(self, side: Side, scope: Scope) -> None:
        items = side.items[scope]
        self.height[scope] = 1 + max(self.height[item] for item in items)
        inner = [item for item in items if isinstance(item, Scope)]
        held = {(self.prints.kind[item], item.kind) for item in inner if side.sizes[item] > 1}
        self.inside[scope] = held.union(*(self.inside[item] for item in inner))

    def score(self, left: Piece, right: Piece) -> float:
        """What it saves to pair two pieces; 0 where they don't belong together. Equal names decide between equals."""
        if isinstance(left, Node) and isinstance(right, Node):
            return self._nodes(left, right)
        if isinstance(left, Scope) and isinstance(right, Scope):
            key = self.prints.exact[left], self.prints.exact[right]
            if key not in self.known:
                self.known[key] = self._scopes(left, right)
            return self.known[key] and self.known[key] + 0.1 * (left.name == right.name)
        return 0.0

    def _nodes(self, left: Node, right: Node) -> float:
        if self.prints.kind[left] != self.prints.kind[right]:
            return 0.0
        alike = 0.5 * (self.prints.around[left] == self.prints.around[right])
        alike += 0.25 * (left.output.type == right.output.type) + 0.1 * (left.name == right.name)
        return alike + max(1, WHOLE - altered(left, right))

    def _scopes(self, left: Scope, right: Scope) -> float:
        if self.prints.exact[left] == self.prints.exact[right]:
            return WHOLE * self.left.sizes[left] + 3.0
        mine, theirs = ((self.prints.kind[it], it.kind) for it in (left, right))
        if mine in self.inside[right] or theirs in self.inside[left]:
            return 0.0
        if left.kind == right.kind == "copies":
            return self._groups(left, right)
        kinds, exacts = ((counts[left] & counts[right]).total() for counts in (self.prints.kinds, self.prints.exacts))
        both = self.left.sizes[left] + self.right.sizes[right]
        least = LEAST_NAMED if left.label == right.label else LEAST
        return (WHOLE - 1) * kinds + exacts + 2.0 if 2 * kinds >= least * both else 0.0

    def _groups(self, left: Scope, right: Scope) -> float:
        """Of two groups of copies, what it saves to pair the copies that both have."""
        mine, theirs = self.left.items[left], self.right.items[right]
        one = self.score(mine[-1], theirs[-1])
        return one and one * min(len(mine), len(theirs)) + 2.0
