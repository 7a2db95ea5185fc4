"""What an ONNX file has besides its numbers: names, origin, opsets, files beside it, types of 16 bits, functions."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx.reference import ReferenceEvaluator

import graphc
import graphc_onnx
import graphc_onnx.opsets
from graphc import library
from graphc.backends import BackendError
from graphc.cli import main
from graphc.compiler import compile as compiled
from graphc.graph import Graph
from graphc.initial import initial_value
from graphc.ops import Op
from graphc.ops.activation import Hardswish
from graphc.ops.arithmetic import Add, Divide
from graphc.ops.choice import MaskedFill
from graphc.ops.index import Constant
from graphc.ops.linear import Linear
from graphc.ops.statistic import Normalize
from graphc.output import OutputError
from graphc.settings import read_settings
from graphc.tensor import Tensor
from graphc_onnx.elements import stored, within
from graphc_onnx.form import Real
from graphc_onnx.names import value_names
from interpreter import Array, Sizes, concrete, feeds, feeds_of, random_weights, run_in_torch
from optable import CASES
from optable.operands import SIZES
from optable.running import assert_close, inferred_shapes, names, session
from sketch import Sketch, graph_of, tensor
from test_onnx import narrow_unet

HALF_TOLERANCE = 2e-3
"""Relative to the largest number of a value; two roundings of float16 are 1e-3."""
EQUAL = 1e-6
"""Relative as above: what ONNX Runtime changes when it optimises in another order."""
SMALL = {"N": 2, "H": 64, "W": 96}
NETWORKS = ["resnet:resnet18", "mobilenet_v3:mobilenet_v3_small", "squeezenet", "vit:vit_ti_16"]
LARGE_NETWORKS = [
    "alexnet",
    "cbam",
    "convnext",
    "densenet",
    "efficientnet",
    "googlenet",
    "mobilenet_v2",
    "senet",
    "vgg",
]
networks = pytest.mark.parametrize(
    "address", [*NETWORKS, *(pytest.param(name, marks=pytest.mark.exhaustive) for name in LARGE_NETWORKS)]
)


def sizes_of(graph: Graph) -> Sizes:
    """Small sizes for networks that take any."""
    return graph.examples() | {name: size for name, size in SMALL.items() if name in graph.sizes}


def unchecked(**options: Any) -> dict[str, Any]:
    """Options that no type checker sees."""
    return options


def in_halves(inputs: dict[str, Array]) -> dict[str, Array]:
    return {name: value.astype(np.float16) if value.dtype == np.float32 else value for name, value in inputs.items()}


def assert_near(ours: Array, wanted: Array, tolerance: float) -> None:
    assert ours.shape == wanted.shape
    ours = ours.astype(np.float64)
    assert np.abs(ours - wanted).max(initial=0) <= tolerance * np.abs(wanted).max(initial=0)


def opened(path: Path) -> onnxruntime.InferenceSession:
    """A file in ONNX Runtime, by its path."""
    onnx.checker.check_model(str(path), full_check=True)
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def spec(body: str) -> Graph:
    return graphc.compile(text=f"graphc: 1\nname: net\n{body}")


HEAD = """
dims: {N: 1}
inputs: {features: [N, 64]}
graph:
  - linear: 300
  - relu
  - linear: 4
