"""`graphc verify`: both backends of every spec against each other, and that it sees what is wrong."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import graphc
from graphc import library
from graphc.backends import BackendError
from graphc.cli import main
from graphc.compiler import compile
from graphc.cost import parameters
from graphc.graph import Graph
from graphc.initial import Array
from graphc.ops import Op
from graphc.ops.norm import BatchNorm
from graphc.ops.pool import MaxPool2d
from graphc.ops.reduce import Argmax
from graphc.rewrite import with_training
from graphc.tensor import DType, Tensor
from graphc.verify import Asked, SizeError, in_onnx, verify
from graphc.verify.draw import Arrays, inputs, weights
from graphc.verify.judge import OWN, TOLERANCE, Exact, Found, Judge, Judgement
from graphc.verify.sizes import complete, other, two
from graphc_onnx.lowerings import lower
from networks import EVERY, GIANT, weight_of
from sketch import Sketch

LANGUAGE = Path(__file__).parent / "cases" / "language"
HEAVY = {
    "alexnet",
    "coatnet",
    "deconvnet",
    "detr",
    "fcn",
    "fcn8s_atonce",
    "fcn_resnet",
    "image_gpt",
    "mae",
    "maskformer",
    "nat",
    "transformer",
    "unet",
    "vgg",
    "visual_transformer",
    "vit_hybrid",
}
"""Families whose smallest network takes more than a few seconds."""
DETECTORS = {"fast_rcnn", "faster_rcnn", "mask_rcnn", "rcnn", "single_stage", "yolo_v1", "yolo_v3"}
"""Which boxes are kept, and their order, turns on scores that are the same but for rounding, of which random pictures
are full. `test_detection` and `test_yolo` run each of them in both, the former on real ones.
"""
LARGE = 10_000_000
"""Parameters from which on a network is run at one set of sizes."""

NET = """\
graphc: 1
name: net
params: {width: 4}
variants: {narrow: {}, wide: {width: 8}}
dims: {N: 1, H: 12, W: 12}
inputs: {image: [N, width, H, W]}
graph:
  - conv2d: {out_channels: width, kernel_size: 3}
    id: conv
  - batch_norm
  - relu
  - max_pool2d: 2
outputs: {features: x}
training:
  graph: [let: {size: mean(features)}]
  losses: {small: size * size}
"""

WORDS = """\
graphc: 1
name: words
dims: {N: 1, T: 6}
inputs: {tokens: {shape: [N, T], dtype: int64}, table: [T, 3], rows: {shape: [T], dtype: int64}}
graph:
  - embedding: {num_embeddings: 5, embedding_dim: 3}
    from: tokens[:, 1:]
    id: words
  - let: {found: "index_select(table, rows)", last: "argmax(words, dim=2)"}
outputs: {words: words, found: found, last: last}
training:
  inputs: {label: {shape: [N, T], dtype: int64}}
  graph: [let: {loss: "cross_entropy(transpose(words, dim0=1, dim1=2), label[:, 1:])"}]
  losses: {total: loss}
"""


def smallest(family: str) -> Graph:
    """The variant of a spec with the fewest parameters."""
    spec = library.installed(family)
    graphs = [compile(f"{family}:{name}") for name in spec.variants] or [compile(family)]
    return min(graphs, key=lambda graph: int(str(parameters(graph.bound()))))


def families() -> list[object]:
    names = (name for name in library.names() if name not in DETECTORS)
    return [pytest.param(name, marks=[pytest.mark.slow] * (name in HEAVY)) for name in names]


def every_one() -> list[object]:
    """In the slow step; the giants exhaustively."""
    late = {True: pytest.mark.exhaustive, False: pytest.mark.slow}
    every = (address for address in EVERY if address.partition(":")[0] not in DETECTORS)
    return [pytest.param(address, marks=late[weight_of(address) > GIANT]) for address in every]


def spec(head: str, step: str) -> str:
    """A network of one step."""
    return f"graphc: 1\nname: one\n{head}\ngraph:\n  - {step}\noutputs: {{y: x}}\n"


def seen(name: str) -> Graph:
    """A network of the language's cases, whose output has not the name of an input, for ONNX has one space of names."""
    return graphc.compile(text=(LANGUAGE / name).read_text().replace("outputs: {image: x,", "outputs: {picture: x,"))


# --- every spec


@pytest.mark.parametrize("family", families())
def test_the_smallest_network_of_every_family(family: str) -> None:
    graph = smallest(family)
    result = verify(graph, Asked(sizes=[other(graph)]))
    assert result, str(result)
    assert all(not value.random for run in result.runs for value in run.values)


