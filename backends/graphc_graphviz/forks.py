"""Where a value that enters a box is read at several places in it, its line enters once and forks inside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TypeAlias

from graphc_graphviz.picture import Arrow, Box, Leaf

Entry: TypeAlias = tuple[Leaf, str, Box]
"""Where a value comes from, which one it is, and a box that it enters."""


def with_forks(arrows: Sequence[Arrow], always: bool = False) -> list[Arrow]:
    """The arrows, led through the forks that are put into the boxes; with `always` each line is led past the title."""
    readers: dict[Entry, set[Leaf | Box]] = {}
    for arrow in arrows:
        for box, part in _entered(arrow):
            readers.setdefault((arrow.tail, arrow.value, box), set()).add(part)
    kept = [entry for entry, parts in readers.items() if always or len(parts) > 1]
    forks = {entry: Leaf("fork", entry[-1], [], count=len(readers[entry]), dashed=entry[-1].dashed) for entry in kept}
    for fork in reversed(forks.values()):
        fork.box.parts.insert(0, fork)
    return list(dict.fromkeys(step for arrow in arrows for step in _steps(arrow, forks)))


def _entered(arrow: Arrow) -> list[tuple[Box, Leaf | Box]]:
    """The boxes that an arrow enters, from the outside in, each with the part of it that the arrow leads to."""
    outside = set(_around(arrow.tail))
    inward: list[Leaf | Box] = [arrow.head, *_around(arrow.head)]
    entered = [(box, part) for part, box in pairwise(inward) if isinstance(box, Box) and box not in outside]
    return entered[::-1]


def _around(leaf: Leaf) -> Iterator[Box]:
    box: Box | None = leaf.box
    while box:
        yield box
        box = box.parent


def _steps(arrow: Arrow, forks: dict[Entry, Leaf]) -> Iterator[Arrow]:
    entries = ((arrow.tail, arrow.value, box) for box, _ in _entered(arrow))
    stops = (arrow.tail, *(forks[entry] for entry in entries if entry in forks), arrow.head)
    return (Arrow(tail, head, arrow.value) for tail, head in pairwise(stops))
