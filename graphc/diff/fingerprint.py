"""Fingerprints that no name is in: equal numbers for equal structure, in two strengths.

"exact" tells ops apart by all their attributes, "kind" by the op alone. A scope's fingerprint is made of those of its
items, and of which of them reads which (Merkle 1987; for trees of programs Chilowicz et al. 2009).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field

from graphc.diff.side import Piece, Side
from graphc.diff.sizes import nameless
from graphc.graph import Node, Scope


@dataclass(slots=True)
class Prints:
    """The fingerprints of the pieces of both graphs: a number for each structure, given when it is first met.

    `exact` and `kind` are those of pieces, `around` those of a node with all that is one step away.
    `kinds` and `exacts` count the fingerprints of the nodes below a scope.
    """

    ids: dict[Hashable, int] = field(default_factory=dict)
    exact: dict[Piece, int] = field(default_factory=dict)
    kind: dict[Piece, int] = field(default_factory=dict)
    around: dict[Piece, int] = field(default_factory=dict)
    kinds: dict[Scope, Counter[int]] = field(default_factory=dict)
    exacts: dict[Scope, Counter[int]] = field(default_factory=dict)

    def add(self, side: Side) -> None:
        """Takes the pieces of a graph."""
        for node in side.nodes:
            self.exact[node] = self.nameless(exactly(node))
            self.kind[node] = self.number(node.op.name)
        for node in side.nodes:
            self.around[node] = self.number(("around", self.exact[node], *self._near(side, node)))
        for root in side.roots:
            self._wire(side, root)

    def number(self, key: Hashable) -> int:
        """The number of a structure."""
        return self.ids.setdefault(key, len(self.ids))

    def nameless(self, key: Hashable) -> int:
        """The number of a structure in which the names of sizes say nothing."""
        if key not in self.ids:
            self.ids[key] = self.number(nameless(key))
        return self.ids[key]

    def _near(self, side: Side, node: Node) -> tuple[Hashable, ...]:
        above = tuple(-1 if value is None else self.exact[value.node] for value in node.arguments)
        below = sorted((self.exact[user], slot) for user, slot in side.users[node])
        return above, tuple(below)

    def _wire(self, side: Side, root: Scope) -> None:
        """The fingerprints of the scopes below a root, the inner ones first."""
        wires = _wires(side, root)
        for scope in reversed([it for it in root.scopes() if it in side.items]):
            items = side.items[scope]
            inner = wires.get(scope, ())
            for prints in (self.exact, self.kind):
                prints[scope] = self.number((scope.kind == "copies", tuple(prints[item] for item in items), inner))
            self.around[scope] = self.exact[scope]
            self.kinds[scope] = self._counted(items, self.kind, self.kinds)
            self.exacts[scope] = self._counted(items, self.exact, self.exacts)

    def _counted(self, items: list[Piece], prints: dict[Piece, int], counts: dict[Scope, Counter[int]]) -> Counter[int]:
        total: Counter[int] = Counter()
        for item in items:
            if isinstance(item, Scope):
                total.update(counts[item])
            else:
                total[prints[item]] += 1
        return total


def exactly(node: Node) -> Hashable:
    """What an op is, apart from where it stands; an input is its type."""
    type_ = node.output.type
    return (node.op.exact, type_.shape, type_.dtype) if node.op.name == "input" else node.op.canonical


def _wires(side: Side, root: Scope) -> dict[Scope, tuple[tuple[int, int], ...]]:
    """Which items of each scope read which, as places among the items; each wire where the two are apart."""
    places: dict[Piece, int] = {}
    for items in side.items.values():
        places.update((item, place) for place, item in enumerate(items))
    found: dict[Scope, list[tuple[int, int]]] = {}
    for node in root.nodes():
        for value in node.arguments:
            if value is not None and value.node.op.name != "input":
                around = _apart(value.node, node)
                if around is not None:
                    scope, source, target = around
                    found.setdefault(scope, []).append((places[source], places[target]))
    return {scope: tuple(sorted(wires)) for scope, wires in found.items()}


def _apart(left: Node, right: Node) -> tuple[Scope, Piece, Piece] | None:
    """The innermost scope that holds both, and the items of it that they are in."""
    if left.scope is right.scope:
        return left.scope, left, right
    chain: dict[Scope, Piece] = {}
    piece: Piece = left
    scope: Scope | None = left.scope
    while scope is not None:
        chain[scope] = piece
        piece, scope = scope, scope.parent
    piece, scope = right, right.scope
    while scope is not None:
        if scope in chain:
            return scope, chain[scope], piece
        piece, scope = scope, scope.parent
    return None