@pytest.mark.parametrize(
    ("address", "sizes"),
    [
        ("resnet18", {"N": 2, "H": 33, "W": 64}),
        ("squeezenet1_1", {"N": 3, "H": 40, "W": 33}),
    ],
)
def test_every_value_and_the_losses(address: str, sizes: dict[str, int]) -> None:
    graph = compile(address)
    result = verify(graph, Asked(all=True, training=True, sizes=[sizes]))
    assert result, str(result)
    values = {value.path for node in graph.nodes for value in node.outputs}
    assert {value.value.path for run in result.runs if run.what == "values" for value in run.values} == values
    assert [run.what for run in result.runs if run.values][-2:] == (
        ["losses", "training"] if graph.training else ["outputs", "values"]
    )


def trained(graph: Graph) -> Graph:
    """With its training, which can need other sizes, where it has losses."""
    return with_training(graph) if graph.training and graph.training.losses else graph


@pytest.mark.parametrize("address", every_one())
def test_every_spec_and_variant(address: str) -> None:
    """With the losses; the large ones at one set of sizes."""
    graph = compile(address)
    is_large = int(str(parameters(graph.bound()))) > LARGE
    result = verify(graph, Asked(training=True, sizes=[other(trained(graph))] if is_large else None))
    assert result, str(result)


@pytest.mark.exhaustive
@pytest.mark.parametrize("family", library.names())
def test_every_value_of_every_family(family: str) -> None:
    graph = smallest(family)
    result = verify(graph, Asked(all=True, training=True, sizes=[other(trained(graph))]))
    assert result, str(result)


# --- choices between numbers that are the same but for rounding


CHOOSING = """\
graphc: 1
name: choosing
dims: {T: 4000}
inputs: {a: [T], b: [T]}
graph: [let: {larger: a > b, y: "where(larger, 3 * a, 5 * b)"}]
outputs: {y: y}
"""


