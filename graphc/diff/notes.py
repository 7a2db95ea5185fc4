"""What is no edit, and yet worth a word under a report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from graphc.diagnostics import listed
from graphc.diff.forecast import begun_otherwise
from graphc.diff.found import is_flat
from graphc.diff.inference import fixed, is_model

if TYPE_CHECKING:
    from graphc.diff.difference import Diff


def notes(diff: Diff) -> Iterator[str]:
    """The notes, a line each."""
    if diff.done and diff.edits:
        yield f"Compared with {listed(diff.done)}."
    if diff.is_rewrite:
        yield diff.extent.note
    if diff.renamed:
        yield f"{len(diff.renamed)} of {len(diff.nodes)} ops have another path."
    yield from _flat(diff)
    if is_model(diff.before) or is_model(diff.after):
        yield from _fixed(diff)
        return
    if (diff.before.training is None) != (diff.after.training is None):
        yield "Only one of them has a training part; it is not compared."
    yield from _initial(diff)


def _flat(diff: Diff) -> Iterator[str]:
    flat = is_flat(diff.matching.left), is_flat(diff.matching.right)
    if flat[0] != flat[1]:
        name = diff.before_name if flat[0] else diff.after_name
        yield f"{name} has no blocks of its own: only the ops are compared."


def _fixed(diff: Diff) -> Iterator[str]:
    """The sizes that a model's file fixes."""
    sides = (diff.before, diff.after, diff.before_name), (diff.after, diff.before, diff.after_name)
    for narrow, wide, name in sides:
        if is_model(narrow):
            yield from (f"{name} takes one size alone: {text}." for text in fixed(narrow, wide))


def _initial(diff: Diff) -> Iterator[str]:
    found = begun_otherwise(diff.weights, diff.before, diff.after)
    if found:
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        yield f"`init` gives other initial values: {found[0]}{more}."
