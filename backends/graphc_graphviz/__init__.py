"""The Graphviz backend of graphc: a diagram to print beside the paper's figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from graphc.made import DrawOptions

if TYPE_CHECKING:
    from graphc.graph import Graph

SUFFIXES = {
    ".svg": "diagram",
    ".png": "diagram, as pixels",
    ".pdf": "diagram, to print",
    ".dot": "diagram, as Graphviz's text",
    ".mmd": "diagram, as Mermaid's text",
}
OPTIONS = frozenset(DrawOptions.__annotations__)
"""The options of `write`."""


def write(graph: Graph, path: Path, **options: Unpack[DrawOptions]) -> None:
    """Draws a graph into a file, in the form of its suffix. `.dot` and `.mmd` need no layout and no pygraphviz.

    Raises:
        graphc.backends.BackendError: an option asks for what is not there, the layout took longer than `time_limit`
            seconds (60 where nobody says), or Graphviz failed.
    """
    from graphc_graphviz.drawing import draw

    path.write_bytes(draw(graph, path.suffix, **options))
