"""Weights from files: the names that torchvision and timm give them, and what is said of files that don't fit."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import graphc_torch
import oracle
from graphc import library
from graphc.checkpoint import read_weights
from graphc.checkpoint.fit import Fit, best
from graphc.checkpoint.stored import Stored
from graphc.cli import main
from graphc.compiler import compile
from graphc.diagnostics import Diagnostic, SpecError, human
from graphc.elaborate import elaborate
from graphc.graph import Graph
from graphc.loader import Loader
from graphc.settings import read_settings
from optable.running import session
from test_torch import worst

TORCHVISION = [
    *("alexnet", "squeezenet1_0", "squeezenet1_1", "googlenet", "mobilenet_v2"),
    *(f"vgg{depth}{norm}" for depth in (11, 13, 16, 19) for norm in ("", "_bn")),
    *(f"resnet{depth}" for depth in (18, 34, 50, 101, 152)),
    *(f"densenet{depth}" for depth in (121, 161, 169, 201)),
    *(f"mobilenet_v3_{size}" for size in ("large", "small")),
    *(f"efficientnet_b{number}" for number in range(5)),
    *(f"convnext_{size}" for size in ("tiny", "small", "base")),
]
TIMM = {
    **{
        name: name for name in TORCHVISION if name.startswith(("resnet", "vgg", "densenet", "efficientnet", "convnext"))
    },
    "mobilenet_v2": "mobilenetv2_100",
    "mobilenet_v3_large": "mobilenetv3_large_100",
    "mobilenet_v3_small": "mobilenetv3_small_100",
    **{f"se_resnet{depth}": f"legacy_seresnet{depth}" for depth in (18, 34, 50, 101, 152)},
    "seresnet50": "seresnet50",
    "senet154": "legacy_senet154",
}
"""Our variants, and what timm calls them."""
MODELS = [*(("torchvision", name) for name in TORCHVISION), *(("timm", name) for name in TIMM)]


def theirs(by: str, name: str, **options: object) -> nn.Module:
    """A model of torchvision or timm, with random weights; timm imports torchvision, so that is loaded first."""
    torchvision = oracle.torchvision()
    model: nn.Module
    if by == "timm":
        model = importlib.import_module("timm").create_model(TIMM[name], **options)
    else:
        quiet = {"init_weights": False} if name == "googlenet" else {}
        model = torchvision.models.get_model(name, weights=None, **quiet, **options)
    return model


def never() -> NDArray[Any]:
    raise AssertionError("names and shapes are enough")


def fit_of(graph: Graph, state: Mapping[str, Tensor], *, training: bool = False) -> Fit:
    """How the names and shapes of a state dict fit."""
    tensors = {name: Stored(tuple(value.shape), never) for name, value in state.items()}
    return best(graph, tensors, training=training)


# --- what torchvision and timm publish


@pytest.mark.parametrize(("by", "name"), MODELS)
def test_every_name_and_shape_of_their_models_is_known(by: str, name: str) -> None:
    with torch.device("meta"):
        state = theirs(by, name).state_dict()
    fit = fit_of(compile(name), state)
    assert (fit.missing, fit.unexpected, fit.wrong) == ([], [], {})
    used = {taken for _, origin, _ in fit.found.values() for taken in origin.names}
    heads = {taken for taken in state if taken.startswith(("aux1.", "aux2."))}
    assert used | heads == state.keys()
    assert bool(heads) == (name == "googlenet")


@pytest.mark.parametrize("name", ["googlenet"])
def test_auxiliary_heads_are_wanted_in_training_alone(name: str) -> None:
    with torch.device("meta"):
        state = theirs("torchvision", name).state_dict()
    graph = compile(name)
    assert not fit_of(graph, state, training=True).is_wrong
    without = {taken: value for taken, value in state.items() if not taken.startswith("aux")}
    assert not fit_of(graph, without).is_wrong
    assert set(fit_of(graph, without, training=True).missing) == {
        taken for taken in state if taken.startswith("aux") and "num_batches" not in taken
    }


@pytest.mark.parametrize("name", ["densenet121", "densenet161"])
def test_published_densenets_have_dots_in_names(name: str) -> None:
    """As in densenet121-a639ec97.pth: torchvision's `_load_state_dict` makes `norm1` of their `norm.1`."""
    with torch.device("meta"):
        state = theirs("torchvision", name).state_dict()
    old = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))", r"\1.", key): value
        for key, value in state.items()
        if not key.endswith("num_batches_tracked")
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    fit = fit_of(compile(name), old)
    assert not fit.is_wrong
    assert fit.table == "torchvision_files"


