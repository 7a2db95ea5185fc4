"""Where a value that enters a box is read at several places in it, its line enters once and forks inside."""

from __future__ import annotations

from collections.abc import Sequence

from graphc_graphviz.picture import Arrow, Box, Leaf, Line


def with_forks(root: Box, arrows: Sequence[Arrow]) -> list[Arrow]:
    """The arrows, led through a fork in each box that reads a value from outside more than once."""
    result = list(arrows)
    for box in list(root.boxes())[1:]:
        result = _forked(box, result)
    return result


def _forked(box: Box, arrows: list[Arrow]) -> list[Arrow]:
    inside = set(box.leaves())
    entering: dict[tuple[Leaf, str], list[Arrow]] = {}
    for arrow in arrows:
        if arrow.head in inside and arrow.tail not in inside:
            entering.setdefault((arrow.tail, arrow.value), []).append(arrow)
    several = {key: found for key, found in entering.items() if len(found) > 1}
    forks = {key: Leaf("fork", box, [Line("", "", "", "")]) for key in several}
    box.parts[:0] = forks.values()
    return _through(forks, arrows, inside)


def _through(forks: dict[tuple[Leaf, str], Leaf], arrows: list[Arrow], inside: set[Leaf]) -> list[Arrow]:
    led: dict[Arrow, None] = {}
    for arrow in arrows:
        fork = forks.get((arrow.tail, arrow.value)) if arrow.head in inside else None
        if fork:
            led[Arrow(arrow.tail, fork, arrow.value)] = None
            led[Arrow(fork, arrow.head, arrow.value)] = None
        else:
            led[arrow] = None
    return list(led)
