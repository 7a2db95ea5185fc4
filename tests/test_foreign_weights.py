"""Tables of weights whose operations stand in each other, and tensors of files that no weight is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from graphc import library, saved
from graphc.checkpoint import read_weights
from graphc.compiler import compile
from graphc.diagnostics import SpecError, human
from graphc.elaborate import elaborate
from graphc.graph import Graph
from graphc.settings import read_settings

NEAR = 1e-5
"""How far an output may be from the reference's, relative to its scale."""
SPEC = """graphc: 1
name: small
dims: {N: 1}
inputs: {vector: [N, 3]}
graph:
  - linear: 4
    repeat: 3
    id: layer
  - linear: 6
    id: head
weights:
  other:
"""


def small(*rules: str) -> Graph:
    """A small graph with one table."""
    text = SPEC + "".join(f"    {rule}\n" for rule in rules)
    return elaborate(library.parse(text, "small.yaml"), library.standard())


def state_of(graph: Graph) -> dict[str, NDArray[Any]]:
    """Weights by our paths, all different."""
    generator = np.random.default_rng(1)
    shapes = {path: tuple(int(str(size)) for size in weight.shape) for path, weight in graph.weights()}
    return {path: generator.standard_normal(shape, dtype=np.float32) for path, shape in shapes.items()}


def same(found: Mapping[str, NDArray[Any]], wanted: Mapping[str, NDArray[Any]]) -> None:
    assert found.keys() == wanted.keys()
    for path, value in wanted.items():
        np.testing.assert_array_equal(found[path], value)


# --- operations in each other


NESTED = (
    "layer.0: first",
    "layer.{i}: {transpose: {split: rest, index: i - 1, of: 2, dim: -1}}",
    "head.weight: {transpose: {concat: [h1, {split: {transpose: b}, index: 1, sizes: [1, 2], dim: 1}], dim: -1}}",
)


def nested(state: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The file that these rules are for."""
    named = {f"first.{kind}": state[f"layer.0.{kind}"] for kind in ("weight", "bias")}
    for kind in ("weight", "bias"):
        named[f"rest.{kind}"] = np.concatenate([state[f"layer.{i}.{kind}"].T for i in (1, 2)], axis=-1)
    whole = state["head.weight"].T  # [4, 6]
    named["h1"] = whole[:, :4]
    named["b"] = np.concatenate([np.zeros((4, 1), np.float32), whole[:, 4:]], axis=1).T
    return {**named, "head.bias": state["head.bias"]}


def test_an_operation_stands_where_a_name_does() -> None:
    graph = small(*NESTED)
    state = state_of(graph)
    same(read_weights(graph, nested(state)), state)
    origin = graph.checkpoints["other"]["layer.2.weight"]
    assert (origin.names, list(origin.pieces())) == (("rest.weight",), [("rest.weight", (1,))])


def test_a_saved_graph_keeps_them_and_what_is_ignored() -> None:
    graph = small(*NESTED, "none: [steps]")
    text = saved.save(graph)
    read = saved.read(text, "graph.json")
    assert dict(read.checkpoints["other"]) == dict(graph.checkpoints["other"])
    assert saved.save(read) == text
    data = json.loads(text)
    data["checkpoints"]["other"]["layer.1.bias"]["names"][0]["names"] = []
    with pytest.raises(SpecError, match="names"):
        saved.read(json.dumps(data), "graph.json")


def test_pieces_of_pieces_are_different_tensors_and_a_piece_is_no_other_ones_part() -> None:
    half = "{{split: {{split: all, index: 0, of: 2}}, index: {i}, of: 2}}"
    fine = small(f"layer.1.bias: {half.format(i=0)}", f"layer.2.bias: {half.format(i=1)}")
    origins = [fine.checkpoints["other"][f"layer.{i}.bias"] for i in (1, 2)]
    assert [list(origin.pieces()) for origin in origins] == [[("all", (0, 0))], [("all", (0, 1))]]
    with pytest.raises(SpecError) as error:
        small(f"layer.1.bias: {half.format(i=0)}", "layer.2.bias: {split: all, index: 0, of: 2}")
    (found,) = error.value.diagnostics
    assert (found.code, found.message) == ("E309", "`layer.2.bias` and `layer.1.bias` are both `all`")


def test_what_is_wrong_with_an_inner_tensor_is_told_of_the_weight() -> None:
    graph = small(*NESTED)
    named = nested(state_of(graph))
    named["rest.weight"] = named["rest.weight"][:, 1:]
    with pytest.raises(SpecError) as error:
        read_weights(graph, named)
    assert "layer.1.weight: `rest.weight` is [4, 7], and axis 1 is 7, not cut into 2 such pieces" in human(
        error.value.diagnostics[0]
    )


# --- tensors that no weight is


def test_what_no_weight_is_may_be_there_or_not() -> None:
    graph = small("layer.{i}: l{i}", "head: last", "none: [steps, 'norm{1 + 1}']")
    state = state_of(graph)
    named = {f"l{i}.{kind}": state[f"layer.{i}.{kind}"] for i in range(3) for kind in ("weight", "bias")}
    named |= {f"last.{kind}": state[f"head.{kind}"] for kind in ("weight", "bias")}
    same(read_weights(graph, named), state)
    extra = {"steps": np.zeros(1), "norm2.weight": np.zeros(3), "norm2.bias": np.zeros(3)}
    same(read_weights(graph, {**named, **extra}), state)
    with pytest.raises(SpecError) as error:
        read_weights(graph, {**named, **extra, "norm22.bias": np.zeros(3), "norm": np.zeros(3)})
    said = human(error.value.diagnostics[0])
    assert "2 unexpected (read with the names of other)" in said
    assert "unexpected: norm22.bias" in said


def test_what_a_weight_is_can_not_be_ignored() -> None:
    with pytest.raises(SpecError) as error:
        small("none: [last]", "head: last")
    (found,) = error.value.diagnostics
    assert (found.code, found.span.line) == ("E309", 13)
    assert found.message == "`head.weight` is `last.weight`, and `last` is said to be of no weight"


# --- files of transformers


@pytest.fixture(scope="module")
def transformers(torchvision: ModuleType) -> ModuleType:
    """transformers, which imports torchvision."""
    return import_module("transformers")


def worst(found: Tensor, wanted: Tensor) -> float:
    """The largest difference, relative to the largest number that is wanted."""
    return float((found - wanted).abs().max() / wanted.abs().max())


def test_transformers_image_gpt_gives_the_same_from_its_own_names(transformers: ModuleType) -> None:
    """Its Conv1D has weights as [in, out], the queries', keys' and values' in one; all are random, the biases too."""
    config = transformers.ImageGPTConfig(vocab_size=13, n_positions=25, n_embd=32, n_layer=2, n_head=4)
    torch.manual_seed(0)
    reference = transformers.ImageGPTForCausalImageModeling(config).eval()
    for path, weight in reference.named_parameters():
        nn.init.normal_(weight, mean=float("ln_" in path), std=0.2)
    graph = compile("image_gpt", read_settings(["H=5", "W=5", "colours=12", "width=32", "depth=2", "heads=4"]))
    module = graph.module(weights=reference.state_dict())
    assert isinstance(module, nn.Module)
    pixels = torch.randint(12, (2, 5, 5))
    tokens = torch.cat([torch.full((2, 1), 12), pixels.flatten(1)[:, :-1]], 1)
    with torch.inference_mode():
        wanted = reference(tokens).logits
        assert worst(wanted[:1], wanted[1:]) > 1e-2
        assert worst(module.eval()(pixels), wanted) < NEAR
