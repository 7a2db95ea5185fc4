"""The ONNX backend beside its ops, which are in test_op_table.py: against torch, run by ONNX Runtime."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import entry_points
from itertools import combinations, product
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

import graphc
import graphc_onnx
import graphc_torch
from graphc import library
from graphc.backends import BackendError
from graphc.compiler import compile as compiled
from graphc.diagnostics import SpecError
from graphc.dims import Size, substitute, symbol
from graphc.graph import Graph, Paper, Value
from graphc.initial import initial_values
from graphc.ops import Op
from graphc.ops.activation import Gelu, Relu
from graphc.ops.base import Pointwise
from graphc.ops.conv import Conv2d, ConvTranspose2d
from graphc.ops.index import Chunk, Constant, Split
from graphc.ops.linear import Linear
from graphc.ops.norm import BatchNorm, GroupNorm
from graphc.ops.patches import Unfold
from graphc.ops.places import Sort, TopK
from graphc.ops.pool import AdaptiveAvgPool2d, AvgPool2d, MaxPool1d, MaxPool2d, MaxPool3d
from graphc.ops.reduce import Mean, Sum
from graphc.ops.resize import Interpolate, Mode, scaled
from graphc.ops.shape import Flatten
from graphc.ops.source import NormalLike
from graphc.ops.statistic import Var
from graphc.tensor import Tensor
from graphc.verify.sizes import two
from graphc_onnx.assemble import LOWEST_OPSET
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings import lower
from graphc_onnx.lowerings.nearest import Axis
from interpreter import Array, Sizes, concrete, feeds, random_weights, run_in_torch
from networks import EVERY, FILE, marked, weight_of
from optable.operands import IMAGE, ROW, SIZES, SOLID, VECTOR, H
from optable.running import assert_close, assert_shapes_agree, session
from sketch import Sketch, graph_of, tensor


def test_random_numbers_are_normally_distributed() -> None:
    """In both backends, and others each time; ONNX Runtime has no RandomNormalLike of opset 22."""
    graph = graph_of(NormalLike(), tensor("N", 3, "H"))
    values = np.zeros((50, 3, 400), np.float32)
    run, module = session(graphc_onnx.model(graph)).run, graphc_torch.module(graph)
    drawn = [run(None, {"input_0": values})[0] for _ in range(2)]
    drawn += [module(torch.from_numpy(values)).numpy() for _ in range(2)]
    for numbers in drawn:
        assert (numbers.shape, numbers.dtype) == (values.shape, values.dtype)
        assert abs(numbers.mean()) < 0.02
        assert abs(numbers.std() - 1) < 0.02
    assert not any(np.array_equal(a, b) for a, b in combinations(drawn, 2))


def test_resize_takes_the_nearest_elements_of_torch_where_it_is_used() -> None:
    """The forms of free sizes that `nearest.Axis.is_safe` lets pass, and that of fixed sizes, at many sizes."""
    n, double = symbol("n"), 2 * symbol("n")
    forms: list[tuple[float | None, Size, bool]] = [(None, double + rest, False) for rest in (-1, 0, 1)]
    forms.append((None, double, True))
    forms += [(factor / 4, scaled(n, factor / 4), middle) for factor in range(1, 33) for middle in (False, True)]
    for factor, wanted, middle in forms:
        axis = Axis(2, n, wanted, factor, middle)
        assert axis.is_safe
        for size in range(4, 400 if factor else 2000):
            at = substitute(wanted, {"n": size})
            assert isinstance(at, int)
            assert np.array_equal(axis.taken(size, at), axis.resized(size, at)), (size, at, factor, middle)
    assert not Axis(2, n, double + 2, None, middle=False).is_safe
    assert not Axis(2, n, double + 1, None, middle=True).is_safe
    assert not Axis(2, 14, 2, None, middle=False).is_safe


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
def test_the_nearest_elements_are_torchs_at_all_sizes(mode: Mode) -> None:
    """For nearest-exact torch's kernels differ among each other where a middle falls between two elements."""
    graph = graph_of(Interpolate(mode=mode), tensor("N", 1, "H"), tensor("N", 1, "W"))
    run = session(graphc_onnx.model(graph)).run
    for size, wanted in product((2, 3, 14, 28, 50), range(1, 150)):
        values, like = np.arange(size, dtype=np.float32)[None, None], np.zeros((1, 1, wanted), np.float32)
        (ours,) = run(None, {"input_0": values, "input_1": like})
        theirs = torch.nn.functional.interpolate(torch.from_numpy(values), wanted, mode=mode).numpy()
        between = (2 * np.arange(wanted) + 1) * size % (2 * wanted) == 0
        assert (ours == theirs)[..., ~between | (mode == "nearest")].all()
        assert np.abs(ours - theirs).max() <= 1


