"""The report as plain text. Signs say what colours say: + added, - removed, ~ changed, > moved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from graphc.diff import lines

if TYPE_CHECKING:
    from graphc.diff.difference import Diff

Table: TypeAlias = Sequence[Sequence[str]]
"""Lines of cells, the header first."""
BLOCKS = ("block", "parameters", "MACs", "activations", "receptive field")
FEWEST = 2
"""Columns that are left in any case."""
LEAST_NAME = 20
"""Letters of a name that are left in any case."""
ROLES = {"+": "added", "-": "removed", "~": "altered", ">": "moved"}


def text(diff: Diff, width: int | None = None) -> str:
    """The report, lines apart by line breaks; its tables fit into the width, if given."""
    return "\n".join(line for line, _ in marked(diff, width))


def marked(diff: Diff, width: int | None = None) -> Iterator[tuple[str, str]]:
    """The lines, each with the role that gives it its colour; empty for none. Tables fit into the width, if given."""
    yield f"{diff.before_name} → {diff.after_name}", "place"
    yield diff.sentence.replace("`", ""), ""
    if diff.edits:
        yield "", ""
    for level, sign, told in lines.edits(diff):
        yield f"{'  ' * level}{sign} {told.replace('`', '')}", ROLES.get(sign, "")
    yield from ((note.replace("`", ""), "") for note in diff.notes)
    if diff.same:
        yield from ((f"weights: {line}", "") for line in lines.checkpoint(diff) if diff.weights.renamed)
        return
    yield "", ""
    yield from ((line, "") for line in _table(_headed(diff, width)))
    if diff.rows:
        yield "", ""
        yield from _blocks(diff, width)
    yield "", ""
    yield from ((f"weights: {line}", "") for line in lines.checkpoint(diff))


def _blocks(diff: Diff, width: int | None) -> Iterator[tuple[str, str]]:
    """The table of blocks: in full, else in few letters, with names cut in front, perhaps without its last columns."""
    table: Table = [BLOCKS, *lines.blocks(diff)]
    if width is not None and _width(table) > width:
        table = _narrow([("block", "params", *BLOCKS[2:4], "field"), *lines.blocks(diff, brief=True)], width)
    header, *told = _table(table)
    yield header, "place"
    yield from ((line, ROLES.get(row[0][0], "")) for row, line in zip(table[1:], told, strict=True))


def _narrow(table: Table, width: int) -> Table:
    """A table of blocks in so many letters."""
    named = min(LEAST_NAME, max(len(row[0]) for row in table))
    while named + _width(_nameless(table)) > width and len(table[0]) > FEWEST:
        table = [row[:-1] for row in table]
    room = max(named, width - _width(_nameless(table)))
    return [(row[0] if len(row[0]) <= room else f"{row[0][:1]} …{row[0][3 - room :]}", *row[1:]) for row in table]


def _nameless(table: Table) -> Table:
    return [("", *row[1:]) for row in table]


def _headed(diff: Diff, width: int | None) -> Table:
    """The totals under the names of the two, of which the end is shown where they are long."""
    rows = lines.totals(diff)
    room = (
        None if width is None else max(LEAST_NAME, (width - _width([("", "", "", "change"), *rows])) // 2 + LEAST_NAME)
    )
    names = (name if room is None or len(name) <= room else f"…{name[1 - room :]}" for name in _names(diff))
    table = [("", *names, "change"), *rows]
    return table if width is None or _width(table) <= width else [row[:-1] for row in table]


def _names(diff: Diff) -> tuple[str, str]:
    return diff.before_name, diff.after_name


def _width(table: Table) -> int:
    """The letters of the longest line."""
    return max(map(len, _table(table)))


def _table(rows: Table) -> Iterator[str]:
    """Columns, the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            f"{row[0]:{widths[0]}}",
            *(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True)),
        ]
        yield "  ".join(cells).rstrip()
