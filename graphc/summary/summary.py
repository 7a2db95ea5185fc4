"""The summary of a graph: rows, totals, and the forms that they are shown in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rich.filesize import decimal

from graphc.cost.field import Field, fields
from graphc.graph import Graph, Value
from graphc.pretty import rules_of
from graphc.summary import data, html, markdown, text
from graphc.summary.rows import Cost, Ledger, Line, Row, deepest, lines_of, rows_of
from graphc.summary.table import COLUMNS, NOT_COUNTED, Scale, chosen, counted, times
from graphc.summary.totals import Totals, totals_of

MOST_LINES = 40
"""So many rows can be read at a glance; without a depth, blocks are opened as deep as that allows."""
PARTIAL = "partial: without what is wrong, and what needs it"
DEEPEST = 1 << 20
"""A depth at which everything is open."""


@dataclass(frozen=True, slots=True, repr=False)
class Summary:
    """A table of a network: a row a layer or block, blocks opened to a depth, equal copies folded into one row (×3).

    `lines` are the main graph's rows, `training` those that exist in training alone. A row with ×3 has the numbers of
    all three copies, the rows inside it those of one. `sizes` are the example sizes, which MACs are for.

    One that is `partial` has only the steps that are in order of a spec that is not.

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
    partial: bool = False

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
        top = [line.row.cost for line in self.lines if not line.level]
        macs = sum(cost.macs for cost in top) if totals.macs is None else totals.macs
        flops = sum(cost.flops for cost in top) if totals.flops is None else totals.flops
        at = ", ".join(f"{name} = {size}" for name, size in self.sizes.items())
        yield (
            "MACs",
            counted(macs, totals.uncounted),
            _about(f"for {at}" if at else "", totals.uncounted, "1 MAC = 2 FLOPs"),
        )
        yield (
            "FLOPs",
            counted(flops, totals.unworked),
            _about("", totals.unworked, "2 for each MAC, and what ops do beside"),
        )
        yield from self._memory_told()

    def _memory_told(self) -> Iterator[tuple[str, str, str]]:
        """What values take: all of them, and the most at once."""
        memory = self.totals.memory
        yield "activations", decimal(memory.activations), "all values that are made"
        yield "at once", decimal(memory.peak_inference), "the most that live together"
        if memory.saved is None or memory.peak_training is None:
            yield "in training", NOT_COUNTED, f"no rule for {', '.join(memory.unknown)}"
        else:
            about = f"{decimal(memory.saved)} kept for the backward pass"
            yield "in training", decimal(memory.peak_training), about

    def heading(self) -> str:
        """The network's name and title, and that it is not all of it."""
        name = f"{self.name}: {self.title}" if self.title else self.name
        return f"{name} ({PARTIAL})" if self.partial else name

    def label(self, row: Row) -> str:
        """The name of a row, and of how many copies it tells."""
        return row.name + times(row)

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html.html(self)


def summary(
    graph: Graph, *, depth: int | None = None, columns: Sequence[str] | None = None, partial: bool = False
) -> Summary:
    """The summary of a graph.

    Blocks are opened to `depth` (1: none is), without it as deep as some 40 rows allow. `columns` are names of
    `graphc.summary.table.COLUMNS`. A `partial` one says of itself that the graph lacks some steps.

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
        scale=Scale(totals.params, totals.macs, rules_of(graph), graph.examples(), _Seen(graph)),
        partial=partial,
    )


def fits(graph: Graph) -> bool:
    """Whether all that a graph demands holds at its examples: else nothing can be counted there."""
    parts = [part for part in (graph, graph.training) if part]
    demands = [demand for part in parts for demand in part.demands if demand.strict]
    return all(demand.relation.holds(graph.examples()) for demand in demands)


def _input(value: Value) -> Row:
    return Row(value.path, value.path, "input", (), (), (value.type,), Cost(), values=(value,), given=True)


def _about(at: str, missing: Sequence[str], rule: str) -> str:
    """What is to be said about a count."""
    return "; ".join(filter(None, (at, f"no rule for {', '.join(missing)}" if missing else "", rule)))


@dataclass(slots=True)
class _Seen:
    """The receptive fields of a graph's values, which are calculated when one is asked for."""

    graph: Graph
    found: dict[Value, tuple[Field, ...]] | None = None

    def __call__(self, value: Value) -> Sequence[Field]:
        if self.found is None:
            self.found = fields(self.graph)
        return self.found.get(value, ())


def _readable(rows: Sequence[Row]) -> int:
    """The deepest depth at which there are not too many lines; at least 1."""
    depths = range(deepest(rows), 1, -1)
    return next((depth for depth in depths if sum(1 for _ in lines_of(rows, depth)) <= MOST_LINES), 1)
