"""A picture as DOT text."""

from __future__ import annotations

import re

from graphviz import Digraph, escape

from graphc_graphviz import style
from graphc_graphviz.hourglass import Hourglass, hourglass
from graphc_graphviz.labels import BODY, Flow, box_label, caption, leaf_label
from graphc_graphviz.picture import Arrow, Box, Leaf, Picture


def to_dot(picture: Picture) -> str:
    """The DOT text of a picture."""
    return _Dot(picture).text()


class _Dot:
    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.shape: Hourglass = hourglass(picture)
        self.names = _names(picture.root)

    def text(self) -> str:
        top = Digraph(graph_attr=style.GRAPH, node_attr=style.NODE, edge_attr=style.EDGE)
        top.attr(label=caption(self.picture.title, self.picture.reference, self.families()))
        self.fill(top, self.picture.root, 0)
        for row in (*self.shape.rows, self.shape.bottom):
            with top.subgraph() as same:
                same.attr(rank="same")
                for leaf in row:
                    same.node(self.names[leaf])
        for arrow in self.picture.arrows:
            self.arrow(top, arrow)
        return top.source

    def families(self) -> list[str]:
        """The families that occur, in the order of the colours."""
        seen = {line.family for leaf in self.picture.root.leaves() for part in (leaf, *leaf.stack) for line in part.lines}
        return [family for family in style.FAMILIES if family in seen]

    def fill(self, graph: Digraph, box: Box, level: int) -> None:
        for part in box.parts:
            if isinstance(part, Leaf):
                self.leaf(graph, part)
                continue
            with graph.subgraph(name=f"cluster_{_name(part.path)}") as inner:
                fill = style.BOXES[level % len(style.BOXES)]
                inner.attr(label=box_label(part), id=escape(part.path), fillcolor=fill, **style.BOX)
                self.fill(inner, part, level + 1)

    def leaf(self, graph: Digraph, leaf: Leaf) -> None:
        if leaf.role == "fork":
            graph.node(self.names[leaf], label="", shape="point", width="0.04")
        else:
            flow = self.flow(leaf)
            graph.node(self.names[leaf], label=leaf_label(leaf, flow), ordering="out" if flow == "up" else "in")

    def flow(self, leaf: Leaf) -> Flow:
        if self.shape.in_row(leaf):
            return "right"
        return "up" if leaf in self.shape.rising else "down"

    def arrow(self, graph: Digraph, arrow: Arrow) -> None:
        tail, head = self.names[arrow.tail], self.names[arrow.head]
        tip = "none" if arrow.head.role == "fork" else "normal"
        look = style.SKIP if arrow in self.shape.skips else {}
        if self.shape.points_up(arrow):
            graph.edge(head, self.way_out(arrow.tail), dir="back", arrowtail=tip, **look)
        elif self.shape.rows and not self.shape.in_row(arrow.tail, arrow.head):
            graph.edge(tail, self.from_above(arrow.head), arrowhead=tip, **style.UPRIGHT, **look)
        else:
            graph.edge(tail, head, arrowhead=tip, **look)

    def from_above(self, leaf: Leaf) -> str:
        """Where lines from above meet a leaf: in a row, below the blank that keeps its leaves level."""
        return f"{self.names[leaf]}:{BODY}:n" if self.shape.in_row(leaf) else self.names[leaf]

    def way_out(self, leaf: Leaf) -> str:
        """Where lines to what is above leave a leaf; at the bottom, sideways."""
        return f"{self.names[leaf]}:{BODY}:e" if leaf in self.shape.bottom else self.from_above(leaf)


def _names(root: Box) -> dict[Leaf, str]:
    """A name for each leaf: its path, made one that DOT takes as it is."""
    return {
        part: {"fork": f"{_name(box.path)}.fork{index}", "output": f"output.{_name(part.path)}"}.get(part.role, _name(part.path))
        for box in root.boxes()
        for index, part in enumerate(box.parts)
        if isinstance(part, Leaf)
    }


def _name(path: str) -> str:
    """Paths are words, numbers and dots; anything else, which no spec can write, is replaced."""
    return re.sub(r"[^\w.]", "_", path)