outputs: {logits: x}
"""


# Where a model comes from


def test_every_node_leads_to_its_line() -> None:
    graph = compiled("resnet:resnet18")
    model = graphc_onnx.model(graph)
    ops = {node.path: node for node in graph.nodes}
    for node in model.graph.node:
        props = {entry.key: entry.value for entry in node.metadata_props}
        op = ops[props["graphc.path"]]
        assert node.name == op.path or node.name.startswith(f"{op.path}/")
        assert props["graphc.op"] == op.op.name
        assert node.doc_string == str(op.span)
    assert "linear: classes" in line_of(next(node.doc_string for node in model.graph.node if node.name == "fc"))


def line_of(place: str) -> str:
    """The line at file:line:column."""
    file, line, _ = place.split(":")
    return (library.specs() / file).read_text(encoding="utf-8").splitlines()[int(line) - 1]


def test_the_model_leads_to_its_spec(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(f"graphc: 1\nname: net\n{HEAD}", encoding="utf-8")
    graph = compiled(str(path))
    found = {entry.key: entry.value for entry in graphc_onnx.model(graph).metadata_props}
    assert found == {
        "graphc.spec": str(path),
        "graphc.sha256": graph.digest,
        "graphc.version": graphc.__version__,
    }
    assert graph.digest == sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("address", ["resnet:resnet18", "unet", "vit:vit_ti_16"])
def test_names_are_the_specs_paths(address: str) -> None:
    graph = compiled(address)
    body = graphc_onnx.model(graph).graph
    outputs = {value: name for name, value in graph.outputs.items()}
    values = {value.path: outputs.get(value, value.path) for node in graph.nodes for value in node.outputs}
    given = {node.name: node.output[0] for node in body.node}
    assert {path: name for path, name in given.items() if path in values} == values
    weights = {path for path, _ in graph.weights() if not path.endswith("num_batches_tracked")}
    assert {tensor.name for tensor in body.initializer} >= weights
    assert [value.name for value in (*body.input, *body.output)] == [*graph.inputs, *graph.outputs]


# Opsets


@pytest.mark.parametrize(
    ("address", "opsets"), [("mobilenet_v3:mobilenet_v3_small", range(15, 27)), ("vit:vit_ti_16", (15, 20, 23, 26))]
)
def test_a_network_is_the_same_in_every_opset(address: str, opsets: Iterable[int]) -> None:
    graph = compiled(address).bound()
    inputs = feeds(graph, sizes_of(graph))
    wanted = session(graphc_onnx.model(graph)).run(None, inputs)[0]
    for opset in opsets:
        model = graphc_onnx.model(graph, opset=opset)
        assert opset <= model.opset_import[0].version <= max(opset, 18)
        assert_near(session(model).run(None, inputs)[0], wanted, 1e-5)


ATTENDED = """\
graphc: 1
name: attended
dims: {N: 2, T: 5, S: 7}
inputs: {query: [N, T, 24], key: [N, S, 24], value: [N, S, 36], seen: {shape: [T, S], dtype: bool}}
graph:
  - let:
      whole: "attention(query, key, value, heads=3)"
      causal: "attention(query, key, value, heads=2, is_causal=true)"
      alone: "attention(query[:, none], key[:, none], value[:, none], scale=0.3)"
      masked: "attention(query, key, value, seen)"
      three_axes: "attention(query, key, value)"