def alive(module: nn.Module, image: Tensor) -> nn.Module:
    """The module in evaluation, with random weights and this image's statistics, so that all of it counts."""
    torch.manual_seed(0)
    for path, weight in module.named_parameters():
        if path.endswith(("layer_scale", "gamma")):
            nn.init.uniform_(weight, 0.1, 0.3)
        elif path.endswith("bias"):
            nn.init.normal_(weight, std=0.1)
        elif weight.dim() == 1:
            nn.init.uniform_(weight, 0.5, 1.5)
        else:
            nn.init.kaiming_normal_(weight, nonlinearity="relu")
    for norm in module.eval().modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.train().momentum = None
    with torch.no_grad():
        module(image)
    return module.eval()


def saved(state: Mapping[str, Tensor], path: Path) -> Path:
    """A state dict in a file, by the suffix."""
    if path.suffix == ".safetensors":
        save_file({name: value.contiguous() for name, value in state.items()}, path)
    else:
        torch.save(dict(state), path)
    return path


SETTINGS = {
    ("timm", "mobilenet_v3_small"): ["norm={batch_norm: {eps: 1e-5}}"],
    ("timm", "se_resnet18"): ["relu_before_gate=true"],
}
"""Where a model is not quite ours."""


def assert_same_outputs(by: str, name: str, path: Path, size: tuple[int, ...]) -> None:
    """With the weights of a model in a file we give what the model gives."""
    model = theirs(by, name)
    image = torch.randn(size, generator=torch.Generator().manual_seed(1))
    state = alive(model, image).state_dict()
    graph = compile(name, read_settings(SETTINGS.get((by, name), ())))
    ours = graphc_torch.module(graph, weights=read_weights(graph, saved(state, path))).eval()
    with torch.inference_mode():
        wanted = model(image)
        assert worst(wanted[:1], wanted[1:]) > 1e-3, "whatever the image is"
        assert worst(ours(image), wanted) < 1e-5


@pytest.mark.parametrize(
    ("by", "name", "suffix"),
    [
        ("torchvision", "resnet18", ".pth"),
        ("torchvision", "squeezenet1_1", ".safetensors"),
        ("torchvision", "mobilenet_v3_small", ".pt"),
        ("timm", "mobilenet_v3_small", ".safetensors"),
        ("timm", "se_resnet18", ".bin"),
        pytest.param("torchvision", "densenet121", ".pth", marks=pytest.mark.slow),
        pytest.param("timm", "convnext_tiny", ".safetensors", marks=pytest.mark.slow),
        pytest.param("timm", "efficientnet_b0", ".pth", marks=pytest.mark.slow),
        pytest.param("timm", "mobilenet_v2", ".pth", marks=pytest.mark.slow),
        pytest.param("timm", "vgg11_bn", ".safetensors", marks=pytest.mark.slow),
        pytest.param("timm", "se_resnet50", ".safetensors", marks=pytest.mark.slow),
        pytest.param("timm", "seresnet50", ".pth", marks=pytest.mark.slow),
        pytest.param("timm", "senet154", ".pth", marks=pytest.mark.slow),
    ],
)
def test_their_weights_from_a_file_give_their_outputs(by: str, name: str, suffix: str, tmp_path: Path) -> None:
    assert_same_outputs(by, name, tmp_path / f"weights{suffix}", (2, 3, 224, 224))


# --- the operations


SPEC = """graphc: 1
name: small
params: {width: 4}
dims: {N: 1}
inputs: {vector: [N, 3]}
graph:
  - linear: width
    repeat: 3
    id: layer
  - linear: 6
    id: head
weights:
  other:
"""


def small(*rules: str, head: str = SPEC) -> Graph:
    """A small graph with one table."""
    text = head + "".join(f"    {rule}\n" for rule in rules)
    return elaborate(library.parse(text, "small.yaml"), library.standard())


