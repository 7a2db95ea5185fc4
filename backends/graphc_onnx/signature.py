"""Types of values as ONNX declares them: a free size is a named dimension, a computed one is named by its formula."""

from __future__ import annotations

from onnx import GraphProto, ValueInfoProto, helper

from graphc.graph import Graph, Value
from graphc_onnx.elements import ELEMENTS


def declare(graph: Graph, names: dict[Value, str], body: GraphProto) -> None:
    """Writes the inputs, the outputs and the types of all values between them that have a name."""
    body.input.extend(_typed(name, value) for name, value in graph.inputs.items())
    body.output.extend(_typed(name, value) for name, value in graph.outputs.items())
    values = (value for node in graph.nodes for value in node.outputs if value in names)
    body.value_info.extend(_typed(names[value], value) for value in values if names[value] not in graph.outputs)


def _typed(name: str, value: Value) -> ValueInfoProto:
    shape = [size if isinstance(size, int) else str(size) for size in value.type.shape]
    return helper.make_tensor_value_info(name, ELEMENTS[value.type.dtype], shape, str(value.node.span))