outputs: {whole: whole, causal: causal, alone: alone, masked: masked, three_axes: three_axes}
"""


def test_attention_is_one_operator_where_the_opset_has_it() -> None:
    graph = graphc.compile(text=ATTENDED)
    inputs = feeds(graph, sizes_of(graph))
    inputs["seen"][1] = False
    plain, fused = graph.onnx(opset=22), graph.onnx(opset=23)
    assert not [node for node in plain.graph.node if node.op_type == "Attention"]
    wanted = [graph.outputs[name].path for name in ("whole", "causal", "alone")]
    assert [node.name for node in fused.graph.node if node.op_type == "Attention"] == wanted
    for ours, theirs in zip(session(fused).run(None, inputs), session(plain).run(None, inputs), strict=True):
        assert_near(ours, theirs, EQUAL)


def build(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code of `graphc build`, and what it says on stderr."""
    with pytest.raises(SystemExit) as left:
        main(["build", *arguments])
    return int(left.value.code or 0), capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("-o {}/net.onnx --opset 99", "opset 99 is not known: this onnx has opsets up to"),
        ("-o {}/net.onnx --opset 0", "opset 0 is not known"),
        ("-o {}/net.onnx --dtype float8", "'float8' is not one of 'float32', 'float16', 'bfloat16'"),
        ("-o {}/net.py --opset 18", "--opset is for .onnx, which is not written"),
        ("-o {}/net.svg --dtype float16", "--dtype is for .onnx, which is not written"),
        ("-o {}/net.svg -o {}/net.py --functions", "--functions is for .onnx, which is not written"),
        ("-o {}/net.py --external-data", "--external-data is for .onnx, which is not written"),
    ],
)
def test_a_wrong_call_is_told(arguments: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, error = build(capsys, "mnist_cnn", *arguments.format(tmp_path, tmp_path).split())
    assert code == 2
    assert said in error
    assert not list(tmp_path.iterdir())


def test_options_reach_the_onnx_file_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [tmp_path / "net.onnx", tmp_path / "net.py"]
    options = ["--opset", "20", "--dtype", "float16", "--functions", "--external-data"]
    code, error = build(capsys, "resnet:resnet18", *options, "-o", str(files[0]), "-o", str(files[1]))
    assert (code, error) == (0, "")
    model = onnx.load(files[0], load_external_data=False)
    assert {entry.domain: entry.version for entry in model.opset_import} == {"": 20, "graphc": 1}
    assert model.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT16
    assert sorted(file.name for file in tmp_path.iterdir()) == ["net.onnx", "net.onnx.data", "net.py"]


def test_an_opset_that_only_onnx_knows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ONNX Runtime there is nothing to say against it."""
    newest = onnx.defs.onnx_opset_version()
    runs = max(n for n in range(15, newest + 1) if graphc_onnx.opsets._runs(n))
    if runs == newest:
        pytest.skip("this ONNX Runtime has all opsets of this onnx")
    with pytest.raises(BackendError, match=rf"opset {newest} .* ONNX Runtime, which has opsets up to {runs}"):
        graphc_onnx.model(spec(HEAD), opset=newest)
    monkeypatch.setattr(graphc_onnx.opsets, "find_spec", lambda _: None)
    assert graphc_onnx.model(spec(HEAD), opset=newest).opset_import[0].version == newest


# Weights in a file beside


def test_weights_in_a_file_beside(tmp_path: Path) -> None:
    graph = spec(HEAD)
    inside, beside = tmp_path / "inside.onnx", tmp_path / "beside.onnx"
    graph.onnx(inside, seed=3)
    graph.onnx(beside, seed=3, external_data=True)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["beside.onnx", "beside.onnx.data", "inside.onnx"]
    inputs = feeds(graph, SIZES[0])
    ours, wanted = (opened(path).run(None, inputs)[0] for path in (beside, inside))
    assert np.array_equal(ours, wanted)
    tensors = onnx.load(beside, load_external_data=False).graph.initializer
    places = {t.name: {entry.key: entry.value for entry in t.external_data} for t in tensors if t.external_data}
    assert places == {
        "linear.weight": {"location": "beside.onnx.data", "offset": "0", "length": str(300 * 64 * 4)},
        "linear.bias": {"location": "beside.onnx.data", "offset": str(19 * 4096), "length": str(300 * 4)},
        "linear_2.weight": {"location": "beside.onnx.data", "offset": str(20 * 4096), "length": str(4 * 300 * 4)},
    }
    again = {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(beside).graph.initializer}
    assert all(np.array_equal(initial_value(path, weight, 3), again[path]) for path, weight in graph.weights())


def test_weights_beside_need_a_path() -> None:
    with pytest.raises(TypeError, match="give a path"):
        spec(HEAD).onnx(**unchecked(external_data=True))


def test_both_files_are_written_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full after the first weight; what was there before stays."""
    path = tmp_path / "net.onnx"
    spec(HEAD).onnx(path, external_data=True)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def full(path: str, *_: object) -> Array:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("graphc_onnx.values.initial_value", full)
    with pytest.raises(OutputError, match="No space"):
        spec(HEAD).onnx(path, seed=1, external_data=True)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_weights_are_beside_where_one_file_is_too_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = spec(HEAD)
    assert graphc_onnx.weights_size(graph, "float32") == 4 * (64 * 300 + 300 + 300 * 4 + 4)
    monkeypatch.setattr(graphc_onnx, "LARGEST", graphc_onnx.weights_size(graph, "float32"))
    graph.onnx(tmp_path / "fits.onnx")
    assert [file.name for file in tmp_path.iterdir()] == ["fits.onnx"]
    monkeypatch.setattr(graphc_onnx, "LARGEST", graphc_onnx.weights_size(graph, "float32") - 1)
    graph.onnx(tmp_path / "large.onnx")
    assert (tmp_path / "large.onnx.data").exists()
    graph.onnx(tmp_path / "half.onnx", dtype="float16")
    assert not (tmp_path / "half.onnx.data").exists()


WIDE = """
dims: {N: 1}
inputs: {features: [N, 8192]}
graph:
  - linear: 8192
    repeat: 9
"""
WRITTEN = """
import sys
from pathlib import Path
import graphc
graph = graphc.compile(text=sys.argv[1])
graph.onnx(sys.argv[2])
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(status["VmHWM"].split()[0])
"""
"""Prints the most memory of the process in kB; `getrusage` would count that of the process that it was forked from."""


@pytest.mark.slow
def test_more_than_2_gb_are_streamed(tmp_path: Path) -> None:
    """2.4 GB of weights by way of less than 1.5 GB of memory: each is drawn, written and forgotten."""
    path = tmp_path / "net.onnx"
    text = f"graphc: 1\nname: net\n{WIDE}"
    done = subprocess.run([sys.executable, "-c", WRITTEN, text, path], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1.5e6
    assert path.stat().st_size < 1e5
    assert (tmp_path / "net.onnx.data").stat().st_size > 2.4e9
    run = opened(path).run
    graph = graphc.compile(text=text)
    inputs = feeds(graph, {"N": 1})
    wanted = inputs["features"]
    pairs = iter(graph.weights())
    for (at, matrix), (bias_at, bias) in zip(pairs, pairs, strict=True):
        wanted = wanted @ initial_value(at, matrix).T + initial_value(bias_at, bias)
    assert_near(run(None, inputs)[0], wanted, 1e-5)


# Types of 16 bits


def test_bytes_are_those_of_numpy_and_of_bfloat16() -> None:
    """onnx's own conversion is the witness; halves to even, infinities and nan stay."""
    rng = np.random.default_rng(0)
    values = np.concatenate(
        [
            rng.standard_normal(10_000).astype(np.float32) * np.float32(10.0) ** rng.integers(-40, 38, 10_000),
            np.array([0, -0.0, np.inf, -np.inf, np.nan, 1, 1 + 2**-8, 1 + 3 * 2**-8, 3.4e38], np.float32),
        ]
    ).astype(np.float32)
    reals: dict[Real, int] = {"float16": onnx.TensorProto.FLOAT16, "bfloat16": onnx.TensorProto.BFLOAT16}
    for real, kind in reals.items():
        with np.errstate(over="ignore"):
            theirs = values.astype(onnx.helper.tensor_dtype_to_np_dtype(kind))
        found, ours = stored(values, real)
        assert found == kind
        number = ~np.isnan(values)
        assert np.array_equal(ours.view(np.uint16)[number], theirs.view(np.uint16)[number])
        assert np.isnan(ours.view(theirs.dtype)[~number].astype(np.float32)).all()


def test_constants_keep_what_they_are_for() -> None:
    """What divides never becomes 0, what hides never nan, and what is infinite stays so."""
    given = np.array([1e-12, -1e-12, 0, -1e9, np.inf, -np.inf, 0.1], np.float32)
    smallest = 2.0**-14
    assert within(given, "float16").tolist() == [smallest, -smallest, 0, -65504, np.inf, -np.inf, np.float32(0.1)]
    assert within(given, "bfloat16").tolist() == given.tolist()
    assert within(given, "float32") is given


VALUES = tensor("N", 5)


@pytest.mark.parametrize("real", ["float16", "bfloat16"])
def test_a_model_says_its_type_everywhere(real: Real) -> None:
    sketch = Sketch(image=VALUES, index=tensor("N", dtype="int64"))
    total = sketch.add("total", Add(), sketch.add("fc", Linear(out_features=5), sketch["image"]), sketch["image"])
    model = graphc_onnx.model(sketch.give(total=total, index=sketch["index"]), dtype=real)
    onnx.checker.check_model(model, full_check=True)
    kind = onnx.TensorProto.DataType.Value(real.upper())
    body = model.graph
    types = {value.name: value.type.tensor_type.elem_type for value in (*body.input, *body.output, *body.value_info)}
    assert types == {"image": kind, "index": onnx.TensorProto.INT64, "fc": kind, "total": kind}
    assert {tensor.data_type for tensor in body.initializer} == {kind}


def one_of_each() -> Iterator[tuple[Op, tuple[Tensor, ...]]]:
    seen = set()
    for op, operands in CASES:
        if type(op) not in seen:
            seen.add(type(op))
            yield op, operands


FIRST = list(one_of_each())
others = [case for case in CASES if case not in FIRST]
all_cases = pytest.mark.parametrize(
    ("op", "operands"),
    [
        *(pytest.param(*case, id=name) for case, name in zip(FIRST, names(FIRST), strict=True)),
        *(
            pytest.param(*case, id=name, marks=pytest.mark.exhaustive)
            for case, name in zip(others, names(others), strict=True)
        ),
    ],
)


def rounded(values: dict[str, Array]) -> dict[str, Array]:
    """The numbers that float16 has nearest, as float32."""
    return {
        name: value.astype(np.float32) if value.dtype == np.float16 else value
        for name, value in in_halves(values).items()
    }


@all_cases
def test_op_in_float16_is_near_that_in_float32(op: Op, operands: tuple[Tensor, ...]) -> None:
    """Compared with torch in float32 on the same rounded numbers; what leaves float16's range isn't."""
    graph = graph_of(op, *operands)
    weights = random_weights(graph)
    inputs = feeds_of(op, graph, SIZES[0])
    (ours,) = session(graphc_onnx.model(graph, weights=weights, dtype="float16")).run(None, in_halves(inputs))
    wanted = run_in_torch(graph, rounded(weights), rounded(inputs))[graph.outputs["output"]]
    assert ours.dtype == (np.float16 if wanted.dtype == np.float32 else wanted.dtype)
    if wanted.dtype != np.float32:
        assert (ours != wanted).mean() <= 0.01 if wanted.size > 1 else True
        return
    inside = np.isfinite(wanted) & (np.abs(wanted) < 65504)
    assert_near(ours[inside], wanted[inside], HALF_TOLERANCE)


@all_cases
def test_op_in_bfloat16_passes_onnxs_checks(op: Op, operands: tuple[Tensor, ...]) -> None:
    model = graphc_onnx.model(graph_of(op, *operands), dtype="bfloat16")
    onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version in (18, 22, 24)


NOT_IN_REFERENCE = {
    "adaptive_max_pool1d",
    "adaptive_max_pool3d",
    "gather",
    "local_response_norm",
    "nms",
    "one_hot",
    "roi_pool",
}
"""Ops for which onnx's reference implementation fails, or gives something else, in float32 too."""
SUMMED_IN_BFLOAT16 = {"adaptive_avg_pool2d", "adaptive_avg_pool3d", "instance_norm", "mean"}
"""Ops of which the reference implementation rounds every partial sum."""


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("op", "operands"), FIRST, ids=names(FIRST))
def test_op_in_bfloat16_is_near_that_in_float32(op: Op, operands: tuple[Tensor, ...]) -> None:
    """By onnx's reference implementation: ONNX Runtime has hardly any kernel."""
    if op.name in NOT_IN_REFERENCE:
        pytest.skip("not in the reference implementation")
    half = onnx.helper.tensor_dtype_to_np_dtype(onnx.TensorProto.BFLOAT16)
    graph = graph_of(op, *operands)
    weights, inputs = random_weights(graph), feeds_of(op, graph, SIZES[0])
    near = {name: value.astype(half) for name, value in (weights | inputs).items() if value.dtype == np.float32}
    back = {name: value.astype(np.float32) for name, value in near.items()}
    evaluator = ReferenceEvaluator(graphc_onnx.model(graph, weights=weights, dtype="bfloat16"))
    ours = np.asarray(next(iter(evaluator.run(None, {name: near.get(name, value) for name, value in inputs.items()}))))
    again = [{name: back.get(name, value) for name, value in values.items()} for values in (weights, inputs)]
    wanted = run_in_torch(graph, *again)[graph.outputs["output"]]
    if wanted.dtype != np.float32:
        assert ours.dtype == wanted.dtype
        return
    assert ours.dtype == half
    finite = np.isfinite(wanted)
    assert_near(ours[finite], wanted[finite], 0.1 if op.name in SUMMED_IN_BFLOAT16 else 0.02)


def test_bfloat16_raises_the_opset_behind_what_is_exact() -> None:
    """Of HardSwish, which has it from 22 on."""
    sketch = Sketch(image=VALUES)
    graph = sketch.give(y=sketch.add("act", Hardswish(), sketch.add("unit", Normalize(), sketch["image"])))
    model = graphc_onnx.model(graph, dtype="bfloat16")
    onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version == 22
    assert [node.op_type for node in model.graph.node] == ["Cast", "ReduceL2", "Max", "Div", "Cast", "HardSwish"]


@networks
def test_a_network_in_float16_is_near_that_in_float32(address: str) -> None:
    graph = compiled(address).bound()
    inputs = feeds(graph, sizes_of(graph))
    wanted = session(graphc_onnx.model(graph)).run(None, inputs)[0]
    ours = session(graphc_onnx.model(graph, dtype="float16")).run(None, in_halves(inputs))[0]
    assert ours.dtype == np.float16
    assert_near(ours, wanted, HALF_TOLERANCE)


def test_small_constants_divide_in_float16() -> None:
    """1e-12 of `normalize`, 1e-8 beside a value, -1e9 of a mask: 0, and no nan."""
    sketch = Sketch(image=VALUES, mask=tensor("N", 5, dtype="bool"))
    eps = sketch.add("eps", Constant(value=1e-8), inline=True)
    safe = sketch.add("safe", Divide(), sketch["image"], sketch.add("sum", Add(), sketch["image"], eps))
    unit = sketch.add("unit", Normalize(), sketch["image"])
    hidden = sketch.add("hidden", MaskedFill(value=-1e9), sketch["image"], sketch["mask"])
    graph = sketch.give(safe=safe, unit=unit, hidden=hidden)
    zeros, mask = np.zeros((2, 5), np.float16), np.ones((2, 5), bool)
    found = session(graphc_onnx.model(graph, dtype="float16")).run(None, {"image": zeros, "mask": mask})
    assert [np.unique(value).tolist() for value in found] == [[0], [0], [-65504]]


def test_weights_that_float16_cannot_hold_are_refused() -> None:
    graph = spec(HEAD)
    weights = random_weights(graph) | {"linear.bias": np.full(300, 1e5, np.float32)}
    with pytest.raises(BackendError, match=r"linear\.bias has values that float16 can't hold"):
        graphc_onnx.model(graph, weights=weights, dtype="float16")
    onnx.checker.check_model(graphc_onnx.model(graph, weights=weights, dtype="bfloat16"), full_check=True)


def test_an_unknown_dtype_is_refused() -> None:
    with pytest.raises(BackendError, match="there is no dtype `float8`; there are float32, float16 and bfloat16"):
        graphc_onnx.model(spec(HEAD), **unchecked(dtype="float8"))


# Blocks as functions


def assert_functions_change_nothing(graph: Graph, sizes: Iterable[Sizes]) -> onnx.ModelProto:
    weights = random_weights(graph)
    flat = session(graphc_onnx.model(graph, weights=weights)).run
    model = graphc_onnx.model(graph, weights=weights, functions=True)
    run = session(model).run
    for at in sizes:
        inputs = feeds(graph, at)
        for ours, wanted in zip(run(None, inputs), flat(None, inputs), strict=True):
            assert ours.dtype == wanted.dtype
            assert_near(ours, wanted, EQUAL)
    return model


@networks
def test_a_network_with_functions_gives_the_same(address: str) -> None:
    graph = compiled(address).bound()
    assert_functions_change_nothing(graph, [sizes_of(graph)])


OWN_CASES = Path(__file__).parent / "cases"


@pytest.mark.parametrize(
    "path",
    [
        *sorted((OWN_CASES / "ok").glob("*.yaml")),
        *(pytest.param(path, marks=pytest.mark.exhaustive) for path in sorted((OWN_CASES / "language").glob("*.yaml"))),
    ],
    ids=lambda path: path.stem,
)
def test_a_spec_with_functions_gives_the_same(path: Path) -> None:
    """Shared modules, weights as values, expressions, several outputs, copies that give to each other."""
    try:
        graph = compiled(str(path))
        graphc_onnx.model(graph)
    except graphc.SpecError:
        pytest.skip("not for ONNX")
    assert_functions_change_nothing(graph, [graph.examples()])


def test_blocks_are_functions_and_equal_ones_are_one() -> None:
    graph = compiled("resnet:resnet18")
    model = graphc_onnx.model(graph, functions=True)
    calls = {node.name: node for node in model.graph.node if node.domain == "graphc"}
    assert list(calls) == ["stem", *(f"stage.{stage}.unit.{unit}" for stage in range(4) for unit in range(2))]
    assert {calls[f"stage.{stage}.unit.1"].op_type for stage in range(4)} == {"BasicBlock"}
    assert {calls[f"stage.{stage}.unit.0"].op_type for stage in range(1, 4)} == {"BasicBlock_2"}
    functions = {function.name: function for function in model.functions}
    block = functions["BasicBlock"]
    assert (block.input[0], list(block.output)) == ("features", ["relu"])
    assert [(node.name, node.op_type) for node in block.node] == [
        ("residual.conv1", "ConvBnRelu_2"),
        ("residual.conv2", "ConvBn"),
        ("add", "Add"),
        ("relu", "Relu"),
    ]
    assert block.doc_string == next(s.doc for s in graph.root.scopes() if s.path == "stage.0.unit.0")
    second = calls["stage.2.unit.1"]
    assert second.input[:2] == ["stage.2.unit.0.relu", "stage.2.unit.1.residual.conv1.conv.weight"]
    assert {entry.key: entry.value for entry in second.metadata_props} == {
        "graphc.path": "stage.2.unit.1",
        "graphc.block": "resnet.yaml#basic_block",
    }
    assert {node.op_type for node in model.graph.node} - set(functions) == {
        "Flatten",
        "Gemm",
        "GlobalAveragePool",
        "MaxPool",
    }


def test_free_sizes_go_through_functions(tmp_path: Path) -> None:
    """Crops and adaptive pooling inside blocks read sizes that are computed outside."""
    sizes = [{"N": 1, "H": 188, "W": 204}, {"N": 2, "H": 220, "W": 189}]
    assert assert_functions_change_nothing(narrow_unet(tmp_path), sizes).functions
    graph = spec("""
dims: {N: 1, H: 20, W: 20}
inputs: {image: [N, 3, H, W]}
blocks:
  context:
    inputs: {features: [N, C, H, W]}
    graph:
      - add:
        from:
          pooled: [adaptive_avg_pool2d: 3, interpolate: {size: [H, W], mode: bilinear}]
          scaled: features / H
      - concat: 2
        from: [x, "features[:, :, H // 2:, :]"]
graph:
  - context
  - max_pool2d: 2
  - context
""")
    model = assert_functions_change_nothing(graph, [{"N": 2, "H": 20, "W": 31}, {"N": 1, "H": 13, "W": 8}])
    assert len(model.functions) == 1


def test_shapes_are_inferred_through_functions() -> None:
    graph = compiled("resnet:resnet18")
    model = graphc_onnx.model(graph, functions=True)
    for at in ({"N": 2, "H": 64, "W": 96}, {"N": 1, "H": 97, "W": 45}):
        inferred = inferred_shapes(graph, model, at)
        given = {node.output[0] for node in model.graph.node}
        values = {value.path: value for node in graph.nodes for value in node.outputs if value.path in given}
        assert len(values) > 10
        for path, value in values.items():
            assert inferred[path] == list(concrete(value.type, at)), path


def test_functions_go_with_everything_else(tmp_path: Path) -> None:
    graph = compiled("resnet:resnet18")
    inputs = feeds(graph, SMALL)
    wanted = session(graphc_onnx.model(graph)).run(None, inputs)[0]
    path = tmp_path / "net.onnx"
    graph.onnx(path, functions=True, dtype="float16", opset=20, external_data=True)
    assert_near(opened(path).run(None, in_halves(inputs))[0], wanted, HALF_TOLERANCE)


# ONNX's own inference


def assert_all_shapes_agree(graph: Graph, model: onnx.ModelProto, sizes: Sizes) -> None:
    """Of every value, those beside the first of an op too; every size is known."""
    inferred = inferred_shapes(graph, model, sizes)
    outputs = {value: name for name, value in graph.outputs.items()}
    held = {name for node in model.graph.node for name in node.output}
    for value in (value for node in graph.nodes for value in node.outputs):
        name = outputs.get(value, value.path)
        if name in held:
            assert inferred[name] == list(concrete(value.type, sizes)), name


@pytest.mark.parametrize(
    ("address", "sizes"),
    [
        ("resnet:resnet50", [{"N": 2, "H": 64, "W": 96}, {"N": 1, "H": 97, "W": 45}]),
        ("vit:vit_ti_16", [{"N": 1}, {"N": 3}]),
        ("densenet", [{"N": 2, "H": 64, "W": 96}, {"N": 1, "H": 97, "W": 224}]),
        ("mobilenet_v3", [{"N": 2, "H": 64, "W": 96}, {"N": 1, "H": 97, "W": 224}]),
        ("convnext", [{"N": 2, "H": 64, "W": 96}, {"N": 1, "H": 97, "W": 224}]),
    ],
    ids=lambda found: found if isinstance(found, str) else "",
)
def test_onnx_infers_our_shape_of_every_value(address: str, sizes: list[Sizes]) -> None:
    graph = compiled(address).bound()
    model = graphc_onnx.model(graph)
    for at in sizes:
        assert_all_shapes_agree(graph, model, at)


def test_the_reference_evaluator_gives_our_shape_of_every_value() -> None:
    """Of U-Net, where ONNX infers nothing behind a crop whose place is computed."""
    graph = compiled("unet", read_settings(["width=1"]))
    model = graphc_onnx.model(graph)
    model.graph.output.extend(model.graph.value_info)
    evaluator = ReferenceEvaluator(model)
    values = {name: value for value, name in value_names(graph).items()}
    for sizes in ({"N": 1, "H": 188, "W": 188}, {"N": 2, "H": 189, "W": 196}):
        found = dict(zip(evaluator.output_names, evaluator.run(None, feeds(graph, sizes)), strict=True))
        assert len(found) == len(graph.nodes)
        assert {name: value.shape for name, value in found.items()} == {
            name: concrete(values[name].type, sizes) for name in found
        }


def test_the_reference_evaluator_gives_every_value_of_torch() -> None:
    """ONNX's own implementation in Python, at two sizes from one model."""
    graph = spec("""
dims: {N: 1, H: 9, W: 12}
inputs: {image: [N, 3, H, W]}
graph:
  - conv_bn_relu: {out_channels: 4, kernel_size: 3, stride: 2}
    id: stem
  - add:
    from:
      residual: [conv2d: {out_channels: 4, kernel_size: 3, padding: 1}, sigmoid]
      shortcut: stem
  - max_pool2d: {kernel_size: 3, stride: 2, padding: 1}
  - adaptive_avg_pool2d: [2, 3]
  - flatten
  - linear: 5
  - softmax: -1
""")
    weights = random_weights(graph)
    model = graphc_onnx.model(graph, weights=weights)
    model.graph.output.extend(model.graph.value_info)
    values = {value.path: value for node in graph.nodes for value in node.outputs}
    for sizes in ({"N": 2, "H": 9, "W": 12}, {"N": 1, "H": 14, "W": 7}):
        inputs = feeds(graph, sizes)
        found = dict(
            zip(ReferenceEvaluator(model).output_names, ReferenceEvaluator(model).run(None, inputs), strict=True)
        )
        expected = run_in_torch(graph, weights, inputs)
        for path, value in values.items():
            name = "output" if value is graph.outputs["output"] else path
            assert_close(found[name], expected[value])


# The document


def test_the_document_says_what_happens(tmp_path: Path) -> None:
    text = (Path(__file__).parents[1] / "docs" / "onnx.md").read_text(encoding="utf-8")
    code, wanted = ("".join(re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)) for kind in ("python", "text"))
    command = [sys.executable, "-c", code]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert said == wanted
    assert sorted(file.name for file in tmp_path.iterdir()) == ["half.onnx", "half.onnx.data"]
