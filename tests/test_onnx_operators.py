"""Operators of ONNX files that stand for several ops of ours, or for parts of one: ONNX Runtime and PyTorch agree."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper
from torch import nn

from graphc.graph import Graph
from graphc.opaque import Calculated
from graphc.ops.statistic import Normalize
from graphc.sources import graph_of

Arrays = Mapping[str, NDArray[np.generic]]


def written(folder: Path, nodes: list[onnx.NodeProto], inputs: Arrays, held: Arrays | None = None) -> str:
    """The file of some nodes from inputs to `y`."""
    tensors = [onnx.numpy_helper.from_array(array, name) for name, array in (held or {}).items()]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, array.shape) for name, array in inputs.items()]
    made = helper.make_model(
        helper.make_graph(nodes, "small", ends, [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], tensors),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=10,
    )
    path = folder / "small.onnx"
    onnx.save(made, str(path))
    return str(path)


def agree(path: str, inputs: Arrays) -> Graph:
    """The graph of the file, in which everything is known, and which gives what the file gives."""
    graph, found = graph_of(path)
    assert [each.message for each in found] == []
    module = graph.module()
    assert isinstance(module, nn.Module)
    wanted = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, inputs)[0]
    given = module(*(torch.from_numpy(inputs[name]) for name in graph.inputs)).detach().numpy()
    assert given.shape == wanted.shape
    assert np.allclose(given, wanted, rtol=1e-5, atol=1e-5)
    return graph


def drawn(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=shape).astype("f")


@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize("axes", [[2], [-1, 0], None])
@pytest.mark.parametrize(
    "operator", ["ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceSum", "ReduceMean", "ReduceMax"]
)
def test_reductions(operator: str, axes: list[int] | None, keepdims: int, tmp_path: Path) -> None:
    held = {} if axes is None else {"axes": np.array(axes)}
    node = helper.make_node(operator, ["x", *held], ["y"], keepdims=keepdims)
    agree(written(tmp_path, [node], {"x": drawn(2, 3, 4)}, held), {"x": drawn(2, 3, 4)})


def test_a_reduction_of_no_axis_that_changes_its_elements_is_no_op_of_ours(tmp_path: Path) -> None:
    node = helper.make_node("ReduceL2", ["x"], ["y"], noop_with_empty_axes=1)
    _, found = graph_of(written(tmp_path, [node], {"x": drawn(2, 3)}))
    assert [each.code for each in found] == ["W103"]


@pytest.mark.parametrize(
    ("equation", "left", "right"),
    [
        ("bhid,bhjd->bhij", (2, 3, 4, 5), (2, 3, 6, 5)),
        ("bhij,bhjd->bhid", (2, 3, 4, 6), (2, 3, 6, 5)),
        ("bhdi,bhdj->bhji", (2, 3, 5, 4), (2, 3, 5, 6)),
        ("bihd,bjhd->bhij", (2, 4, 3, 5), (2, 6, 3, 5)),
        ("ik, kj -> ij", (4, 5), (5, 6)),
        ("b h w i , b j i h -> b h w j", (2, 3, 4, 5), (2, 6, 5, 3)),
    ],
)
def test_products_of_matrices_as_letters_say_them(
    equation: str, left: tuple[int, ...], right: tuple[int, ...], tmp_path: Path
) -> None:
    inputs = {"a": drawn(*left), "b": drawn(*right)}
    graph = agree(written(tmp_path, [helper.make_node("Einsum", ["a", "b"], ["y"], equation=equation)], inputs), inputs)
    assert sum(node.op.name == "matmul" for node in graph.nodes) == 1


@pytest.mark.parametrize("equation", ["ij,ij->ij", "ij,jk->i", "bi,bi->b", "...ij,...jk->...ik", "ii,ij->ij", "ij,jk"])
def test_other_sums_of_products_stay_unknown(equation: str, tmp_path: Path) -> None:
    inputs = {"a": drawn(3, 3), "b": drawn(3, 3)}
    _, found = graph_of(written(tmp_path, [helper.make_node("Einsum", ["a", "b"], ["y"], equation=equation)], inputs))
    assert [each.code for each in found] == ["W103"]


def normalizing(floor: str, expanded: bool) -> list[onnx.NodeProto]:
    """x / max(‖x‖, 0.5) along the last axis, as either exporter writes it."""
    return [
        helper.make_node("ReduceL2", ["x", "axes"], ["length"], keepdims=1),
        helper.make_node(floor, ["length", "least"], ["floor"]),
        *([helper.make_node("Expand", ["floor", "shape"], ["wide"])] if expanded else []),
        helper.make_node("Div", ["x", "wide" if expanded else "floor"], ["y"]),
    ]


@pytest.mark.parametrize("expanded", [False, True])
@pytest.mark.parametrize("floor", ["Clip", "Max"])
def test_what_is_divided_by_its_length_is_normalized(floor: str, expanded: bool, tmp_path: Path) -> None:
    inputs = {"x": drawn(2, 3, 4) * np.float32(0.4)}
    held = {"axes": np.array([-1]), "least": np.array(0.5, "f"), "shape": np.array([2, 3, 4])}
    graph = agree(written(tmp_path, normalizing(floor, expanded), inputs, held), inputs)
    assert [node.op for node in graph.nodes] == [Normalize(dim=2, eps=0.5)]
    other = [*normalizing(floor, expanded)[:-1], helper.make_node("Div", ["z", "floor"], ["y"])]
    graph = agree(written(tmp_path, other, {**inputs, "z": drawn(2, 3, 4)}, held), {**inputs, "z": drawn(2, 3, 4)})
    assert "normalize" not in {node.op.name for node in graph.nodes}


def test_rows_told_by_one_number_each_are_rows_of_a_table(tmp_path: Path) -> None:
    table, places = drawn(6, 4), np.array([[4], [0], [4]])
    nodes = [helper.make_node("GatherND", ["table", "places"], ["rows"]), helper.make_node("Add", ["x", "rows"], ["y"])]
    path = written(tmp_path, nodes, {"x": drawn(3, 4)}, {"table": table, "places": places})
    graph, found = graph_of(path)
    assert found == []
    assert sorted(node.op.name for node in graph.nodes) == ["add", "calculated", "embedding"]
    (op,) = (node.op for node in graph.nodes if isinstance(node.op, Calculated))
    assert op == Calculated.of(places[:, 0], "int64")
    two = [helper.make_node("GatherND", ["table", "places"], ["rows"]), helper.make_node("Add", ["x", "rows"], ["y"])]
    _, found = graph_of(written(tmp_path, two, {"x": drawn(3)}, {"table": table, "places": np.repeat(places, 2, 1)}))
    assert [each.code for each in found] == ["W103"]
