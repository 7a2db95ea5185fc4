"""The mark of what hides marked parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from graphc.graph import Scope
from graphc.marks import Mark


def mark_of(scope: Scope, marks: Mapping[str, Mark]) -> Mark | None:
    """The mark of a closed block: its own, or that it changed, where something in it is marked."""
    if scope.path in marks:
        return marks[scope.path]
    inside = Counter(mark.kind for path, mark in marks.items() if path.startswith(f"{scope.path}."))
    counts = ", ".join(f"{count} {kind}" for kind, count in inside.items())
    return Mark("changed", f"inside: {counts}") if inside else None
