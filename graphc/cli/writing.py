"""What `build` and `draw` share: a graph goes to its backends, and the files they made are listed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphc.backends import Backend
from graphc.cli.terminal import tell
from graphc.diagnostics import visible
from graphc.output import OutputError, write_all

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


def write(graph: Graph, paths: Sequence[Path], chosen: Mapping[str, Backend], **options: Any) -> None:
    """Writes a graph to all paths or to none, each by the backend chosen for its suffix, and lists the files."""
    files = write_all([(path, partial(chosen[path.suffix].write, graph, **options)) for path in paths])
    tell(*_list(files, {suffix: backend.SUFFIXES[suffix] for suffix, backend in chosen.items()}))


def _list(files: Sequence[Path], kinds: Mapping[str, str]) -> Iterator[str]:
    """Each file with its size and what it is."""
    from rich.filesize import decimal

    names = [visible(str(file)) for file in files]
    sizes = [decimal(file.stat().st_size) for file in files]
    for file, name, size in zip(files, names, sizes, strict=True):
        yield f"{name:{_width(names)}}  {size:>{_width(sizes)}}  {kinds.get(file.suffix, '')}".rstrip()


def _width(texts: Sequence[str]) -> int:
    return max(map(len, texts))
