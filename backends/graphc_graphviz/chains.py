"""An opened block whose parts simply follow each other is drawn as one leaf: a frame with the parts stacked in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from graphc_graphviz.picture import Arrow, Box, Leaf, Line

LONGEST = 8
"""More parts than these are easier to follow with arrows between them."""


def with_chains(root: Box, arrows: Sequence[Arrow]) -> list[Arrow]:
    """The arrows, after each block that is a chain has become a frame."""
    touching: dict[Leaf, list[Arrow]] = {}
    for arrow in arrows:
        for leaf in (arrow.tail, arrow.head):
            touching.setdefault(leaf, []).append(arrow)
    frames: dict[Leaf, Leaf] = {}
    for box in list(root.boxes()):
        for index, part in enumerate(box.parts):
            if isinstance(part, Box) and _is_chain(part, touching):
                box.parts[index] = frame = _frame(part, box)
                frames |= dict.fromkeys(frame.stack, frame)
    return list(_between(arrows, frames))


def _is_chain(box: Box, touching: Mapping[Leaf, Iterable[Arrow]]) -> bool:
    """Whether a block is a line, each part of it reading the one before it, entered and left at its ends."""
    leaves = [part for part in box.parts if isinstance(part, Leaf) and part.role in ("op", "block")]
    if not box.is_block or len(leaves) < len(box.parts) or not 0 < len(leaves) <= LONGEST:
        return False
    arrows = dict.fromkeys(arrow for leaf in leaves for arrow in touching.get(leaf, ()))
    inner = {(arrow.tail, arrow.head) for arrow in arrows if arrow.tail in leaves and arrow.head in leaves}
    entered = all(arrow.head is leaves[0] for arrow in arrows if arrow.tail not in leaves)
    left = all(arrow.tail is leaves[-1] for arrow in arrows if arrow.head not in leaves)
    return inner == set(pairwise(leaves)) and entered and left


def _frame(box: Box, around: Box) -> Leaf:
    stack = [part for part in box.parts if isinstance(part, Leaf)]
    line = Line(box.path, box.name, box.words, "", box.about, box.mark)
    shapes, figures = stack[-1].shapes, box.figures
    return Leaf("frame", around, [line], shapes, box.count, stack, figures=figures, dashed=box.dashed)


def _between(arrows: Iterable[Arrow], frames: Mapping[Leaf, Leaf]) -> Iterator[Arrow]:
    for arrow in arrows:
        tail, head = frames.get(arrow.tail, arrow.tail), frames.get(arrow.head, arrow.head)
        if tail is not head:
            yield replace(arrow, tail=tail, head=head)
