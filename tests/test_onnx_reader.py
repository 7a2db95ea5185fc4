"""ONNX files read as graphs: our own exactly, PyTorch's by their structure, damaged ones with a word."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import pytest
import torch
from onnx import ModelProto, TensorProto, helper

from exporting import SIZES, STRIDED, exported, network
from graphc import library
from graphc.compiler import compile, compile_spec
from graphc.cost import macs, parameters
from graphc.diagnostics import SpecError
from graphc.dims import Size, substitute
from graphc.folding import fold_batch_norms, folded
from graphc.graph import Graph, Node
from graphc.opaque import Foreign
from graphc.ops import Op
from graphc.settings import read_settings
from graphc.sources import graph_of
from graphc.tensor import Tensor
from graphc_onnx import model
from networks import marked

VARIANTS = {name: [f"{name}:{v}" for v in library.installed(name).variants] or [name] for name in library.names()}
FIRST = [addresses[0] for addresses in VARIANTS.values()]
REST = [address for addresses in VARIANTS.values() for address in addresses[1:]]
CLASSIFICATION = frozenset(
    {
        "cbam",
        "convnext",
        "densenet",
        "efficientnet",
        "googlenet",
        "mnist_cnn",
        "mobilenet_v2",
        "mobilenet_v3",
        "resnet",
        "senet",
        "squeezenet",
        "unet",
        "vit",
    }
)
"""The families whose files are read without metadata."""
FAST = ("resnet18", "squeezenet1_1", "mobilenet_v3_small")
SHAPED = {
    "BatchNormalization": "batch_norm",
    "Conv": "conv2d",
    "LayerNormalization": "layer_norm",
    "MaxPool": "max_pool2d",
}
"""Operators of which each is one op, whose shapes are compared."""
DROPPED = {"dropout", "stochastic_depth"}
"""Ops that do nothing when a network runs, which exporters leave out."""


def emitted(graph: Graph, *, functions: bool = False) -> ModelProto:
    """The model, with weights that are all 0: their values do not matter here."""
    weights = {
        path: np.zeros([int(str(size)) for size in weight.shape], weight.dtype)
        for path, weight in graph.bound().weights()
    }
    return model(graph, weights=weights, functions=functions)


def written(made: ModelProto, folder: Path, *, stripped: bool = False) -> str:
    """The file of a model, perhaps without what graphc says in it."""
    if stripped:
        made.producer_name = ""
        del made.metadata_props[:]
        for node in made.graph.node:
            del node.metadata_props[:]
            node.doc_string = ""
    path = folder / "model.onnx"
    path.write_bytes(made.SerializeToString())
    return str(path)


def about(node: Node) -> tuple[object, ...]:
    """All that a node is, but where it was written."""
    weights = {name: (weight.shape, weight.dtype, weight.buffer) for name, weight in node.weights().items()}
    types = [(value.name, value.type) for value in node.outputs]
    home = node.home if weights else ""
    return node.op, [value and value.path for value in node.arguments], types, weights, home


def same(left: Graph, right: Graph) -> None:
    """Both have the same ops with the same paths, operands, types and weights, and the same scopes."""
    assert {node.path: about(node) for node in left.nodes} == {node.path: about(node) for node in right.nodes}
    assert {scope.path for scope in left.root.scopes() if list(scope.nodes())} == {
        scope.path for scope in right.root.scopes()
    }
    for one, other in ((left.inputs, right.inputs), (left.outputs, right.outputs)):
        assert {name: (value.path, value.type) for name, value in one.items()} == {
            name: (value.path, value.type) for name, value in other.items()
        }


@pytest.mark.parametrize(
    "address", [*marked(FIRST), *(pytest.param(each, marks=pytest.mark.exhaustive) for each in REST)]
)
def test_our_own_file_gives_the_very_graph_that_it_was_written_from(address: str, tmp_path: Path) -> None:
    graph = compile(address).bound()
    read, found = graph_of(written(emitted(graph), tmp_path))
    assert [each.code for each in found if each.code == "W103"] == []
    same(graph, read)
    assert (read.name, read.title, read.doc, read.paper) == (graph.name, graph.title, graph.doc, graph.paper)


@pytest.mark.parametrize("address", ["resnet18", "mobilenet_v2", "cbam"])
def test_blocks_that_are_functions_are_written_out(address: str, tmp_path: Path) -> None:
    """Read by their structure: equal blocks of other widths are one function, with no attributes told."""
    graph = compile(address)
    read, found = graph_of(written(emitted(graph, functions=True), tmp_path))
    assert [each.message for each in found if each.code == "W103"] == []
    assert (parameters(read), macs(read)) == (parameters(graph), macs(graph))


def test_a_file_of_16_bits_is_read_as_one_of_32(tmp_path: Path) -> None:
    graph = compile("resnet18")
    path = tmp_path / "half.onnx"
    graph.onnx(path, dtype="float16")
    same(graph, graph_of(str(path))[0])


def test_weights_that_lie_in_a_file_beside_are_not_needed(tmp_path: Path) -> None:
    graph = compile("mnist_cnn")
    path = tmp_path / "apart.onnx"
    graph.onnx(path, external_data=True)
    (tmp_path / "apart.onnx.data").unlink()
    same(graph, graph_of(str(path))[0])


@pytest.mark.parametrize("name", [name for name in VARIANTS if name in CLASSIFICATION])
def test_without_our_words_the_structure_is_still_there(name: str, tmp_path: Path) -> None:
    """But for the names of blocks: what costs anything is counted alike, and no op is unknown."""
    graph = compile(VARIANTS[name][0]).bound()
    read, found = graph_of(written(emitted(graph), tmp_path, stripped=True))
    assert [each.message for each in found if each.code == "W103"] == []
    assert parameters(read) == parameters(graph)
    assert macs(read) == macs(graph)
    assert dict(read.weights()).keys() <= {path for path, _ in graph.weights()}
    costly = {"conv2d", "linear", "batch_norm", "layer_norm", "attention", "conv_transpose2d"}
    assert kinds(read) & kinds(graph) >= Counter({op: n for op, n in kinds(graph).items() if op in costly})


def test_a_file_that_was_changed_since_is_read_as_it_is_now(tmp_path: Path) -> None:
    """The metadata of a convolution is not believed, for its weight has another shape; nor does that fit its bias."""
    made = emitted(compile("mnist_cnn"))
    weight = next(each for each in made.graph.initializer if len(each.dims) == 4)
    shape = [7, *weight.dims[1:]]
    weight.CopyFrom(
        helper.make_tensor(weight.name, TensorProto.FLOAT, shape, bytes(4 * 7 * weight_size(shape)), raw=True)
    )
    read, found = graph_of(written(made, tmp_path))
    assert isinstance(read.nodes[0].op, Foreign)
    assert [each.message.split(" (")[0] for each in found] == ["Conv: conv2d has tensors of another shape"]


def weight_size(shape: list[int]) -> int:
    return shape[1] * shape[2] * shape[3]


# --- PyTorch's exporters


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dynamo", [False, True], ids=["torchscript", "dynamo"])
@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n not in FAST)) for n in SIZES])
def test_torchvisions_network_is_ours_with_its_batch_norms_folded(
    name: str, dynamo: bool, torchvision: ModuleType, tmp_path: Path
) -> None:
    size = SIZES[name]
    image, free = torch.zeros(2, 3, size, size), not (dynamo and name == STRIDED)
    path = exported(network(torchvision, name), image, tmp_path / f"{name}.onnx", dynamo=dynamo, free=free)
    read, found = graph_of(path)
    assert [each.message for each in found if each.code == "W103"] == []
    ours = fold_batch_norms(compile(name).bound())
    assert parameters(read) == parameters(ours)
    assert at(macs(read), read, size) == at(macs(ours), ours, size)
    assert not any(isinstance(node.op, Foreign) for node in read.nodes)
    costly = ("conv2d", "batch_norm", "layer_norm", "attention", "max_pool2d", "add", "concat", "gelu", "silu")
    assert {op: kinds(read)[op] for op in costly} == {op: kinds(ours)[op] for op in costly}
    assert shapes(read) == inferred(path)


def kinds(graph: Graph) -> Counter[str]:
    """How many of each op there are, but for those that do nothing."""
    return Counter(node.op.name for node in graph.nodes if node.op.name not in DROPPED)


def at(count: Size | None, graph: Graph, size: int) -> Size | None:
    """A count for two pictures of a size."""
    names = dict.fromkeys(graph.sizes, size) | {"N": 2}
    batch = next(iter(graph.inputs.values())).type.shape[0]
    return None if count is None else substitute(count, names | {str(batch): 2})


def inferred(path: str) -> Counter[tuple[str, tuple[int | None, ...]]]:
    """The shapes that ONNX's own inference finds for the outputs of some operators; None is a free size."""
    proto = onnx.shape_inference.infer_shapes(onnx.load(path), data_prop=True)
    types = {each.name: each.type.tensor_type.shape.dim for each in (*proto.graph.value_info, *proto.graph.output)}
    return Counter(
        (
            SHAPED[node.op_type],
            tuple(dim.dim_value if dim.HasField("dim_value") else None for dim in types[node.output[0]]),
        )
        for node in proto.graph.node
        if node.op_type in SHAPED
    )


