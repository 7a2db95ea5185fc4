"""What stands between the brackets of a subscript, spaced as `ruff format` leaves it."""

from __future__ import annotations

import re
from collections.abc import Sequence


def subscript(pattern: str, numbers: Sequence[str]) -> tuple[str, ...]:
    """The parts of a subscript: `{}:, None` with the number `-2` is `-2:` and `None`."""
    left = iter(numbers)
    parts = [[next(left) if bound == "{}" else bound for bound in part.split(":")] for part in pattern.split(", ")]
    return tuple(_slice(*part) if len(part) > 1 else part[0] for part in parts)


def _slice(start: str, stop: str, step: str | None = None) -> str:
    """A bound that is more than a name or a number has space between it and the colon, and so have the others."""
    plain = all(re.fullmatch(r"-?\w*", bound) for bound in (start, stop, step or ""))
    gap = "" if plain else " "
    text = f"{start}{gap if start else ''}:{gap if stop else ''}{stop}"
    return text if step is None else f"{text}{gap if stop else ''}:{gap}{step}"
