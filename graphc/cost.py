"""What a graph costs, from the graph alone; free sizes stay symbolic."""

from __future__ import annotations

from graphc.dims import Size
from graphc.graph import Graph


def parameters(graph: Graph) -> Size:
    """Number of trainable numbers."""
    return sum((weight.count for _, weight in graph.weights() if not weight.buffer), start=0)


def macs(graph: Graph) -> Size | None:
    """Multiply-accumulates of convolutions and matrix products; None where an op has no rule."""
    total: Size = 0
    for node in graph.nodes:
        cost = node.macs()
        if cost is None:
            return None
        total = total + cost
    return total
