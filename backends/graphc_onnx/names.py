"""The ONNX names of a graph's values: of inputs and outputs the spec's, of all others their paths."""

from __future__ import annotations

from graphc.diagnostics import Diagnostic, SpecError
from graphc.graph import Graph, Value


def value_names(graph: Graph) -> dict[Value, str]:
    """Every value's name; that of an output is the first it is given out under.

    Raises:
        SpecError: an output has the name of an input and is another value, for ONNX has one space of names.
    """
    names = {value: name for name, value in graph.inputs.items()}
    _refuse_ambiguous(graph)
    for name, value in graph.outputs.items():
        names.setdefault(value, name)
    taken = set(names.values())
    for value in (value for node in graph.nodes for value in node.outputs):
        names.setdefault(value, f"{value.path}/value" if value.path in taken else value.path)
    return names


def further_outputs(graph: Graph, names: dict[Value, str]) -> dict[str, Value]:
    """The outputs whose value has another name: an input, or a value that is given out twice."""
    return {name: value for name, value in graph.outputs.items() if names[value] != name}


def _refuse_ambiguous(graph: Graph) -> None:
    both = [name for name, value in graph.outputs.items() if graph.inputs.get(name, value) is not value]
    if both:
        raise SpecError(_ambiguous(name, graph.outputs[name]) for name in both)


def _ambiguous(name: str, value: Value) -> Diagnostic:
    message = f"ONNX: `{name}` is an input and, as another value, an output"
    return Diagnostic("E901", message, value.node.span, hint="give the output another name")
