"""What a diagram can say about single parts of a network: a mark at a path, as of a difference between two graphs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

MarkKind: TypeAlias = Literal["added", "removed", "changed", "moved"]


@dataclass(frozen=True, slots=True)
class Mark:
    """How a part is drawn, and a few words beside it: `Mark("changed", "kernel 3×3 → 5×5")`."""

    kind: MarkKind
    note: str = ""
