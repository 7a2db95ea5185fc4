"""A graph, wherever it comes from: a spec, a saved graph, or a model that a backend can read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from graphc import git, saved
from graphc.backends import GraphReader, graph_readers
from graphc.check import check
from graphc.compiler import compile_with_warnings
from graphc.diagnostics import Diagnostic, Source, Span, SpecError
from graphc.graph import Graph
from graphc.settings import NO_SETTINGS, Settings

MOST_BYTES = 1 << 31
"""Of a model at a git revision."""


def graph_of(address: str, settings: Settings = NO_SETTINGS) -> tuple[Graph, list[Diagnostic]]:
    """The checked graph at an address, and what is not wrong but worth a look.

    By its suffix, an address is that of a saved graph (`graph.json`) or of a model (`model.onnx`), also at a git
    revision (`git:HEAD~1:graph.json`); all else is a spec.

    Raises:
        SpecError: there is none, or something is wrong with it; all that was found.
    """
    reader = _readers().get(Path(address).suffix.lower())
    if reader is None:
        return compile_with_warnings(address, settings)
    _refuse(settings)
    with _file(address) as path:
        graph, found = _read(reader, path, address)
    wrong = check(graph)
    if any(finding.severity == "error" for finding in wrong):
        raise SpecError(wrong)
    return graph, [*found, *wrong]


def _readers() -> dict[str, GraphReader]:
    return graph_readers() | {saved.SUFFIX: _saved}


def _saved(path: Path, name: str) -> tuple[Graph, list[Diagnostic]]:
    return saved.read_file(path, name), []


def _read(reader: GraphReader, path: Path, name: str) -> tuple[Graph, list[Diagnostic]]:
    try:
        with path.open("rb"):
            return reader(path, name)
    except OSError as error:
        raise _wrong("E105", name, f"can't read {name}: {error.strerror or error}") from error
    except ValueError as error:
        raise _wrong("E109", name, str(error)) from error


@contextmanager
def _file(address: str) -> Iterator[Path]:
    """The file at an address; one at a revision is there for as long as it is read."""
    if not git.is_git(address) or Path(address).is_file():
        yield Path(address)
        return
    place, revision = git.place(address)
    with TemporaryDirectory(prefix="graphc-") as folder:
        path = Path(folder) / place.name
        path.write_bytes(revision.data(place, address, MOST_BYTES))
        yield path


def _refuse(settings: Settings) -> None:
    """A graph that is made already has nothing to be set."""
    if settings:
        named = settings.names.items()
        raise SpecError(Diagnostic("E302", f"`{name}` can't be set: this is no spec", span) for name, span in named)


def _wrong(code: str, name: str, message: str) -> SpecError:
    hint = "" if code == "E105" else f"graphs are read from specs, and from {', '.join(sorted(_readers()))}"
    return SpecError([Diagnostic(code, message, Span(name, 1, 1, 2, Source(name, "")), hint=hint)])