THREE = tensor("N", 3, "H")


@pytest.mark.parametrize(
    ("op", "operand"),
    [
        (Split(split_size=(1, 2), dim=1), THREE),
        (Split(split_size=2, dim=1), THREE),
        (Split(split_size=(H - 4, 1, 3), dim=2), THREE),
        (Chunk(chunks=3, dim=1), THREE),
        (MaxPool1d(kernel_size=3, stride=2, padding=1, return_indices=True), ROW),
        (MaxPool2d(kernel_size=2, return_indices=True), IMAGE),
        (MaxPool2d(kernel_size=(3, 2), stride=(1, 3), dilation=2, ceil_mode=True, return_indices=True), IMAGE),
        (MaxPool3d(kernel_size=2, return_indices=True), SOLID),
        (TopK(k=3), IMAGE),
        (TopK(k=15, dim=2, largest=False), IMAGE),
        (Sort(), IMAGE),
        (Sort(dim=1, descending=True), IMAGE),
    ],
    ids=str,
)
def test_every_part_is_given(op: Op, operand: Tensor) -> None:
    sketch = Sketch(image=operand)
    parts = sketch.add("parts", op, sketch["image"]).node.outputs
    graph = sketch.give(**{f"part_{part.name}": part for part in parts})
    run, module = session(graphc_onnx.model(graph)).run, graphc_torch.module(graph)
    for sizes in SIZES:
        inputs = feeds(graph, sizes)
        expected = run_in_torch(graph, {}, inputs)
        written = module(*map(torch.from_numpy, inputs.values()))
        for part, ours, theirs in zip(parts, run(None, inputs), written, strict=True):
            assert_close(ours, expected[part])
            assert_close(theirs.numpy(), expected[part])
            assert ours.shape == concrete(part.type, sizes)


class Stranger(Pointwise):
    """An op that somebody else has defined."""

    name = "stranger"


def test_ops_without_lowering_are_all_reported_where_they_stand() -> None:
    sketch = Sketch(image=IMAGE)
    first = sketch.add("first", Stranger(), sketch["image"])
    second = sketch.add("block.second", Stranger(), sketch.add("relu", Relu(), first))
    with pytest.raises(SpecError) as raised:
        graphc_onnx.model(sketch.give(output=second))
    found = [(d.code, str(d.span), d.message) for d in raised.value.diagnostics]
    why = "the backend doesn't know this op"
    assert found == [
        ("E901", "sketch.yaml:2:3", f"ONNX: cannot lower `stranger` (first): {why}"),
        ("E901", "sketch.yaml:4:3", f"ONNX: cannot lower `stranger` (block.second): {why}"),
    ]


def test_a_stranger_adds_a_lowering_from_outside() -> None:
    class Negative(Pointwise):
        name = "negative"

    @lower.register(Negative)
    def negative(_: Negative, to: Emitter, input: Value) -> None:
        to.emit("Neg", input)

    graph = graph_of(Negative(), VECTOR)
    inputs = feeds(graph, SIZES[0])
    (ours,) = session(graphc_onnx.model(graph)).run(None, inputs)
    assert_close(ours, -inputs["input_0"])


def test_output_padding_that_onnx_has_no_form_for_is_refused() -> None:
    op = ConvTranspose2d(out_channels=1, kernel_size=3, padding=1, dilation=4, output_padding=3)
    with pytest.raises(SpecError, match=r"sketch.yaml:2:3: error E901: .*output_padding exceeds stride - 1 \+ padding"):
        graphc_onnx.model(graph_of(op, IMAGE))


