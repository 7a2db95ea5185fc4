"""Finds which piece of one graph is which of the other: from the roots down, then along the wires.

Down: items of two scopes are aligned by what they hold (`graphc.diff.similar`); what is equal is paired as a whole,
what is left on both sides is opened and aligned again, so that blocks put around things, or taken away, are seen
through. Then what moved is found by its fingerprint, and neighbours of pairs along the wires; as GumTree (Falleri et
al. 2014, section 3), with the wires in place of its second phase. Last, pairs are exchanged while that makes the edit
cheaper. Where blocks were taken apart or put elsewhere, the order of the nodes alone may say more; the cheapest
matching counts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from graphc.diff.exchange import exchange
from graphc.diff.fingerprint import Prints
from graphc.diff.loosen import loosen, part_if_cheaper, pieces
from graphc.diff.matching import Matching, cost
from graphc.diff.polish import polish
from graphc.diff.regroup import regroup
from graphc.diff.sequence import MOST_CELLS, Pairs, common, gaps, weighted
from graphc.diff.side import Piece, Side, side_of
from graphc.diff.similar import Likeness
from graphc.graph import Graph, Node, Scope

MOST_LARGER = 4
MOST_FOREIGN = 0.5
"""The part of two scopes that may be otherwise where they are still the same one."""


def match(before: Graph, after: Graph) -> Matching:
    """The matching of two graphs; their training parts are compared where both have one."""
    training = before.training is not None and after.training is not None
    left, right = side_of(before, training), side_of(after, training)
    prints = Prints()
    prints.add(left)
    prints.add(right)
    likeness = Likeness(prints, left, right)
    down = _Descent(Matching(left, right), prints, likeness)
    best = _down(down)
    if not _is_torn(best):
        return best
    flat = _flat(_Descent(Matching(left, right), prints, likeness))
    best = min(best, _finished(down.revoted()), flat, key=cost)
    exchange(best)
    return best


def _is_torn(matching: Matching) -> bool:
    """Whether scopes were taken apart, put around something, or hold what was elsewhere, or wires cross."""
    for side, paired in ((matching.left, matching.there), (matching.right, matching.back)):
        for scope in side.scopes():
            if scope not in paired and any(node in paired for node in scope.nodes()):
                return True
    moved = any(matching.moved(*pair) for pair in matching.scopes())
    return moved or any(matching.moved(*pair) or _is_crossed(matching, *pair) for pair in matching.nodes())


def _is_crossed(matching: Matching, left: Node, right: Node) -> bool:
    """Whether it reads another of the nodes that both have."""
    if not matching.rewired(left, right):
        return False
    pairs = zip(left.operands, right.operands, strict=False)
    known = ((mine.node, theirs.node) for mine, theirs in pairs if theirs.node in matching.back)
    return any(mine in matching.there and matching.there[mine] is not theirs for mine, theirs in known)


def _down(descent: _Descent) -> Matching:
    """The matching that is found from the roots down."""
    for pair in zip(descent.matching.left.roots, descent.matching.right.roots, strict=True):
        descent.scopes(*pair)
    descent.inputs()
    descent.moved()
    return _finished(descent)


def _flat(descent: _Descent) -> Matching:
    """The matching that is found from the order of the nodes alone, where blocks were taken apart or put elsewhere."""
    left, right = descent.matching.left, descent.matching.right
    for pair in zip(left.roots, right.roots, strict=True):
        descent.matching.pair(*pair)
    descent.inputs()
    mine, theirs = ([node for node in side.nodes if node.op.name != "input"] for side in (left, right))
    descent.pieces([(mine[i], theirs[j]) for i, j in descent.aligned(mine, theirs)])
    return _finished(descent)


def _finished(descent: _Descent) -> Matching:
    descent.enclosed()
    polish(descent.matching, descent.prints)
    descent.enclosed()
    if regroup(descent.matching, descent.likeness, descent.scopes) or loosen(descent.matching):
        polish(descent.matching, descent.prints)
        loosen(descent.matching)
        descent.enclosed()
    return descent.matching


@dataclass(slots=True)
class _Descent:
    """Pairs scopes and what is in them. `known` are alignments of the items of scopes, by their fingerprints."""

    matching: Matching
    prints: Prints
    likeness: Likeness
    known: dict[tuple[int, int], Pairs] = field(default_factory=dict)

    def scopes(self, left: Scope, right: Scope) -> None:
        """Pairs two scopes and what is in them."""
        self.matching.pair(left, right)
        mine, theirs = self.matching.left.items[left], self.matching.right.items[right]
        if self.prints.kind[left] == self.prints.kind[right]:
            self.pieces(zip(mine, theirs, strict=True))
            return
        key = self.prints.exact[left], self.prints.exact[right]
        if key not in self.known:
            self.known[key] = self.aligned(mine, theirs)
        self.pieces((mine[i], theirs[j]) for i, j in self.known[key])
        self.unordered(mine, theirs)
        self.opened(mine, theirs)

    def pieces(self, pairs: Iterable[tuple[Piece, Piece]]) -> None:
        for left, right in pairs:
            if not self.matching.free(left, right):
                continue
            if isinstance(left, Scope) and isinstance(right, Scope):
                self.scopes(left, right)
            elif isinstance(left, Node) and isinstance(right, Node):
                self.matching.pair(left, right)

    def aligned(self, left: Sequence[Piece], right: Sequence[Piece]) -> Pairs:
        """Pairs of places of items that belong together, in order; of long sequences what is equal goes first."""
        return self._aligned(left, right, (self.prints.around, self.prints.exact, self.prints.kind))

    def _aligned(self, left: Sequence[Piece], right: Sequence[Piece], keys: tuple[dict[Piece, int], ...]) -> Pairs:
        if not keys or len(left) * len(right) <= MOST_CELLS:
            return weighted(len(left), len(right), lambda i, j: self.likeness.score(left[i], right[j]))
        numbers = keys[0]
        anchors = common([numbers[it] for it in left], [numbers[it] for it in right])
        found: Pairs = []
        for number, (rows, columns) in enumerate(gaps(anchors, len(left), len(right))):
            if rows and columns:
                inner = self._aligned(left[rows.start : rows.stop], right[columns.start : columns.stop], keys[1:])
                found += [(i + rows.start, j + columns.start) for i, j in inner]
            found += anchors[number : number + 1]
        return found

    def unordered(self, left: Sequence[Piece], right: Sequence[Piece]) -> None:
        """Pairs what is equal in two scopes and left, in whatever order."""
        for prints in (self.prints.around, self.prints.exact, self.prints.kind):
            found: dict[int, list[Piece]] = defaultdict(list)
            for piece in right:
                if piece not in self.matching.back:
                    found[prints[piece]].append(piece)
            rest = [piece for piece in left if piece not in self.matching.there]
            counts = Counter(prints[piece] for piece in rest)
            for piece in rest:
                same = found[prints[piece]]
                if isinstance(piece, Scope) or len(same) == counts[prints[piece]]:
                    self.pieces([(piece, it) for it in same if it not in self.matching.back][:1])

    def opened(self, left: Sequence[Piece], right: Sequence[Piece]) -> None:
        """Aligns what is left of two scopes, with blocks opened until both sides are equally deep."""
        there, back, height = self.matching.there, self.matching.back, self.likeness.height
        mine = [piece for piece in left if piece not in there]
        theirs = [piece for piece in right if piece not in back]
        while mine and theirs:
            deepest = max(height[piece] for piece in (*mine, *theirs))
            if not deepest:
                return
            mine, theirs = (
                self._open(mine, self.matching.left, deepest),
                self._open(theirs, self.matching.right, deepest),
            )
            if max((height[it] for it in mine), default=0) == max((height[it] for it in theirs), default=0):
                self.pieces([(mine[i], theirs[j]) for i, j in self.aligned(mine, theirs)])
                mine = [piece for piece in mine if piece not in there]
                theirs = [piece for piece in theirs if piece not in back]

    def _open(self, pieces: Sequence[Piece], side: Side, height: int) -> list[Piece]:
        """The pieces, with the scopes of a height replaced by what is in them."""
        found: list[Piece] = []
        for piece in pieces:
            is_tall = isinstance(piece, Scope) and self.likeness.height[piece] == height
            inner = side.items[piece] if is_tall and isinstance(piece, Scope) else [piece]
            found += [it for it in inner if it not in self.matching.there and it not in self.matching.back]
        return found

    def inputs(self) -> None:
        """Pairs inputs: those that are read by pairs alike, then by name, then in their order."""
        mine = [node for node in self.matching.left.nodes if node.op.name == "input"]
        theirs = [node for node in self.matching.right.nodes if node.op.name == "input"]
        for left in mine:
            votes = Counter(self._reads(left))
            liked = [node for node, _ in votes.most_common() if node in theirs and node not in self.matching.back]
            if liked:
                self.matching.pair(left, liked[0])
        names = {node.path: node for node in theirs}
        for left in mine:
            if left.path in names and self.matching.free(left, names[left.path]):
                self.matching.pair(left, names[left.path])
        rest = [node for node in theirs if node not in self.matching.back]
        for left, right in zip((node for node in mine if node not in self.matching.there), rest, strict=False):
            self.matching.pair(left, right)

    def _reads(self, left: Node) -> Iterable[Node]:
        """What the pairs of the users of a node read in its place."""
        for user, slot in self.matching.left.users[left]:
            right = self.matching.node(user)
            value = right.arguments[slot] if right and slot < len(right.arguments) else None
            if value is not None:
                yield value.node

    def moved(self) -> None:
        """Pairs scopes that nothing of is paired yet, wherever they are, by what they hold; the large ones first."""
        for prints in (self.prints.exact, self.prints.kind):
            found: dict[int, list[Scope]] = defaultdict(list)
            for scope in self._untouched(self.matching.right, self.matching.back):
                found[prints[scope]].append(scope)
            for scope in self._untouched(self.matching.left, self.matching.there):
                others = found.get(prints[scope], [])
                if others and scope not in self.matching.there:
                    alike = [it for it in others if it not in self.matching.back]
                    named = [it for it in alike if it.name == scope.name]
                    if alike:
                        self.scopes(scope, (named or alike)[0])

    def _untouched(self, side: Side, paired: dict[Piece, Piece]) -> list[Scope]:
        """The scopes of several nodes that are not paired, nor anything in them."""
        free = [scope for scope in side.scopes() if scope not in paired and side.sizes[scope] > 1]
        held = [scope for scope in free if not any(node in paired for node in scope.nodes())]
        return sorted(held, key=lambda scope: -side.sizes[scope])

    def enclosed(self) -> None:
        """Pairs scopes that are left, the inner ones first, with that which has most pieces in common with it."""
        for scope in reversed([it for it in self.matching.left.scopes() if it not in self.matching.there]):
            mine = [*pieces(scope, self.matching.left, self.matching.there)]
            best, share = None, MOST_FOREIGN
            for other, count in Counter(self._around(mine, scope)).items():
                if 2 * count <= share * (len(mine) + count):
                    continue  # even if it holds nothing else
                theirs = sum(1 for _ in pieces(other, self.matching.right, self.matching.back))
                if 2 * count > share * (len(mine) + theirs):
                    best, share = other, 2 * count / (len(mine) + theirs)
            if best is not None:
                self.matching.pair(scope, best)
                part_if_cheaper(self.matching, scope, best)

    def _around(self, pieces: Iterable[Piece], scope: Scope) -> Iterator[Scope]:
        """The scopes around what pieces became, the inner ones first, where they are not paired, nor much larger."""
        right = self.matching.right
        mine = [*pieces]
        for piece in mine:
            other = self.matching.there.get(piece)
            around = right.parent(other) if other else None
            while around is not None and around not in self.matching.back and self._is_near(scope, mine, around):
                if (around.kind == "copies") == (scope.kind == "copies"):
                    yield around
                around = around.parent

    def _is_near(self, scope: Scope, mine: Sequence[Piece], around: Scope) -> bool:
        """Whether it is not much larger, or has not many more items: a scope that was put into it is but one."""
        left, right = self.matching.left, self.matching.right
        few = len(right.items[around]) <= MOST_LARGER * len(mine)
        return few or right.sizes[around] <= MOST_LARGER * left.sizes[scope]

    def revoted(self) -> _Descent:
        """The same pairs of nodes, and scopes by what they hold; then as they were paired before."""
        matching = Matching(self.matching.left, self.matching.right)
        for roots in zip(matching.left.roots, matching.right.roots, strict=True):
            matching.pair(*roots)
        for nodes in self.matching.nodes():
            matching.pair(*nodes)
        made = replace(self, matching=matching)
        made.enclosed()
        for left, right in self.matching.scopes():
            if matching.free(left, right):
                matching.pair(left, right)
        return made
