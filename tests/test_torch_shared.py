"""Shared modules and weights as values in both backends, against the graph, run node by node."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import onnxruntime
import pytest
import torch
import yaml
from torch import nn

import graphc_onnx
import graphc_torch
from graphc.compiler import compile
from graphc.diagnostics import SpecError
from graphc.graph import Graph
from interpreter import REFERENCES, Array, Sizes, feeds, random_weights, run_in_torch
from test_torch import test_source_is_as_ruff_formats_it_and_clean as check_layout

CASES = Path(__file__).parent / "cases"
SHARED = sorted((CASES / "ok").glob("shared_*.yaml"))
TOLERANCE = 1e-5

cases = pytest.mark.parametrize("path", SHARED, ids=lambda path: path.stem)


def worst(found: Array, wanted: Array) -> float:
    """The largest difference, relative to the output's scale."""
    return float(abs(found - wanted).max() / max(abs(wanted).max(), 1e-12))


def loaded(graph: Graph) -> nn.Module:
    """The module with random weights, whose names and shapes are the graph's."""
    module = graphc_torch.module(graph).eval()
    shapes = {path: tuple(value.shape) for path, value in module.state_dict().items()}
    assert shapes == {path: weight.shape for path, weight in graph.weights()}
    module.load_state_dict({path: torch.from_numpy(value) for path, value in random_weights(graph).items()})
    return module


def check_values(graph: Graph, sizes: Sizes) -> None:
    """The module gives what the graph does, and so do its copy and what torch.compile makes of it."""
    module = loaded(graph)
    inputs = feeds(graph, sizes)
    given = [*map(torch.from_numpy, inputs.values())]
    wanted = run_in_torch(graph, random_weights(graph), inputs)
    compiled = torch.compile(copy.deepcopy(module), backend="eager", fullgraph=True)
    for model in (module, copy.deepcopy(module), compiled):
        with torch.no_grad():
            found = model(*given)
        results = found if isinstance(found, tuple) else (found,)
        for value, result in zip(graph.outputs.values(), results, strict=True):
            assert worst(result.numpy(), wanted[value]) < TOLERANCE, value


def check_onnx(graph: Graph, sizes: Sizes) -> None:
    """ONNX Runtime gives what the graph does."""
    weights, inputs = random_weights(graph), feeds(graph, sizes)
    model = graphc_onnx.model(graph, weights=weights)
    held = [tensor.name for tensor in model.graph.initializer]
    assert len(held) == len({*held})
    assert {path for path, _ in graph.weights() if not path.endswith("num_batches_tracked")} <= {*held}
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    wanted = run_in_torch(graph, weights, inputs)
    for name, result in zip(graph.outputs, session.run([*graph.outputs], inputs), strict=True):
        assert worst(result, wanted[graph.outputs[name]]) < TOLERANCE, name


@cases
def test_values_are_those_of_the_graph(path: Path) -> None:
    graph = compile(str(path))
    torch.compiler.reset()
    for more in (0, 4):
        check_values(graph, {name: size + more for name, size in graph.examples().items()})


@cases
def test_onnx_gives_the_values_of_the_graph(path: Path) -> None:
    graph = compile(str(path))
    check_onnx(graph, graph.examples())


@cases
def test_source_is_clean(path: Path, tmp_path: Path) -> None:
    check_layout(str(path), tmp_path)


def test_a_module_is_made_once_and_called_at_each_use() -> None:
    lines = source_lines(CASES / "ok" / "shared_loop.yaml")
    assert [line for line in lines if line.startswith("self.head")] == ["self.head = nn.Conv2d(3, 3, kernel_size=1)"]
    assert "logits = [self.head(p) for p in level]" in lines
    assert "bent = [self.head(functional.relu(p) + 1) for p in level]" in lines
    assert "score, box = self.tower(features)" in lines
    assert "own = [layer(p, self.head) for layer, p in zip(self.own, both)]" in lines
    assert lines[lines.index("for _ in range(3):") + 1] == "x = self.head(x)"


