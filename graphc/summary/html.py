"""A summary as the HTML that a notebook shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from graphc.summary.rows import Line
from graphc.summary.table import COLUMNS

if TYPE_CHECKING:
    from graphc.summary.summary import Summary

RIGHT = ' style="text-align:right"'
LEFT = ' style="text-align:left"'


def html(summary: Summary) -> str:
    """A table with the name and title above it, and one with the totals; the notebook's own colours."""
    columns = [COLUMNS[name] for name in summary.columns]
    heads = "".join(f"<th{RIGHT if c.number else LEFT}>{escape(c.title)}</th>" for c in columns)
    caption = f"<caption{LEFT}><b>{escape(summary.heading())}</b></caption>"
    rows = [*_rows(summary, summary.lines)]
    if summary.training:
        rows += [f'<tr><th colspan="{len(columns) + 1}"{LEFT}>in training alone</th></tr>']
        rows += _rows(summary, summary.training)
    table = f"<table>{caption}<thead><tr><th{LEFT}>layer</th>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    totals = "".join(
        f"<tr><td{LEFT}>{label}</td><td{RIGHT}>{escape(number)}</td><td{LEFT}>{escape(about)}</td></tr>"
        for label, number, about in summary.totals_told()
    )
    return f"{table}<table><tbody>{totals}</tbody></table>"


def _rows(summary: Summary, lines: Sequence[Line]) -> Iterator[str]:
    columns = [COLUMNS[name] for name in summary.columns]
    for line, texts in zip(lines, summary.cells(lines, summary.columns), strict=True):
        style = f"text-align:left;padding-left:{0.5 + 1.5 * line.level}em"
        first = f'<td style="{style}" title="{escape(line.row.path)}">{escape(summary.label(line.row))}</td>'
        cells = zip(columns, texts, strict=True)
        others = (f"<td{RIGHT if column.number else LEFT}>{escape(text)}</td>" for column, text in cells)
        yield f"<tr>{first}{''.join(others)}</tr>"