def shapes(graph: Graph) -> Counter[tuple[str, tuple[int | None, ...]]]:
    """The shapes that the same ops have in a graph."""
    return Counter(
        (node.op.name, tuple(size if isinstance(size, int) else None for size in node.output.type.shape))
        for node in graph.nodes
        if node.op.name in SHAPED.values()
    )


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2", "densenet121", "cbam_resnet18"])
def test_folding_takes_what_a_norm_has_beyond_a_bias(name: str) -> None:
    """A norm of C channels has two parameters for each, a bias one."""
    graph = compile(name)
    gone = folded(graph)
    made = fold_batch_norms(graph)
    saved = sum(int(str(node.output.type.channels)) for node in gone)
    assert len(gone) > 10
    assert len(made.nodes) == len(graph.nodes) - len(gone)
    assert int(str(parameters(graph))) - int(str(parameters(made))) == saved
    assert macs(made) == macs(graph)
    assert graph.source() != made.source()
    assert [value.type for value in made.outputs.values()] == [value.type for value in graph.outputs.values()]


# --- forms of an op


def small(
    *nodes: onnx.NodeProto, tensors: Mapping[str, object], shape: tuple[int | str, ...] = ("N", 8, "H", "W")
) -> ModelProto:
    """A model of some nodes from `x` to `y`."""
    held = [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in tensors.items()]
    kinds = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape if name == "x" else None) for name in "xy"]
    graph = helper.make_graph(list(nodes), "small", kinds[:1], kinds[1:], held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])


