"""From a graph to what is drawn of it, opened as a view says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from graphc.graph import Item, Node, Part, Scope, Skipped, Value
from graphc_graphviz.about import Teller, is_new
from graphc_graphviz.costs import Costs
from graphc_graphviz.fold import Run, nodes_of, readers_of, runs
from graphc_graphviz.marking import mark_of
from graphc_graphviz.picture import Box, Leaf, Line, Picture
from graphc_graphviz.sheets import put_sheets
from graphc_graphviz.style import family
from graphc_graphviz.view import View
from graphc_graphviz.wires import TRAINING, Wires
from graphc_graphviz.words import PASSING, block_words, digest, op_words, reference, title


def sketch(costs: Costs, view: View) -> Picture:
    """What is drawn of the graph that the costs are of.

    At depth 1 the graph itself is open, and its blocks and `do` are closed. Groups of copies and branches add no depth:
    they are open where what is around them is.
    """
    return _Sketch(costs, view).picture()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where steps are drawn: in a box, with so many levels left to open."""

    box: Box
    depth: int


class _Sketch:
    def __init__(self, costs: Costs, view: View) -> None:
        graph = costs.graph
        self.graph, self.view = graph, view
        self.part = graph.training if view.training else None
        self.wires = Wires(graph, self.part, view.marks)
        self.readers = readers_of(self.wires.nodes, (value for _, value in self.wires.outputs))
        self.teller = Teller(costs, view.show)
        self.opened, self.closed = set(view.opened), set(view.closed)
        self.leaving: dict[Leaf, Value] = {}
        self.root = Box(view.focus[0].path if len(view.focus) == 1 else "")

    def picture(self) -> Picture:
        graph, view = self.graph, self.view
        place = _Place(self.root, max(view.depth - 1, 0))
        if view.focus:
            self.focus(place)
        else:
            self.whole(place)
        arrows = self.wires.arrows(self.root, self.teller)
        if view.pictured:
            put_sheets(self.graph, {**self.wires.entering, **self.last()}, self.wires.leaf_of, view.activations)
        if view.show:
            self.wires.put_figures(self.root, self.teller)
        paper = reference(graph.paper) if graph.paper else ""
        named = " · ".join(filter(None, (title(graph), ", ".join(part.path for part in view.focus))))
        remark = f"MACs for {self.teller.examples()}" if "macs" in view.show and graph.sizes else ""
        return Picture(graph.name, named, paper, self.root, arrows, remark)

    def last(self) -> dict[Leaf, Value]:
        """What leaves each leaf; of copies that are drawn once, what leaves the last."""
        lasts = self.teller.lasts
        return {leaf: lasts.get(v.node, v.node).outputs[v.node.outputs.index(v)] for leaf, v in self.leaving.items()}

    def whole(self, place: _Place) -> None:
        self.inputs(self.graph.inputs.values(), place)
        if self.view.depth > 0:
            self.fill(self.graph.root, place)
        else:
            self.close(Run((self.graph.root,)), self.graph.root, place)
        if self.part:
            self.training(self.part, place.depth)

    def inputs(self, values: Iterable[Value], place: _Place) -> None:
        for value in values:
            leaf = self.wires.end("input", value.path, place.box, (self.teller.shape(value),))
            self.wires.leaf_of[value.node], self.leaving[leaf] = leaf, value

    def focus(self, place: _Place) -> None:
        """Draws some parts alone: one without a frame, several in a frame each."""
        for part in self.view.focus:
            if isinstance(part, Node) or part.kind == "copies":
                self.item(part, place)
            elif part.path == self.root.path:
                self.fill(part, place)
            else:
                self.open(Run((part,)), part, _Place(self.root, self.view.depth))

    def training(self, part: Part, depth: int) -> None:
        box = Box(TRAINING, name="training", parent=self.root, dashed=True)
        self.root.parts.append(box)
        place = _Place(box, depth)
        self.inputs(part.inputs.values(), place)
        self.fill(part.root, place)

    def fill(self, scope: Scope, place: _Place) -> None:
        for item in scope.items:
            self.item(item, place)

    def item(self, item: Item, place: _Place) -> None:
        if isinstance(item, Skipped):
            return
        if isinstance(item, Scope) and item.kind == "copies" and item.path not in self.closed:
            self.copies(item, place)
        else:
            self.step(Run((item,)), place)

    def copies(self, group: Scope, place: _Place) -> None:
        for run in runs(group, self.readers, self.view.marks):
            self.fold(run)
            self.step(run, place)
            for echo, node in run.echoes():
                self.wires.echo(echo, node)

    def fold(self, run: Run) -> None:
        """What was asked for of a later copy is done to the first, which stands for it."""
        for echo, scope in run.scopes():
            for paths in (paths for paths in (self.opened, self.closed) if echo.path in paths):
                paths.add(scope.path)
        for first, last in zip(nodes_of(run.first), nodes_of(run.last), strict=True):
            self.teller.lasts[first] = self.teller.lasts.get(last, last)

    def step(self, run: Run, place: _Place) -> None:
        """Draws a step. One that does nothing, as all in it is left out by `when`, is not drawn."""
        first = run.first
        if not any(nodes_of(first)):
            return
        if isinstance(first, Node):
            self.op(run, first, place)
        elif first.path in self.closed:
            self.close(run, first, place)
        elif first.kind == "branch":
            self.fill(first, place)
        elif place.depth > 0 or first.path in self.opened:
            self.open(run, first, place)
        else:
            self.close(run, first, place)

    def op(self, run: Run, node: Node, place: _Place) -> None:
        words = op_words([copy for copy in run.copies if isinstance(copy, Node)])
        about = self.teller.node(node, words)
        line = Line(node.path, _name(run, place.box), words, family(node.op), about, self.view.marks.get(node.path))
        shapes = tuple(map(self.teller.shape, node.outputs)) if is_new(node) else ()
        above = self.leaf_above(node) if run.count == 1 else None
        if above:
            above.lines.append(line)
            above.shapes = shapes or above.shapes
        else:
            above = self.put(Leaf("op", place.box, [line], shapes, run.count))
        self.wires.leaf_of[node] = above
        self.leaving[above] = node.output

    def leaf_above(self, node: Node) -> Leaf | None:
        """The leaf that a small op becomes a strip of."""
        if family(node.op) not in PASSING or len(node.operands) != 1:
            return None
        (value,) = node.operands
        leaf = self.wires.leaf_of.get(value.node)
        alone = len(self.readers[value]) == 1 and value.node.scope is node.scope
        return leaf if leaf and alone and leaf.role == "op" and leaf.count == 1 else None

    def close(self, run: Run, scope: Scope, place: _Place) -> None:
        words = self.words(run)
        name = _name(run, place.box) or scope.path or self.graph.name
        about, mark = self.teller.scope(scope, words), mark_of(scope, self.view.marks)
        line = Line(scope.path or self.graph.name, name, words, self.teller.costs.main_family(scope), about, mark)
        shapes = tuple(map(self.teller.shape, self.given(scope)))
        inside = digest(scope) if scope.kind in ("steps", "copies", "branch") else ()
        leaf = Leaf("block", place.box, [line], shapes, run.count, digest=inside)
        self.wires.leaf_of |= dict.fromkeys(scope.nodes(), self.put(leaf))
        if scope.outputs:
            self.leaving[leaf] = next(iter(scope.outputs.values()))

    def given(self, scope: Scope) -> Iterable[Value]:
        """The outputs of a scope that something drawn reads; all, if that is none."""
        inside = set(scope.nodes())
        outputs = scope.outputs.values()
        return [value for value in outputs if any(it not in inside for it in self.readers.get(value, ()))] or outputs

    def open(self, run: Run, scope: Scope, place: _Place) -> None:
        words = self.words(run)
        inner = Box(
            scope.path,
            is_block=scope.kind == "block",
            name=_name(run, place.box),
            words=words,
            about=self.teller.scope(scope, words),
            count=run.count,
            parent=place.box,
            dashed=place.box.dashed,
            mark=self.view.marks.get(scope.path),
        )
        place.box.parts.append(inner)
        self.fill(scope, _Place(inner, max(place.depth - 1, 0)))

    def put(self, leaf: Leaf) -> Leaf:
        leaf.dashed = leaf.box.dashed
        leaf.box.parts.append(leaf)
        return leaf

    def words(self, run: Run) -> str:
        return block_words([copy for copy in run.copies if isinstance(copy, Scope)])


def _name(run: Run, box: Box) -> str:
    """The path from the box on: of the group where all its copies are drawn as one, else of the first to the last."""
    first = run.first
    group = first.scope if isinstance(first, Node) else first.parent
    whole = run.count > 1 and group is not None and run.count == sum(not isinstance(i, Skipped) for i in group.items)
    path = group.path if group is not None and whole else first.path
    name = path.removeprefix(f"{box.path}.")
    return name if whole or run.count == 1 else f"{name}–{run.last.path.rpartition('.')[2]}"
