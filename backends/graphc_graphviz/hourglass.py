"""Finds the shape of an hourglass laid on its side: a path down, a path up, and skips between them (U-Net, FPN).

Such an architecture is drawn as its papers draw it: down at the left, up at the right, the ends of a skip side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from graphc_graphviz.picture import Arrow, Box, Leaf, Picture


@dataclass(frozen=True, slots=True)
class Hourglass:
    """The leaves on the way up, the skips, the innermost last, and the arrows at the turn. All are empty where there is none."""

    rising: frozenset[Leaf] = frozenset()
    skips: tuple[Arrow, ...] = ()
    turns: tuple[Arrow, ...] = ()

    @property
    def levels(self) -> tuple[Arrow, ...]:
        """The arrows that lie flat."""
        return (*self.skips, *self.turns)

    def turned(self, arrow: Arrow) -> bool:
        """Whether the arrow points up."""
        return arrow.tail in self.rising and arrow.head in self.rising


def hourglass(picture: Picture) -> Hourglass:
    """The hourglass of a picture: at least two skips, each inside the one before it.

    A skip leads from one part of the root past other parts to a third. All skips count, so one that crosses another, as
    in a densely connected network, makes it no hourglass.
    """
    place = _places(picture.root)
    skips = sorted(_skips(picture.arrows, place), key=lambda arrow: place[arrow.tail])
    spans = [(place[arrow.tail], place[arrow.head]) for arrow in skips]
    if len(skips) < 2 or not all(a < c and d < b for (a, b), (c, d) in pairwise(spans)):
        return Hourglass()
    rising = frozenset(leaf for leaf, at in place.items() if at >= spans[-1][1])
    turns = (arrow for arrow in picture.arrows if arrow.head in rising and spans[-1][0] < place[arrow.tail] < spans[-1][1])
    return Hourglass(rising, tuple(skips), tuple(turns))


def _places(root: Box) -> dict[Leaf, int]:
    """Which part of the root each leaf is in."""
    return {
        leaf: place
        for place, part in enumerate(root.parts)
        for leaf in ([part] if isinstance(part, Leaf) else part.leaves())
    }


def _skips(arrows: Sequence[Arrow], place: dict[Leaf, int]) -> list[Arrow]:
    """The arrows that pass by a part, one for each pair of parts."""
    found: dict[tuple[int, int], Arrow] = {}
    for arrow in arrows:
        start, end = place[arrow.tail], place[arrow.head]
        if end - start > 1:
            found.setdefault((start, end), arrow)
    return list(found.values())
