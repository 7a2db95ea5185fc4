"""Both backends, run: the module that is written, and the ONNX model in ONNX Runtime, with ONNX's own checks."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import shape_inference

import graphc_torch
from graphc.graph import Graph
from graphc.ops import Op
from graphc.ops.index import Split
from graphc.tensor import Tensor
from interpreter import Array, Sizes, concrete
from sketch import Sketch

TOLERANCE = 1e-5
"""Of the largest number of an output."""


def names(cases: Sequence[tuple[Op, Sequence[Tensor]]]) -> Iterator[str]:
    """What each case is called."""
    for op, operands in cases:
        attributes = ",".join(f"{name}={value}" for name, value in op.model_dump(exclude_defaults=True).items())
        yield f"{op.name}({attributes})-{'-'.join(map(str, operands))}".replace(" ", "")


def graph_of(op: Op, *operands: Tensor, whole: bool = False) -> Graph:
    """A graph of one op, `step`, as the elaborator makes it; its first output, or all of them."""
    sketch = Sketch(**{f"input_{index}": operand for index, operand in enumerate(operands)})
    node = sketch.add("step", op, *sketch.graph.inputs.values()).node
    rest = {f"output_{index}": value for index, value in enumerate(node.outputs[1:], 1)} if whole else {}
    graph = sketch.give(output=node.output, **rest)
    graph.root.inputs.update(graph.inputs)
    graph.root.outputs.update(graph.outputs)
    return graph


def session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """ONNX Runtime with a model that ONNX's checker passes."""
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def in_torch(graph: Graph, weights: dict[str, Array], *inputs: dict[str, Array]) -> Iterator[Sequence[Array]]:
    """What the written module gives for each of several inputs."""
    module = graphc_torch.module(graph).eval()
    assert set(module.state_dict()) == set(weights)
    module.load_state_dict(arrays(weights))
    for given in inputs:
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # torch does not like the mean of kl_div
            found = module(*arrays(given).values())
        yield [value.detach().numpy() for value in ((found,) if isinstance(found, torch.Tensor) else found)]


def arrays(values: dict[str, Array]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(np.asarray(value)) for name, value in values.items()}


def assert_close(ours: Array, wanted: Array, *, nan: bool = False) -> None:
    """Same shape and element type, infinities at the same places (and, where there may be some, what is no number)."""
    assert (ours.shape, ours.dtype) == (wanted.shape, wanted.dtype)
    if ours.dtype == np.bool_:
        assert np.array_equal(ours, wanted)
        return
    finite = np.isfinite(wanted)
    assert np.array_equal(ours[~finite], wanted[~finite], equal_nan=nan)
    ours, wanted = ours[finite], wanted[finite]
    assert np.abs(ours - wanted).max(initial=0) <= TOLERANCE * np.abs(wanted).max(initial=0)


def inferred_shapes(graph: Graph, model: onnx.ModelProto, sizes: Sizes) -> dict[str, list[int | None] | None]:
    """What ONNX itself infers of all values from the concrete sizes of the inputs; None where it does not know."""
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    del bare.graph.value_info[:]
    for declared in bare.graph.output:
        declared.type.tensor_type.ClearField("shape")
    for declared, value in zip(bare.graph.input, graph.inputs.values(), strict=True):
        for dim, size in zip(declared.type.tensor_type.shape.dim, concrete(value.type, sizes), strict=True):
            dim.dim_value = size
    found = shape_inference.infer_shapes(bare, strict_mode=True, data_prop=True).graph
    return {value.name: known_sizes(value) for value in (*found.value_info, *found.output)}


def known_sizes(value: onnx.ValueInfoProto) -> list[int | None] | None:
    if not value.type.tensor_type.HasField("shape"):
        return None
    return [d.dim_value if d.HasField("dim_value") else None for d in value.type.tensor_type.shape.dim]


def assert_shapes_agree(graph: Graph, model: onnx.ModelProto, sizes: Sizes) -> None:
    inferred = inferred_shapes(graph, model, sizes)
    made_by = {node.name: node.output[0] for node in model.graph.node}
    for node in (node for node in graph.nodes if node.path in made_by):
        theirs = inferred[made_by[node.path]]
        ours = concrete(node.output.type, sizes, [size or 0 for size in theirs or ()])
        if theirs is None and isinstance(node.op, Split):
            continue  # of free sizes
        assert theirs is not None, node.path
        assert len(ours) == len(theirs), node.path
        assert [t or o for o, t in zip(ours, theirs, strict=True)] == list(ours), node.path
