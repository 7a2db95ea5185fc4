"""Batch norms folded into the convolutions in front of them, as exporters and runtimes do before they run a network.

With running statistics a batch norm is a factor and a summand for each channel, so that a convolution whose value it
alone reads can have both: in its weight and in its bias (Jacob et al. 2018, 3.2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from graphc.graph import Graph, Node
from graphc.ops.activation import Dropout, Dropout2d, StochasticDepth
from graphc.ops.conv import Convolution
from graphc.ops.norm import BatchNorm, FrozenBatchNorm
from graphc.remaking import Arguments, Made, remade

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
    gone, biased = {*norms, *steps}, set(norms.values())

    def rule(node: Node, arguments: Arguments) -> Made:
        if node in gone and arguments[0] is not None:
            return arguments[0]
        return (_biased(node.op) if node in biased and isinstance(node.op, Convolution) else node.op), arguments

    return remade(graph, rule)


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


def _biased(op: Convolution) -> Convolution:
    return type(op).model_validate({name: getattr(op, name) for name in type(op).model_fields} | {"bias": True})