def test_uses_in_an_expression_are_calls_in_it() -> None:
    lines = source_lines(CASES / "ok" / "shared_steps.yaml")
    assert "x = self.head(other) * torch.sigmoid(self.unit(second) + self.unit(image))" in lines


def test_a_class_that_uses_a_module_of_another_is_given_it() -> None:
    lines = source_lines(CASES / "ok" / "shared_deep.yaml")
    assert "def forward(self, x: Tensor, head: nn.Module, norm: nn.Module) -> Tensor:" in lines
    assert "deep = self.deep(image, self.head, self.norm)  # [N, 3, H, W]" in lines


def source_lines(path: Path) -> list[str]:
    return [line.strip() for line in graphc_torch.source(compile(str(path))).splitlines()]


HEAD = "graphc: 1\nname: edge\ndims: {N: 2}\ninputs: {a: [N, 6], b: [N, 8]}\n"
TIED = (
    "graphc: 1\nname: tied\ndims: {N: 2, T: 5}\ninputs: {tokens: {shape: [N, T], dtype: int64}}\n"
    "shared: {words: {embedding: {num_embeddings: 7, embedding_dim: 4}}}\n"
    "graph: [words, relu]\noutputs: {scores: 'x @ words.weight[:4]'}\n"
)


def test_a_tied_weight_is_one_parameter_and_the_gradients_of_its_uses_add_up(tmp_path: Path) -> None:
    module = graphc_torch.module(written(tmp_path, TIED))
    ((name, weight),) = module.named_parameters()
    assert name == "words.weight"
    tokens = torch.tensor([[0, 1, 2, 3, 6], [6, 5, 5, 4, 0]])
    module(tokens).square().sum().backward()
    table, again = (weight.detach().clone().requires_grad_() for _ in range(2))
    (nn.functional.embedding(tokens, table).relu() @ again[:4]).square().sum().backward()
    assert weight.grad is not None
    assert table.grad is not None
    assert again.grad is not None
    assert torch.allclose(weight.grad, table.grad + again.grad, rtol=1e-5)
    assert table.grad.abs().max() > 0
    assert again.grad.abs().max() > 0


def test_gradients_of_all_uses_add_up(tmp_path: Path) -> None:
    spec = "shared: {head: {linear: {out_features: 6, bias: false}}}\ngraph: [{head: , from: a}, relu, head]\n"
    module = graphc_torch.module(written(tmp_path, HEAD.replace(", b: [N, 8]", "") + spec))
    ((_, weight),) = module.named_parameters()
    image = torch.randn(2, 6)
    module(image).square().sum().backward()
    first, second = (weight.detach().clone().requires_grad_() for _ in range(2))
    ((image @ first.T).relu() @ second.T).square().sum().backward()
    assert weight.grad is not None
    assert first.grad is not None
    assert second.grad is not None
    assert torch.allclose(weight.grad, first.grad + second.grad, rtol=1e-5)


def test_a_number_that_differs_between_uses_is_read_of_the_input(tmp_path: Path) -> None:
    """A module is made once, so no argument of its constructor can be one number at one use and another at the next."""
    spec = (
        "shared: {part: {part: {}}}\n"
        "blocks: {part: {inputs: {v: [N, C]}, graph: [{sigmoid: , from: 'v[:, :C // 2] * C'}]}}\n"
        "graph: [{part: , from: a, id: first}, {part: , from: b}]\noutputs: {first: first, second: x}\n"
    )
    graph = written(tmp_path, HEAD + spec)
    assert "v[:, : v.size(1) // 2] * v.size(1)" in graphc_torch.source(graph)
    check_values(graph, {"N": 3})
    check_onnx(graph, {"N": 3})


def test_a_weight_can_be_given_out(tmp_path: Path) -> None:
    spec = "graph: [{linear: 3, from: a, id: fc}]\noutputs: {fc: fc, bias: fc.bias}\n"
    graph = written(tmp_path, HEAD.replace(", b: [N, 8]", "") + spec)
    module = loaded(graph)
    assert module(torch.randn(2, 6))[1] is module.get_parameter("fc.bias")
    check_onnx(graph, {"N": 2})


