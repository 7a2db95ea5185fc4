"""A summary for programs: JSON's objects, and CSV."""

from __future__ import annotations

import csv as tables
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from io import StringIO
from typing import TYPE_CHECKING

from graphc.dims import substitute
from graphc.summary.rows import Line
from graphc.summary.table import Scale
from graphc.tensor import Tensor

if TYPE_CHECKING:
    from graphc.summary.summary import Summary


def data(summary: Summary) -> dict[str, object]:
    """Everything that is known, as JSON can have it.

    `times` says of how many equal copies a row stands for one, `copies` how many its own numbers are of; so the sum of
    times · params over the rows that have none inside is the total. `macs` and `flops` are null where an op has no
    rule. `field` and `stride` have, for each input that the (last) output sees and each of its axes, the receptive
    field's: a number, "global" or "unknown", and "-" where there is no stride. FLOPs and memory of what an expression
    makes are in the block's row around it alone.
    """
    totals = asdict(summary.totals) | {"trainable": summary.totals.trainable}
    return {
        "name": summary.name,
        "title": summary.title,
        "partial": summary.partial,
        "sizes": dict(summary.sizes),
        "rows": [_record(line, summary.scale) for line in summary.lines],
        "training": [_record(line, summary.scale) for line in summary.training],
        "totals": totals,
    }


def csv(summary: Summary) -> str:
    """A line a row, the main graph's before those of training alone; several shapes in a cell are apart by spaces."""
    text = StringIO()
    records = [*_flat(summary, summary.lines, "main"), *_flat(summary, summary.training, "training")]
    writer = tables.DictWriter(text, fieldnames=list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def _flat(summary: Summary, lines: Iterable[Line], part: str) -> Iterator[dict[str, object]]:
    for line in lines:
        record = _record(line, summary.scale)
        yield {"part": part} | {key: _cell(value) for key, value in record.items()}


def _plain(text: str) -> object:
    return int(text) if text.isdigit() else text


def _cell(value: object) -> object:
    if isinstance(value, dict):
        return " ".join(f"{name}:{'×'.join(map(str, sizes))}" for name, sizes in value.items())
    if isinstance(value, list):
        return " ".join(f"[{', '.join(map(str, shape))}]" if isinstance(shape, list) else shape for shape in value)
    return value


def _record(line: Line, scale: Scale) -> dict[str, object]:
    row, cost, sizes = line.row, line.row.cost, scale.examples
    fields = scale.fields(row.values[-1]) if row.values else ()
    return {
        "path": row.path,
        "level": line.level,
        "times": line.times,
        "copies": row.copies,
        "op": row.op,
        "attributes": ", ".join(row.words),
        "inputs": [_symbolic(tensor) for tensor in row.inputs],
        "outputs": [_symbolic(tensor) for tensor in row.outputs],
        "example_outputs": [_numbers(tensor, sizes) for tensor in row.outputs],
        "params": cost.params,
        "frozen": cost.frozen,
        "shared": cost.shared,
        "buffers": cost.buffers,
        "macs": None if cost.uncounted else cost.macs,
        "flops": None if cost.unworked else cost.flops,
        "memory": cost.memory,
        "field": {field.input: [_plain(size) for size in field.sizes] for field in fields},
        "stride": {field.input: [_plain(stride) for stride in field.strides] for field in fields},
    }


def _symbolic(tensor: Tensor) -> Sequence[object]:
    return [size if isinstance(size, int) else str(size) for size in tensor.shape]


def _numbers(tensor: Tensor, sizes: Mapping[str, int]) -> Sequence[object]:
    return [int(str(substitute(size, sizes))) for size in tensor.shape]