def chain(*steps: tuple[str, list[str]], **attributes: object) -> list[onnx.NodeProto]:
    """Nodes one behind the other: each reads `.`, what the one before it gives, and what is named."""
    made, last = [], "x"
    for number, (operator, inputs) in enumerate(steps):
        name = "y" if number == len(steps) - 1 else f"v{number}"
        made.append(helper.make_node(operator, [last if each == "." else each for each in inputs], [name], name=name))
        last = name
    return made


@pytest.mark.parametrize(
    ("nodes", "op"),
    [
        (chain(("Sigmoid", ["."]), ("Mul", ["x", "."])), "silu"),
        (chain(("HardSwish", ["."])), "hardswish"),
        (chain(("Clip", [".", "zero", "six"])), "relu6"),
        (chain(("Clip", [".", "zero", "three"])), "hardtanh"),
        (chain(("Add", [".", "three"]), ("Clip", [".", "zero", "six"]), ("Div", [".", "six"])), "hardsigmoid"),
        (chain(("Add", [".", "three"]), ("Clip", [".", "zero", "six"]), ("Mul", [".", "sixth"])), "hardsigmoid"),
        (
            chain(("Add", [".", "three"]), ("Clip", [".", "zero", "six"]), ("Mul", ["x", "."]), ("Div", [".", "six"])),
            "hardswish",
        ),
        (
            chain(
                ("Div", [".", "root"]),
                ("Erf", ["."]),
                ("Add", [".", "one"]),
                ("Mul", ["x", "."]),
                ("Mul", [".", "half"]),
            ),
            "gelu",
        ),
        (chain(("GlobalAveragePool", ["."])), "adaptive_avg_pool2d"),
        (chain(("ReduceMean", [".", "space"])), "adaptive_avg_pool2d"),
        (chain(("Reshape", [".", "flat"])), "flatten"),
        (chain(("Transpose", ["."])), "permute"),
    ],
)
def test_a_form_of_an_op_is_the_op(nodes: list[onnx.NodeProto], op: str, tmp_path: Path) -> None:
    numbers = {"zero": 0, "one": 1, "three": 3, "six": 6, "sixth": 1 / 6, "half": 0.5, "root": np.sqrt(2)}
    tensors = {name: np.float32(value) for name, value in numbers.items()}
    made = small(*nodes, tensors=tensors | {"space": np.array([2, 3]), "flat": np.array([0, -1])})
    read, found = graph_of(written(made, tmp_path))
    assert [node.op.name for node in read.nodes] == [op]
    assert [each.code for each in found] == []


def test_a_layer_norm_that_is_written_out_is_one(tmp_path: Path) -> None:
    nodes = chain(
        ("ReduceMean", [".", "last"]), ("Sub", ["x", "."]), ("Pow", [".", "two"]), ("ReduceMean", [".", "last"]),
        ("Add", [".", "eps"]), ("Sqrt", ["."]), ("Div", ["v1", "."]), ("Mul", [".", "scale"]), ("Add", [".", "shift"]),
    )  # fmt: skip
    tensors = {"two": np.float32(2), "eps": np.float32(1e-6), "scale": np.ones(8, "f"), "shift": np.ones(8, "f")}
    read, _ = graph_of(
        written(small(*nodes, shape=("N", "T", 8), tensors=tensors | {"last": np.array([-1])}), tmp_path)
    )
    (node,) = read.nodes
    assert (node.op.name, node.op.exact[1:]) == ("layer_norm", compile_op("layer_norm: {eps: 1e-6}").exact[1:])
    assert parameters(read) == 16


