"""The rows as a table of texts: which columns it has, and what a cell says."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from rich.filesize import decimal

from graphc.cost.field import Field
from graphc.demands import Rule
from graphc.diagnostics import did_you_mean, listed
from graphc.dims import substitute
from graphc.graph import Value
from graphc.pretty import pretty_shape
from graphc.summary.rows import Row
from graphc.tensor import Tensor
from graphc.words import unnumbered

NOTHING = "-"
NOT_COUNTED = "not counted"
FREE = "free"


@dataclass(frozen=True, slots=True)
class Scale:
    """What a table is measured by: the wholes that shares are of, the rules of the free sizes, and their examples.

    Where a whole is 0 or unknown nothing has a share. `fields` says what values see of the inputs.
    """

    params: int
    macs: int | None
    rules: Mapping[str, Rule]
    examples: Mapping[str, int]
    fields: Callable[[Value], Sequence[Field]] = lambda _: ()

    def symbolic(self, tensors: Sequence[Tensor]) -> str:
        """Shapes in terms of the free sizes, under their rules."""
        return _shapes([pretty_shape(tensor, self.rules) for tensor in tensors])

    def at_examples(self, tensors: Sequence[Tensor]) -> str:
        """Shapes as numbers."""
        sizes = ((str(substitute(size, self.examples)) for size in tensor.shape) for tensor in tensors)
        return _shapes([f"[{', '.join(shape)}]" for shape in sizes])


def _shapes(shapes: Sequence[str]) -> str:
    """The first shape, and how many there are beside it."""
    if not shapes:
        return NOTHING
    return f"{shapes[0]} and {len(shapes) - 1} more" if len(shapes) > 1 else shapes[0]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table; numbers stand at the right."""

    title: str
    cell: Callable[[Row, Scale], str]
    number: bool = True


def times(row: Row) -> str:
    """How many copies a row stands for, as it is said behind its name."""
    return f" ×{row.copies}" if row.copies > 1 else ""


def _op(row: Row, _: Scale) -> str:
    """The op or block, where the layer's name does not say it, and its attributes."""
    said = unnumbered(row.name.partition(".")[0]) == row.op
    return f"{'' if said else row.op} {', '.join(row.words)}".strip()


def _params(row: Row, _: Scale) -> str:
    return "shared" if row.cost.shared and not row.cost.params else _number(row.cost.params)


def _macs(row: Row, _: Scale) -> str:
    return NOTHING if _idle(row) else counted(row.cost.macs, row.cost.uncounted)


def _flops(row: Row, _: Scale) -> str:
    return NOTHING if _idle(row) else counted(row.cost.flops, row.cost.unworked)


def _idle(row: Row) -> bool:
    """Whether nothing is done: it is an input, or a block of a partial table in which nothing is in order."""
    return row.given or not (row.outputs or row.cost.macs or row.cost.uncounted)


def counted(count: int, missing: Collection[str]) -> str:
    """MACs or FLOPs; where some ops are not counted, what the others come to. What takes none says so."""
    if not missing:
        return f"{count:,}" if count else FREE
    return f"at least {count:,}" if count else NOT_COUNTED


def _memory(row: Row, _: Scale) -> str:
    return decimal(row.cost.memory) if row.cost.memory else NOTHING


def _field(row: Row, scale: Scale) -> str:
    return _seen(row, scale, lambda field: field.sizes)


def _stride(row: Row, scale: Scale) -> str:
    return _seen(row, scale, lambda field: field.strides)


def _seen(row: Row, scale: Scale, what: Callable[[Field], tuple[str, ...]]) -> str:
    """What is said of the field of a row's output in the first input that it sees; of copies from first to last."""
    fields = [scale.fields(value)[:1] for value in row.values]
    texts = dict.fromkeys(_one(what(field)) for found in fields for field in found)
    return "–".join(texts) or NOTHING


def _one(sizes: tuple[str, ...]) -> str:
    """What is the same along all axes once."""
    return "×".join(dict.fromkeys(sizes) if len(set(sizes)) == 1 else sizes)


def _number(count: int) -> str:
    return f"{count:,}" if count else NOTHING


def _share(part: int, whole: int | None) -> str:
    if not (part and whole):
        return NOTHING
    return f"{part / whole:.1%}" if part * 1000 >= whole else "<0.1%"


COLUMNS = {
    "op": Column("op", _op, number=False),
    "input": Column("input", lambda row, scale: scale.symbolic(row.inputs), number=False),
    "output": Column("output", lambda row, scale: scale.symbolic(row.outputs), number=False),
    "example": Column("example output", lambda row, scale: scale.at_examples(row.outputs), number=False),
    "field": Column("field", _field),
    "stride": Column("stride", _stride),
    "params": Column("parameters", _params),
    "share": Column("share", lambda row, scale: _share(row.cost.params, scale.params)),
    "frozen": Column("frozen", lambda row, _: _number(row.cost.frozen)),
    "buffers": Column("buffers", lambda row, _: _number(row.cost.buffers)),
    "macs": Column("MACs", _macs),
    "macs_share": Column("of MACs", lambda row, scale: _share(row.cost.macs, scale.macs)),
    "flops": Column("FLOPs", _flops),
    "memory": Column("memory", _memory),
}
"""The columns behind the first, by the name that chooses each."""
USUAL = ("op", "output", "field", "params", "share", "macs")


def chosen(names: Sequence[str] | None) -> tuple[str, ...]:
    """The names of columns, or the usual ones where none are given.

    Raises:
        ValueError: there is no such column; one line for the user.
    """
    for name in names or ():
        if name not in COLUMNS:
            raise ValueError(f"no column `{name}`; " + did_you_mean(name, COLUMNS, f"there are {listed([*COLUMNS])}"))
    return tuple(dict.fromkeys(names)) if names else USUAL