REFUSED = {
    "one value for two inputs at 7:74": (
        "shared: {pair: {pair: {}}}\n"
        "blocks: {pair: {inputs: {v: [N, C], w: [N, C]}, graph: [{linear: 4, from: v + 2 * w}]}}\n"
        "graph: [{linear: 6, from: b, id: c}, {pair: , from: [a, c], id: first}, {pair: , from: [a, a]}]\n"
        "outputs: {first: first, second: x}\n"
    ),
    "a step that only one use has at 7:10": (
        "shared: {unit: {unit: {}}}\n"
        "blocks: {unit: {inputs: {v: [N, C]}, graph: [{relu: , when: C > 6}, {sigmoid: , id: s}]}}\n"
        "graph: [{unit: , from: a, id: first}, {unit: , from: b}]\n"
        "outputs: {first: first, second: x}\n"
    ),
    "a number that no input shows at 7:10": (
        "shared: {part: {part: {}}}\n"
        "blocks: {part: {inputs: {v: [N, C]}, graph: [{sigmoid: , from: 'v * (C*C - 5*C)'}]}}\n"
        "graph: [{part: , from: a, id: first}, {part: , from: b}]\n"
        "outputs: {first: first, second: x}\n"
    ),
    "another kind of module at 6:40": (
        "shared: {norm: {batch_norm: {affine: false, track_running_stats: false}}}\n"
        "graph: [{norm: , from: a, id: first}, {norm: , from: 'b[:, :6, none, none]', id: second}]\n"
        "outputs: {first: first, second: second}\n"
    ),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_one_module_can_not_be_is_refused(why: str, tmp_path: Path) -> None:
    graph = written(tmp_path, HEAD + REFUSED[why])
    check_onnx(graph, {"N": 2})
    with pytest.raises(SpecError) as caught:
        graphc_torch.source(graph)
    (found,) = caught.value.diagnostics
    assert (found.code, f"{found.span.line}:{found.span.column}") == ("E901", why.rpartition(" ")[2])


def written(folder: Path, text: str) -> Graph:
    path = folder / "spec.yaml"
    path.write_text(text)
    return compile(str(path))


def language() -> Iterator[str]:
    """The addresses of all networks that the language was made for."""
    for path in sorted((CASES / "language").glob("*.yaml")):
        variants = yaml.safe_load(path.read_text()).get("variants", {})
        yield from (f"{path}:{name}" for name in variants) if variants else (str(path),)


def finished(address: str) -> Graph:
    """The graph of a network; the test is skipped where that needs ops that there are not yet."""
    try:
        graph = compile(address)
    except SpecError as error:
        codes = {found.code for found in error.diagnostics}
        if not codes & {"E306", "E401"}:
            raise
        pytest.skip("it needs ops that there are not yet")
    unknown = {node.op.name for node in graph.nodes if type(node.op) not in REFERENCES}
    if unknown - {"weight"}:
        pytest.skip(f"the interpreter has no {sorted(unknown)}")
    return graph


def networks() -> Iterator[object]:
    """All networks; the reference for masked convolutions goes through their weights one by one, which takes long."""
    for address in language():
        name = address.rpartition("/")[2]
        is_masked = name.startswith("gated_pixelcnn")
        yield pytest.param(address, id=name, marks=pytest.mark.exhaustive if is_masked else pytest.mark.slow)


@pytest.mark.parametrize("address", [*networks()])
def test_networks_give_the_values_of_their_graphs(address: str, tmp_path: Path) -> None:
    graph = finished(address)
    module, drawn = loaded(graph), feeds(graph, graph.examples())
    inputs = {name: abs(value) if value.dtype.kind == "i" else value for name, value in drawn.items()}  # tokens
    wanted = run_in_torch(graph, random_weights(graph), inputs)
    with torch.inference_mode():
        found = module(*map(torch.from_numpy, inputs.values()))
    results = found if isinstance(found, tuple) else (found,)
    for value, result in zip(graph.outputs.values(), results, strict=True):
        assert worst(result.numpy(), wanted[value]) < TOLERANCE
    check_layout(address, tmp_path)
