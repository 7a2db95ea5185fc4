"""A summary in Markdown: a table with whole paths, then the totals."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from graphc.diagnostics import visible
from graphc.summary.rows import Line
from graphc.summary.table import COLUMNS, times

if TYPE_CHECKING:
    from graphc.summary.summary import Summary

MARKS = re.compile(r"([\\`*_\[\]<>|#&~])")
"""What has a meaning in Markdown."""


def markdown(summary: Summary) -> str:
    """Name and title, the table, and the totals as a list."""
    return "\n".join(map(visible, _lines(summary)))


def _lines(summary: Summary) -> Iterator[str]:
    yield from (f"**{_escaped(summary.heading())}**", "")
    yield from _table(summary, summary.lines)
    if summary.training:
        yield from ("", "In training alone:", "")
        yield from _table(summary, summary.training)
    yield ""
    for label, number, about in summary.totals_told():
        yield f"- {label}: **{number}**" + (f" ({about})" if about else "")


def _table(summary: Summary, lines: Sequence[Line]) -> Iterator[str]:
    columns = [COLUMNS[name] for name in summary.columns]
    yield _row(["layer", *(column.title for column in columns)])
    yield _row(["---", *("---:" if column.number else "---" for column in columns)])
    for line, cells in zip(lines, summary.cells(lines, summary.columns), strict=True):
        yield _row([f"`{line.row.path}`{times(line.row)}", *map(_escaped, cells)])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    return MARKS.sub(r"\\\1", text)
