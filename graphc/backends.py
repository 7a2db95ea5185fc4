"""Backends: found by name through the `graphc.backends` entry points, never imported by name here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Protocol

from graphc.graph import Graph


class Backend(Protocol):
    """A module that turns a graph into files."""

    SUFFIXES: Mapping[str, str]
    """The file suffixes that it writes (".onnx") and what each is."""

    def write(self, graph: Graph, path: Path, **options: Any) -> None:
        """Writes the graph to `path`, in the format of its suffix.

        Raises:
            graphc.diagnostics.SpecError: the graph has what this backend can't express; located.
        """