@pytest.mark.parametrize(("ties", "is_same"), [(1, True), (4, True), (5, False)])
def test_another_choice_is_let_pass_at_few_places(ties: int, is_same: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 4,000; ONNX Runtime is given a number that is smaller by its last bit, where it has to choose."""
    right, nearly = in_onnx.outputs, np.nextafter(np.float32(1), np.float32(0))

    def drawn(graph: Graph, sizes: Mapping[str, int], seed: int) -> Arrays:
        found = {name: value.copy() for name, value in inputs(graph, sizes, seed).items()}
        found["a"][:ties], found["b"][:ties] = 1, nearly
        return found

    def rounded(graph: Graph, given: Arrays, feeds: Sequence[Arrays], *rest: frozenset[str]) -> list[list[Array]]:
        moved = [{**feed, "a": np.where(feed["a"] == 1, nearly, feed["a"])} for feed in feeds]
        return right(graph, given, moved, *rest)

    monkeypatch.setattr(sys.modules["graphc.verify.verify"], "inputs", drawn)
    monkeypatch.setattr(in_onnx, "outputs", rounded)
    result = verify(graphc.compile(text=CHOOSING), Asked(sizes=[{}]))
    assert bool(result) == is_same
    (found,) = result.runs[0].values
    assert found.ties == (ties if is_same else 0)
    assert (f"with torch's choice at {ties} near tie" in str(result)) == is_same


def test_choices_that_are_wrong_are_seen(miswrite: Miswrite) -> None:
    """Also where PyTorch's in their place would give the same."""
    shape = "dims: {N: 1}\ninputs: {image: [N, 40, 40]}"
    graph = graphc.compile(text=spec(shape, "index_select:\n    from: ['image[0]', 'argmax(image, dim=1)[0]']"))
    miswrite(Argmax, lambda op: op.model_copy(update={"dim": 2}))
    assert not verify(graph, Asked(sizes=[{"N": 2}]))


# --- what is wrong is seen, and where


Miswrite = Callable[[type[Op], Callable[[Op], Op]], None]


@pytest.fixture
def miswrite() -> Iterator[Miswrite]:
    """Makes the ONNX backend write the ops of a class as others."""
    right: dict[type[Op], Callable[..., None]] = {}

    def change(kind: type[Op], changed: Callable[[Op], Op]) -> None:
        right[kind] = lower.dispatch(kind)
        lower.register(kind)(lambda op, *rest: right[kind](changed(op), *rest))

    yield change
    for kind, lowering in right.items():
        lower.register(kind)(lowering)


def test_another_eps_is_seen_at_the_first_norm(miswrite: Miswrite) -> None:
    graph = graphc.compile("resnet18", set={"layers": [1, 1, 1, 1]})
    miswrite(BatchNorm, lambda op: op.model_copy(update={"eps": 1e-3}))
    result = verify(graph, Asked(all=True, sizes=[{"H": 64, "W": 64}]))
    assert not result
    first = result.runs[-1].first
    assert first is not None
    assert (first.value.path, first.value.node.op.name) == ("stem.bn", "batch_norm")
    assert 1e-5 < first.error < 1e-2
    report = str(result).splitlines()
    assert report[0].endswith("DIFFERS")
    assert f"first to differ: `stem.bn`, batch_norm at {first.value.node.span}" in str(result)
    assert "float32, here [1, 64, 32, 32]" in str(result)


def test_a_transposed_kernel_deep_inside_is_seen_there(monkeypatch: pytest.MonkeyPatch) -> None:
    path = "stage.1.unit.0.residual.conv2.conv"
    right = in_onnx.outputs

    def wrong(graph: Graph, given: Arrays, feeds: Sequence[Arrays]) -> list[list[Array]]:
        turned = given[f"{path}.weight"].swapaxes(2, 3).copy()
        return right(graph, {**given, f"{path}.weight": turned}, feeds)

    monkeypatch.setattr(in_onnx, "outputs", wrong)
    graph = graphc.compile("resnet18", set={"layers": [1, 1, 1, 1]})
    outputs, values = verify(graph, Asked(all=True, sizes=[{"N": 2, "H": 32, "W": 64}])).runs
    assert not outputs
    assert values.first is not None
    assert values.first.value.path == path


def test_what_is_wrong_at_one_size_alone_is_seen(miswrite: Miswrite) -> None:
    """Rows that a pooling leaves out are there at odd sizes."""
    graph = graphc.compile(text=spec("dims: {H: 8}\ninputs: {image: [2, 1, H, 4]}", "max_pool2d: 2"))
    miswrite(MaxPool2d, lambda op: op.model_copy(update={"ceil_mode": True}))
    even, odd = verify(graph, Asked(sizes=[{"H": 8}, {"H": 9}])).runs
    assert even
    assert not odd
    assert odd.first is not None
    assert "the graph has [" in odd.first.problem
    assert "ONNX Runtime [" in str(odd)


def test_a_wrong_loss_is_seen(miswrite: Miswrite) -> None:
    graph = compile("mnist_cnn")
    assert graph.training is not None
    miswrite(type(graph.training.nodes[-1].op), lambda op: op.model_copy(update={"reduction": "sum"}))
    outputs, losses = verify(graph, Asked(training=True, sizes=[{"N": 2}])).runs
    assert outputs
    assert not losses
    assert losses.what == "losses"


def test_what_onnx_runtime_refuses_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_onnx, "_session", refusing)
    result = verify(graphc.compile(text=spec("inputs: {image: [2, 3]}", "relu")))
    assert not result
    assert "ONNX Runtime can't run it: it is no good" in str(result)
    assert result.first is None


def refusing(path: Path) -> None:
    from onnxruntime.capi.onnxruntime_pybind11_state import InvalidGraph

    raise InvalidGraph("it is no good")


