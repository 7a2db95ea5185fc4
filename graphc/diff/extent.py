"""How much of two networks is the same: of largely other ones a list of edits tells nobody anything."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from graphc.diagnostics import listed
from graphc.diff.matching import Matching, altered

MOST_EDITS = 12
LEAST_KEPT = 0.5
"""With more edits and less that is unchanged (Dice's coefficient), the one is largely another network."""
MOST_OPS = 4


@dataclass(frozen=True, slots=True)
class Extent:
    """How many ops are as they were, have a counterpart with other attributes or operands, have gone, and are new.

    `common` counts by name the ops that both have.
    """

    kept: int
    changed: int
    gone: int
    new: int
    common: Counter[str]

    @property
    def share(self) -> float:
        """Dice's coefficient of what was kept."""
        all_ = 2 * (self.kept + self.changed) + self.gone + self.new
        return 2 * self.kept / all_ if all_ else 1.0

    @property
    def sentence(self) -> str:
        """What is left of the old network."""
        count = self.kept + self.changed + self.gone
        are = "is as it was" if self.kept == 1 else "are as they were"
        rest = f"{self.changed} have another place or other attributes, {self.gone} are gone; {self.new} are new"
        return f"Largely another network: of {count} ops {self.kept} {are}, {rest}"

    @property
    def note(self) -> str:
        """The ops that both have."""
        ranked = sorted(self.common.items(), key=lambda item: -item[1])
        told = [f"{count} {name}" for name, count in ranked[:MOST_OPS]]
        others = sum(count for _, count in ranked[MOST_OPS:])
        return f"In common: {listed([*told, *([f'{others} others'] if others else [])])}."


def extent(matching: Matching) -> Extent:
    """How much is the same; inputs are not counted."""
    pairs = [(left, right) for left, right in matching.nodes() if left.op.name != "input"]
    kept = sum(not altered(left, right) and not matching.rewired(left, right) for left, right in pairs)
    gone = sum(node not in matching.there and node.op.name != "input" for node in matching.left.nodes)
    new = sum(node not in matching.back and node.op.name != "input" for node in matching.right.nodes)
    common = Counter(left.op.name for left, right in pairs if left.op.name == right.op.name)
    return Extent(kept, len(pairs) - kept, gone, new, common)
