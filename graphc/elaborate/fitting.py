"""Where the left side of a rule fits: `stage.{s}.unit.{u}.conv{k}` among the parts of all weights' paths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from graphc.elaborate.weights import Branches
from graphc.spec import Segment

Matched: TypeAlias = dict[str, int | str]
"""What the names in a path stand for: a number where it is one."""

_LONGEST_NUMBER = 18


def fitting(path: tuple[Segment, ...], tree: Branches) -> Iterator[tuple[Matched, str, Branches]]:
    """The places in a tree that a path fits: what its names stand for there, the whole path, and what is below."""
    places: list[tuple[Matched, str, Branches]] = [({}, "", tree)]
    for part in path:
        places = [
            ({**matched, **more}, f"{at}.{name}" if at else name, branch[name])
            for matched, at, branch in places
            for name, more in _matches(part, branch)
        ]
    yield from places


def _matches(part: Segment, branch: Branches) -> Iterator[tuple[str, Matched]]:
    """The names in a branch that a part of a path fits, and what its own names stand for."""
    if not part.name:
        yield from ((name, {}) for name in (part.before,) if name in branch)
        return
    for place, name in enumerate(branch):
        inside = name.removeprefix(part.before).removesuffix(part.after)
        if inside and name == f"{part.before}{inside}{part.after}":
            yield name, {part.name: _meant(inside), **({part.place: place} if part.place else {})}


def _meant(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else text
