"""The Graphviz backend of graphc: a diagram to print beside the paper's figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphc.graph import Graph

SUFFIXES = {
    ".svg": "diagram",
    ".png": "diagram, as pixels",
    ".pdf": "diagram, to print",
    ".dot": "diagram, as Graphviz's text",
}


def write(graph: Graph, path: Path, *, depth: int | None = None, time_limit: float = 60) -> None:
    """Draws a graph into a file, in the form of its suffix.

    Blocks are opened to `depth`: at 1 the graph is open and its blocks are closed, at 2 these are open, and so on.
    Without it as deep as a page stays readable. The text for `.dot` needs no layout and no pygraphviz.

    Raises:
        graphc_graphviz.render.DrawingError: the layout took longer than `time_limit` seconds, or Graphviz failed.
    """
    from graphc_graphviz.drawing import draw

    path.write_bytes(draw(graph, path.suffix, depth, time_limit))
