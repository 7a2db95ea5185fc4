"""The report as Markdown, for a comment under a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from graphc.diff import lines

if TYPE_CHECKING:
    from graphc.diff.difference import Diff


def markdown(diff: Diff) -> str:
    """The report; the edits as a `diff` block, which GitHub colours, and the figures as tables."""
    return "\n".join(_lines(diff)) + "\n"


def _lines(diff: Diff) -> Iterator[str]:
    yield f"### `{diff.before_name}` → `{diff.after_name}`"
    yield ""
    yield diff.sentence
    if diff.edits:
        yield from ("", "```diff")
        for level, sign, told in lines.edits(diff):
            mark = {"~": "!", ">": "!"}.get(sign, sign)
            yield f"{mark} {'  ' * level}{told.replace('`', '')}"
        yield "```"
    for note in diff.notes:
        yield from ("", note)
    if not diff.same:
        yield ""
        yield from _table(["", f"`{diff.before_name}`", f"`{diff.after_name}`", "change"], lines.totals(diff))
        blocks = lines.blocks(diff)
        if blocks:
            yield from ("", "<details><summary>By block</summary>", "")
            yield from _table(["block", "parameters", "MACs", "activations", "receptive field"], blocks)
            yield from ("", "</details>")
    yield ""
    yield from (f"Weights: {line}." for line in lines.checkpoint(diff))


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for row in (header, ["---", *["---:"] * (len(header) - 1)], *rows):
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