def test_pooling_of_whole_numbers_is_refused() -> None:
    """ONNX's MaxPool takes none."""
    graph = graph_of(MaxPool2d(kernel_size=2), tensor("N", 3, "H", "W", dtype="int64"))
    with pytest.raises(SpecError, match=r"sketch.yaml:2:3: error E901: .*it pools no whole numbers"):
        graphc_onnx.model(graph)


def small_network() -> Graph:
    """Two blocks' worth of ops, some with weights."""
    sketch = Sketch(image=IMAGE)
    conv = sketch.add("stage.0.conv2d", Conv2d(out_channels=4, kernel_size=3), sketch["image"])
    pooled = sketch.add("pool", AdaptiveAvgPool2d(output_size=2), sketch.add("stage.0.norm", BatchNorm(), conv))
    return sketch.give(logits=sketch.add("fc", Linear(out_features=3), sketch.add("flatten", Flatten(), pooled)))


def test_paths_name_nodes_values_and_weights() -> None:
    graph = small_network()
    body = graphc_onnx.model(graph).graph
    given = {node.name: node.output[0] for node in body.node}
    assert given["stage.0.conv2d"] == "stage.0.conv2d"
    assert given["fc"] == "logits"
    assert {name for name in given if "/" not in name} == {node.path for node in graph.nodes}
    weights = {path for path, _ in graph.weights() if not path.endswith("num_batches_tracked")}
    assert {tensor.name for tensor in body.initializer if "/" not in tensor.name} == weights


def test_free_sizes_are_named_dimensions() -> None:
    body = graphc_onnx.model(small_network()).graph
    assert dimensions(body.input[0]) == ("image", ["N", 6, "H", "W"])
    assert dimensions(body.output[0]) == ("logits", ["N", 3])
    between = dict(map(dimensions, body.value_info))
    assert between["stage.0.norm"] == ["N", 4, "H - 2", "W - 2"]


def dimensions(value: onnx.ValueInfoProto) -> tuple[str, list[int | str]]:
    return value.name, [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]


def test_a_model_says_where_it_comes_from() -> None:
    graph = small_network()
    graph.doc, graph.digest, graph.paper = "Small.", "abc", Paper("On Sketches", "Anon", 2020)
    model = graphc_onnx.model(graph)
    assert (model.producer_name, model.producer_version) == ("graphc", graphc.__version__)
    assert (model.graph.name, model.doc_string) == ("sketch", "A sketch\n\nSmall.")
    assert {entry.key: entry.value for entry in model.metadata_props} == {
        "graphc.spec": "sketch.yaml",
        "graphc.sha256": "abc",
        "graphc.version": graphc.__version__,
        "paper.title": "On Sketches",
        "paper.authors": "Anon",
        "paper.year": "2020",
    }
    assert [node.doc_string for node in model.graph.node if node.name == "fc"] == ["sketch.yaml:6:3"]


def test_same_graph_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first.onnx", tmp_path / "second.onnx"
    graphc_onnx.write(small_network(), first, seed=3)
    graphc_onnx.write(small_network(), second, seed=3)
    assert first.read_bytes() == second.read_bytes()
    onnx.checker.check_model(str(first), full_check=True)


def test_weights_are_the_initial_values_of_the_seed_or_those_given() -> None:
    graph = small_network()
    for model, expected in [
        (graphc_onnx.model(graph, seed=1), dict(initial_values(graph, seed=1))),
        (graphc_onnx.model(graph, weights=random_weights(graph)), random_weights(graph)),
    ]:
        held = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer if t.name in expected}
        assert held.keys() >= {"stage.0.conv2d.weight", "stage.0.norm.running_var", "fc.bias"}
        assert all(np.array_equal(value, expected[path]) for path, value in held.items())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fc.bias": np.zeros(4)}, r"fc.bias needs the shape \[3\], the weight given has \[4\]"),
        ({"fc.bias": None}, "no weight is given for fc.bias"),
    ],
    ids=["shape", "missing"],
)
def test_wrong_weights_are_refused(change: dict[str, Array | None], message: str) -> None:
    graph = small_network()
    weights = {path: value for path, value in (random_weights(graph) | change).items() if value is not None}
    with pytest.raises(ValueError, match=message):
        graphc_onnx.model(graph, weights=weights)


