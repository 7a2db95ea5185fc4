"""What is written: a graph goes to its backends, a text into a file, and the files are listed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphc.backends import Backend, BackendError, backends, options_of
from graphc.cli.progress import Progress
from graphc.cli.terminal import tell
from graphc.diagnostics import listed, visible
from graphc.output import OutputError, Writer, write_all

if TYPE_CHECKING:
    from graphc.graph import Graph

FOLDER = Path("out")


def default_path(graph: Graph, suffix: str) -> Path:
    """Where a file goes for which the user named no place.

    Raises:
        OutputError: the spec's name is not one that a file can have.
    """
    file = f"{graph.name}{suffix}"
    if Path(file).name != file:
        raise OutputError(f"the spec's name, `{graph.name}`, is no name for a file; name one with -o")
    return FOLDER / file


def require_taken(chosen: Mapping[str, Backend], options: Mapping[str, Any]) -> None:
    """Each option that is given, by its name on the command line, is one of a backend that writes something.

    Raises:
        BackendError: one is not.
    """
    taken = {option for backend in chosen.values() for option in options_of(backend)}
    for option, value in options.items():
        if value is not None and option not in taken:
            named = f"--{option.replace('_', '-')}"
            suffixes = listed(sorted(backends().taking(option).by_suffix))
            raise BackendError(f"{named} is for {suffixes}, which is not written")


def write(
    graph: Graph, paths: Sequence[Path], chosen: Mapping[str, Backend], read: Sequence[Path] = (), **options: Any
) -> None:
    """Writes a graph to all paths or to none, each by the backend chosen for its suffix, and lists the files.

    Those that were `read` are not written.

    A backend gets those of the options that it has, but for what is None.
    """
    with Progress() as progress:
        files = write_all([(path, _writer(chosen[path.suffix], graph, options, progress)) for path in paths], read)
    tell(*_list(files, {suffix: what for backend in chosen.values() for suffix, what in backend.SUFFIXES.items()}))


def give(text: str, output: Path | None) -> None:
    """Writes a text into a file, whole or not at all, and names it; without a file it is printed."""
    if output is None:
        tell(*text.removesuffix("\n").split("\n"))
        return

    def put(path: Path) -> None:
        path.write_text(text.removesuffix("\n") + "\n", encoding="utf-8", newline="\n")

    tell(*_list(write_all([(output, put)]), {}))


def _writer(backend: Backend, graph: Graph, options: Mapping[str, Any], progress: Progress) -> Writer:
    """How a backend writes the graph."""
    known = options_of(backend)
    given = {name: value for name, value in options.items() if name in known and value is not None}

    def written(path: Path) -> None:
        progress.tell(f"writing {path.name}")
        backend.write(graph, path, **given)

    return written


def _list(files: Sequence[Path], kinds: Mapping[str, str]) -> Iterator[str]:
    """Each file with its size and what it is."""
    from rich.filesize import decimal

    names = [visible(str(file)) for file in files]
    sizes = [decimal(file.stat().st_size) for file in files]
    for file, name, size in zip(files, names, sizes, strict=True):
        yield f"{name:{_width(names)}}  {size:>{_width(sizes)}}  {kinds.get(file.suffix, '')}".rstrip()


def _width(texts: Sequence[str]) -> int:
    return max(map(len, texts))
