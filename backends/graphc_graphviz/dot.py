"""A picture as DOT text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

from graphviz import Digraph, escape

from graphc_graphviz import style
from graphc_graphviz.chains import with_chains
from graphc_graphviz.embedded import file_of
from graphc_graphviz.forks import with_forks
from graphc_graphviz.hourglass import Hourglass, Leaves, hourglass
from graphc_graphviz.labels import BODY, COLUMN, Flow, Labels, Side
from graphc_graphviz.markup import label, printable
from graphc_graphviz.picture import Arrow, Box, Leaf, Picture
from graphc_graphviz.render import Dot

T = TypeVar("T")


def to_dot(picture: Picture, theme: style.Theme, right: bool = False, links: str = "") -> Dot:
    """The DOT text of a picture, whose lines run down, or to the right. Its boxes and arrows are arranged for that."""
    picture.arrows = with_chains(picture.root, picture.arrows)
    shape = Hourglass() if right else hourglass(picture)
    titled = not right and not shape.skips
    picture.arrows = with_forks(picture.arrows, always=titled)
    writer = _Writer(picture, shape, Labels(theme, links), right, titled)
    images = {file_of(sheet.png): sheet.png for sheet in picture.sheets()}
    if shape.skips or len(writer.names) > style.MANY_LEAVES:
        return Dot(writer.text(), images=images)
    others = tuple(writer.text(Hints(*hints)) for hints in product((True, False), repeat=2))
    return Dot(others[0], others[1:], tuple(writer.orders()), images)


@dataclass(frozen=True, slots=True)
class Hints:
    """How Graphviz is asked for an order: by its `ordering`, and titles above all that a box begins with."""

    ordered: bool = True
    above_all: bool = True


class _Writer:
    """`titled` says that the title of a box is a node, which lines keep clear of, and not the cluster's own label."""

    def __init__(self, picture: Picture, shape: Hourglass, labels: Labels, right: bool, titled: bool) -> None:
        self.picture, self.shape, self.labels = picture, shape, labels
        self.right, self.titled = right, titled
        self.theme = labels.theme
        self.hints = Hints()
        self.names = _names(picture.root)
        into = {arrow.head: arrow for arrow in reversed(picture.arrows)}
        out = {arrow.tail: arrow for arrow in reversed(picture.arrows) if not arrow.dashed}
        self.straight = set(into.values()) & set(out.values()) - self.fanned()
        """The arrows that are the first to leave a leaf and the first that another reads: the main way."""

    def fanned(self) -> set[Arrow]:
        """Arrows of three or more from one leaf, or to one: what they come to is drawn in their middle."""
        arrows = [arrow for arrow in self.picture.arrows if not arrow.dashed]
        tails, heads = Counter(arrow.tail for arrow in arrows), Counter(arrow.head for arrow in arrows)
        return {arrow for arrow in arrows if max(tails[arrow.tail], heads[arrow.head]) > 2}

    def orders(self) -> Iterator[tuple[str, ...]]:
        """The operands of each leaf as they are read."""
        heads: dict[Leaf, list[str]] = {}
        for arrow in self.picture.arrows:
            heads.setdefault(arrow.head, []).append(self.names[arrow.tail])
        return (tuple(dict.fromkeys(tails)) for tails in heads.values() if len(tails) > 1)

    def text(self, hints: Hints = Hints()) -> str:
        self.hints = hints
        colors = {"fontcolor": self.theme.text, "bgcolor": self.theme.background}
        graph = Digraph(
            _name(self.picture.name),
            graph_attr=style.GRAPH | colors | {"rankdir": "LR" if self.right else "TB"},
            node_attr=style.NODE | {"fontcolor": self.theme.text, "color": self.theme.line},
            edge_attr=style.EDGE | {"color": self.theme.line},
        )
        graph.attr(label=self.labels.caption(self.picture))
        if len(self.names) > style.MANY_LEAVES:
            graph.attr(**style.LARGE)
        self.fill(graph, self.picture.root, 0)
        for row in (*self.shape.rows, self.shape.bottom):
            self.row(graph, row)
        for arrow in self.in_order(self.picture.arrows):
            self.arrow(graph, arrow)
        return str(graph.source)

    def in_order(self, things: Sequence[T]) -> Sequence[T]:
        """Things as Graphviz wants them, who turns a picture to the left to have it run to the right."""
        return things[::-1] if self.right else things

    def fill(self, graph: Digraph, box: Box, level: int) -> None:
        for part in self.in_order(box.parts):
            if isinstance(part, Leaf):
                self.leaf(graph, part)
            else:
                self.box(graph, part, level)

    def box(self, graph: Digraph, box: Box, level: int) -> None:
        title = self.labels.title(box)
        with graph.subgraph(name=f"cluster_{_name(box.path)}") as inner:
            inner.attr(
                label="" if self.titled else label(title),
                id=_quoted(box.path),
                tooltip=_quoted(box.about.tip or box.path),
            )
            inner.attr(**style.BOX, **self.look(box, level))
            if box.about.place:
                inner.attr(URL=_quoted(self.labels.address(box.about)))
            if self.titled:
                self.title(inner, box, title)
            self.fill(inner, box, level + 1)

    def look(self, box: Box, level: int) -> dict[str, str]:
        """The fill and the outline of a box."""
        fill = {"fillcolor": self.theme.boxes[level % len(self.theme.boxes)]}
        if box.mark is None:
            return fill | {"color": self.theme.frame, "style": "rounded,filled" + ",dashed" * box.dashed}
        dashes = style.MARK_STYLES.get(box.mark.kind, "solid")
        return fill | {"color": self.theme.marks[box.mark.kind], "style": f"rounded,filled,{dashes}", "penwidth": "3"}

    def title(self, graph: Digraph, box: Box, title: str) -> None:
        """The title above the leaf that is read first, where it stands at the left of the lines that come in."""
        name = f"{_name(box.path)}.title"
        graph.node(name, label=label(title))
        forks = [part for part in box.parts if _is_fork(part)]
        inside = set(box.leaves())
        read = {arrow.head for arrow in self.picture.arrows if arrow.tail in inside and arrow.tail not in forks}
        below = [leaf for leaf in box.leaves() if leaf not in read and leaf not in forks]
        for leaf in below if self.hints.above_all else below[:1]:
            graph.edge(name, self.names[leaf], style="invis")

    def leaf(self, graph: Digraph, leaf: Leaf) -> None:
        name, flow = self.names[leaf], self.flow(leaf)
        if leaf.role == "fork":
            look = style.FORK if leaf.count > 1 else style.BEND
            graph.node(name, label="", fillcolor=self.theme.line, **self.ordering("out"), **look)
        else:
            text = self.labels.leaf(leaf, flow, self.side(leaf))
            graph.node(name, label=text, **self.ordering("out" if flow == "up" else "in"))

    def ordering(self, side: str) -> dict[str, str]:
        return {"ordering": side} if self.hints.ordered else {}

    def row(self, graph: Digraph, row: Leaves) -> None:
        with graph.subgraph() as same:
            same.attr(rank="same")
            for leaf in row:
                same.node(self.names[leaf])

    def flow(self, leaf: Leaf) -> Flow:
        if self.right or self.shape.in_row(leaf):
            return "right"
        return "up" if leaf in self.shape.rising else "down"

    def side(self, leaf: Leaf) -> Side:
        """Where no line meets a leaf."""
        if self.right:
            return "below"
        return "left" if self.shape.in_row(leaf) and leaf not in self.shape.rising else "right"

    def arrow(self, graph: Digraph, arrow: Arrow) -> None:
        tail, head = self.names[arrow.tail], self.names[arrow.head]
        tip = "none" if arrow.head.role == "fork" else "normal"
        look = {"penwidth": "2", "color": self.theme.skip} if arrow in self.shape.skips else {}
        look |= {"style": "dashed"} if arrow.dashed else {}
        look |= {"tailclip": "false"} if arrow.tail.role == "fork" else {}
        look |= {"headclip": "false"} if arrow.head.role == "fork" else {}
        if self.shape.points_up(arrow):
            graph.edge(self.end(arrow.head, "s"), self.way_up(arrow.tail), dir="back", arrowtail=tip, **look)
        elif self.shape.in_row(arrow.tail, arrow.head):
            graph.edge(tail, head, arrowhead=tip, **look)
        else:
            straight = style.STRAIGHT if arrow in self.straight else {}
            graph.edge(self.beside(arrow.tail, "e"), self.from_above(arrow.head), arrowhead=tip, **look, **straight)

    def beside(self, leaf: Leaf, side: str) -> str:
        """Where lines to the right meet a leaf, or leave it to what is below."""
        return f"{self.names[leaf]}:{BODY}:{side}" if self.right and leaf.role != "fork" else self.end(leaf, "s")

    def end(self, leaf: Leaf, side: str) -> str:
        """Where lines from above or from below meet a leaf: with pictures at its right, in its own middle."""
        return f"{self.names[leaf]}:{COLUMN}:{side}" if leaf.sheets else self.names[leaf]

    def from_above(self, leaf: Leaf) -> str:
        """Where lines from above meet a leaf: in a row, below the blank that keeps its leaves level."""
        if self.right:
            return self.beside(leaf, "w")
        return f"{self.names[leaf]}:{BODY}:n" if self.shape.in_row(leaf) else self.end(leaf, "n")

    def way_up(self, leaf: Leaf) -> str:
        """Where lines to what is above leave a leaf; at the bottom, sideways."""
        return f"{self.names[leaf]}:{BODY}:e" if leaf in self.shape.bottom else self.from_above(leaf)


def _is_fork(part: Leaf | Box) -> bool:
    return isinstance(part, Leaf) and part.role == "fork"


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
