"""Finds an hourglass laid on its side: a way down, a way up, and skips between them (U-Net, feature pyramids).

Such an architecture is drawn as its paper draws it: down at the left, up at the right, and each skip in a row that is read
from left to right.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from graphc_graphviz.picture import Arrow, Box, Leaf, Picture

Leaves: TypeAlias = tuple[Leaf, ...]

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


def hourglass(picture: Picture) -> Hourglass:
    """The hourglass of a picture: at least two skips, each inside the one before it.

    A skip leads from one part of the root past other parts to a third. All skips count, so one that crosses another, as
    in a densely connected network, makes it no hourglass.
    """
    parts = [_leaves(part) for part in picture.root.parts]
    place = {leaf: index for index, part in enumerate(parts) for leaf in part}
    skips = sorted(_skips(picture.arrows, place), key=lambda arrow: place[arrow.tail])
    spans = [(place[skip.tail], place[skip.head]) for skip in skips]
    if len(skips) < 2 or not all(a < c and d < b for (a, b), (c, d) in pairwise(spans)):
        return Hourglass()
    rows = [(_up_to(skip.tail, parts[a]), _from(skip.head, parts[b])) for skip, (a, b) in zip(skips, spans, strict=True)]
    rows[0] = _longer(rows[0], parts[: spans[0][0]], parts[spans[0][1] + 1 :])
    line = _Line(picture.arrows)
    levels = (line.or_else(a, skip.tail) + line.or_else(b, skip.head) for skip, (a, b) in zip(skips, rows, strict=True))
    left, right = spans[-1]
    bottom = line.or_else(_joined(parts[left + 1 : right]))
    rising = frozenset(_joined(parts[right:]))
    return Hourglass(tuple(skips), tuple(map(line.to_outputs, levels)), line.to_outputs(bottom), rising)


def _skips(arrows: Sequence[Arrow], place: dict[Leaf, int]) -> list[Arrow]:
    """The arrows that pass by a part, one for each pair of parts."""
    found: dict[tuple[int, int], Arrow] = {}
    for arrow in arrows:
        start, end = place[arrow.tail], place[arrow.head]
        if end - start > 1 and arrow.head.role != "output":
            found.setdefault((start, end), arrow)
    return list(found.values())


class _Line:
    """Tells which leaves follow each other without a branch."""

    def __init__(self, arrows: Iterable[Arrow]) -> None:
        self.links = [(arrow.tail, arrow.head) for arrow in arrows]

    def or_else(self, leaves: Leaves, *otherwise: Leaf) -> Leaves:
        """The leaves where they are one line, else some other ones.

        Leaves in boxes within boxes are no line: Graphviz can't keep such boxes in their order within a row.
        """
        links = {(tail, head) for tail, head in self.links if tail in leaves and head in leaves}
        straight = links == set(pairwise(leaves)) and all(map(_is_shallow, leaves))
        return leaves if straight else otherwise

    def to_outputs(self, row: Leaves) -> Leaves:
        """A row, and the outputs that its last leaf gives."""
        return row + tuple(head for tail, head in self.links if tail in row[-1:] and head.role == "output")


def _longer(row: tuple[Leaves, Leaves], before: Sequence[Leaves], behind: Sequence[Leaves]) -> tuple[Leaves, Leaves]:
    """The outermost row with what stands in front of it and behind it, where that is short."""
    start = _joined(before)
    end = tuple(leaf for leaf in _joined(behind) if leaf.role != "output")
    return (start if len(start) <= LONGEST_END else ()) + row[0], row[1] + (end if len(end) <= LONGEST_END else ())


def _is_shallow(leaf: Leaf) -> bool:
    return leaf.box.parent is None or leaf.box.parent.parent is None


def _up_to(leaf: Leaf, part: Leaves) -> Leaves:
    return part[: part.index(leaf) + 1]


def _from(leaf: Leaf, part: Leaves) -> Leaves:
    return part[part.index(leaf) :]


def _leaves(part: Leaf | Box) -> Leaves:
    return (part,) if isinstance(part, Leaf) else tuple(part.leaves())


def _joined(parts: Sequence[Leaves]) -> Leaves:
    return tuple(leaf for part in parts for leaf in part)
