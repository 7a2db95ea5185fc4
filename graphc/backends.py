"""Backends: found by name through the `graphc.backends` entry points, never imported by name here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from graphc.diagnostics import did_you_mean, listed

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from graphc.diagnostics import Diagnostic
    from graphc.graph import Graph

GROUP = "graphc.backends"
Lowers: TypeAlias = "Callable[[Graph], str]"
"""What a backend says of the last op of a graph: see `Backend`."""
GraphReader: TypeAlias = "Callable[[Path, str], tuple[Graph, list[Diagnostic]]]"
"""How a backend reads a graph: see `Backend`."""


class Backend(Protocol):
    """A module that turns a graph into files. To import it is cheap: what is heavy is imported in `write`.

    One that can read files of weights has `READS` beside `SUFFIXES`, and `read(path)`, which gives the tensors of a
    file by name, perhaps in mappings in each other; a ValueError says why it can't be read.

    One that can read graphs has `GRAPHS`, the suffixes of such files and what each is, and `graph(path, name)`, which
    gives the graph of a file that is reported under `name`, and what is worth a look; a ValueError says why it can't be
    read. What graphc has no op for becomes a `graphc.opaque.Foreign`.

    One that writes op by op can have `lowers(graph)`, which says in a few words what the last op of a graph becomes
    ("`nn.Conv2d`", "opset 18"), for docs/ops.md and `graphc ops`. Where it can't write the op, it raises a SpecError
    that says why.
    """

    SUFFIXES: Mapping[str, str]
    """The file suffixes that it writes (".onnx") and what each is."""

    def write(self, graph: Graph, path: Path, **options: Any) -> None:
        """Writes the graph to `path`, in the format of its suffix; further files that belong to it lie beside it.

        Options are named parameters, or what the backend has listed in `OPTIONS`. A backend that draws has `depth`, how
        deep blocks are opened; one that writes weights has `weights`, arrays by their paths.

        Raises:
            graphc.diagnostics.SpecError: the graph has what this backend can't express; located.
            BackendError: it can't be done in the way that was asked for.
        """


class BackendError(Exception):
    """What was asked for can't be done in this way: one line for the user that says why, and what would do."""


@dataclass(frozen=True, slots=True)
class Backends:
    """The backends that are installed, by the suffix that each writes; and why those that don't load don't."""

    by_suffix: Mapping[str, Backend]
    broken: list[str] = field(default_factory=list)

    def taking(self, option: str) -> Backends:
        """Those whose `write` has an option of that name."""
        taking = {suffix: b for suffix, b in self.by_suffix.items() if option in options_of(b)}
        return Backends(taking, self.broken)

    def writing(self, suffixes: Iterable[str]) -> dict[str, Backend]:
        """The backend of each suffix.

        Raises:
            BackendError: nothing writes one of them.
        """
        wanted = list(dict.fromkeys(suffixes))
        for suffix in wanted:
            if suffix not in self.by_suffix:
                raise BackendError("; ".join([self._unknown(suffix), *self.broken]))
        return {suffix: self.by_suffix[suffix] for suffix in wanted}

    def _unknown(self, suffix: str) -> str:
        known = listed(sorted(self.by_suffix))
        if not suffix:
            return f"a file's suffix says what to write: {known}"
        guess = did_you_mean(suffix, self.by_suffix)
        return f"`{suffix}` is none of the suffixes {known}" + f"; {guess}" * bool(guess)


def options_of(backend: Backend) -> frozenset[str]:
    """The names of the options that a backend's `write` has."""
    listed_apart: Iterable[str] = getattr(backend, "OPTIONS", ())
    return frozenset((*signature(backend.write).parameters, *listed_apart))


def graph_readers() -> dict[str, GraphReader]:
    """How files with graphs are read, by their suffixes: the `graph` of each backend that has `GRAPHS`."""
    found: dict[str, GraphReader] = {}
    for entry in entries(GROUP):
        with suppress(ImportError, AttributeError):
            backend = entry.load()
            found |= dict.fromkeys(backend.GRAPHS, backend.graph)
    return found


def lowering() -> dict[str, Lowers]:
    """The `lowers` of each backend that has one, by the name of its entry point; one that doesn't load has none."""
    found: dict[str, Lowers] = {}
    for entry in entries(GROUP):
        with suppress(ImportError, AttributeError):
            found[entry.name] = entry.load().lowers
    return found


def backends() -> Backends:
    """All that are installed.

    Raises:
        BackendError: two of them write the same suffix.
    """
    by_suffix: dict[str, Backend] = {}
    broken: list[str] = []
    for entry in entries(GROUP):
        try:
            backend: Backend = entry.load()
            suffixes = backend.SUFFIXES
        except (ImportError, AttributeError) as error:
            broken.append(f"the backend `{entry.name}` can't be loaded: {error}")
            continue
        if twice := suffixes.keys() & by_suffix:
            raise BackendError(f"two backends write {listed(sorted(twice))}, one is `{entry.name}`; uninstall one")
        by_suffix |= dict.fromkeys(suffixes, backend)
    return Backends(by_suffix, broken)


def entries(group: str) -> Iterator[EntryPoint]:
    """A group's entry points by name; one that is found twice (a checkout that is also installed) counts once."""
    from importlib.metadata import entry_points

    found = {(entry.name, entry.value): entry for entry in entry_points(group=group)}
    return (found[key] for key in sorted(found))
