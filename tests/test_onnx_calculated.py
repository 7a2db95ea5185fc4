"""What no input of an ONNX file changes is calculated as it is read: masks, places, factors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper

from graphc.graph import Graph
from graphc.opaque import Calculated
from graphc.ops.attention import Attention
from graphc.sources import graph_of

Held = Mapping[str, NDArray[np.generic]]


def written(folder: Path, nodes: list[onnx.NodeProto], held: Held, shape: tuple[int, ...]) -> str:
    """The file of some nodes from `x` of a shape to `y`."""
    tensors = [onnx.numpy_helper.from_array(array, name) for name, array in held.items()]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape if name == "x" else None) for name in "xy"]
    made = helper.make_model(
        helper.make_graph(nodes, "small", ends[:1], ends[1:], tensors),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=10,
    )
    path = folder / "small.onnx"
    onnx.save(made, str(path))
    return str(path)


def run(path: str, x: NDArray[np.generic]) -> NDArray[np.generic]:
    """What ONNX Runtime gives."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    found: NDArray[np.generic] = session.run(None, {"x": x})[0]
    return found


def read(path: str) -> Graph:
    """The graph of a file in which everything was recognised."""
    graph, found = graph_of(path)
    assert [each.message for each in found] == []
    return graph


def scalars(**numbers: float) -> Held:
    return {name: np.array(number, "f") for name, number in numbers.items()}


def scattering(side: int) -> tuple[list[onnx.NodeProto], Held]:
    """A map of zeros, but for its last row of fives, of which a mask is made."""
    places = np.stack([np.full(side, side - 1), np.arange(side)], -1)
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["zeros"]),
        helper.make_node("Expand", ["five", "row"], ["fives"]),
        helper.make_node("ScatterND", ["zeros", "places", "fives"], ["map"]),
        helper.make_node("Sub", ["map", "one"], ["less"]),
        helper.make_node("Equal", ["less", "four"], ["there"]),
        helper.make_node("Where", ["there", "low", "less"], ["mask"]),
        helper.make_node("Add", ["x", "mask"], ["y"]),
    ]
    held = {"shape": np.array([side, side]), "row": np.array([side]), "places": places}
    return nodes, {**scalars(one=1, four=4, low=-100, five=5), **held}


def test_a_mask_that_is_written_into_its_places_is_its_numbers(tmp_path: Path) -> None:
    """Also where there are more of them than a list of sizes ever has."""
    for side in (6, 80):
        nodes, held = scattering(side)
        path = written(tmp_path, nodes, held, (side, side))
        graph = read(path)
        assert sorted(node.op.name for node in graph.nodes) == ["add", "calculated"]
        (op,) = (node.op for node in graph.nodes if isinstance(node.op, Calculated))
        assert op == Calculated.of(run(path, np.zeros((side, side), "f")), "float32")
        other = written(tmp_path, nodes, {**held, **scalars(low=-99)}, (side, side))
        assert op not in {node.op for node in read(other).nodes}


def test_numbers_are_told_by_their_values_and_their_shape() -> None:
    one = np.arange(6.0)
    assert Calculated.of(one, "float32") == Calculated.of(one.astype("f"), "float32")
    assert Calculated.of(-0.0 * one, "float32") == Calculated.of(0 * one, "float32")
    assert Calculated.of(one, "float32") != Calculated.of(one, "int64")
    assert Calculated.of(one, "float32") != Calculated.of(one.reshape(2, 3), "float32")
    assert Calculated.of(one, "float32") != Calculated.of(one[::-1], "float32")


def attending(*, pictures: int, **numbers: float) -> tuple[list[onnx.NodeProto], Held]:
    """Attention over [4, 3, 5, 8] with a factor 8 ** -0.5, a learned bias, and a mask of each of the windows."""
    rng = np.random.default_rng(0)
    nodes = [
        helper.make_node("Pow", ["size", "power"], ["scale"]),
        helper.make_node("Mul", ["x", "scale"], ["q"]),
        helper.make_node("Transpose", ["x"], ["turned"], perm=[0, 1, 3, 2]),
        helper.make_node("MatMul", ["q", "turned"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["biased"]),
        helper.make_node("Reshape", ["biased", "parted"], ["windows"]),
        helper.make_node("Equal", ["origin", "zero"], ["same"]),
        helper.make_node("Where", ["same", "nothing", "low"], ["mask"]),
        helper.make_node("Add", ["windows", "mask"], ["masked"]),
        helper.make_node("Reshape", ["masked", "whole"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["weights"], axis=-1),
        helper.make_node("MatMul", ["weights", "x"], ["y"]),
    ]
    windows = 4 // pictures
    return nodes, {
        **scalars(**{"size": 8, "power": -0.5, "nothing": 0, "low": -100, **numbers}),
        "bias": rng.normal(size=(1, 3, 5, 5)).astype("f"),
        "origin": rng.integers(0, 2, (1, windows, 1, 5, 5)),
        "zero": np.array(0),
        "parted": np.array([pictures, windows, 3, 5, 5]),
        "whole": np.array([4, 3, 5, 5]),
    }


def test_attention_with_a_mask_of_each_window_is_attention(tmp_path: Path) -> None:
    nodes, held = attending(pictures=1)
    graph = read(written(tmp_path, nodes, held, (4, 3, 5, 8)))
    assert sorted(node.op.name for node in graph.nodes) == ["attention", "calculated", "parameter"]
    (node,) = (node for node in graph.nodes if isinstance(node.op, Attention))
    assert node.op == Attention()  # 8 ** -0.5 is the usual scale
    mask, bias = node.operands[3:]
    assert bias.type.shape == (1, 3, 5, 5)
    assert mask.node.op == Calculated.of(np.where(held["origin"][0] == 0, 0.0, -100.0), "float32")


def test_a_mask_over_several_pictures_is_repeated(tmp_path: Path) -> None:
    nodes, held = attending(pictures=2)
    graph = read(written(tmp_path, nodes, held, (4, 3, 5, 8)))
    (node,) = (node for node in graph.nodes if isinstance(node.op, Attention))
    mask = np.where(held["origin"][0] == 0, 0.0, -100.0)
    assert node.operands[3].node.op == Calculated.of(np.concatenate([mask, mask]), "float32")


def test_rows_of_a_table_at_known_places_are_those_of_it(tmp_path: Path) -> None:
    """Also at places that don't follow each other, and where they are counted from the end."""
    table = np.arange(24, dtype="f").reshape(6, 4)
    nodes = [helper.make_node("Gather", ["table", "places"], ["rows"]), helper.make_node("Add", ["x", "rows"], ["y"])]
    for places, name in (([4, 0, 1], "embedding"), ([4, -1, 1], "index_select")):
        graph = read(written(tmp_path, nodes, {"table": table, "places": np.array(places)}, (3, 4)))
        assert name in {node.op.name for node in graph.nodes}
        (op,) = (node.op for node in graph.nodes if isinstance(node.op, Calculated))
        assert op == Calculated.of(np.array(places), "int64")


def test_another_factor_is_a_scale(tmp_path: Path) -> None:
    nodes, held = attending(pictures=1, power=-1)
    graph = read(written(tmp_path, nodes, held, (4, 3, 5, 8)))
    (op,) = (node.op for node in graph.nodes if isinstance(node.op, Attention))
    assert op.scale == 0.125
