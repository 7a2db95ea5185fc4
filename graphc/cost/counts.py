"""Parameters and multiply-accumulates; free sizes stay symbolic."""

from __future__ import annotations

from graphc.dims import Size
from graphc.graph import Graph


def parameters(graph: Graph) -> Size:
    """Number of trainable numbers."""
    return sum((weight.count for _, weight in graph.weights() if not weight.buffer), start=0)


def training_parameters(graph: Graph) -> Size:
    """Number of trainable numbers, those that exist in training alone included."""
    extra = (weight.count for _, weight in graph.training_weights() if not weight.buffer)
    return parameters(graph) + sum(extra, start=0)


def frozen_parameters(graph: Graph) -> Size:
    """Number of those parameters that training leaves as they are."""
    frozen = graph.training.frozen if graph.training else frozenset[str]()
    weights = (*graph.weights(), *graph.training_weights())
    return sum((weight.count for path, weight in weights if path in frozen and not weight.buffer), start=0)


def buffers(graph: Graph) -> Size:
    """Number of numbers that are saved with the parameters, but not trained."""
    return sum((weight.count for _, weight in graph.weights() if weight.buffer), start=0)


def macs(graph: Graph) -> Size | None:
    """Multiply-accumulates of convolutions and matrix products; None where an op has no rule."""
    total: Size = 0
    for node in graph.nodes:
        cost = node.macs()
        if cost is None:
            return None
        total = total + cost
    return total


def uncounted(graph: Graph) -> tuple[str, ...]:
    """The ops that have no rule for multiply-accumulates."""
    return tuple(sorted({node.op.name for node in graph.nodes if node.macs() is None}))
