"""Every op as the torch backend writes it, function and module, against torch.nn.functional."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import graphc_torch
from graphc.graph import Graph
from graphc.ops import Op
from graphc.tensor import Tensor
from graphc_torch.layer import Call, layer_of
from interpreter import Array, feeds_of, random_weights, run_in_torch
from sketch import Sketch
from test_onnx import CASES, SIZES, assert_close, names

PACKAGES = {"functional": functional, "nn": nn, "torch": torch}

op_cases = pytest.mark.parametrize(("op", "operands"), CASES, ids=names(CASES))


def graph_of(op: Op, *operands: Tensor) -> Graph:
    """A graph of one op, `step`, as the elaborator makes it."""
    sketch = Sketch(**{f"input_{index}": operand for index, operand in enumerate(operands)})
    graph = sketch.give(output=sketch.add("step", op, *sketch.graph.inputs.values()))
    graph.root.inputs.update(graph.inputs)
    graph.root.outputs.update(graph.outputs)
    return graph


def arrays(values: dict[str, Array]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(np.asarray(value)) for name, value in values.items()}


@op_cases
def test_op_is_written_as_torch_has_it(op: Op, operands: tuple[Tensor, ...]) -> None:
    graph = graph_of(op, *operands)
    module = graphc_torch.module(graph).eval()
    weights = random_weights(graph)
    assert set(module.state_dict()) == set(weights)
    module.load_state_dict(arrays(weights))
    for sizes in SIZES:
        inputs = feeds_of(op, graph, sizes)
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # torch does not like the mean of kl_div
            found = module(*arrays(inputs).values())
        assert_close(found.detach().numpy(), run_in_torch(graph, weights, inputs)[graph.outputs["output"]])


@op_cases
def test_module_and_function_are_the_same(op: Op, operands: tuple[Tensor, ...]) -> None:
    graph = graph_of(op, *operands)
    layer = layer_of(graph.nodes[0])
    if layer.module is None or layer.function is None:
        return
    (value,) = arrays(feeds_of(op, graph, SIZES[0])).values()
    for ours, theirs in zip(results(layer.module, value), results(layer.function, value), strict=True):
        assert_close(ours.numpy(), theirs.numpy())


def results(call: Call, operand: torch.Tensor) -> Sequence[torch.Tensor]:
    """What a module or a function makes of a value."""
    package, _, name = call.name.partition(".")
    target = getattr(PACKAGES[package], name)
    given = [argument.value for argument in call.arguments if argument.positional]
    named = {argument.name: argument.value for argument in call.arguments if not argument.positional}
    is_module = isinstance(target, type)
    found = target(*given, **named)(operand) if is_module else target(operand, *given, **named)
    return [found] if isinstance(found, torch.Tensor) else list(found)