@pytest.mark.parametrize(
    ("op", "lowest"),
    [
        (MaxPool2d(kernel_size=2, stride=3, padding=1, ceil_mode=True), (22, 10)),
        (MaxPool2d(kernel_size=2, stride=3, padding=1), (15, 8)),
        (MaxPool2d(kernel_size=3, stride=2, padding=1, ceil_mode=True), (15, 8)),
        (AvgPool2d(kernel_size=2, stride=3, padding=1, ceil_mode=True), (22, 10)),
        (BatchNorm(track_running_stats=False), (18, 8)),
        (GroupNorm(num_groups=2), (15, 8)),
        (Gelu(), (15, 8)),
        (Sum(dim=1), (15, 8)),
        (Mean(dim=1), (18, 8)),
        (Var(dim=1), (18, 8)),
        (Unfold(kernel_size=2), (15, 8)),
        (TopK(k=2), (15, 8)),
    ],
    ids=str,
)
def test_opset_is_the_lowest_that_all_ops_need(op: Op, lowest: tuple[int, int]) -> None:
    graph = graph_of(op, IMAGE)
    for wanted in (LOWEST_OPSET, 18):
        model = graphc_onnx.model(graph, opset=wanted)
        assert (model.opset_import[0].version, model.ir_version) == max(lowest, (wanted, 8))


def test_an_unknown_opset_is_refused() -> None:
    with pytest.raises(BackendError, match="opset 99 is not known"):
        graphc_onnx.model(small_network(), opset=99)


def test_a_value_may_be_given_out_twice_and_an_input_too() -> None:
    sketch = Sketch(image=IMAGE)
    relu = sketch.add("relu", Relu(), sketch["image"])
    graph = sketch.give(image=sketch["image"], same=sketch["image"], first=relu, second=relu)
    inputs = feeds(graph, SIZES[0])
    outputs = session(graphc_onnx.model(graph)).run(["image", "same", "first", "second"], inputs)
    for ours, expected in zip(outputs, [inputs["image"]] * 2 + [np.maximum(inputs["image"], 0)] * 2, strict=True):
        assert_close(ours, expected)


def test_an_output_may_have_the_path_of_another_value() -> None:
    sketch = Sketch(image=IMAGE)
    relu = sketch.add("relu", Relu(), sketch["image"])
    graph = sketch.give(relu=sketch.add("conv", Conv2d(out_channels=2, kernel_size=1), relu))
    model = graphc_onnx.model(graph)
    session(model)
    assert [(node.name, *node.output) for node in model.graph.node] == [("relu", "relu/value"), ("conv", "relu")]


def test_an_output_with_the_name_of_an_input_is_refused() -> None:
    sketch = Sketch(image=IMAGE)
    graph = sketch.give(image=sketch.add("relu", Relu(), sketch["image"]))
    with pytest.raises(SpecError, match="E901: ONNX: `image` is an input and, as another value, an output"):
        graphc_onnx.model(graph)


def test_graphc_finds_it() -> None:
    (found,) = entry_points(group="graphc.backends", name="onnx")
    assert found.load() is graphc_onnx
    assert list(graphc_onnx.SUFFIXES) == [".onnx"]


def checked_in_memory() -> Iterator[object]:
    """The specs with less than 2 GB of weights, which is all that ONNX's checker takes."""
    return marked([address for address in EVERY if weight_of(address) < FILE])


def test_importing_it_imports_no_onnx() -> None:
    code = "import sys, graphc_onnx; print([name for name in ('numpy', 'onnx', 'torch') if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def narrow_unet(folder: Path) -> Graph:
    """The spec, with a sixteenth of the channels."""
    text = (library.specs() / "unet.yaml").read_text().partition("expect:")[0]
    assert "width: 64" in text
    (folder / "unet.yaml").write_text(text.replace("width: 64", "width: 4"))
    return compiled(str(folder / "unet.yaml"))


def assert_every_value_equals_torch(graph: Graph, all_sizes: Iterable[Sizes]) -> None:
    """By path, at several sizes, from one file."""
    weights = random_weights(graph)
    model = graphc_onnx.model(graph, weights=weights)
    values = {node.path: node.output for node in graph.nodes if not isinstance(node.op, Constant)}
    given = {node.name: node.output[0] for node in model.graph.node if node.name in values}
    assert given.keys() == values.keys()
    model.graph.output.extend(value for value in model.graph.value_info)
    run = session(model).run
    for sizes in all_sizes:
        inputs = feeds(graph, sizes)
        expected = run_in_torch(graph, weights, inputs)
        for path, ours in zip(values, run(list(given.values()), inputs), strict=True):
            assert_close(ours, expected[values[path]])
            assert ours.shape == concrete(values[path].type, sizes), path


