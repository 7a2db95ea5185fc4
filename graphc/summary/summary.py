"""The summary of a graph: rows, totals, and the forms that they are shown in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rich.filesize import decimal

from graphc.graph import Graph, Value
from graphc.pretty import rules_of
from graphc.summary import data, html, markdown, text
from graphc.summary.rows import Cost, Ledger, Line, Row, deepest, lines_of, rows_of
from graphc.summary.table import COLUMNS, Scale, chosen, macs_text, times
from graphc.summary.totals import Totals, totals_of

MOST_LINES = 40
"""So many rows can be read at a glance; without a depth, blocks are opened as deep as that allows."""
DEEPEST = 1 << 20
"""A depth at which everything is open."""


@dataclass(frozen=True, slots=True, repr=False)
class Summary:
    """A table of a network: a row a layer or block, blocks opened to a depth, equal copies folded into one row (×3).

    `lines` are the main graph's rows, `training` those that exist in training alone. A row with ×3 has the numbers of
    all three copies, the rows inside it those of one. `sizes` are the example sizes, which MACs are for.

    In a notebook it shows as a table; `str()` and `text()` give it as plain text.
    """

    name: str
    title: str
    sizes: Mapping[str, int]
    lines: tuple[Line, ...]
    training: tuple[Line, ...]
    totals: Totals
    columns: tuple[str, ...]
    scale: Scale

    def text(self, width: int | None = None) -> str:
        """The table as plain text, of lines no longer than `width` where that is given and possible."""
        return text.text(self, width)

    def markdown(self) -> str:
        """The table in Markdown, as GitHub shows it; layers have their whole paths."""
        return markdown.markdown(self)

    def csv(self) -> str:
        """All that is known of each row, a line each, with a header; numbers are plain."""
        return data.csv(self)

    def data(self) -> dict[str, object]:
        """All that is known, as JSON can have it: `rows`, `training`, `totals`."""
        return data.data(self)

    def cells(self, lines: Sequence[Line], columns: Sequence[str]) -> Iterator[list[str]]:
        """What rows say in some columns; those of training alone have no share in the main graph."""
        scale = replace(self.scale, params=0, macs=0) if lines is self.training else self.scale
        for line in lines:
            yield [COLUMNS[name].cell(line.row, scale) for name in columns]

    def totals_told(self) -> Iterator[tuple[str, str, str]]:
        """The totals: what is counted, the number, and what is to be said about it."""
        totals = self.totals
        extra = totals.training_params - totals.params
        yield "parameters", f"{totals.params:,}", ""
        if extra:
            yield "in training alone", f"{extra:,}", "not among the parameters above"
        yield "trainable", f"{totals.trainable:,}", ""
        yield "frozen", f"{totals.frozen:,}", ""
        yield "buffers", f"{totals.buffers:,}", "saved, not trained" if totals.buffers else ""
        yield "weights", decimal(totals.bytes), "parameters and buffers"
        yield "MACs", self._macs(), self._about_macs()

    def _macs(self) -> str:
        if self.totals.macs is not None:
            return f"{self.totals.macs:,}"
        top = (line.row.cost.macs for line in self.lines if not line.level)
        return macs_text(Cost(macs=sum(top), uncounted=frozenset(self.totals.uncounted)))

    def _about_macs(self) -> str:
        at = ", ".join(f"{name} = {size}" for name, size in self.sizes.items())
        missing = f"no rule for {', '.join(self.totals.uncounted)}" if self.totals.uncounted else ""
        return "; ".join(filter(None, (f"for {at}" if at else "", missing, "1 MAC = 2 FLOPs")))

    def heading(self) -> str:
        """The network's name and title."""
        return f"{self.name}: {self.title}" if self.title else self.name

    def label(self, row: Row) -> str:
        """The name of a row, and of how many copies it tells."""
        return row.name + times(row)

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html.html(self)


def summary(graph: Graph, *, depth: int | None = None, columns: Sequence[str] | None = None) -> Summary:
    """The summary of a graph.

    Blocks are opened to `depth` (1: none is), without it as deep as some 40 rows allow. `columns` are names of
    `graphc.summary.table.COLUMNS`.

    Raises:
        ValueError: there is no such column, or the depth is less than 1.
    """
    if depth is not None and depth < 1:
        raise ValueError(f"a depth is at least 1, not {depth}")
    ledger = Ledger.of(graph)
    rows = (*map(_input, graph.inputs.values()), *rows_of(graph.root, ledger))
    extra = rows_of(graph.training.root, ledger) if graph.training else ()
    opened = depth or _readable((*rows, *extra))
    totals = totals_of(graph)
    return Summary(
        name=graph.name,
        title=graph.title,
        sizes=graph.examples(),
        lines=tuple(lines_of(rows, opened)),
        training=tuple(lines_of(extra, opened)),
        totals=totals,
        columns=chosen(columns),
        scale=Scale(totals.params, totals.macs, rules_of(graph), graph.examples()),
    )


def _input(value: Value) -> Row:
    return Row(value.path, value.path, "input", (), (), (value.type,), Cost())


def _readable(rows: Sequence[Row]) -> int:
    """The deepest depth at which there are not too many lines; at least 1."""
    depths = range(deepest(rows), 1, -1)
    return next((depth for depth in depths if sum(1 for _ in lines_of(rows, depth)) <= MOST_LINES), 1)
