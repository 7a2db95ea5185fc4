"""From a graph to what is drawn of it, opened to a depth."""

from __future__ import annotations

from collections.abc import Iterator

from graphc.dims import Size, substitute
from graphc.graph import Graph, Node, Scope, Skipped, Value
from graphc.pretty import pretty_shape, rules_of
from graphc_graphviz.chains import with_chains
from graphc_graphviz.fold import Run, nodes_of, readers_of, runs
from graphc_graphviz.forks import with_forks
from graphc_graphviz.picture import Arrow, Box, Leaf, Line, Picture
from graphc_graphviz.style import family
from graphc_graphviz.words import block_words, op_words, reference, title

STRIPS = frozenset({"activation", "norm"})
"""Ops of these families are drawn as a strip of the op before them, where nothing else reads that op."""


def sketch(graph: Graph, depth: int) -> Picture:
    """What is drawn of a graph whose blocks are opened to `depth`.

    At 1 the graph itself is open and its blocks are closed. Groups of copies, `do` and branches add no depth: they are
    open where the block around them is.
    """
    return _Sketch(graph).draw(depth)


class _Sketch:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.rules = rules_of(graph)
        self.readers = readers_of(graph)
        self.root = Box("")
        self.leaf_of: dict[Node, Leaf] = {}
        self.echoes: set[Node] = set()
        """The nodes of copies that an equal copy stands for."""

    def draw(self, depth: int) -> Picture:
        graph = self.graph
        for name, value in graph.inputs.items():
            line = Line(name, name, "", "input")
            self.leaf_of[value.node] = self.put(Leaf("input", self.root, [line], (self.shape(value),)))
        if depth > 0:
            self.fill(graph.root, self.root, depth - 1)
        else:
            self.closed(Run((graph.root,)), graph.root, self.root)
        arrows = with_forks(with_chains(self.root, [*self.inner_arrows(), *self.arrows_out()]))
        paper = reference(graph.paper) if graph.paper else ""
        return Picture(graph.name, title(graph), paper, self.root, arrows)

    def fill(self, scope: Scope, box: Box, depth: int) -> None:
        for item in scope.items:
            if isinstance(item, Scope) and item.kind == "copies":
                self.copies(item, box, depth)
            elif not isinstance(item, Skipped):
                self.item(Run((item,)), box, depth)

    def copies(self, group: Scope, box: Box, depth: int) -> None:
        for run in runs(group, self.readers):
            self.item(run, box, depth)
            for echo, node in run.echoes():
                self.leaf_of[echo] = self.leaf_of[node]
                self.echoes.add(echo)

    def item(self, run: Run, box: Box, depth: int) -> None:
        """Draws a step. One that does nothing, as all in it is left out by `when`, is not drawn."""
        if not any(nodes_of(run.first)):
            return
        match run.first:
            case Node() as node:
                self.op(run, node, box)
            case Scope(kind="block") as block if depth == 0:
                self.closed(run, block, box)
            case Scope(kind="branch") as branch:
                self.fill(branch, box, depth)
            case Scope() as scope:
                self.opened(run, scope, box, depth - (scope.kind == "block"))

    def op(self, run: Run, node: Node, box: Box) -> None:
        line = Line(node.path, _name(run, box), op_words(node), family(node.op))
        shapes = () if node.output.type in node.inputs else (self.shape(node.output),)
        above = self.leaf_above(node) if run.count == 1 else None
        if above:
            above.lines.append(line)
            above.shapes = shapes or above.shapes
        self.leaf_of[node] = above or self.put(Leaf("op", box, [line], shapes, run.count))

    def leaf_above(self, node: Node) -> Leaf | None:
        """The leaf that a small op becomes a strip of."""
        if family(node.op) not in STRIPS or len(node.operands) != 1:
            return None
        (value,) = node.operands
        leaf = self.leaf_of[value.node]
        alone = len(self.readers[value]) == 1 and value.node.scope is node.scope
        return leaf if alone and leaf.role == "op" and leaf.count == 1 else None

    def closed(self, run: Run, block: Scope, box: Box) -> None:
        path = block.path or self.graph.name
        line = Line(path, _name(run, box) or path, block_words(block), self.main_family(block))
        shapes = tuple(self.shape(value) for value in block.outputs.values())
        leaf = self.put(Leaf("block", box, [line], shapes, run.count))
        self.leaf_of |= dict.fromkeys(block.nodes(), leaf)

    def opened(self, run: Run, scope: Scope, box: Box, depth: int) -> None:
        name, words = _name(run, box), block_words(scope)
        inner = Box(scope.path, scope.kind == "block", name, words, scope.doc, run.count, box)
        box.parts.append(inner)
        self.fill(scope, inner, depth)

    def put(self, leaf: Leaf) -> Leaf:
        leaf.box.parts.append(leaf)
        return leaf

    def inner_arrows(self) -> list[Arrow]:
        """The arrows between leaves, each once, in the order in which they are read."""
        read = ((value, node) for node in self.graph.nodes if node not in self.echoes for value in node.operands)
        arrows = (Arrow(self.leaf_of[value.node], self.leaf_of[node], value.path) for value, node in read)
        return list(dict.fromkeys(arrow for arrow in arrows if arrow.tail is not arrow.head))

    def arrows_out(self) -> Iterator[Arrow]:
        """The arrows to the outputs, which are put behind all else."""
        for name, value in self.graph.outputs.items():
            end = self.put(Leaf("output", self.root, [Line(name, name, "", "output")]))
            yield Arrow(self.leaf_of[value.node], end, value.path)

    def shape(self, value: Value) -> str:
        return pretty_shape(value.type, self.rules)

    def main_family(self, block: Scope) -> str:
        """The family of the most multiply-accumulates in a block; where there are none, that of the most weights."""
        work: dict[str, tuple[int, int]] = {}
        for node in block.nodes():
            macs, owned = work.get(family(node.op), (0, 0))
            macs += self.number(node.macs() or 0)
            owned += sum(self.number(weight.count) for weight in node.weights().values())
            work[family(node.op)] = macs, owned
        return max(work, key=lambda kind: work[kind], default="")

    def number(self, size: Size) -> int:
        """A size at the example sizes of the inputs."""
        known = substitute(size, self.graph.examples())
        return known if isinstance(known, int) else 0


def _name(run: Run, box: Box) -> str:
    """The path of the first copy from the box on, and the last copy's number."""
    name = run.first.path[len(box.path) :].removeprefix(".")
    return name if run.count == 1 else f"{name}–{run.copies[-1].name}"
