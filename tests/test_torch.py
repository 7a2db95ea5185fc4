"""The torch backend against torchvision with the same weights, and the generated source as a reviewer would see it."""

from __future__ import annotations

import copy
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

import graphc_torch
from graphc.compiler import compile
from graphc.diagnostics import SpecError
from graphc.initial import initial_values
from graphc.ops import OPS
from graphc_torch.construct import Class, Column, Constructor
from graphc_torch.layer import lower
from graphc_torch.layout import Code
from graphc_torch.term import UnresolvedError
from interpreter import feeds, random_weights, run_in_torch

SPECS = [
    "unet",
    *(
        f"resnet:{v}"
        for v in ("plain18", "plain34", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnet50_v1")
    ),
]


def worst(found: Tensor, wanted: Tensor) -> float:
    """The largest difference, relative to the output's scale."""
    return float((found - wanted).abs().max() / wanted.abs().max().clamp_min(1e-12))


def torchvision_names(path: str) -> str:
    """Our path of a ResNet weight → torchvision's: stage.0.unit.1.residual.conv2.bn.weight → layer1.1.bn2.weight."""
    stem = {"stem.conv": "conv1", "stem.bn": "bn1"}
    for ours, theirs in stem.items():
        if path.startswith(f"{ours}."):
            return path.replace(ours, theirs, 1)
    if path.startswith("fc."):
        return path
    _, stage, _, unit, part, *rest = path.split(".")
    head = f"layer{int(stage) + 1}.{unit}"
    if part == "shortcut":
        return f"{head}.downsample.{('conv', 'bn').index(rest[0])}.{rest[1]}"
    number = rest[0].removeprefix("conv")
    return f"{head}.{rest[1]}{number}.{rest[2]}"


def randomised(module: nn.Module) -> nn.Module:
    """The module with random weights and running statistics, so that no term is 0 or 1 by chance."""
    generator = torch.Generator().manual_seed(7)
    for name, buffer in module.named_buffers():
        if "running" in name:
            buffer.copy_(torch.rand(buffer.shape, generator=generator) + 0.5)
    for parameter in module.parameters():
        if parameter.dim() == 1:
            parameter.data.copy_(torch.rand(parameter.shape, generator=generator) + 0.5)
    return module


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "resnet152"])
def test_resnets_equal_torchvision_with_the_same_weights(name: str, torchvision: ModuleType) -> None:
    torch.manual_seed(0)
    theirs = randomised(torchvision.models.get_model(name, weights=None)).eval()
    ours = graphc_torch.module(compile(f"resnet:{name}")).eval()
    weights = theirs.state_dict()
    ours.load_state_dict({path: weights[torchvision_names(path)] for path in ours.state_dict()})
    assert len(ours.state_dict()) == len(weights)
    image = torch.randn(2, 3, 96, 128)
    with torch.inference_mode():
        assert worst(ours(image), theirs(image)) < 1e-5


def test_resnet18_learns_as_torchvision_does(torchvision: ModuleType) -> None:
    torch.manual_seed(0)
    theirs = torchvision.models.resnet18(weights=None)
    ours = graphc_torch.module(compile("resnet:resnet18"))
    weights = theirs.state_dict()
    ours.load_state_dict({path: weights[torchvision_names(path)] for path in ours.state_dict()})
    image = torch.randn(2, 3, 64, 64)
    for model in (ours, theirs):
        model(image).square().sum().backward()
    gradients = {name: parameter.grad for name, parameter in theirs.named_parameters()}
    for path, parameter in ours.named_parameters():
        wanted = gradients[torchvision_names(path)]
        assert parameter.grad is not None
        assert wanted is not None
        assert worst(parameter.grad, wanted) < 1e-3, path