def numbers(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def state_of(graph: Graph) -> dict[str, NDArray[np.float32]]:
    """Weights by our paths, all different."""
    generator = np.random.default_rng(1)
    shapes = {path: tuple(int(str(size)) for size in weight.shape) for path, weight in graph.weights()}
    return {path: generator.standard_normal(shape, dtype=np.float32) for path, shape in shapes.items()}


def test_names_are_made_of_what_was_matched_and_of_the_parameters() -> None:
    graph = small("layer.{i}: 'block{i * width + 1}.fc'", "head: last")
    state = state_of(graph)
    named = {
        **{f"block{4 * i + 1}.fc.{kind}": state[f"layer.{i}.{kind}"] for i in range(3) for kind in ("weight", "bias")},
        **{f"last.{kind}": state[f"head.{kind}"] for kind in ("weight", "bias")},
    }
    same(read_weights(graph, named), state)
    assert graph.checkpoints["other"]["layer.2.bias"].names == ("block9.fc.bias",)


def same(found: Mapping[str, NDArray[Any]], wanted: Mapping[str, NDArray[Any]]) -> None:
    assert found.keys() == wanted.keys()
    for path, value in wanted.items():
        assert (found[path].shape, found[path].dtype) == (value.shape, value.dtype)
        np.testing.assert_array_equal(found[path], value)


def test_split() -> None:
    graph = small("layer.0: first", "layer.{i}: {split: rest, index: i - 1, of: 2}")
    state = state_of(graph)
    kinds = ("weight", "bias")
    named = {f"head.{kind}": state[f"head.{kind}"] for kind in kinds}
    named |= {f"first.{kind}": state[f"layer.0.{kind}"] for kind in kinds}
    named |= {f"rest.{kind}": np.concatenate([state[f"layer.{i}.{kind}"] for i in (1, 2)]) for kind in kinds}
    same(read_weights(graph, named), state)


def test_split_by_sizes_along_an_axis() -> None:
    graph = small(
        "layer.0.weight: {split: all, index: 0, sizes: [3, width], dim: -1}",
        "layer.1.weight: {split: all, index: 1, sizes: '[3, width]', dim: 1}",
    )
    state = state_of(graph)
    named = {path: value for path, value in state.items() if path not in {"layer.0.weight", "layer.1.weight"}}
    named["all"] = np.concatenate([state["layer.0.weight"], state["layer.1.weight"]], 1)
    same(read_weights(graph, named), state)


def test_concat_transpose_and_reshape() -> None:
    graph = small(
        "head: {concat: [q, k, 'v{3 - 2}']}",
        "layer.0.weight: {transpose: first}",
        "layer.1.weight: {transpose: second, dims: [1, 0]}",
        "layer.2.weight: {reshape: third}",
    )
    state = state_of(graph)
    named = {path: value for path, value in state.items() if path.endswith("bias") and path != "head.bias"}
    for kind in ("weight", "bias"):
        named |= zip((f"q.{kind}", f"k.{kind}", f"v1.{kind}"), np.split(state[f"head.{kind}"], [1, 4]), strict=True)
    named["first"], named["second"] = state["layer.0.weight"].T, state["layer.1.weight"].T
    named["third"] = state["layer.2.weight"].reshape(2, 2, 4, 1)
    same(read_weights(graph, named), state)


def test_the_place_of_a_part_among_its_neighbours() -> None:
    spec = SPEC.replace("  - linear: width\n    repeat: 3", "  - do: [linear: width, layer_norm, relu]\n    repeat: 2")
    graph = small("layer.{i}.{part, n}: blocks.{i}.{n}.{part}", "head: blocks.2", head=spec)
    assert graph.checkpoints["other"]["layer.1.layer_norm.bias"].names == ("blocks.1.1.layer_norm.bias",)


def test_a_rule_fits_whole_parts_and_the_first_that_fits_counts() -> None:
    graph = small("layer.0.bias: a", "layer.0: b", "layer: c", "h{rest}d: '{rest}'")
    table = graph.checkpoints["other"]
    assert {path: table[path].names for path in table} == {
        "layer.0.bias": ("a",),
        "layer.0.weight": ("b.weight",),
        **{f"layer.{i}.{kind}": (f"c.{i}.{kind}",) for i in (1, 2) for kind in ("weight", "bias")},
        "head.weight": ("ea.weight",),
        "head.bias": ("ea.bias",),
    }


def test_tables_are_inherited_rule_by_rule(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SPEC + "    layer.{i}: l{i}\n    head: last\n", encoding="utf-8")
    text = "graphc: 1\nname: more\nextends: small.yaml\ngraph: [{linear: 2, id: top}]\n"
    text += "weights: {other: {head: h, top: t}, third: {top: u}}\n"
    graph = elaborate(Loader(tmp_path).text(text, "more.yaml"), library.standard())
    other, third = graph.checkpoints["other"], graph.checkpoints["third"]
    names = [other[f"{path}.bias"].names[0] for path in ("layer.1", "head", "top")]
    assert names == ["l1.bias", "h.bias", "t.bias"]
    assert list(third) == ["top.weight", "top.bias"]


def test_inherited_rules_may_fit_nothing(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SPEC + "    layer.{i}: l{i}\n    head: last\n", encoding="utf-8")
    text = "graphc: 1\nname: more\nextends: small.yaml\nweights: {other: {hed: last}}\n"
    with pytest.raises(SpecError) as error:
        elaborate(Loader(tmp_path).text(text, "more.yaml"), library.standard())
    assert [(found.code, found.span.line) for found in error.value.diagnostics] == [("E308", 4)]


def test_a_table_leaves_the_graph_as_it_is() -> None:
    graph = small("layer.{i}: 'l{i + dim(reshape(i, shape=[1, 1]), 0)}'", "head: last")
    assert graph.checkpoints["other"]["layer.2.bias"].names == ("l3.bias",)
    assert [node.path for node in graph.nodes] == ["layer.0", "layer.1", "layer.2", "head"]


# --- files


@pytest.fixture
def graph() -> Graph:
    return small("layer.{i}: l{i}", "head: last")


def tensors(graph: Graph) -> dict[str, Tensor]:
    """A state dict as the table names it."""
    table = graph.checkpoints["other"]
    return {table[path].names[0]: torch.from_numpy(value) for path, value in state_of(graph).items()}


WRAPPERS: dict[str, Callable[[dict[str, Tensor]], object]] = {
    "bare": lambda state: state,
    "state_dict": lambda state: {"epoch": 3, "state_dict": state, "optimizer": {"lr": torch.ones(1)}},
    "model": lambda state: {"model": state},
    "nested": lambda state: {"model": {"state_dict": state}},
    "parallel": lambda state: {f"module.{name}": value for name, value in state.items()},
    "compiled": lambda state: {"state_dict": {f"_orig_mod.{name}": value for name, value in state.items()}},
    "counters": lambda state: {**state, "l0.num_batches_tracked": torch.tensor(3)},
    "parameters": lambda state: {name: nn.Parameter(value) for name, value in state.items()},
}


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_state_dict_is_found_in_what_is_around_it(wrapper: str, zipped: bool, graph: Graph, tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    torch.save(WRAPPERS[wrapper](tensors(graph)), path, _use_new_zipfile_serialization=zipped)
    same(read_weights(graph, path), state_of(graph))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_other_floats_become_float32(dtype: torch.dtype, suffix: str, graph: Graph, tmp_path: Path) -> None:
    state = {name: value.to(dtype) for name, value in tensors(graph).items()}
    found = read_weights(graph, saved(state, tmp_path / f"weights{suffix}"))
    same(found, {path: state[graph.checkpoints["other"][path].names[0]].float().numpy() for path in found})


def test_own_names_go_before_tables_and_tensors_of_torch_will_do(graph: Graph) -> None:
    module = graphc_torch.module(graph, seed=7)
    found = read_weights(graph, dict(module.named_parameters()))
    again = graphc_torch.module(graph, weights=found)
    assert all(torch.equal(value, module.state_dict()[path]) for path, value in again.state_dict().items())
    fit = fit_of(graph, module.state_dict())
    assert fit.table == ""


def test_a_file_that_lacks_counters_begins_them() -> None:
    graph = compile("resnet18")
    state = {path: value for path, value in graphc_torch.module(graph).state_dict().items() if "num_b" not in path}
    module = graphc_torch.module(graph, weights=read_weights(graph, state))
    assert {int(value) for path, value in module.state_dict().items() if "num_b" in path} == {0}


def test_the_module_of_training_takes_the_weights_of_the_network() -> None:
    graph = compile("googlenet")
    state = graphc_torch.module(graph, seed=5).state_dict()
    training = graphc_torch.module(graph, training=True, weights=state).state_dict()
    drawn = graphc_torch.module(graph, training=True).state_dict()
    assert training.keys() == drawn.keys()
    assert torch.equal(training["model.fc.weight"], state["fc.weight"])
    assert torch.equal(training["aux.0.fc1.weight"], drawn["aux.0.fc1.weight"])
    assert not fit_of(graph, training).is_wrong
    assert not fit_of(graph, training, training=True).is_wrong


def test_modules_are_strict_about_weights(graph: Graph) -> None:
    state = state_of(graph)
    with pytest.raises(ValueError, match=r"no weight is given for layer\.0\.weight"):
        graphc_torch.module(graph, weights={})
    with pytest.raises(ValueError, match=r"needs the shape \[6, 4\], the weight given has \[4, 6\]"):
        graphc_torch.module(graph, weights={**state, "head.weight": state["head.weight"].T})


def test_a_graph_takes_a_file_of_weights(graph: Graph, tmp_path: Path) -> None:
    path = saved(tensors(graph), tmp_path / "weights.safetensors")
    vector = numbers(2, 3)
    module = graph.module(weights=path).eval()
    (given,) = session(graph.onnx(weights=str(path))).run(None, {"vector": vector})
    with torch.inference_mode():
        np.testing.assert_allclose(given, module(torch.from_numpy(vector)).numpy(), rtol=1e-5, atol=1e-6)


# --- files that don't fit


def finding(error: SpecError) -> Diagnostic:
    (found,) = error.diagnostics
    return found


def refused(graph: Graph, state: Mapping[str, object]) -> str:
    with pytest.raises(SpecError) as error:
        read_weights(graph, state)
    assert finding(error.value).code == "E702"
    return human(finding(error.value))


def test_a_wrong_file_is_told_as_a_whole(graph: Graph) -> None:
    state = tensors(graph)
    del state["l1.bias"]
    state |= {"extra": torch.ones(1), "last.weight": torch.ones(5, 4)}
    said = refused(graph, state)
    assert "doesn't fit small: 1 missing, 1 unexpected, 1 of another shape (read with the names of other)" in said
    assert "  = missing: l1.bias\n" in said
    assert "  = unexpected: extra\n" in said
    assert "  = another shape: head.weight: `last.weight` is [5, 4]; it must be [6, 4]" in said


def test_of_many_a_dozen_is_listed(graph: Graph) -> None:
    said = refused(graph, {**tensors(graph), **{f"extra.{i}": torch.ones(1) for i in range(30)}})
    assert said.count("= unexpected: extra.") == 12
    assert "= unexpected: and 18 more" in said


def test_names_that_nobody_has(graph: Graph) -> None:
    said = refused(graph, {"some.thing": torch.ones(1)})
    assert "8 missing, 1 unexpected (read with the spec's own paths)" in said
    assert "no name in it is one of the spec's own and of the tables other" in said


@pytest.mark.parametrize(
    ("rule", "shape", "words"),
    [
        ("head.weight: {split: it, index: 1, of: 2}", (13, 4), "axis 0 is 13, not cut into 2 such pieces"),
        ("head.weight: {split: it, index: 0, of: 2, dim: 2}", (12, 4), "it has no axis 2"),
        ("head.weight: {split: it, index: 0, of: 2}", (6, 4), "`it` is [6, 4], which gives [3, 4]; it must be [6, 4]"),
        ("head.weight: {transpose: it, dims: [0, 0]}", (4, 6), "`dims` must name each of its 2 axes once"),
        ("head.weight: {transpose: it}", (6, 4), "`it` is [6, 4], which gives [4, 6]; it must be [6, 4]"),
        ("head.weight: {reshape: it}", (6, 5), "`it` is [6, 5]; it must be [6, 4]"),
        ("head.weight: {concat: [it, head.bias]}", (5, 4), "`it` and `head.bias` is [5, 4] and [6]"),
    ],
)
def test_operations_on_other_shapes(rule: str, shape: tuple[int, ...], words: str) -> None:
    graph = small(rule)
    state: dict[str, object] = {**state_of(graph), "it": numbers(*shape)}
    del state["head.weight"]
    assert words in refused(graph, state)


DAMAGED: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "text": lambda _: b"not weights at all\n" * 10,
    "cut": lambda data: data[: len(data) // 2],
    "head": lambda data: b"\xff" * 64 + data[64:],
}


@pytest.mark.parametrize("damage", DAMAGED)
@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".pth"])
def test_a_damaged_file(suffix: str, damage: str, graph: Graph, tmp_path: Path) -> None:
    path = saved(tensors(graph), tmp_path / f"weights{suffix}")
    path.write_bytes(DAMAGED[damage](path.read_bytes()))
    assert f"can't read weights from {path}: it is" in unreadable(graph, path)


