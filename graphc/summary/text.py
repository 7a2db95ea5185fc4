"""A summary as plain text: as wide as it is, or cut to the width of a screen."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from graphc.diagnostics import visible
from graphc.summary.rows import Line
from graphc.summary.table import COLUMNS, USUAL

if TYPE_CHECKING:
    from graphc.summary.summary import Summary

GAP = "  "
NARROW = {"op": 12, "output": 14, "input": 14, "example": 14, "layer": 12}
"""The columns that may be cut, in this order, and how far."""
NARROWER = (
    USUAL,
    ("op", "output", "params", "share", "macs"),
    ("op", "output", "params", "macs"),
    ("op", "example", "params", "macs"),
)
"""The usual columns, and what stands for them where there is less room."""
NARROWEST = (NARROWER[-1], ("op", "params", "macs"), ("params", "macs"), ("params",))
"""What stands for them where all texts must be cut."""


def text(summary: Summary, width: int | None) -> str:
    """Name and title, the table, the totals."""
    lines = [summary.heading(), "", *_table(summary, width), "", *_totals(summary)]
    return "\n".join(map(visible, lines))


def _table(summary: Summary, width: int | None) -> list[str]:
    """The main graph's rows below a header, then those of training alone."""
    columns = _columns(summary, width)
    header, *rows = _rows(summary, columns)
    names = ["layer", *columns]
    widths = natural([header, *rows])
    if width is not None:
        widths = fitted(names, widths, width)
    numbers = [name in COLUMNS and COLUMNS[name].number for name in names]
    first, *others = grid([header, *rows], numbers, widths)
    rule, main = "─" * total(widths), len(summary.lines)
    extra = [rule, "in training alone", *others[main:]] if summary.training else []
    return [first, rule, *others[:main], *extra]


def _columns(summary: Summary, width: int | None) -> Sequence[str]:
    """The columns asked for; where nobody asked, those for which there is room."""
    if width is None or summary.columns != USUAL:
        return summary.columns
    roomy = (columns for columns in NARROWER if _least(summary, columns, {"op": NARROW["op"]}) <= width)
    tight = (columns for columns in NARROWEST if _least(summary, columns, NARROW) <= width)
    return next(roomy, None) or next(tight, NARROWEST[-1])


def _least(summary: Summary, columns: Sequence[str], narrow: Mapping[str, int]) -> int:
    """The width of a table whose texts are cut so far."""
    widths = natural(list(_rows(summary, columns)))
    return total(fitted(["layer", *columns], widths, 0, narrow))


def _rows(summary: Summary, columns: Sequence[str]) -> Iterator[list[str]]:
    """The cells of the header and of all rows."""
    yield ["layer", *(COLUMNS[name].title for name in columns)]
    yield from _cells(summary, summary.lines, columns)
    yield from _cells(summary, summary.training, columns)


def _cells(summary: Summary, lines: Sequence[Line], columns: Sequence[str]) -> Iterator[list[str]]:
    for line, cells in zip(lines, summary.cells(lines, columns), strict=True):
        yield ["  " * line.level + summary.label(line.row), *cells]


def _totals(summary: Summary) -> list[str]:
    rows = list(summary.totals_told())
    return list(grid(rows, [False, True, False], natural(rows)))


def grid(rows: Sequence[Sequence[str]], numbers: Sequence[bool], widths: Sequence[int]) -> Iterator[str]:
    """Rows of cells, each column as wide as it is said; numbers stand at the right."""
    for row in rows:
        cells = zip(row, numbers, widths, strict=True)
        yield GAP.join(_cell(text, number, width) for text, number, width in cells).rstrip()


def natural(rows: Sequence[Sequence[str]]) -> list[int]:
    """The width that each column needs."""
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def fitted(
    names: Sequence[str], widths: Sequence[int], room: int, narrow: Mapping[str, int] = MappingProxyType(NARROW)
) -> list[int]:
    """Widths that together fit into a room, if columns of text can be cut so far; numbers are never cut."""
    found = dict(zip(names, widths, strict=True))
    for name, few in narrow.items():
        excess = total(found.values()) - room
        if name in found and excess > 0:
            found[name] = max(min(found[name], few), found[name] - excess)
    return list(found.values())


def total(widths: Collection[int]) -> int:
    """The width of a line."""
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _cell(text: str, number: bool, width: int) -> str:
    cut = text if len(text) <= width else f"{text[: width - 1]}…"
    return f"{cut:>{width}}" if number else f"{cut:<{width}}"
