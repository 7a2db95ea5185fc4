"""What is wrong with a file of weights, said at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graphc.checkpoint.fit import OWN, Fit
from graphc.diagnostics import Diagnostic, Note, Source, Span, SpecError
from graphc.graph import Graph

SHOWN = 12


@dataclass(frozen=True, slots=True)
class Place:
    """Where weights are given: `--weights`, and the file that is named there."""

    said: str
    file: str

    @property
    def span(self) -> Span:
        return Span(self.said, 1, 1, len(self.file) + 1, Source(self.said, self.file))


def unreadable(place: Place, why: str, hint: str = "") -> SpecError:
    """A file that can't be read."""
    return SpecError([Diagnostic("E701", f"can't read weights from {place.file}: {why}", place.span, hint=hint)])


def misfit(graph: Graph, fit: Fit, place: Place) -> SpecError:
    """Weights that don't fit: how many of each kind, and the first of them."""
    names = "the spec's own paths" if fit.table == OWN else f"the names of {fit.table}"
    counts = {"missing": len(fit.missing), "unexpected": len(fit.unexpected), "of another shape": len(fit.wrong)}
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    message = f"{place.file} doesn't fit {graph.name}: {said} (read with {names})"
    return SpecError([Diagnostic("E702", message, place.span, tuple(_notes(fit)), _hint(graph, fit))])


def _notes(fit: Fit) -> Iterator[Note]:
    yield from _listed("missing", fit.missing)
    yield from _listed("unexpected", fit.unexpected)
    yield from _listed("another shape", [f"{path}: {problem}" for path, problem in fit.wrong.items()])


def _listed(what: str, items: Sequence[str]) -> Iterator[Note]:
    """The first of many."""
    for item in items[:SHOWN]:
        yield Note(f"{what}: {item}")
    if len(items) > SHOWN:
        yield Note(f"{what}: and {len(items) - SHOWN} more")


def _hint(graph: Graph, fit: Fit) -> str:
    if fit.found:
        return "is it the file of another variant?" if fit.missing or fit.wrong else ""
    tables = [name for name in graph.checkpoints if name != OWN]
    known = f" and of the tables {', '.join(tables)}" if tables else ""
    return f"no name in it is one of the spec's own{known}; a table under `weights` says what they are called there"
