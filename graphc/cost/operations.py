"""Floating-point operations: two for each multiply-accumulate, and those that ops do beside."""

from __future__ import annotations

from graphc.dims import Size
from graphc.graph import Graph, Node


def flops_of(node: Node) -> Size | None:
    """2 for each multiply-accumulate, and the op's own work; None where it lacks a rule for one of the two.

    The bias of a convolution or a linear layer is not counted beside: of k products and a bias the sum takes k
    additions, which is two for each multiply-accumulate.
    """
    macs, work = node.macs(), node.op.work(*node.inputs)
    return None if macs is None or work is None else macs * 2 + work


def flops(graph: Graph) -> Size | None:
    """Floating-point operations of the main graph at inference; None where an op has no rule."""
    total: Size = 0
    for node in graph.nodes:
        cost = flops_of(node)
        if cost is None:
            return None
        total = total + cost
    return total


def unworked(graph: Graph) -> tuple[str, ...]:
    """The ops that have no rule for floating-point operations."""
    return tuple(sorted({node.op.name for node in graph.nodes if flops_of(node) is None}))
