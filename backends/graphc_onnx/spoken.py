"""What an op becomes in ONNX, in a few words."""

from __future__ import annotations

from graphc.graph import Graph
from graphc_onnx.assemble import assemble
from graphc_onnx.form import Form
from graphc_onnx.opsets import LOWEST_OPSET
from graphc_onnx.values import source

FEW = 4
"""So many operators are named."""


def spoken(graph: Graph) -> str:
    """The lowest opset that has what the last op of a graph becomes, and its operators: "opset 15: `Conv`".

    Raises:
        SpecError: ONNX can't express an op.
    """
    made = assemble(graph, source(None, 0), Form(opset=LOWEST_OPSET))
    operators = [f"`{operator}`" for operator in dict.fromkeys(node.op_type for node in made.graph.node)]
    said = ", ".join(operators) if len(operators) <= FEW else f"{len(made.graph.node)} nodes"
    return f"opset {made.opset_import[0].version}: {said}"
