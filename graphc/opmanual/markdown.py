"""An op's entry in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import cycle

from graphc.diagnostics import visible
from graphc.opmanual.entry import Entry
from graphc.ops import Slot

_MARKS = re.compile(r"([\\*<])")


def markdown(entry: Entry, level: int = 1) -> str:
    """A chapter."""
    return "\n".join(map(visible, (f"{'#' * level} {entry.name}", *_chapter(entry), "")))


def row(cells: Iterable[str]) -> str:
    """A row of a table."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def prose(text: str) -> str:
    """Text that is read as Markdown, of which only code is meant so: a `*` is a star."""
    return "`".join(
        piece if inside else _MARKS.sub(r"\\\1", piece)
        for piece, inside in zip(text.split("`"), cycle((False, True)), strict=False)
    )


def _chapter(entry: Entry) -> Iterator[str]:
    yield from ("", prose(entry.summary))
    if entry.details:
        yield from ("", *prose(entry.details).splitlines())
    yield from ("", "```yaml", *entry.step.splitlines(), "```", "")
    yield from _facts(entry)
    if entry.attributes:
        yield from ("", row(["attribute", "takes", "default", "meaning"]), row(["---"] * 4))
        yield from (row([f"`{a.name}`", a.takes, default(a.default), prose(a.meaning)]) for a in entry.attributes)
    if entry.weights:
        yield from ("", row(["weight", "shape here", "begins as"]), row(["---"] * 3))
        yield from (row([_weight(w.name, w.buffer), w.shape, w.initial]) for w in entry.weights)


def _facts(entry: Entry) -> Iterator[str]:
    yield f"- Operands: {operands(entry.operands)}"
    if entry.problem:
        yield f"- The example does not work: {entry.problem}"
    else:
        yield from (f"- Here: {entry.shapes}", f"- Cost: {entry.cost}")
    if entry.main:
        yield f"- Alone: `- {entry.name}: …` gives `{entry.main}`"
    if entry.sources:
        yield f"- Source: {'; '.join(entry.sources)}"
    yield from (f"- In {name}: {told}" for name, told in entry.backends.items())


def operands(slots: tuple[Slot, ...]) -> str:
    """The operands with what is special about them."""
    return ", ".join(f"`{slot.name}`{_kind(slot)}" for slot in slots) or "none"


def default(value: str) -> str:
    """A default, or that there is none."""
    return f"`{value}`" if value else "must be given"


def _kind(slot: Slot) -> str:
    if slot.variadic:
        return " (any number)"
    return " (optional)" if slot.optional else ""


def _weight(name: str, buffer: bool) -> str:
    return f"`{name}`" + ", a buffer" * buffer
