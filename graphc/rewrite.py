"""Graphs made of a graph: with more outputs, or with its training part around it. The given graph stays as it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from graphc.copying import Copying
from graphc.diagnostics import did_you_mean, listed
from graphc.graph import Graph, Part, Scope, Value

MODEL = "model"
"""The scope that the main graph becomes inside its training."""


def with_taps(graph: Graph, paths: Iterable[str]) -> Graph:
    """The graph with further outputs: the values at some paths, in their order, under these paths as names.

    A path is that of a step (`stage.2.unit.0.add`), of one of its outputs (`max_pool2d.indices`), or of a scope
    (`stage.2`), which stands for what it comes to.

    Raises:
        ValueError: there is no value at a path, or it is an output already.
    """
    known = values_of(graph)
    outputs = dict(graph.outputs)
    for path in paths:
        if path not in known:
            near = [name for name in known if "." not in name]
            raise ValueError(f"no value at `{path}`: {did_you_mean(path, known, f'there is {listed(near)}')}")
        if path in outputs:
            raise ValueError(f"`{path}` is an output already")
        outputs[path] = known[path]
    return replace(graph, outputs=outputs)


def with_training(graph: Graph) -> Graph:
    """What is trained: the main graph as a scope `model`, beside it the training part; the outputs are the losses.

    Inputs are those of both. The paths of the main graph begin with `model.`, also those of its weights.

    Raises:
        ValueError: the graph has no training part with losses.
    """
    part = graph.training
    if part is None or not part.losses:
        raise ValueError(f"`{graph.name}` has no `training` with losses")
    return _Joining().graph(graph, part)


def values_of(graph: Graph) -> dict[str, Value]:
    """Every value of the graph by its path, and by those of the scopes that come to it."""
    found = {value.path: value for node in graph.nodes for value in node.outputs}
    for scope in graph.root.scopes():
        for name, value in (scope.lets | scope.outputs).items():
            found.setdefault(f"{scope.path}.{name}".removeprefix("."), value)
        for value in scope.outputs.values():
            found.setdefault(scope.path, value)
    return found


@dataclass(slots=True)
class _Joining(Copying):
    """Puts the main graph into a scope of a new one, called `name`.

    `lived` are the paths below which weights of the main graph live; `inside` is true while it is being copied.
    """

    name: str = ""
    lived: frozenset[str] = frozenset()
    inside: bool = False

    def graph(self, main: Graph, part: Part) -> Graph:
        self.name = _free_name({item.name for item in part.root.items})
        self.lived = frozenset(node.home for node in main.nodes) | {scope.home for scope in main.root.scopes()}
        bindings = main.root.bindings | part.root.bindings
        root = replace(part.root, name=main.name, bindings=bindings, parent=None, items=[])
        self.scopes[part.root] = root
        for value in (*main.inputs.values(), *part.inputs.values()):
            self.node(value.node, root)
        model = self.main(main, root)
        for item in part.root.items:
            if isinstance(item, Scope):
                self.framed(item, root)
        for node in part.nodes:
            self.node(node)
        self.fill(part.root)
        inputs = self.values(main.inputs | part.inputs)
        named = {name: value for name, value in main.outputs.items() if name.isidentifier()}
        root.items = [model, *root.items]
        root.inputs = inputs
        root.lets = self.values(named) | root.lets
        root.outputs = self.values({loss.name: loss.value for loss in part.losses})
        nodes = [self.nodes[node] for node in (*main.nodes, *part.nodes)]
        return replace(
            main,
            inputs=inputs,
            outputs=root.outputs,
            root=root,
            nodes=nodes,
            demands=[*main.demands, *part.demands],
            expected=[],
            training=None,
            sampling=None,
            init=tuple(replace(rule, paths=tuple(map(self.weight, rule.paths))) for rule in main.init),
        )

    def main(self, main: Graph, around: Scope) -> Scope:
        """The main graph as a block."""
        self.inside = True
        made = self.framed(main.root, around)
        for node in main.nodes:
            self.node(node)
        self.fill(main.root)
        self.inside = False
        made.name, made.kind, made.outputs = self.name, "block", self.values(main.outputs)
        return made

    def place(self, path: str) -> str:
        return f"{self.name}.{path}".removesuffix(".") if self.inside else path

    def home(self, path: str) -> str:
        return f"{self.name}.{path}".removesuffix(".") if path in self.lived else path

    def weight(self, path: str) -> str:
        """The path of a weight."""
        home, _, last = path.rpartition(".")
        return f"{self.home(home)}.{last}"


def _free_name(taken: set[str]) -> str:
    name = MODEL
    while name in taken:
        name += "_"
    return name
