"""Batch norms folded into the convolutions in front of them, as exporters and runtimes do before they run a network.

With running statistics a batch norm is a factor and a summand for each channel, so that a convolution whose value it
alone reads can have both: in its weight and in its bias (Jacob et al. 2018, 3.2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from graphc.graph import Graph, Node, Scope, Skipped, Value
from graphc.ops.activation import Dropout, Dropout2d, StochasticDepth
from graphc.ops.conv import Convolution
from graphc.ops.norm import BatchNorm, FrozenBatchNorm

NORMS = (BatchNorm, FrozenBatchNorm)
IDLE = (Dropout, Dropout2d, StochasticDepth)


def fold_batch_norms(graph: Graph) -> Graph:
    """The graph without the batch norms that can be folded; each such convolution has a bias then.

    The main graph alone is rewritten: there is no training of it any more, and no expectation of its counts. What is
    said of the folded step's path (`let`, outputs) is said of the convolution. The given graph stays as it is.
    """
    return at_inference(graph, folded(graph))


def at_inference(graph: Graph, norms: Mapping[Node, Node], steps: Collection[Node] = ()) -> Graph:
    """The graph without some of its `folded` batch norms, and without some `idle` steps, as `fold_batch_norms`."""
    return _Folding(graph, {*norms, *steps}, set(norms.values())).graph()


def idle(graph: Graph) -> set[Node]:
    """The steps that give what they are given, but in training."""
    return {node for node in graph.nodes if isinstance(node.op, IDLE)}


def folded(graph: Graph) -> dict[Node, Node]:
    """The batch norms that can be folded, and the convolution in front of each."""
    read = Counter(value.node for node in graph.nodes for value in node.operands)
    read.update(value.node for value in graph.outputs.values())
    homes = Counter(node.home for node in graph.nodes if isinstance(node.op, (Convolution, *NORMS)))
    found = {}
    for node in graph.nodes:
        if isinstance(node.op, NORMS) and _has_statistics(node):
            before = node.operands[0].node
            alone = read[before] == 1 and homes[before.home] == homes[node.home] == 1
            if isinstance(before.op, Convolution) and alone:
                found[node] = before
    return found


def _has_statistics(node: Node) -> bool:
    return not isinstance(node.op, BatchNorm) or node.op.track_running_stats


@dataclass(slots=True)
class _Folding:
    """Makes the graph anew, without some nodes; some of the others have a bias then."""

    given: Graph
    gone: Collection[Node]
    biased: Collection[Node]
    nodes: dict[Node, Node] = field(default_factory=dict)
    scopes: dict[Scope, Scope] = field(default_factory=dict)

    def graph(self) -> Graph:
        given = self.given
        root = self.scope(given.root, None)
        for value in given.inputs.values():
            self.node(value.node)
        nodes = [self.node(node) for node in given.nodes if node not in self.gone]
        for scope in self.scopes:
            self.fill(scope)
        gone = {node.path for node in self.gone}
        return replace(
            given,
            inputs=self.values(given.inputs),
            outputs=self.values(given.outputs),
            root=root,
            nodes=nodes,
            demands=[demand for demand in given.demands if demand.path not in gone],
            expected=[],
            training=None,
            sampling=None,
            init=(),
            checkpoints={},
        )

    def scope(self, scope: Scope, around: Scope | None) -> Scope:
        """A scope and all below, still empty."""
        made = self.scopes[scope] = replace(scope, parent=around, items=[], inputs={}, outputs={}, lets={})
        for item in scope.items:
            if isinstance(item, Scope):
                self.scope(item, made)
        return made

    def fill(self, scope: Scope) -> None:
        """What is in a scope, and what its values are called."""
        made = self.scopes[scope]
        for item in scope.items:
            if isinstance(item, Scope):
                made.items.append(self.scopes[item])
            elif isinstance(item, Skipped):
                made.items.append(replace(item, value=item.value and self.value(item.value)))
            elif item not in self.gone:
                made.items.append(self.nodes[item])
        made.inputs, made.outputs, made.lets = map(self.values, (scope.inputs, scope.outputs, scope.lets))

    def node(self, node: Node) -> Node:
        """A node with its operands; a convolution whose norm goes has a bias."""
        if node not in self.nodes:
            op, written = node.op, node.written
            if isinstance(op, Convolution) and node in self.biased:
                op = type(op).model_validate(
                    {name: getattr(op, name) for name in type(op).model_fields} | {"bias": True}
                )
                written = {name: each for name, each in written.items() if name != "bias"}
            self.nodes[node] = Node(
                node.path,
                op,
                tuple(value and self.value(value) for value in node.arguments),
                {value.name: value.type for value in node.outputs},
                self.scopes[node.scope],
                node.span,
                written,
                node.condition,
                node.inline,
                node.home,
            )
        return self.nodes[node]

    def value(self, value: Value) -> Value:
        """What a value is now: that of the convolution, for one of a norm that is gone."""
        while value.node in self.gone:
            value = value.node.operands[0]
        return self.node(value.node).outputs[value.node.outputs.index(value)]

    def values(self, values: Mapping[str, Value]) -> dict[str, Value]:
        return {name: self.value(value) for name, value in values.items()}
