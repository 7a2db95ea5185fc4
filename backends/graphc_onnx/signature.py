"""Types of values as ONNX declares them: a free size is a named dimension, a computed one is named by its formula."""

from __future__ import annotations

from onnx import GraphProto, ValueInfoProto, helper

from graphc.graph import Graph, Value
from graphc_onnx.elements import ELEMENTS, held
from graphc_onnx.form import Real


def declare(graph: Graph, names: dict[Value, str], body: GraphProto, real: Real) -> None:
    """Writes the inputs, the outputs and the types of all values between them that have a name."""
    body.input.extend(_typed(name, value, real) for name, value in graph.inputs.items())
    body.output.extend(_typed(name, value, real) for name, value in graph.outputs.items())
    values = (value for node in graph.nodes for value in node.outputs if value in names)
    body.value_info.extend(_typed(names[value], value, real) for value in values if names[value] not in graph.outputs)


def _typed(name: str, value: Value, real: Real) -> ValueInfoProto:
    shape = [size if isinstance(size, int) else str(size) for size in value.type.shape]
    return helper.make_tensor_value_info(name, ELEMENTS[held(value.type.dtype, real)], shape, str(value.node.span))