def test_what_torch_refuses_is_told_with_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels that there are not."""
    monkeypatch.setattr("graphc.verify.draw.ranges", lambda _: {})
    inputs = "dims: {N: 1}\ninputs: {image: {shape: [N, 50], dtype: int64}}"
    graph = graphc.compile(text=spec(inputs, "embedding: {num_embeddings: 1, embedding_dim: 2}"))
    result = verify(graph, Asked(sizes=[{"N": 2}]))
    assert not result
    assert result.runs[0].sizes == {"N": 2}
    assert "torch can't run it: index out of range" in str(result)


# --- numbers


def judged(torch: object, onnx: object, exact: object = None, *, dtype: DType = "float32", **more: bool) -> Judgement:
    ours, theirs = np.asarray(torch, dtype), np.asarray(onnx, dtype)
    value = Sketch(image=Tensor(ours.shape, dtype))["image"]
    precise = Exact(np.asarray(torch if exact is None else exact, "float64" if dtype == "float32" else dtype), **more)
    (found,) = Judge({}).all({"image": value}, [Found(ours, theirs)], lambda: [precise])
    return found


def test_the_tolerance_is_relative_to_the_largest_number() -> None:
    assert judged([1000.0, 1.0], [1000.0, 1.009]).same
    assert not judged([1000.0, 1.0], [1000.0, 1.02]).same
    assert judged([0.0, 0.0], [0.0, 1e-6]).same
    assert judged([], []).same
    assert judged(0.001, 0.001005).same
    assert not judged([0.001], [0.001005]).same


def test_rounding_of_torch_itself_is_let_pass_ten_times() -> None:
    """|onnx - exact| ≤ tolerance + 10 · |torch - exact|, here of 1e-4."""
    assert (TOLERANCE, OWN) == (1e-5, 10)
    assert judged([1.0, 0.5001], [1.0, 0.4991], [1.0, 0.5]).same
    assert not judged([1.0, 0.5001], [1.0, 0.4989], [1.0, 0.5]).same
    assert not judged([1.0, 0.5], [1.0, 0.4991], [1.0, 0.5]).same


def test_what_is_no_number_must_be_none_in_both() -> None:
    nan, inf = np.nan, np.inf
    assert judged([nan, inf, 1.0], [nan, inf, 1.0]).same
    assert not judged([nan, 1.0], [1.0, 1.0]).same
    assert not judged([1.0, 1.0], [nan, 1.0]).same
    assert not judged([inf, 1.0], [-inf, 1.0]).same


def test_whole_numbers_are_counted() -> None:
    assert judged([1, 2, 3], [1, 2, 3], dtype="int64").same
    found = judged([1, 2, 3, 4], [1, 2, 3, 5], dtype="int64")
    assert not found.same
    assert (found.error, found.at, found.torch, found.onnx) == (0.25, (3,), 4, 5)
    assert judged(
        [True, False] * 20, [True, True] + [True, False] * 19, [False, False] + [True, False] * 19, dtype="bool"
    ).same


def test_random_values_are_told_and_not_compared() -> None:
    found = judged([1.0], [2.0], [3.0], random=True)
    assert found.same
    assert found.random
    result = verify(seen("vae.yaml"), Asked(all=True, training=True, sizes=[{"N": 3}]))
    assert result, str(result)
    outputs, values, losses, _ = result.runs
    assert [value.name for value in outputs.values if value.random] == ["picture"]
    assert {"z", "decoder.fc1"} & {value.name for value in values.values if value.random} == {"decoder.fc1"}
    assert not any(value.random for value in values.values if value.name.startswith("q."))
    assert [value.random for value in losses.values] == [True]
    assert "random, not compared" in str(result)


# --- what it is run with


def test_inputs_are_what_the_graph_takes() -> None:
    """Positions and labels that there are, wherever the input goes before it is read."""
    graph = graphc.compile(text=WORDS)
    for seed in range(5):
        found = inputs(graph, {"N": 40, "T": 6}, seed)
        assert set(found["tokens"].flat) == set(range(5))
        assert found["tokens"].dtype == np.int64
        assert set(found["rows"].flat) <= set(range(6))
    result = verify(graph, Asked(all=True, training=True))
    assert result, str(result)
    assert {run.what for run in result.runs} == {"outputs", "values", "losses", "training"}


def test_weights_all_matter() -> None:
    """No weight is one number, but the count of batches; variances are positive."""
    for path, value in [*weights(compile("convnext"), 0).items(), *weights(compile("resnet18"), 0).items()]:
        if value.dtype == np.float32:
            assert np.unique(value).size > 1, path
        assert not path.endswith("running_var") or value.min() > 0


def test_one_seed_gives_one_result() -> None:
    graph = graphc.compile(text=NET)
    one, same, another = (str(verify(graph, Asked(seed=seed, tolerance=0)).data()) for seed in (0, 0, 1))
    assert one == same != another


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("unet", {"N": 2, "H": 188, "W": 189}),
        ("resnet18", {"N": 2, "H": 56, "W": 57}),
        ("mnist_cnn", {"N": 2}),
    ],
)
def test_the_other_sizes_are_small_and_differ(address: str, wanted: dict[str, int]) -> None:
    graph = compile(address)
    assert two(graph) == [graph.examples(), wanted]
    assert complete(graph, wanted) == wanted


def test_where_no_size_is_free_there_is_one_run() -> None:
    graph = graphc.compile(text=spec("inputs: {image: [2, 3]}", "relu"))
    assert [run.sizes for run in verify(graph).runs] == [{}]


def test_sizes_that_the_graph_does_not_take_are_refused() -> None:
    with pytest.raises(SizeError, match="`unet` doesn't take N = 1, H = 187, W = 572: conv2d: a window of 3 must fit"):
        verify(compile("unet"), Asked(sizes=[{"H": 187}]))


# --- in Python


def test_a_graph_verifies_itself() -> None:
    result = graphc.compile(text=NET).verify(all=True, training=True, sizes=[{"N": 2}])
    assert result
    assert [(run.what, len(run.values)) for run in result.runs] == [
        ("outputs", 1),
        ("values", 4),
        ("losses", 1),
        ("training", 2),
    ]
    assert str(result).splitlines()[0].startswith("narrow  N=2 H=12 W=12  features ")
    assert result.data()["same"] is True


# --- on the command line


@dataclass(frozen=True)
class Ended:
    """What came of a command."""

    code: object
    out: str
    err: str


@pytest.fixture
def graphc_verify(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Runs the command in a folder with a spec."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.yaml").write_text(NET)

    def run(*arguments: str) -> Ended:
        with pytest.raises(SystemExit) as ended:
            main(["verify", *arguments])
        captured = capsys.readouterr()
        return Ended(ended.value.code or 0, captured.out, captured.err)

    return run


def test_a_line_a_run(graphc_verify: Callable[..., Ended]) -> None:
    run = graphc_verify("net.yaml", "net.yaml:wide", "--training", "--size", "N=2", "--size", "N=3,H=9")
    assert (run.code, run.err) == (0, "")
    rows = [re.split(r"  +", line) for line in run.out.splitlines()]
    sizes = ["N=2 H=12 W=12", "N=3 H=9 W=12"]
    assert [row[:3] for row in rows] == [
        [name, size, what] for name in ("narrow", "wide") for what in ("features", "small") for size in sizes
    ]
    assert all(re.fullmatch(r"max \d\.\de[-+]\d\d of scale", row[3]) and row[4] == "ok" for row in rows)


def test_all_variants(graphc_verify: Callable[..., Ended]) -> None:
    run = graphc_verify("net.yaml", "--variants", "--set", "H=10", "--as", "json")
    assert run.code == 0
    found = json.loads(run.out)
    assert found["same"] is True
    assert [run["name"] for run in found["runs"]] == ["narrow"] * 2 + ["wide"] * 2
    assert found["runs"][0]["values"][0]["path"] == "max_pool2d"


def test_a_difference_ends_with_1(graphc_verify: Callable[..., Ended], miswrite: Miswrite) -> None:
    miswrite(BatchNorm, lambda op: op.model_copy(update={"eps": 0.1}))
    run = graphc_verify("net.yaml", "--all")
    assert (run.code, run.err) == (1, "")
    assert "first to differ: `batch_norm`, batch_norm at net.yaml:10:5\n" in run.out
    assert "--all tells the first value inside" in graphc_verify("net.yaml").err
    assert not json.loads(graphc_verify("net.yaml", "--as", "json").out)["same"]
    assert graphc_verify("net.yaml", "--tolerance", "1").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["net.yaml", "--size", "H"], "`H` is not of the form N=2,H=64,W=96"),
        (["net.yaml", "--size", "K=3"], "no free size `K`; its free sizes are N, H and W"),
        (["net.yaml", "--size", "H=2"], "`narrow` doesn't take N = 1, H = 2, W = 12"),
        (["nett"], "no spec `nett`"),
        (["net.yaml", "--tolerance", "-1"], "--tolerance"),
        ([], "Missing argument"),
    ],
)
def test_a_wrong_call_ends_with_2(graphc_verify: Callable[..., Ended], arguments: list[str], message: str) -> None:
    run = graphc_verify(*arguments)
    assert (run.code, run.out) == (2, "")
    assert message in " ".join(run.err.split())


def test_a_wrong_spec_ends_with_1_and_its_errors(graphc_verify: Callable[..., Ended]) -> None:
    Path("wrong.yaml").write_text(NET.replace("relu", "rellu"))
    run = graphc_verify("wrong.yaml")
    assert (run.code, run.out) == (1, "")
    assert "wrong.yaml:11:5: error E401" in run.err


def test_without_onnx_runtime_it_says_how_to_get_it(
    graphc_verify: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    run = graphc_verify("net.yaml")
    assert (run.code, run.out) == (2, "")
    assert run.err == f"Error: {in_onnx.MISSING}\n"
    with pytest.raises(BackendError, match="pip install"):
        graphc.compile(text=NET).verify()
