"""Graphs made of a graph: taps, and training around it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import graphc
import graphc_onnx
import graphc_torch
from graphc.compiler import compile
from graphc.rewrite import with_taps, with_training
from interpreter import feeds, random_weights, run_in_torch
from optable.running import session
from test_torch import worst

CASES = Path(__file__).parent / "cases"
TAPS = ["stage.2", "stage.0.unit.1", "stage.1.unit.0.shortcut", "stem.conv", "stem"]


def test_taps_are_outputs_by_their_paths() -> None:
    graph = compile("resnet18")
    tapped = with_taps(graph, TAPS)
    assert list(tapped.outputs) == ["logits", *TAPS]
    assert list(graph.outputs) == ["logits"]


def test_taps_are_the_values_of_the_modules_inside() -> None:
    """What hooks on an untapped module with the same weights see."""
    graph = compile("resnet50")
    module, tapped = graphc_torch.module(graph).eval(), graphc_torch.module(with_taps(graph, TAPS[:2])).eval()
    assert list(tapped.state_dict()) == list(module.state_dict())
    seen: dict[str, Tensor] = {}
    for path in TAPS[:2]:
        part = module.get_submodule(path)
        part.register_forward_hook(lambda _, __, output, path=path: seen.update({path: output}))
    image = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        wanted, found = module(image), tapped(image)
    assert torch.equal(found[0], wanted)
    for path, value in zip(TAPS, found[1:], strict=False):
        assert torch.equal(value, seen[path])


@pytest.mark.parametrize("address", ["resnet18", "unet", "googlenet", "densenet121", "mobilenet_v3_small"])
def test_any_value_can_be_tapped_in_both_backends(address: str) -> None:
    """A few values at random, of the graph run node by node."""
    graph = compile(address)
    generator = np.random.default_rng(0)
    paths = [
        value.path for node in graph.nodes for value in node.outputs if node.outputs[0] not in graph.outputs.values()
    ]
    chosen = [str(path) for path in generator.choice(paths, 3, replace=False)]
    tapped = with_taps(graph, chosen)
    sizes = {name: 1 if name == "N" else 64 if graph.sizes[name].rule.multiple == 32 else 188 for name in graph.sizes}
    weights, inputs = random_weights(graph), feeds(graph, sizes)
    wanted = run_in_torch(tapped, weights, inputs)
    module = graphc_torch.module(tapped).eval()
    module.load_state_dict({path: torch.from_numpy(value) for path, value in weights.items()})
    with torch.inference_mode():
        ours = module(**{name: torch.from_numpy(value) for name, value in inputs.items()})
    theirs = session(graphc_onnx.model(tapped, weights=weights)).run(list(tapped.outputs), inputs)
    for value, found, other in zip(tapped.outputs.values(), ours, theirs, strict=True):
        assert worst(found, torch.from_numpy(wanted[value])) < 1e-5
        assert worst(torch.from_numpy(other), torch.from_numpy(wanted[value])) < 1e-4


def test_a_let_can_be_tapped() -> None:
    graph = with_taps(compile(str(CASES / "language" / "vae.yaml")), ["z", "q.fc"])
    assert [str(value.type) for value in graph.outputs.values()][-2:] == ["[N, 20]", "[N, 500]"]


def test_a_wrong_tap_is_told() -> None:
    graph = compile("resnet18")
    with pytest.raises(ValueError, match=r"no value at `stage\.9`: did you mean `stage\.3`"):
        with_taps(graph, ["stage.9"])
    with pytest.raises(ValueError, match="`logits` is an output already"):
        with_taps(graph, ["logits"])
    with pytest.raises(ValueError, match="`stem` is an output already"):
        with_taps(graph, ["stem", "stem"])


def test_compile_takes_taps() -> None:
    assert list(graphc.compile("resnet18", taps=["stage.2"]).outputs) == ["logits", "stage.2"]


def test_training_around_a_graph_leaves_it_as_it_is() -> None:
    graph = compile("googlenet")
    paths = [node.path for node in graph.nodes]
    whole = with_training(graph)
    assert [node.path for node in graph.nodes] == paths
    assert [node.path for node in whole.nodes[: len(paths)]] == [f"model.{path}" for path in paths]
    assert [path for path, _ in whole.weights()] == [
        *(f"model.{path}" for path, _ in graph.weights()),
        *(path for path, _ in graph.training_weights()),
    ]


def test_what_training_reads_can_be_tapped() -> None:
    graph = with_taps(compile("googlenet"), ["stage.1.inception.0", "stage.1"])
    module = graphc_torch.module(graph, training=True).eval()
    image, label = torch.zeros(2, 3, 224, 224), torch.tensor([0, 1])
    wanted = graphc_torch.module(compile("googlenet"), training=True).eval()(image, label)["total"]
    assert float(module(image, label)["total"].detach()) == float(wanted.detach())
    assert len(module.get_submodule("model")(image)) == 3
