"""A picture as DOT text."""

from __future__ import annotations

import re

from graphviz import Digraph, escape

from graphc_graphviz import style
from graphc_graphviz.hourglass import Leaves, hourglass
from graphc_graphviz.labels import BODY, Flow, box_label, caption, leaf_label, printable
from graphc_graphviz.picture import Arrow, Box, Leaf, Picture


def to_dot(picture: Picture) -> str:
    """The DOT text of a picture."""
    return _Writer(picture).text()


class _Writer:
    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.shape = hourglass(picture)
        self.names = _names(picture.root)
        self.firsts = set({arrow.head: arrow for arrow in reversed(picture.arrows)}.values())
        """For each leaf, the arrow that it reads first."""

    def text(self) -> str:
        graph = Digraph(_name(self.picture.name), graph_attr=style.GRAPH, node_attr=style.NODE, edge_attr=style.EDGE)
        graph.attr(label=caption(self.picture.title, self.picture.reference, self.families()))
        if len(self.names) > style.MANY_LEAVES:
            graph.attr(**style.LARGE)
        self.fill(graph, self.picture.root, 0)
        for row in (*self.shape.rows, self.shape.bottom):
            self.row(graph, row)
        for arrow in self.picture.arrows:
            self.arrow(graph, arrow)
        return str(graph.source)

    def families(self) -> list[str]:
        """The families that occur, in the order of the colours."""
        leaves = (part for leaf in self.picture.root.leaves() for part in (leaf, *leaf.stack))
        seen = {line.family for leaf in leaves for line in leaf.lines}
        return [family for family in style.FAMILIES if family in seen]

    def fill(self, graph: Digraph, box: Box, level: int) -> None:
        for part in box.parts:
            if isinstance(part, Leaf):
                self.leaf(graph, part)
            else:
                self.box(graph, part, level)

    def box(self, graph: Digraph, box: Box, level: int) -> None:
        look = style.BOX | {"fillcolor": style.BOXES[level % len(style.BOXES)]}
        with graph.subgraph(name=f"cluster_{_name(box.path)}") as inner:
            inner.attr(label=box_label(box), id=_quoted(box.path), tooltip=_quoted(box.doc or box.path), **look)
            self.fill(inner, box, level + 1)

    def leaf(self, graph: Digraph, leaf: Leaf) -> None:
        name, flow = self.names[leaf], self.flow(leaf)
        if leaf.role == "fork":
            graph.node(name, label="", **style.FORK)
        else:
            graph.node(name, label=leaf_label(leaf, flow), ordering="out" if flow == "up" else "in")

    def row(self, graph: Digraph, row: Leaves) -> None:
        with graph.subgraph() as same:
            same.attr(rank="same")
            for leaf in row:
                same.node(self.names[leaf])

    def flow(self, leaf: Leaf) -> Flow:
        if self.shape.in_row(leaf):
            return "right"
        return "up" if leaf in self.shape.rising else "down"

    def arrow(self, graph: Digraph, arrow: Arrow) -> None:
        tail, head = self.names[arrow.tail], self.names[arrow.head]
        tip = "none" if arrow.head.role == "fork" else "normal"
        look = style.SKIP if arrow in self.shape.skips else {}
        if self.shape.points_up(arrow):
            graph.edge(head, self.way_up(arrow.tail), dir="back", arrowtail=tip, **look)
        elif self.shape.in_row(arrow.tail, arrow.head):
            graph.edge(tail, head, arrowhead=tip, **look)
        else:
            straight = style.STRAIGHT if arrow in self.firsts else {}
            graph.edge(tail, self.from_above(arrow.head), arrowhead=tip, **look, **straight)

    def from_above(self, leaf: Leaf) -> str:
        """Where lines from above meet a leaf: in a row, below the blank that keeps its leaves level."""
        return f"{self.names[leaf]}:{BODY}:n" if self.shape.in_row(leaf) else self.names[leaf]

    def way_up(self, leaf: Leaf) -> str:
        """Where lines to what is above leave a leaf; at the bottom, sideways."""
        return f"{self.names[leaf]}:{BODY}:e" if leaf in self.shape.bottom else self.from_above(leaf)


def _names(root: Box) -> dict[Leaf, str]:
    """A name for each leaf, the same each time: its path, made one that DOT takes as it is."""
    names: dict[Leaf, str] = {}
    for box in root.boxes():
        for place, part in enumerate(box.parts):
            if isinstance(part, Leaf):
                own = {"fork": f"{box.path}.fork{place}", "output": f"output.{part.path}"}
                names[part] = _name(own.get(part.role, part.path))
    return names


def _quoted(words: str) -> str:
    """Text of a spec for an attribute that is no label; entities mean the same there."""
    return str(escape(printable(words).replace("&", "&amp;")))


def _name(path: str) -> str:
    """Paths are words, numbers and dots; anything else, which no spec can write, is replaced."""
    return re.sub(r"[^\w.]", "_", path)