def unreadable(graph: Graph, path: Path) -> str:
    with pytest.raises(SpecError) as error:
        read_weights(graph, path)
    assert finding(error.value).code == "E701"
    return human(finding(error.value))


def test_other_files(graph: Graph, tmp_path: Path) -> None:
    assert "No such file" in unreadable(graph, tmp_path / "nothing.pth")
    assert "ends in .bin, .pt, .pth and .safetensors" in unreadable(graph, tmp_path / "weights.h5")
    (tmp_path / "folder.pth").mkdir()
    assert "Is a directory" in unreadable(graph, tmp_path / "folder.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    assert "there are no tensors in it" in unreadable(graph, tmp_path / "list.pth")
    torch.save(nn.Linear(2, 2), tmp_path / "module.pth")
    assert "save `model.state_dict()`" in unreadable(graph, tmp_path / "module.pth")


def test_code_in_a_file_is_not_run(graph: Graph, tmp_path: Path) -> None:
    torch.save({"weights": Trap(tmp_path / "sprung")}, tmp_path / "trap.pth")
    unreadable(graph, tmp_path / "trap.pth")
    assert not (tmp_path / "sprung").exists()


class Trap:
    """What makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.path,)


# --- the command


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    return int(end.value.code or 0)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "small.yaml").write_text(SPEC + "    layer.{i}: l{i}\n    head: last\n", encoding="utf-8")
    return tmp_path / "small.yaml"


def test_build_gives_all_files_the_weights(
    spec: Path,
    graph: Graph,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weights = saved(tensors(graph), tmp_path / "theirs.pth")
    outputs = [tmp_path / "out" / f"small_net{suffix}" for suffix in (".py", ".onnx", ".svg")]
    options = [text for output in outputs for text in ("-o", str(output))]
    assert run("build", str(spec), "--weights", str(weights), *options) == 0
    said = capsys.readouterr().out
    assert [line.split()[0] for line in said.splitlines()] == [
        str(tmp_path / "out" / f"small_net{suffix}") for suffix in (".py", ".safetensors", ".onnx", ".svg")
    ]
    monkeypatch.syspath_prepend(tmp_path / "out")
    module: nn.Module = importlib.import_module("small_net").Small().eval()
    module.load_state_dict(load_file(tmp_path / "out" / "small_net.safetensors"))
    vector = numbers(2, 3)
    (given,) = session(onnx.load(outputs[1])).run(None, {"vector": vector})
    with torch.inference_mode():
        ours = module(torch.from_numpy(vector)).numpy()
        wanted = graphc_torch.module(graph, weights=state_of(graph)).eval()(torch.from_numpy(vector)).numpy()
    np.testing.assert_array_equal(ours, wanted)
    np.testing.assert_allclose(given, wanted, rtol=1e-5, atol=1e-6)


def test_weights_alone_can_be_written(spec: Path, graph: Graph, tmp_path: Path) -> None:
    out = tmp_path / "net.safetensors"
    assert run("build", str(spec), "-o", str(out)) == 0
    drawn = {path: value.numpy() for path, value in graphc_torch.module(graph).state_dict().items()}
    same(read_weights(graph, out), drawn)
    weights = saved(tensors(graph), tmp_path / "theirs.pth")
    assert run("build", str(spec), "--weights", str(weights), "-o", str(out)) == 0
    same(read_weights(graph, out), state_of(graph))


def test_of_a_wrong_file_nothing_is_written(spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"a": torch.ones(2)}, tmp_path / "theirs.pth")
    arguments = ["build", str(spec), "--weights", str(tmp_path / "theirs.pth"), "-o", str(tmp_path / "net.py")]
    assert run(*arguments) == 2
    said = capsys.readouterr()
    assert "--weights:1:1: error E702" in said.err
    assert "Traceback" not in said.err
    assert not (tmp_path / "net.py").exists()


def test_the_variant_that_a_file_is_for_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(graphc_torch.module(compile("squeezenet1_1")).state_dict(), tmp_path / "weights.pth")
    out = str(tmp_path / "net.py")
    assert run("build", "squeezenet1_0", "--weights", str(tmp_path / "weights.pth"), "-o", out) == 2
    assert "hint: it fits squeezenet:squeezenet1_1" in capsys.readouterr().err


def test_a_picture_takes_no_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("build", "squeezenet", "--weights", "any.pth", "-o", str(tmp_path / "net.svg")) == 2
    assert "--weights is for files with weights in them, which .svg has not" in capsys.readouterr().err


def test_reading_safetensors_needs_no_torch(graph: Graph, spec: Path, tmp_path: Path) -> None:
    saved(tensors(graph), tmp_path / "weights.safetensors")
    program = f"""
import sys
import graphc
from graphc.checkpoint import read_weights
graph = graphc.compile({str(spec)!r})
assert read_weights(graph, {str(tmp_path / "weights.safetensors")!r})["head.weight"].shape == (6, 4)
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
