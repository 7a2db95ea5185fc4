"""JSON as lines that a person can read and compare: what is inside the outer levels stands on one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from json import dumps
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

OPEN = 2
"""Levels that have a line for each of their members."""


def laid_out(value: Json) -> str:
    """The text, with a line break at its end."""
    return "".join(_lines(value, 0)) + "\n"


def _lines(value: Json, depth: int) -> Iterator[str]:
    if depth == OPEN or not value or not isinstance(value, (list, dict)):
        yield dumps(value, ensure_ascii=False, allow_nan=False)
        return
    if isinstance(value, dict):
        (first, last), members = "{}", [(f"{dumps(key, ensure_ascii=False)}: ", item) for key, item in value.items()]
    else:
        (first, last), members = "[]", [("", item) for item in value]
    for number, (key, item) in enumerate(members):
        yield (f",\n{' ' * (depth + 1)}" if number else f"{first}\n{' ' * (depth + 1)}") + key
        yield from _lines(item, depth + 1)
    yield f"\n{' ' * depth}{last}"
