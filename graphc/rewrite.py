"""Graphs made of a graph: with more outputs, or with its training part around it. The given graph stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from graphc.diagnostics import did_you_mean, listed
from graphc.graph import Graph, Node, Part, Scope, Skipped, Value

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
    return _Joining(graph, part).graph()


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
class _Joining:
    """Puts the main graph into a scope of a new one.

    `prefix` is where that scope is; `lived` are the paths below which weights of the main graph live.
    """

    main: Graph
    part: Part
    scopes: dict[Scope, Scope] = field(default_factory=dict)
    nodes: dict[Node, Node] = field(default_factory=dict)
    prefix: str = ""
    lived: frozenset[str] = frozenset()

    def graph(self) -> Graph:
        main, part = self.main, self.part
        self.prefix = _free_name({item.name for item in part.root.items})
        self.lived = frozenset(node.home for node in main.nodes) | {scope.home for scope in main.root.scopes()}
        bindings = main.root.bindings | part.root.bindings
        root = replace(part.root, name=main.name, bindings=bindings, parent=None, items=[])
        self.scopes[part.root] = root
        for value in (*main.inputs.values(), *part.inputs.values()):
            self.nodes[value.node] = self.node(value.node, root, "")
        inputs = self.values(main.inputs | part.inputs)
        model = self.scope(main.root, root, f"{self.prefix}.")
        root.items = [model, *(self.item(item, root, "") for item in part.root.items)]
        root.inputs = inputs
        named = {name: value for name, value in main.outputs.items() if name.isidentifier()}
        root.lets = self.values(named | part.root.lets)
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

    def item(self, item: Node | Scope | Skipped, around: Scope, prefix: str) -> Node | Scope | Skipped:
        if isinstance(item, Skipped):
            return replace(item, value=item.value and self.value(item.value))
        if isinstance(item, Scope):
            return self.scope(item, around, prefix)
        self.nodes[item] = self.node(item, around, prefix)
        return self.nodes[item]

    def node(self, node: Node, around: Scope, prefix: str) -> Node:
        return Node(
            path=prefix + node.path,
            op=node.op,
            arguments=tuple(value and self.value(value) for value in node.arguments),
            type={value.name: value.type for value in node.outputs},
            scope=around,
            span=node.span,
            written=node.written,
            condition=node.condition,
            inline=node.inline,
            home=self.path(node.home, self.lives(node.home)),
        )

    def scope(self, scope: Scope, around: Scope, prefix: str) -> Scope:
        """A scope and all below; the root becomes a block."""
        is_root = scope.kind == "root"
        made = self.scopes[scope] = replace(
            scope,
            name=self.prefix if is_root else scope.name,
            path=f"{prefix}{scope.path}".removesuffix("."),
            kind="block" if is_root else scope.kind,
            parent=around,
            inputs=self.values(scope.inputs),
            outputs={},
            lets={},
            items=[],
            home=self.path(scope.home, self.lives(scope.home)).removesuffix("."),
        )
        made.items = [self.item(item, made, prefix) for item in scope.items]
        made.outputs = self.values(self.main.outputs if is_root else scope.outputs)
        made.lets = self.values(scope.lets)
        return made

    def lives(self, home: str) -> bool:
        """Whether what lives at a path is a part of the main graph."""
        return home in self.lived

    def path(self, path: str, in_main: bool) -> str:
        return f"{self.prefix}.{path}" if in_main else path

    def weight(self, path: str) -> str:
        """The path of a weight."""
        return self.path(path, self.lives(path.rpartition(".")[0]))

    def value(self, value: Value) -> Value:
        return self.nodes[value.node].outputs[value.node.outputs.index(value)]

    def values(self, values: Mapping[str, Value]) -> dict[str, Value]:
        return {name: self.value(value) for name, value in values.items()}


def _free_name(taken: set[str]) -> str:
    name = MODEL
    while name in taken:
        name += "_"
    return name
