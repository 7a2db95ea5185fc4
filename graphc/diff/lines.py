"""The report line by line, each with the role of its text; text, terminal and Markdown show the same lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.filesize import decimal

from graphc.diff.edits import Edit
from graphc.diff.words import count

if TYPE_CHECKING:
    from graphc.diff.difference import Diff
    from graphc.diff.figures import Figures, Row

MOST_DETAILS = 8
MOST_OF_MANY = 5
MOST_DETAILS_OF_MANY = 3
MOST_ROWS = 24
MOST_CAUSE = 60


def edits(diff: Diff) -> Iterator[tuple[int, str, str]]:
    """The edits and their details: how deep, the sign, and the text. Of largely another network the weightiest."""
    most = MOST_OF_MANY if diff.is_rewrite else len(diff.edits)
    for edit in diff.edits[:most]:
        yield 0, edit.sign, told(edit)
        details = edit.details[: MOST_DETAILS_OF_MANY if diff.is_rewrite else MOST_DETAILS]
        yield from ((1, detail.sign, detail.text) for detail in details)
        if len(edit.details) > len(details):
            yield 1, " ", f"and {len(edit.details) - len(details)} more"
    if len(diff.edits) > most:
        yield 0, " ", f"and {len(diff.edits) - most} smaller changes"


def told(edit: Edit) -> str:
    """An edit with its cause and with what follows from it."""
    cause = f" ({_clipped(edit.cause)})" if edit.cause and edit.cause not in edit.text.replace("`", "") else ""
    parts = []
    if edit.ops:
        parts.append(f"{edit.ops} {'op' if edit.ops == 1 else 'ops'}")
    if edit.weights:
        parts.append(f"{edit.weights} {'weight' if edit.weights == 1 else 'weights'}")
    is_one = edit.ops + edit.weights == 1
    follow = "of another shape follows" if is_one else "of other shapes follow"
    follows = f"; {' and '.join(parts)} {follow}" if parts else ""
    return f"{edit.text}{cause}{follows}"


def totals(diff: Diff) -> list[tuple[str, str, str, str]]:
    """What is counted, before, after, and the change."""
    old, new = diff.totals
    found = [
        _row("parameters", old.figures.params, new.figures.params),
        _row("MACs", old.figures.macs, new.figures.macs),
        _row("activations", old.figures.activations, new.figures.activations, is_bytes=True),
        _row("peak, inference", old.peak, new.peak, is_bytes=True),
        _row("kept for backward", old.saved, new.saved, is_bytes=True),
    ]
    fields = old.figures.field, new.figures.field
    if any(fields):
        found.append(("receptive field", fields[0] or "–", fields[1] or "–", "" if fields[0] == fields[1] else "other"))
    return found


def blocks(diff: Diff, *, brief: bool = False) -> list[tuple[str, str, str, str, str]]:
    """The blocks that cost something else: path, parameters, MACs, activations, receptive field; before → after.

    Where they are `brief`, parameters are rounded, a unit is said once, and a square field is one number.
    """
    rows = [_block(run) for run in _runs(diff.rows)]
    if brief:
        rows = [(name, *map(_brief, cells)) for name, *cells in rows]  # type: ignore[misc]  # as many as there were
    more = len(rows) - MOST_ROWS
    return rows if more <= 0 else [*rows[:MOST_ROWS], (f"  and {more} more", "", "", "", "")]


def _block(run: Sequence[Row]) -> tuple[str, str, str, str, str]:
    """A line for equal copies: the figures of one, and the receptive field of the last."""
    params, macs, size = (_both(cell, run[0].old, run[0].new) for cell in (_params, _macs, _bytes))
    return f"{_sign(run[0])} {_name(run)}", params, macs, size, _both(_field, run[-1].old, run[-1].new)


def _brief(cell: str) -> str:
    """Figures before and after in few letters: `216 → 241 k`, `35² → global`."""
    parts = [_rounded(part) for part in cell.split(" → ")]
    units = {part.partition(" ")[2] for part in parts}
    if len(parts) == 2 and len(units) == 1 and "" not in units:
        parts[0] = parts[0].partition(" ")[0]
    return " → ".join(parts)


def _rounded(part: str) -> str:
    """One figure in few letters."""
    first, _, second = part.partition("×")
    plain = part.replace(",", "")
    if first == second:
        return first if first == "global" else f"{first}²"
    return count(int(plain)) if plain.isdecimal() else part


def _runs(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows, with equal copies of a group together."""
    runs: list[list[Row]] = []
    for row in rows:
        if runs and _alike(runs[-1][-1], row):
            runs[-1].append(row)
        else:
            runs.append([row])
    return runs


def _alike(last: Row, row: Row) -> bool:
    groups = {tuple(path.rpartition(".")[0] for path in (it.before, it.after)) for it in (last, row)}
    figures = [[it and replace(it, field="") for it in (one.old, one.new)] for one in (last, row)]
    is_copy = (row.after or row.before).rpartition(".")[2].isdecimal()
    return is_copy and len(groups) == 1 and figures[0] == figures[1]


def _sign(row: Row) -> str:
    return "+" if row.old is None else "-" if row.new is None else "~"


def _name(run: Sequence[Row]) -> str:
    """The path of the rows, and how many they are."""
    before, after = (_spanned([getattr(row, side) for row in run]) for side in ("before", "after"))
    name = f"{before} → {after}" if before and after and before != after else after or before
    return f"{name} ×{len(run)}" if len(run) > 1 else name


def _spanned(paths: Sequence[str]) -> str:
    first, last = paths[0], paths[-1].rpartition(".")[2]
    return first if len(paths) == 1 or not first else f"{first}–{last}"


def checkpoint(diff: Diff) -> Iterator[str]:
    """What becomes of the weights."""
    weights = diff.weights
    renamed = len(weights.renamed)
    under = f" ({renamed} under other names)" if renamed else ""
    counts = f"{len(weights.reshaped)} change their shape, {len(weights.new)} are new, {len(weights.lost)} are lost"
    yield f"{len(weights.carried)} weights carry over{under}, {counts}"


def _both(cell: Callable[[Figures], str], old: Figures | None, new: Figures | None) -> str:
    before, after = (cell(it) if it else "–" for it in (old, new))
    return before if before == after else f"{before} → {after}"


def _params(figures: Figures) -> str:
    return f"{figures.params:,}"


def _macs(figures: Figures) -> str:
    return "?" if figures.macs is None else count(figures.macs)


def _bytes(figures: Figures) -> str:
    return decimal(figures.activations)


def _field(figures: Figures) -> str:
    return figures.field or "–"


def _row(name: str, old: int | None, new: int | None, *, is_bytes: bool = False) -> tuple[str, str, str, str]:
    before, after = ("?" if it is None else decimal(it) if is_bytes else f"{it:,}" for it in (old, new))
    if old is None or new is None or old == new:
        return name, before, after, ""
    sign = "+" if new > old else "-"
    amount = decimal(abs(new - old)) if is_bytes else f"{abs(new - old):,}"
    share = f" ({sign}{abs(new - old) / old:.1%})" if old else ""
    return name, before, after, f"{sign}{amount}{share}"


def _clipped(text: str) -> str:
    return text if len(text) <= MOST_CAUSE else f"{text[: MOST_CAUSE - 1]}…"