class PaperUNet(nn.Module):
    """U-Net as figure 1 of the paper draws it, written by hand for this test; the width as a parameter."""

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = [width * 2**i for i in range(5)]
        self.down = nn.ModuleList(self.two(a, b) for a, b in zip([1, *widths], widths, strict=False))
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, 2) for w in reversed(widths[:-1]))
        self.join = nn.ModuleList(self.two(2 * w, w) for w in reversed(widths[:-1]))
        self.head = nn.Conv2d(width, 2, 1)

    @staticmethod
    def two(inputs: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(nn.Conv2d(inputs, outputs, 3), nn.ReLU(), nn.Conv2d(outputs, outputs, 3), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for number, double in enumerate(self.down):
            x = double(nn.functional.max_pool2d(x, 2) if number else x)
            skips.append(x)
        for up, join, skip in zip(self.up, self.join, reversed(skips[:-1]), strict=True):
            x = up(x)
            top, left = ((s - t) // 2 for s, t in zip(skip.shape[2:], x.shape[2:], strict=True))
            x = join(torch.cat([skip[:, :, top : top + x.shape[2], left : left + x.shape[3]], x], 1))
        result: Tensor = self.head(x)
        return result


@pytest.mark.parametrize("size", [(188, 204), (189, 211)])
def test_unet_equals_the_paper_written_by_hand(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    theirs = PaperUNet(64).eval()
    ours = graphc_torch.module(compile("unet")).eval()
    names = sorted(ours.state_dict(), key=_order)
    ours.load_state_dict(dict(zip(names, _in_order(theirs), strict=True)))
    image = torch.randn(1, 1, *size)
    with torch.inference_mode():
        assert worst(ours(image), theirs(image)) < 1e-5


def _order(path: str) -> tuple[object, ...]:
    """down, bottom, each up's transposed convolution, each up's convolutions, the head; weight before bias."""
    parts = path.split(".")
    group = {"down": 0, "bottom": 1, "up": 3, "logits": 4}[parts[0]] - ("conv_transpose2d" in path)
    return group, parts[1:2] if group in (0, 2, 3) else [], "conv2d_2" in path, parts[-1] == "bias"


def _in_order(model: PaperUNet) -> list[Tensor]:
    return [*model.state_dict().values()]


@pytest.mark.parametrize("spec", SPECS)
def test_state_dict_keys_are_paths(spec: str) -> None:
    graph = compile(spec)
    module = graphc_torch.module(graph)
    found = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    assert found == {path: weight.shape for path, weight in graph.weights()}


def test_initial_values_depend_on_seed_and_path_alone() -> None:
    graph = compile("resnet:resnet18")
    first, same, other = (graphc_torch.module(graph, seed=seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[path], same[path]) for path in first)
    assert not torch.equal(first["fc.weight"], other["fc.weight"])
    assert torch.equal(first["fc.weight"], torch.from_numpy(dict(initial_values(graph, 3))["fc.weight"]))


def test_initial_values_are_distributed_as_torchs() -> None:
    """Bounds and spread of nn.Conv2d's and nn.Linear's own initialisation, where the spec says nothing."""
    ours = graphc_torch.module(compile("cbam_resnet18"))
    for path, fresh in (
        ("stage.3.unit.1.residual.conv2.conv", nn.Conv2d(512, 512, 3, bias=False)),
        ("fc", nn.Linear(512, 1000)),
    ):
        weight, wanted = ours.state_dict()[f"{path}.weight"], fresh.weight.detach()
        assert float(weight.std()) == pytest.approx(float(wanted.std()), rel=0.02)
        assert float(weight.abs().max()) == pytest.approx(float(wanted.abs().max()), rel=0.02)


def test_dropout_is_active_in_training_alone() -> None:
    module = graphc_torch.module(compile("unet"))
    image = torch.randn(1, 1, 188, 188)
    with torch.inference_mode():
        assert not torch.equal(module(image), module(image))
        module.eval()
        assert torch.equal(module(image), module(image))


@pytest.mark.parametrize("spec", SPECS)
def test_source_is_as_ruff_formats_it_and_clean(spec: str, tmp_path: Path) -> None:
    path = tmp_path / "generated.py"
    path.write_text(graphc_torch.source(compile(spec)))
    for command in (["format", "--check", "--diff"], ["check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_source_stands_alone(tmp_path: Path) -> None:
    """The file runs in a process that can't import graphc, and gives the live module's values."""
    graph = compile("resnet:resnet18")
    (tmp_path / "resnet18.py").write_text(graphc_torch.source(graph))
    module = graphc_torch.module(graph).eval()
    torch.save(module.state_dict(), tmp_path / "weights.pt")
    image = torch.linspace(-1, 1, 3 * 64 * 64).reshape(1, 3, 64, 64)
    with torch.inference_mode():
        torch.save(module(image), tmp_path / "wanted.pt")
    script = (
        "import sys; sys.modules['graphc'] = sys.modules['graphc_torch'] = None\n"
        "import torch, resnet18\n"
        "model = resnet18.ResNet18().eval()\n"
        "model.load_state_dict(torch.load('weights.pt'))\n"
        "image = torch.linspace(-1, 1, 3 * 64 * 64).reshape(1, 3, 64, 64)\n"
        "assert torch.equal(model(image), torch.load('wanted.pt'))\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)


def test_source_has_a_class_a_block() -> None:
    text = graphc_torch.source(compile("resnet:resnet50"))
    classes = [line.split("(")[0].removeprefix("class ") for line in text.splitlines() if line.startswith("class ")]
    assert classes == ["ConvBnRelu", "ConvBn", "Bottleneck", "Stage", "ResNet50", "ResNet50Training"]


def test_same_spec_same_source() -> None:
    assert graphc_torch.source(compile("unet")) == graphc_torch.source(compile("unet"))


def test_live_module_can_be_copied_and_compiled() -> None:
    module = graphc_torch.module(compile("resnet:resnet18")).eval()
    image = torch.randn(1, 3, 64, 64)
    compiled = torch.compile(module, backend="eager", fullgraph=True)
    with torch.inference_mode():
        wanted = module(image)
        assert torch.equal(copy.deepcopy(module)(image), wanted)
        assert torch.equal(compiled(image), wanted)


def test_every_op_has_a_lowering() -> None:
    assert {op.name for op in OPS.values() if lower.dispatch(op) is lower.dispatch(object)} == set()


OK_CASES = sorted((Path(__file__).parent / "cases" / "ok").glob("*.yaml"))


@pytest.mark.parametrize("path", OK_CASES, ids=lambda path: path.stem)
def test_every_way_of_wiring_gives_the_values_of_the_graph(path: Path) -> None:
    """The module against the graph, run node by node."""
    graph = compile(str(path))
    module = graphc_torch.module(graph).eval()
    weights = random_weights(graph)
    module.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    inputs = feeds(graph, graph.examples())
    wanted = run_in_torch(graph, weights, inputs)
    with torch.inference_mode():
        found = module(*map(torch.from_numpy, inputs.values()))
    results = found if isinstance(found, tuple) else (found,)
    for value, result in zip(graph.outputs.values(), results, strict=True):
        assert worst(result, torch.from_numpy(wanted[value])) < 1e-5


HEAD = "graphc: 1\nname: edge\ndims: {N: 2, H: 8, W: 8}\n"
EDGES = {
    "quote": "doc: 'It ends in a \"'\ninputs: {image: [N, 3]}\ngraph: [relu]\n",
    "sum": f"inputs: {{image: [N, 3]}}\ngraph:\n  - identity:\n    from: {' + '.join(['image'] * 60)}\n",
    "order": "inputs: {image: [N, 3]}\ngraph:\n  - relu:\n    from: image + (image + image) + image\n",
    "float": (
        "inputs: {image: [N, 3]}\nblocks: {b: {params: {p: 0.5}, graph: [dropout: p]}}\ngraph: [{b: 0.1}, {b: 0}, b]\n"
    ),
    "text": (
        "inputs: {image: [N, 3]}\nblocks: {b: {params: {k: text}, graph: [{linear: 3, when: k == 'a'}]}}\n"
        "graph: [{b: a}, {b: c}]\n"
    ),
    "builtins": "inputs: {zip: [N, 3], list: [N, 3]}\ngraph: [{linear: 2, id: sum}, {relu: , id: nn}, {linear: 1}]\n",
}


@pytest.mark.parametrize("name", EDGES)
def test_edges_are_written_clean_and_run(name: str, tmp_path: Path) -> None:
    spec = tmp_path / "edge.yaml"
    spec.write_text(HEAD + EDGES[name])
    graph = compile(str(spec))
    graphc_torch.module(graph).eval()(*(torch.randn(2, 3) for _ in graph.inputs))
    test_source_is_as_ruff_formats_it_and_clean(str(spec), tmp_path)


def test_time_grows_with_the_square_of_the_steps_at_most(tmp_path: Path) -> None:
    """600 steps in one scope took minutes once."""
    spec = tmp_path / "long.yaml"
    steps = "".join(f"  - relu:\n    id: s{i}\n  - add:\n    from: [x, s{i // 2}]\n" for i in range(300))
    spec.write_text(f"{HEAD}inputs: {{image: [N, 3]}}\ngraph:\n{steps}")
    graph = compile(str(spec))
    start = time.perf_counter()
    graphc_torch.source(graph)
    assert time.perf_counter() - start < 5


def test_what_no_code_gives_is_a_located_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Constructor, of: Class, column: Column) -> Code:
        raise UnresolvedError("conv2d")

    monkeypatch.setattr(Constructor, "layer", refuse)
    with pytest.raises(SpecError) as caught:
        graphc_torch.source(compile("unet"))
    (found,) = caught.value.diagnostics
    assert found.code == "E901"
    assert found.span.source.name.endswith("unet.yaml")
