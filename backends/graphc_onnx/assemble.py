"""The graph as an ONNX model."""

from __future__ import annotations

from onnx import ModelProto, helper

from graphc.axes import Reading, readings, unshown
from graphc.diagnostics import Diagnostic, SpecError
from graphc.graph import Graph
from graphc.kept import kept_by
from graphc_onnx.draft import Draft, Source
from graphc_onnx.emitter import Emitter
from graphc_onnx.folding import fold
from graphc_onnx.form import Form
from graphc_onnx.lowerings import lower
from graphc_onnx.lowerings.base import cannot_lower
from graphc_onnx.names import further_outputs, value_names
from graphc_onnx.opsets import LOWEST_OPSET, ir_version, require_known
from graphc_onnx.origin import describe
from graphc_onnx.precision import is_exact
from graphc_onnx.signature import declare
from graphc_onnx.sizes import Sizes, UnshownError
from graphc_onnx.storage import Storage, inside

__all__ = ["LOWEST_OPSET", "assemble"]


def assemble(graph: Graph, source: Source, form: Form, store: Storage = inside) -> ModelProto:
    """The model, in the form's opset or a later one that its ops need.

    Raises:
        SpecError: ONNX can't express an op.
        BackendError: the opset is not known, or a weight too large for the type of real numbers.
    """
    require_known(form.opset)
    made = ModelProto()
    opset = max(form.opset, LOWEST_OPSET)
    draft = Draft(made.graph, value_names(graph), source, opset, graph.initial, form.dtype, store)
    _emit(graph, draft)
    unread = draft.put_off.keys()
    names = {value: name for value, name in draft.names.items() if value not in unread}
    declare(graph, names, made.graph, form.dtype)
    describe(graph, made)
    made.opset_import.append(helper.make_opsetid("", draft.opset))
    made.ir_version = ir_version(draft.opset)
    if form.functions:
        fold(graph, draft, made)
    return made


def _emit(graph: Graph, draft: Draft) -> None:
    """Writes all ops; raises once, with every one that has no lowering."""
    problems: list[Diagnostic] = []
    kept = {each.name: Reading(each.value, each.axis) for each in kept_by(graph.nodes)}
    sizes = Sizes(draft, {**readings(graph.inputs.values()), **kept})
    for node in graph.nodes:
        try:
            lower(node.op, Emitter(node, draft, sizes, exact=is_exact(node.op)), *node.arguments)
        except SpecError as error:
            problems += error.diagnostics
        except UnshownError as error:
            hint = unshown([str(error)], graph.inputs.values())
            problems += cannot_lower(node, f"the size {error} can't be read from the inputs", hint).diagnostics
    if problems:
        raise SpecError(problems)
    for value in graph.outputs.values():
        draft.name_of(value)
    for name, value in further_outputs(graph, draft.names).items():
        draft.write(f"{value.path}/{name}", "Identity", [value], [name], graph.root)
