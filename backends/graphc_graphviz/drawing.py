"""The way through, in one place: graph → what is drawn of it → DOT text → the bytes of a file."""

from __future__ import annotations

from graphc.graph import Graph
from graphc_graphviz.depth import readable
from graphc_graphviz.dot import to_dot
from graphc_graphviz.render import LayoutTimeoutError, render
from graphc_graphviz.sketch import sketch


def draw(graph: Graph, suffix: str, depth: int | None, time_limit: float) -> bytes:
    """A picture in the form of a file's suffix, with blocks opened to `depth`, or as deep as stays readable.

    Raises:
        DrawingError: the layout took longer than `time_limit` seconds, or Graphviz failed.
    """
    fitting = readable(graph)
    opened = fitting if depth is None else depth
    dot = to_dot(sketch(graph, opened))
    try:
        return dot.encode() if suffix == ".dot" else render(dot, suffix, time_limit)
    except LayoutTimeoutError as error:
        instead = f"--depth {fitting}" if opened > fitting else "a .dot file"
        raise LayoutTimeoutError(f"{error} with blocks opened to depth {opened}; try {instead}") from None
