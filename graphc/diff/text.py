"""The report as plain text. Signs say what colours say: + added, - removed, ~ changed, > moved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from graphc.diff import lines

if TYPE_CHECKING:
    from graphc.diff.difference import Diff

ROLES = {"+": "added", "-": "removed", "~": "altered", ">": "moved"}


def text(diff: Diff) -> str:
    """The report, lines apart by line breaks."""
    return "\n".join(line for line, _ in marked(diff))


def marked(diff: Diff) -> Iterator[tuple[str, str]]:
    """The lines, each with the role that gives it its colour; empty for none."""
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
    yield from ((line, "") for line in _table(["", diff.before_name, diff.after_name, "change"], lines.totals(diff)))
    blocks = lines.blocks(diff)
    if blocks:
        yield "", ""
        header = ["block", "parameters", "MACs", "activations", "receptive field"]
        told_lines = list(_table(header, blocks))
        yield told_lines[0], "place"
        for row, line in zip(blocks, told_lines[1:], strict=True):
            yield line, ROLES.get(row[0][0], "")
    yield "", ""
    yield from ((f"weights: {line}", "") for line in lines.checkpoint(diff))


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns, the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    for row in (header, *rows):
        cells = [
            f"{row[0]:{widths[0]}}",
            *(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True)),
        ]
        yield "  ".join(cells).rstrip()
