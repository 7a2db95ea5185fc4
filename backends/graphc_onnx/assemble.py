"""The graph as an ONNX model."""

from __future__ import annotations

from onnx import ModelProto, defs, helper

from graphc.axes import readings
from graphc.diagnostics import Diagnostic, SpecError
from graphc.graph import Graph
from graphc_onnx.draft import Draft, Source
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings import lower
from graphc_onnx.names import further_outputs, value_names
from graphc_onnx.origin import describe
from graphc_onnx.signature import declare
from graphc_onnx.sizes import Sizes

LOWEST_OPSET = 15
"""Shape takes `start` and `end` from here on."""


def assemble(graph: Graph, source: Source, opset: int) -> ModelProto:
    """The model, in that opset or a later one that its ops need.

    Raises:
        SpecError: ONNX can't express an op.
        ValueError: the installed onnx doesn't know the opset.
    """
    _check_opset(opset)
    made = ModelProto()
    draft = Draft(made.graph, value_names(graph), source, max(opset, LOWEST_OPSET), graph.initial)
    _emit(graph, draft)
    unread = draft.put_off.keys()
    declare(graph, {value: name for value, name in draft.names.items() if value not in unread}, made.graph)
    describe(graph, made)
    made.opset_import.append(helper.make_opsetid("", draft.opset))
    made.ir_version = helper.find_min_ir_version_for(made.opset_import)
    return made


def _emit(graph: Graph, draft: Draft) -> None:
    """Writes all ops; raises once, with every one that has no lowering."""
    problems: list[Diagnostic] = []
    sizes = Sizes(draft, readings(graph.inputs.values()))
    for node in graph.nodes:
        try:
            lower(node.op, Emitter(node, draft, sizes), *node.arguments)
        except SpecError as error:
            problems += error.diagnostics
    if problems:
        raise SpecError(problems)
    for value in graph.outputs.values():
        draft.name_of(value)
    for name, value in further_outputs(graph, draft.names).items():
        draft.write(f"{value.path}/{name}", "Identity", [value], [name])


def _check_opset(opset: int) -> None:
    newest = defs.onnx_opset_version()
    if opset > newest:
        raise ValueError(f"opset {opset} is not known: this onnx has opsets up to {newest}")
