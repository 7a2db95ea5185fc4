"""Where an edit was made, with the copies of a group taken together: `stage.*.unit.*.residual`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from graphc.diff.side import Piece, Side
from graphc.graph import Node, Scope


@dataclass(frozen=True, slots=True)
class Place:
    """A path with the numbers of copies taken out: `names` has None in their place, `numbers` has them."""

    names: tuple[str | None, ...]
    numbers: tuple[int, ...]

    def below(self, name: str) -> Place:
        return Place((*self.names, name), self.numbers)


def place_of(piece: Piece) -> Place:
    """The place of a piece."""
    names: list[str | None] = []
    numbers: list[int] = []
    current: Piece | None = piece
    while current is not None and (isinstance(current, Node) or current.parent is not None):
        around = current.scope if isinstance(current, Node) else current.parent
        number = _number(current, around)
        names.append(current.name if number is None else None)
        if number is not None:
            numbers.append(number)
        current = around
    return Place(tuple(reversed(names)), tuple(reversed(numbers)))


def _number(piece: Piece, around: Scope | None) -> int | None:
    """Which copy it is, of a group."""
    if around is None or around.kind != "copies" or not piece.name.isdecimal():
        return None
    return int(piece.name)


@dataclass(frozen=True)
class Places:
    """How often each place is there in a graph, whatever the copy."""

    side: Side

    @cached_property
    def counts(self) -> dict[tuple[str | None, ...], int]:
        counts: dict[tuple[str | None, ...], int] = {}
        pieces: list[Piece] = [*self.side.scopes(), *self.side.nodes]
        for piece in pieces:
            names = place_of(piece).names
            counts[names] = counts.get(names, 0) + 1
        return counts

    def pattern(self, places: Sequence[Place]) -> tuple[str, bool]:
        """One text for places of the same names; and whether it means all that there are."""
        names = places[0].names
        numbers = sorted({place.numbers for place in places})
        is_all = len(numbers) == self.counts.get(names, 0) > 1
        columns = ["*" if is_all else spans(column) for column in zip(*numbers, strict=True)]
        if not is_all and _product(numbers) != len(numbers):
            columns = [
                text if len(set(column)) == 1 else "*"
                for text, column in zip(columns, zip(*numbers, strict=True), strict=True)
            ]
        rest = iter(columns)
        return ".".join(next(rest) if name is None else name for name in names), is_all


def _product(numbers: Sequence[tuple[int, ...]]) -> int:
    product = 1
    for column in zip(*numbers, strict=True):
        product *= len(set(column))
    return product


def spans(numbers: Iterable[int]) -> str:
    """Numbers as a text: 0, 2–5."""
    runs = groupby(enumerate(sorted(set(numbers))), key=lambda it: it[1] - it[0])
    found = [[number for _, number in run] for _, run in runs]
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in found)