def test_unet_equals_torch_at_two_sizes_from_one_file(tmp_path: Path) -> None:
    sizes = [{"N": 1, "H": 188, "W": 204}, {"N": 2, "H": 220, "W": 189}]
    assert_every_value_equals_torch(narrow_unet(tmp_path), sizes)


@pytest.mark.parametrize("address", list(checked_in_memory()))
def test_specs_check(address: str) -> None:
    graph = compiled(address).bound()
    model = graphc_onnx.model(graph)
    onnx.checker.check_model(model, full_check=True)
    for sizes in two(graph):
        assert_shapes_agree(graph, model, sizes)


def test_resnet18_equals_torch_at_two_sizes_from_one_file() -> None:
    sizes = [{"N": 2, "H": 64, "W": 96}, {"N": 1, "H": 97, "W": 45}]
    assert_every_value_equals_torch(compiled("resnet:resnet18"), sizes)


def assert_agree(graph: Graph, module: torch.nn.Module, model: onnx.ModelProto, all_sizes: Iterable[Sizes]) -> None:
    """The module of the torch backend and ours give the same."""
    run = session(model).run
    for sizes in all_sizes:
        inputs = feeds(graph, sizes)
        with torch.inference_mode():
            expected = module.eval()(*map(torch.from_numpy, inputs.values()))
        assert_close(run(None, inputs)[0], expected.numpy())


def test_unet_equals_the_torch_backend_by_seed(tmp_path: Path) -> None:
    graph = narrow_unet(tmp_path)
    sizes = [{"N": 2, "H": 188, "W": 204}, {"N": 1, "H": 204, "W": 220}]
    assert_agree(graph, graphc_torch.module(graph, seed=4), graphc_onnx.model(graph, seed=4), sizes)


def test_resnet18_equals_the_torch_backend_by_state_dict() -> None:
    graph = compiled("resnet:resnet18")
    module = graphc_torch.module(graph)
    module.load_state_dict({path: torch.from_numpy(value) for path, value in random_weights(graph).items()})
    weights = {path: weight.numpy() for path, weight in module.state_dict().items()}
    sizes = [{"N": 2, "H": 64, "W": 96}, {"N": 1, "H": 97, "W": 45}]
    assert_agree(graph, module, graphc_onnx.model(graph, weights=weights), sizes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("address", "sizes"),
    [
        ("unet", [{"N": 1, "H": 188, "W": 204}, {"N": 2, "H": 205, "W": 220}]),
        ("resnet50", [{"N": 2, "H": 224, "W": 224}, {"N": 1, "H": 97, "W": 160}]),
        ("resnet152", [{"N": 1, "H": 224, "W": 224}, {"N": 2, "H": 64, "W": 97}]),
    ],
)
def test_whole_networks_equal_the_torch_backend_at_two_sizes_from_one_file(address: str, sizes: list[Sizes]) -> None:
    graph = compiled(address)
    assert_agree(graph, graphc_torch.module(graph, seed=1), graphc_onnx.model(graph, seed=1), sizes)


UNSHOWN = """\
graphc: 1
name: unshown
dims: {N: 1, H: 4, W: 4}
inputs: {columns: [N, 72, H * W]}
graph: [fold: {output_size: [H, W], kernel_size: 3, padding: 1}]
outputs: {image: x}
"""


@pytest.mark.parametrize(("make", "place"), [(Graph.onnx, "<text>:5:9"), (Graph.source, "<text>:1:1")])
def test_a_size_that_no_input_shows_is_told(make: Callable[[Graph], object], place: str) -> None:
    with pytest.raises(SpecError) as caught:
        make(graphc.compile(text=UNSHOWN))
    (found,) = caught.value.diagnostics
    assert (found.code, str(found.span)) == ("E901", place)
    assert found.hint.startswith("no input has `H`")
