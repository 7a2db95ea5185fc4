"""The arrows of a picture, and what they come from and go to at its ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from graphc.graph import Graph, Node, Part, Scope, Value
from graphc.marks import Mark
from graphc_graphviz.about import Teller
from graphc_graphviz.picture import About, Arrow, Box, Leaf, Line

TRAINING = "(training)"
"""The path of the box for training, which no scope has."""
MOST_READERS = 2
"""Readers beyond a picture's end that are named."""


class Wires:
    """Knows in which leaf each node is drawn, and so which arrows there are."""

    def __init__(self, graph: Graph, part: Part | None, marks: Mapping[str, Mark]) -> None:
        self.nodes = [*graph.nodes, *(part.nodes if part else ())]
        losses = [(loss.name, loss.value) for loss in part.losses] if part else []
        self.outputs = [*graph.outputs.items(), *losses]
        self.losses = len(losses)
        self.marks = marks
        self.leaf_of: dict[Node, Leaf] = {}
        self.echoes: set[Node] = set()
        """The nodes of copies that an equal copy stands for."""
        self.entering: dict[Leaf, Value] = {}
        """What the inputs in front of all else are, that come from beyond."""
        self.drawn: frozenset[Node] = frozenset()
        """What is drawn, but for what is an input as it is read from beyond."""

    def echo(self, node: Node, first: Node) -> None:
        """A node is drawn as that of the first copy."""
        if first in self.leaf_of:
            self.leaf_of[node] = self.leaf_of[first]
            self.echoes.add(node)

    def end(self, role: Literal["input", "output"], name: str, box: Box, shapes: tuple[str, ...] = ()) -> Leaf:
        """What comes in or goes out."""
        leaf = Leaf(role, box, [Line(name, name, "", "", About(), self.marks.get(name))], shapes)
        leaf.dashed = box.dashed
        box.parts.append(leaf)
        return leaf

    def arrows(self, root: Box, teller: Teller) -> list[Arrow]:
        """All arrows, each once, in the order in which they are read; what comes from beyond is an input."""
        self.drawn = frozenset(self.leaf_of)
        drawn = [node for node in self.nodes if node in self.drawn and node not in self.echoes]
        self.sources(drawn, root, teller)
        read = ((value, node) for node in drawn for value in node.operands)
        inner = (Arrow(self.leaf_of[value.node], self.leaf_of[node], value.path) for value, node in read)
        arrows = list(dict.fromkeys(arrow for arrow in inner if arrow.tail is not arrow.head))
        return [*arrows, *self.out(root), *self.beyond(root)]

    def sources(self, drawn: Iterable[Node], root: Box, teller: Teller) -> None:
        """An input in front of all else for each value from beyond."""
        own = len(root.parts)
        for node in drawn:
            for value in node.operands:
                if value.node not in self.leaf_of:
                    leaf = self.end("input", value.path, root, (teller.shape(value),))
                    self.leaf_of[value.node], self.entering[leaf] = leaf, value
        root.parts[:] = root.parts[own:] + root.parts[:own]

    def out(self, root: Box) -> Iterator[Arrow]:
        """The arrows to the outputs, which are put behind all else, and those to the losses in the box for training."""
        training = next((box for box in root.boxes() if box.path == TRAINING), root)
        own = len(self.outputs) - self.losses
        for number, (name, value) in enumerate(self.outputs):
            box = root if number < own else training
            if value.node in self.drawn:
                yield Arrow(self.leaf_of[value.node], self.end("output", name, box), value.path)

    def beyond(self, root: Box) -> Iterator[Arrow]:
        """The arrows to those who read a value beyond the picture."""
        readers: dict[Value, list[Node]] = {}
        for node in self.nodes:
            for value in node.operands:
                if node not in self.drawn and value.node in self.drawn:
                    readers.setdefault(value, []).append(node)
        for value, nodes in readers.items():
            yield Arrow(self.leaf_of[value.node], self.end("output", _named(value, nodes), root), value.path)

    def put_figures(self, root: Box, teller: Teller) -> None:
        """Gives each leaf and box the figures of all that it stands for."""
        members: dict[Leaf, list[Node]] = {}
        for node in self.nodes:
            if node in self.leaf_of:
                members.setdefault(self.leaf_of[node], []).append(node)
        for leaf in root.leaves():
            leaf.figures = self.figures(members.get(leaf, ()), teller)
        for box in root.boxes():
            box.figures = self.figures([node for leaf in box.leaves() for node in members.get(leaf, ())], teller)

    def figures(self, nodes: Iterable[Node], teller: Teller) -> str:
        """The figures of some nodes, which are several copies' where some are echoes."""
        each = list(nodes)
        return teller.figures(each, several=any(node in self.echoes for node in each))


def _named(value: Value, readers: Iterable[Node]) -> str:
    """Where a value goes, by the outermost names that tell it from where it is made."""
    names = list(dict.fromkeys(_apart(reader, value.node) for reader in readers))
    return ", ".join([*names[:MOST_READERS], *(["…"] if len(names) > MOST_READERS else [])])


def _apart(node: Node, other: Node) -> str:
    """The path of the outermost scope around a node that is not around another."""
    around = set(_scopes(other))
    apart = [scope for scope in _scopes(node) if scope not in around and scope.kind in ("block", "steps")]
    return apart[-1].path if apart else node.path


def _scopes(node: Node) -> Iterator[Scope]:
    scope: Scope | None = node.scope
    while scope is not None:
        yield scope
        scope = scope.parent
