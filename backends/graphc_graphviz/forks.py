"""Where a value that enters a box is read at several places in it, its line enters once and forks inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import TypeAlias

from graphc_graphviz.picture import Arrow, Box, Leaf

Entry: TypeAlias = tuple[Leaf, str]
"""Where a value comes from, and which one it is."""


def with_forks(root: Box, arrows: Sequence[Arrow]) -> list[Arrow]:
    """The arrows, led through a fork in the innermost box around the places that read it."""
    result = list(arrows)
    for box in list(root.boxes())[1:]:
        result = _forked(box, result)
    return result


def _forked(box: Box, arrows: list[Arrow]) -> list[Arrow]:
    part_of = {leaf: part for part in box.parts for leaf in ([part] if isinstance(part, Leaf) else part.leaves())}
    readers: dict[Entry, set[Leaf | Box]] = {}
    for arrow in arrows:
        if arrow.head in part_of and arrow.tail not in part_of:
            readers.setdefault((arrow.tail, arrow.value), set()).add(part_of[arrow.head])
    forks = {entry: Leaf("fork", box, []) for entry, parts in readers.items() if len(parts) > 1}
    box.parts[:0] = forks.values()
    led = (_through(forks.get((a.tail, a.value)) if a.head in part_of else None, a) for a in arrows)
    return list(dict.fromkeys(chain.from_iterable(led)))


def _through(fork: Leaf | None, arrow: Arrow) -> tuple[Arrow, ...]:
    if fork is None:
        return (arrow,)
    return replace(arrow, head=fork), replace(arrow, tail=fork)
