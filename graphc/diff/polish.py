"""Exchanges pairs of nodes while that makes the edit cheaper; only around what is not equal: it is near-linear."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from graphc.diff.fingerprint import Prints
from graphc.diff.matching import MOVED, Matching, alone, altered, of_left
from graphc.diff.side import Piece
from graphc.graph import Node

MOST_CANDIDATES = 12
MOST_FREE = 64


def polish(matching: Matching, prints: Prints) -> None:
    """Pairs what is left along the wires, and exchanges pairs, until nothing is gained."""
    dear = [node for node in matching.left.nodes if of_left(matching, node)]
    waiting = deque(dict.fromkeys(it for node in dear for it in (node, *(value.node for value in node.operands))))
    queued = set(waiting)
    budget = 8 * len(waiting) + 64
    work = _Exchange(matching, prints.kind, prints.exact, _left_over(matching, prints.kind))
    while waiting and budget:
        node = waiting.popleft()
        queued.discard(node)
        budget -= 1
        for touched in work.improved(node):
            if touched not in queued:
                queued.add(touched)
                waiting.append(touched)


def beside(matching: Matching, left: Node) -> Iterator[Node]:
    """What stands in the place of a node, beside the pairs of its neighbours."""
    if left.op.name == "input":
        return
    for slot, value in enumerate(left.arguments):
        other = matching.node(value.node) if value is not None else None
        if other is not None:
            yield from (user for user, place in matching.right.users[other] if place == slot)
    for user, slot in matching.left.users[left]:
        reader = matching.node(user)
        value = reader.arguments[slot] if reader and slot < len(reader.arguments) else None
        if value is not None and value.node.op.name != "input":
            yield value.node


def _left_over(matching: Matching, kind: Mapping[Piece, int]) -> dict[int, list[Node]]:
    """The nodes that only the right side has, by their op."""
    found: dict[int, list[Node]] = defaultdict(list)
    for node in matching.right.nodes:
        if node not in matching.back:
            found[kind[node]].append(node)
    return found


@dataclass(slots=True)
class _Exchange:
    """`left_over` are nodes that only the right side has, by their op; some may be paired meanwhile.

    `known` is what ops have otherwise, by their fingerprints.
    """

    matching: Matching
    kind: Mapping[Piece, int]
    exact: Mapping[Piece, int]
    left_over: Mapping[int, list[Node]]
    known: dict[tuple[int, int], int] = field(default_factory=dict)

    def improved(self, left: Node) -> Iterator[Node]:
        """Gives a node a better partner, if its neighbours know one; and the nodes that are worth another look."""
        best, gain = None, 0
        around = self._around(left)
        for candidate in list(dict.fromkeys(self._candidates(left)))[:MOST_CANDIDATES]:
            saved = self._saved(left, candidate, gain, around)
            if saved > gain:
                best, gain = candidate, saved
        if best is None:
            return
        yield from self._exchange(left, best)
        yield left
        yield from (value.node for value in left.operands)
        yield from (user for user, _ in self.matching.left.users[left])

    def _candidates(self, left: Node) -> Iterator[Node]:
        """What stands in its place beside the pairs of its neighbours, of the same op, or of another where none is."""
        mine = self.matching.there.get(left)
        others = [it for it in beside(self.matching, left) if it is not mine]
        yield from (it for it in others if self.kind[it] == self.kind[left])
        if mine is None:
            yield from (it for it in others if self.kind[it] != self.kind[left] and it not in self.matching.back)
            free = [it for it in self.left_over.get(self.kind[left], ()) if it not in self.matching.back]
            yield from sorted(free[:MOST_FREE], key=lambda it: self._altered(left, it))

    def _altered(self, left: Node, right: Node) -> int:
        """What the two have otherwise but for their wires and places."""
        key = self.exact[left], self.exact[right]
        if key not in self.known:
            self.known[key] = altered(left, right)
        return self.known[key]

    def _saved(self, left: Node, right: Node, least: int, around: int) -> int:
        """What the edit is cheaper by if the two are paired; what either was paired with is paired instead.

        Where that can't be more than `least` it is not tried, and 0. What reads one of them but is not paired costs
        the same before and after. `around` is what the left one and what reads it cost now.
        """
        matching = self.matching
        partner, other = matching.node(left), cast("Node | None", matching.back.get(right))
        most = around + (self._around(other) if other else alone(right))
        paid = self._paid(left, right, most - least)
        if most - paid <= least:
            return 0
        mine = {left, *self._readers(left)} | ({other, *self._readers(other)} if other else set())
        theirs = [node for node in (partner, right) if node is not None]
        before = self._cost(mine, theirs)
        if before - paid <= least:
            return 0
        self._exchange(left, right)
        after = self._cost(mine, theirs)
        self._restore(left, right, partner, other)
        return before - after

    def _around(self, left: Node) -> int:
        """What a node and those that read it cost."""
        return sum(of_left(self.matching, node) for node in {left, *self._readers(left)})

    def _readers(self, left: Node) -> Iterator[Node]:
        """The nodes that read it and have a partner."""
        there = self.matching.there
        return (user for user, _ in self.matching.left.users[left] if user in there)

    def _paid(self, left: Node, right: Node, enough: int) -> int:
        """What is paid in any case where at most one of the two has a partner: for that, or for what they differ in.

        What comes to `enough` is not added up further.
        """
        partner, other = self.matching.node(left), cast("Node | None", self.matching.back.get(right))
        if partner is None and other is None:
            paid = self._altered(left, right)
            if paid < enough:
                paid += MOVED * self.matching.moved(left, right)
            return paid + self.matching.rewired(left, right) if paid < enough else paid
        one = [node for node in (partner, other) if node is not None]
        return alone(one[0]) if len(one) == 1 else 0

    def _cost(self, mine: set[Node], theirs: list[Node]) -> int:
        matching = self.matching
        lonely = sum(alone(node) for node in theirs if node not in matching.back)
        return lonely + sum(of_left(matching, node) for node in mine)

    def _exchange(self, left: Node, right: Node) -> list[Node]:
        """Pairs the two; what is paired with them is paired with each other if it is the same op."""
        matching = self.matching
        partner, other = matching.there.get(left), matching.back.get(right)
        if partner is not None:
            matching.part(left)
        if other is not None:
            matching.part(other)
        matching.pair(left, right)
        if partner is not None and other is not None and self.kind[partner] == self.kind[other]:
            matching.pair(other, partner)
        return [other] if isinstance(other, Node) else []

    def _restore(self, left: Node, right: Node, partner: Node | None, other: Node | None) -> None:
        matching = self.matching
        matching.part(left)
        if other is not None and other in matching.there:
            matching.part(other)
        if partner is not None:
            matching.pair(left, partner)
        if other is not None:
            matching.pair(other, right)
