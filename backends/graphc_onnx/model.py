"""The graph as an ONNX model, and as a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, defs, helper

from graphc.diagnostics import Diagnostic, SpecError
from graphc.graph import Graph
from graphc.initial import initial_value
from graphc.tensor import Weight
from graphc_onnx.draft import Array, Draft
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings import lower
from graphc_onnx.names import further_outputs, value_names
from graphc_onnx.origin import describe
from graphc_onnx.signature import declare

DEFAULT_OPSET = 18
LOWEST_OPSET = 15
"""Shape takes `start` and `end` from here on."""


def model(
    graph: Graph, *, weights: Mapping[str, Array] | None = None, seed: int = 0, opset: int = DEFAULT_OPSET
) -> ModelProto:
    """The graph for inference, with the weights by path, or else their initial values for a seed.

    The model's opset is the one given, or the lowest that all its ops need if that is more; its IR version is the
    lowest with that opset.

    Raises:
        SpecError: an op has no lowering.
        ValueError: a weight is missing or has another shape, or this `onnx` doesn't know the opset.
    """
    _check_opset(opset)
    made = ModelProto()
    draft = Draft(made.graph, value_names(graph), _source(weights, seed), max(opset, LOWEST_OPSET))
    _emit(graph, draft)
    declare(graph, draft.names, made.graph)
    describe(graph, made)
    made.opset_import.append(helper.make_opsetid("", draft.opset))
    made.ir_version = helper.find_min_ir_version_for(made.opset_import)
    return made


def write(graph: Graph, path: Path, **options: Any) -> None:
    """Writes the model; options are those of `model`."""
    path.write_bytes(model(graph, **options).SerializeToString(deterministic=True))


def _emit(graph: Graph, draft: Draft) -> None:
    """Writes all ops; raises once, with every one that has no lowering."""
    problems: list[Diagnostic] = []
    for node in graph.nodes:
        try:
            lower(node.op, Emitter(node, draft), *node.operands)
        except SpecError as error:
            problems += error.diagnostics
    if problems:
        raise SpecError(problems)
    for name, value in further_outputs(graph, draft.names).items():
        draft.write(f"{value.path}/{name}", "Identity", [value], name)


def _source(weights: Mapping[str, Array] | None, seed: int) -> Callable[[str, Weight], Array]:
    """What gives a weight's values."""
    if weights is None:
        return lambda path, weight: initial_value(path, weight, seed)
    return lambda path, weight: _given(weights, path, weight)


def _given(weights: Mapping[str, Array], path: str, weight: Weight) -> Array:
    if path not in weights:
        raise ValueError(f"no weight is given for {path}")
    value = np.asarray(weights[path], weight.dtype)
    if value.shape != weight.shape:
        raise ValueError(f"{path} needs the shape {list(weight.shape)}, the weight given has {list(value.shape)}")
    return value


def _check_opset(opset: int) -> None:
    newest = defs.onnx_opset_version()
    if opset > newest:
        raise ValueError(f"opset {opset} is not known: this onnx has opsets up to {newest}")
