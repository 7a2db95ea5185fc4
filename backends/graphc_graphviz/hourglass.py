"""Finds an hourglass laid on its side: a way down, a way up, and skips between them (U-Net, feature pyramids).

Such an architecture is drawn as its paper draws it: down at the left, up at the right, and each skip in a row that is
read from left to right.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from graphc_graphviz.picture import Arrow, Leaf, Picture

Leaves: TypeAlias = tuple[Leaf, ...]
"""Leaves in reading order."""

LONGEST_END = 2
"""So many leaves in front of the outermost skip, or behind it, go into its row."""


@dataclass(frozen=True, slots=True)
class Hourglass:
    """The skips, the outermost first; a row for each; the row at the bottom; and the leaves on the way up.

    All are empty where a picture has no hourglass; `bottom` is empty too where what is there has branches.
    """

    skips: tuple[Arrow, ...] = ()
    rows: tuple[Leaves, ...] = ()
    bottom: Leaves = ()
    rising: frozenset[Leaf] = frozenset()

    def in_row(self, *leaves: Leaf) -> bool:
        """Whether one row has all these leaves."""
        return any(all(leaf in row for leaf in leaves) for row in (*self.rows, self.bottom))

    def points_up(self, arrow: Arrow) -> bool:
        """Whether the head is drawn above the tail."""
        below = arrow.tail in self.rising or arrow.tail in self.bottom
        return below and arrow.head in self.rising and not self.in_row(arrow.tail, arrow.head)


@dataclass(frozen=True, slots=True)
class _Skip:
    """An arrow that leads from one part of the root past others to a third, and the places of the two."""

    arrow: Arrow
    start: int
    end: int


def hourglass(picture: Picture) -> Hourglass:
    """The hourglass of a picture: at least two skips, each inside the one before it.

    All skips count, so one that crosses another, as in a densely connected network, makes it no hourglass. What is for
    training alone is no part of it.
    """
    drawn = (part for part in picture.root.parts if not part.dashed)
    parts = [(part,) if isinstance(part, Leaf) else tuple(part.leaves()) for part in drawn]
    skips = sorted(_skips(picture.arrows, parts), key=lambda skip: skip.start)
    if len(skips) < 2 or not all(a.start < b.start and b.end < a.end for a, b in pairwise(skips)):
        return Hourglass()
    line, outermost, innermost = _Line(picture.arrows), skips[0], skips[-1]
    ends = _ends(parts, outermost)
    rows = [line.row(skip, parts, ends if skip is outermost else ((), ())) for skip in skips]
    bottom = line.or_else(_joined(parts[innermost.start + 1 : innermost.end]))
    rising = frozenset(_joined(parts[innermost.end :]))
    return Hourglass(tuple(skip.arrow for skip in skips), tuple(rows), line.to_outputs(bottom), rising)


def _skips(arrows: Iterable[Arrow], parts: Sequence[Leaves]) -> list[_Skip]:
    """The skips, one for each pair of parts."""
    place = {leaf: index for index, part in enumerate(parts) for leaf in part}
    found: dict[tuple[int, int], _Skip] = {}
    for arrow in (arrow for arrow in arrows if not arrow.dashed):
        start, end = place[arrow.tail], place[arrow.head]
        if end - start > 1 and arrow.head.role != "output":
            found.setdefault((start, end), _Skip(arrow, start, end))
    return list(found.values())


def _ends(parts: Sequence[Leaves], skip: _Skip) -> tuple[Leaves, Leaves]:
    """What stands in front of a skip and behind it, where that is short."""
    before = _joined(parts[: skip.start])
    behind = tuple(leaf for leaf in _joined(parts[skip.end + 1 :]) if leaf.role != "output")
    return before if len(before) <= LONGEST_END else (), behind if len(behind) <= LONGEST_END else ()


class _Line:
    """Tells which leaves follow each other without a branch."""

    def __init__(self, arrows: Iterable[Arrow]) -> None:
        self.links = [(arrow.tail, arrow.head) for arrow in arrows]

    def row(self, skip: _Skip, parts: Sequence[Leaves], ends: tuple[Leaves, Leaves]) -> Leaves:
        """What leads to a skip's start, and what follows its end, as far as either is one line; then the outputs."""
        left, right = parts[skip.start], parts[skip.end]
        left = ends[0] + left[: left.index(skip.arrow.tail) + 1]
        right = right[right.index(skip.arrow.head) :] + ends[1]
        return self.to_outputs(self.or_else(left, skip.arrow.tail) + self.or_else(right, skip.arrow.head))

    def or_else(self, leaves: Leaves, *otherwise: Leaf) -> Leaves:
        """The leaves where they are one line, else some other ones.

        Leaves in boxes within boxes are no line: Graphviz can't keep such boxes in their order within a row.
        """
        links = {(tail, head) for tail, head in self.links if tail in leaves and head in leaves}
        straight = links == set(pairwise(leaves)) and all(map(_is_shallow, leaves))
        return leaves if straight else otherwise

    def to_outputs(self, row: Leaves) -> Leaves:
        """A row, and the outputs that its last leaf gives."""
        return row + tuple(
            head for tail, head in self.links if tail in row[-1:] and head.role == "output" and not head.dashed
        )


def _is_shallow(leaf: Leaf) -> bool:
    return leaf.box.parent is None or leaf.box.parent.parent is None


def _joined(parts: Sequence[Leaves]) -> Leaves:
    return tuple(leaf for part in parts for leaf in part)
