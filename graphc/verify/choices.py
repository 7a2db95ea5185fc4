"""What a network chooses: where in a window the largest number is, which of two is larger, what comes first.

Numbers that are the same but for rounding are chosen between by their last bits, and what follows from another choice
is another value. So where values differ, ONNX Runtime is run again with PyTorch's choices in place of its own: then
they have to be the same, and its own choices too, but for few.
"""

from __future__ import annotations

from graphc.graph import Graph, Value
from graphc.rewrite import with_taps

FEW = 1e-3
"""The part of the choices of a step that may be others."""


def with_choices(graph: Graph) -> tuple[Graph, frozenset[str]]:
    """The graph with its choices as further outputs, and the names of all that are choices."""
    chosen = [value for node in graph.nodes for value in node.outputs if _is_choice(value)]
    given = set(graph.outputs.values())
    tapped = with_taps(graph, [value.path for value in chosen if value not in given])
    return tapped, frozenset(name for name, value in tapped.outputs.items() if value in chosen)


def _is_choice(value: Value) -> bool:
    """Whole numbers or truth values that are made of real ones."""
    operands = value.node.operands
    return value.type.dtype != "float32" and any(operand.type.dtype == "float32" for operand in operands)