def compile_op(step: str) -> Op:
    """The op of a spec of one step."""
    text = f"graphc: 1\nname: one\ndims: {{N: 1, T: 5}}\ninputs: {{tokens: [N, T, 8]}}\ngraph: [{{{step}}}]\n"
    return compile_spec(library.parse(text, "one.yaml"))[0].nodes[0].op


def test_a_product_and_a_sum_are_a_fully_connected_layer(tmp_path: Path) -> None:
    nodes = chain(("MatMul", [".", "w"]), ("Add", ["b", "."]))
    tensors = {"w": np.ones((8, 5), "f"), "b": np.ones(5, "f")}
    read, _ = graph_of(written(small(*nodes, shape=("N", "T", 8), tensors=tensors), tmp_path))
    (node,) = read.nodes
    assert (node.op.name, node.output.type.shape[-1], parameters(read)) == ("linear", 5, 45)


def test_uneven_padding_is_a_step_of_its_own(tmp_path: Path) -> None:
    node = helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=[3, 3], pads=[0, 1, 1, 1], strides=[2, 2])
    read, _ = graph_of(written(small(node, shape=(1, 8, 10, 10), tensors={"w": np.ones((4, 8, 3, 3), "f")}), tmp_path))
    assert [node.op.name for node in read.nodes] == ["pad", "conv2d"]
    inferred = onnx.shape_inference.infer_shapes(onnx.load(str(tmp_path / "model.onnx"))).graph.output[0]
    assert next(iter(read.outputs.values())).type == Tensor(
        tuple(d.dim_value for d in inferred.type.tensor_type.shape.dim)
    )


def test_an_operator_that_nobody_knows_keeps_its_name_and_its_type(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["a"]),
        helper.make_node("Shrink", ["a"], ["b"], name="shrink_1", lambd=0.5),
        helper.make_node("Beam", ["b"], ["y"], name="beam", domain="com.example", width=3),
    ]
    read, found = graph_of(written(small(*nodes, tensors={}), tmp_path))
    assert [node.op.name for node in read.nodes] == ["relu", "foreign", "foreign"]
    shrink, beam = (node.op for node in read.nodes[1:])
    assert isinstance(shrink, Foreign)
    assert isinstance(beam, Foreign)
    assert (shrink.operator, dict(shrink.attributes)) == ("Shrink", {"lambd": 0.5})
    assert (beam.domain, beam.operator, dict(beam.attributes)) == ("com.example", "Beam", {"width": 3})
    assert str(read.nodes[1].output.type) == "[N, 8, H, W]"
    assert [each.code for each in found] == ["W103", "W103"]
    assert "`shrink_1`" in found[0].message + found[1].message
    assert macs(read) is None


# --- damage


def test_what_is_no_model_is_refused_in_one_line(tmp_path: Path) -> None:
    for data in (b"", b"not a model", bytes(range(256)) * 10, ModelProto().SerializeToString()):
        path = tmp_path / "model.onnx"
        path.write_bytes(data)
        with pytest.raises(SpecError) as error:
            graph_of(str(path))
        (found,) = error.value.diagnostics
        assert (found.code, "\n" in found.message) == ("E109", False)


def test_a_file_that_is_not_there_and_a_setting_are_told(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="E105: can't read"):
        graph_of(str(tmp_path / "none.onnx"))
    path = written(emitted(compile("mnist_cnn")), tmp_path)
    with pytest.raises(SpecError, match="E302: `width` can't be set"):
        graph_of(path, read_settings(["width=3"]))


@pytest.mark.parametrize("stripped", [False, True])
def test_damage_gives_a_graph_or_a_word(stripped: bool, tmp_path: Path) -> None:
    """Random bytes of a file changed, left out or doubled."""
    whole = Path(written(emitted(compile("mnist_cnn")), tmp_path, stripped=stripped)).read_bytes()
    generator, path = random.Random(7), tmp_path / "damaged.onnx"
    refused, said = 0, list[str]()
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(generator.randint(1, 4)):
            at_, length = generator.randrange(len(data)), generator.choice([1, 1, 2, 40])
            new = [generator.randbytes(length), b"", bytes(data[at_ : at_ + length]) * 2]
            data[at_ : at_ + length] = generator.choice(new)
        path.write_bytes(data)
        try:
            graph_of(str(path))
        except SpecError as error:
            refused += 1
            said += [found.message for found in error.diagnostics]
    assert 10 < refused < 150
    assert not any("\n" in message for message in said)
