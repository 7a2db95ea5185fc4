"""Which other wires are news, and which only say again that a node came, went or moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain, islice

from graphc.diff.matching import Matching, read
from graphc.graph import Node, Value

MOST_ABOVE = 64
"""So many nodes are noted that one leads back to."""


@dataclass(slots=True)
class Wires:
    """`above` are, of a node that only one side has, the nodes that both have and it leads back to."""

    matching: Matching
    above: dict[Node, frozenset[Node]] = field(default_factory=dict)

    def told(self, left: Node, right: Node) -> Mapping[str, tuple[object, object]]:
        """The operands that are news, by slot; of ops with any number of them, those that came and went."""
        if not self.matching.rewired(left, right):
            return {}
        if len(left.arguments) == len(right.arguments):
            return {
                str(slot): (path(mine), path(theirs))
                for slot, (mine, theirs) in enumerate(self.matching.operands(left, right))
                if self.matching.read(mine) != read(theirs) and not self._moved(left, mine, theirs)
            }
        before = {self.matching.read(value): value for value in left.arguments}
        after = {read(value): value for value in right.arguments}
        gone = [value for it, value in before.items() if it not in after and self._is_paired(value)]
        new = [value for it, value in after.items() if it not in before and self._is_known(value)]
        news: dict[str, tuple[object, object]] = {f"-{path(it)}": (path(it), None) for it in gone}
        return news | {f"+{path(it)}": (None, path(it)) for it in new}

    def explained(self, mine: Value | None, theirs: Value | None) -> bool:
        """Whether nodes that came or went lie between what was read and what is read now."""
        if mine is None or theirs is None:
            return False
        before = self._above_left(mine.node)
        after = self._above_right(theirs.node)
        is_one_sided = mine.node not in self.matching.there or theirs.node not in self.matching.back
        return is_one_sided and bool(before & after)

    def _moved(self, left: Node, mine: Value | None, theirs: Value | None) -> bool:
        """Whether the wire is otherwise for what stands between came, went, or moved along the wires."""
        if self.explained(mine, theirs):
            return True
        if mine is None or theirs is None:
            return False
        return self._cut_out(mine.node, theirs) or self._put_in(mine, theirs.node)

    def _cut_out(self, mine: Node, theirs: Value) -> bool:
        """Whether what was read has gone elsewhere, and what it read is read now."""
        other = self.matching.node(mine)
        away = other is not None and self.matching.rewired(mine, other) > 0
        return away and read(theirs) in {self.matching.read(value) for value in mine.arguments}

    def _put_in(self, mine: Value, theirs: Node) -> bool:
        """Whether what is read now came from elsewhere, and reads what was read."""
        other = self.matching.back.get(theirs)
        away = isinstance(other, Node) and self.matching.rewired(other, theirs) > 0
        return away and self.matching.read(mine) in {read(value) for value in theirs.arguments}

    def _is_paired(self, value: Value | None) -> bool:
        return value is not None and value.node in self.matching.there

    def _is_known(self, value: Value | None) -> bool:
        return value is not None and value.node in self.matching.back

    def _above_left(self, node: Node) -> frozenset[Node]:
        """What a node on the left leads back to, as nodes on the right."""
        if not self.above:
            self._lead_back()
        other = self.matching.node(node)
        return frozenset({other}) if other is not None else self.above[node]

    def _above_right(self, node: Node) -> frozenset[Node]:
        if not self.above:
            self._lead_back()
        return frozenset({node}) if node in self.matching.back else self.above[node]

    def _lead_back(self) -> None:
        """Fills `above`, each node after its operands."""
        matching = self.matching
        for side, paired in ((matching.left, matching.there), (matching.right, matching.back)):
            for node in side.nodes:
                if node not in paired:
                    found = [self._known_above(value.node) for value in node.operands]
                    self.above[node] = frozenset(islice(chain.from_iterable(found), MOST_ABOVE))

    def _known_above(self, node: Node) -> frozenset[Node]:
        other = self.matching.node(node)
        if other is not None:
            return frozenset({other})
        return frozenset({node}) if node in self.matching.back else self.above[node]


def path(value: Value | None) -> str | None:
    """The path of a value."""
    return value.path if value is not None else None
