"""Saved graphs: a graph as JSON, complete, and read again as the same graph (docs/saved_graphs.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from graphc.graph import Graph

__all__ = ["SUFFIX", "read", "read_file", "save"]

SUFFIX = ".json"


def save(graph: Graph) -> str:
    """The graph as JSON, with all that it was made from."""
    from graphc.saved.layout import laid_out
    from graphc.saved.whole import written

    return laid_out(written(graph))


def read(text: str, name: str) -> Graph:
    """The graph that was saved, reported under `name`. It is checked as if it were new, and no code is run.

    Raises:
        graphc.diagnostics.SpecError: the text is none, or something in it is wrong (E109).
    """
    from graphc.saved.piece import parsed
    from graphc.saved.reading import graph

    return graph(parsed(text, name))


def read_file(path: Path, name: str) -> Graph:
    """The graph in a file, reported under `name`.

    Raises:
        graphc.diagnostics.SpecError: the file can't be read, or `read` refuses its text.
    """
    from graphc.saved.piece import text_in

    return read(text_in(path, name), name)
