"""The module for training: its losses are those of the graph, and it is trained as any module is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

import graphc_torch
from graphc.compiler import compile
from graphc.diagnostics import SpecError
from graphc.graph import Graph
from graphc.initial import initial_values
from graphc.rewrite import with_training
from graphc.settings import read_settings
from interpreter import Array, feeds, random_weights, run_in_torch
from test_torch import worst
from test_torch_shared import language

CASES = Path(__file__).parent / "cases"
NET = str(CASES / "ok" / "training.yaml")
GAN = str(CASES / "language" / "dcgan.yaml")


def trainable() -> Iterator[str]:
    """The addresses of the networks of the language's cases that have losses, and no op that there is not yet."""
    for address in (*language(), NET):
        try:
            graph = compile(address)
        except SpecError:
            continue
        if graph.training and graph.training.losses:
            yield address


def batch(graph: Graph, sizes: dict[str, int] | None = None) -> dict[str, Array]:
    """Numbers in [0, 1) for all inputs, small whole numbers for labels."""
    whole, generator = with_training(graph), np.random.default_rng(0)
    drawn = feeds(whole, graph.examples() | (sizes or {}))
    labels = {name for name, value in whole.inputs.items() if value.type.dtype == "int64"}
    return {
        name: generator.integers(0, 2, value.shape) if name in labels else generator.random(value.shape, np.float32)
        for name, value in drawn.items()
    }


def tensors(values: dict[str, Array]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(value) for name, value in values.items()}


@pytest.mark.parametrize(
    "address",
    [pytest.param(a, marks=[pytest.mark.slow] * a.endswith(("unet.yaml", ":big"))) for a in trainable()],
    ids=lambda address: address.rpartition("/")[2],
)
def test_losses_are_those_of_the_graph(address: str) -> None:
    graph = compile(address)
    whole, inputs = with_training(graph), batch(graph)
    weights = random_weights(whole)
    module = graphc_torch.module(graph, training=True).eval()
    module.load_state_dict(tensors(weights))
    wanted = run_in_torch(whole, weights, inputs)
    found = module(**tensors(inputs))
    assert list(found) == list(whole.outputs)
    for name, value in whole.outputs.items():
        assert worst(found[name].detach(), torch.from_numpy(wanted[value])) < 1e-5


def test_initial_values_are_those_of_the_network_alone() -> None:
    graph = compile(NET)
    whole = graphc_torch.module(graph, seed=3, training=True).state_dict()
    alone = graphc_torch.module(graph, seed=3).state_dict()
    assert all(torch.equal(whole.pop(f"model.{path}"), value) for path, value in alone.items())
    assert sorted(whole) == ["aux.bias", "aux.weight"]
    drawn = dict(initial_values(graph, 3, training=True))
    assert all(np.array_equal(value.numpy(), drawn[path]) for path, value in whole.items())


def test_a_graph_without_losses_has_no_training() -> None:
    with pytest.raises(ValueError, match="`wiring` has no `training` with losses"):
        graphc_torch.module(compile(str(CASES / "ok" / "wiring.yaml")), training=True)


def test_frozen_weights_are_not_trained() -> None:
    module = graphc_torch.module(compile(NET), training=True)
    frozen = {path for path, weight in module.named_parameters() if not weight.requires_grad}
    parts = ("model.stem.", "model.stage.0.", "model.stage.1.residual.conv_bn_relu.")
    assert frozen == {path for path, _ in module.named_parameters() if path.startswith(parts)}


def trained_by(module: nn.Module, loss: str) -> list[nn.Parameter]:
    """What the module says that a loss trains."""
    found = vars(type(module))["trained_by"](module, loss)
    assert isinstance(found, list)
    return found


def test_each_loss_names_what_it_trains() -> None:
    module = graphc_torch.module(compile(GAN), training=True)
    generator, discriminator = module.get_submodule("model.generator"), module.get_submodule("discriminator")
    assert list(map(id, trained_by(module, "generator"))) == list(map(id, generator.parameters()))
    assert list(map(id, trained_by(module, "discriminator"))) == list(map(id, discriminator.parameters()))


def test_single_weights_are_trained_by_a_loss() -> None:
    module = graphc_torch.module(compile(NET), training=True)
    stage = module.get_submodule("model.stage")
    wanted = [*stage.parameters(), module.get_parameter("model.head.weight")]
    assert list(map(id, trained_by(module, "label"))) == list(map(id, wanted))


def anew(module: nn.Module) -> nn.Module:
    """What the source alone makes: another instance of the class."""
    torch.manual_seed(0)
    return type(module)()


def test_the_source_alone_obeys_init() -> None:
    module = anew(graphc_torch.module(compile(NET), training=True))
    weights = {path: weight.detach() for path, weight in module.named_parameters()}
    for path, weight in weights.items():
        if path.endswith(".last.weight") or path == "model.head.bias":
            assert not weight.any()
    assert weights["aux.bias"].eq(1).all()
    assert weights["model.head.weight"].std() == pytest.approx(0.01, rel=0.05)
    assert weights["aux.weight"].std() == pytest.approx(0.01, rel=0.05)
    fan_out = 32 * 3 * 3
    conv = weights["model.stage.1.residual.conv_bn_relu.conv.weight"]
    assert conv.std() == pytest.approx((2 / fan_out) ** 0.5, rel=0.1)


@pytest.mark.parametrize("address", ["alexnet", pytest.param("vgg11", marks=pytest.mark.slow), "convnext_tiny"])
def test_the_source_alone_draws_as_the_live_module(address: str) -> None:
    """Same mean and spread of every weight, within what chance allows."""
    graph = compile(address)
    ours = graphc_torch.module(graph)
    theirs = anew(ours)
    for (path, of_ours), of_theirs in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        weight, other = of_ours.detach(), of_theirs.detach()
        spread, count = float(weight.std()) if weight.numel() > 1 else 0.0, weight.numel()
        assert float(other.std() if count > 1 else 0) == pytest.approx(spread, rel=8 / count**0.5), path
        assert float(other.mean()) == pytest.approx(float(weight.mean()), abs=8 * spread / count**0.5 + 1e-7), path


def train(module: nn.Module, inputs: dict[str, Tensor], steps: int, rate: float = 1e-3) -> list[float]:
    """The sum of the losses before each step on one batch."""
    optimizer = torch.optim.Adam([weight for weight in module.parameters() if weight.requires_grad], rate)
    found = []
    torch.manual_seed(0)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = torch.stack([*module(**inputs).values()]).sum()
        loss.backward()
        optimizer.step()
        found.append(float(loss.detach()))
    return found


FALLING = {
    "alexnet": ["H=67", "W=67"],
    "cbam_resnet18": ["H=64", "W=64"],
    "convnext_tiny": ["H=64", "W=64"],
    "densenet121": ["H=64", "W=64"],
    "efficientnet_b0": ["H=64", "W=64"],
    "googlenet": [],
    "mnist_cnn": [],
    "mobilenet_v2": ["H=64", "W=64"],
    "mobilenet_v3_small": ["H=64", "W=64"],
    "resnet18": ["H=64", "W=64"],
    "se_resnet18": ["H=64", "W=64"],
    "squeezenet1_1": ["H=67", "W=67"],
    "unet": ["width=4", "H=188", "W=188"],
    "vgg11_bn": ["H=64", "W=64"],
}
QUICK = {"mnist_cnn", "unet"}


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n not in QUICK)) for n in FALLING])
def test_losses_fall_on_a_fixed_batch(name: str) -> None:
    graph = compile(name, read_settings(FALLING[name]))
    rate = 1e-4 if name == "alexnet" else 1e-3  # without norms it takes smaller steps
    losses = train(graphc_torch.module(graph, training=True), tensors(batch(graph, {"N": 4})), steps=20, rate=rate)
    assert np.isfinite(losses).all()
    assert min(losses[-3:]) < 0.95 * losses[0], losses


def test_frozen_weights_stay_as_they_are() -> None:
    graph = compile(NET)
    module = graphc_torch.module(graph, training=True)
    before = {path: weight.detach().clone() for path, weight in module.named_parameters()}
    train(module, tensors(batch(graph, {"N": 4})), steps=2)
    moved = {path for path, weight in module.named_parameters() if not torch.equal(weight, before[path])}
    assert moved == {path for path, weight in module.named_parameters() if weight.requires_grad}


def test_googlenet_trains_as_torchvisions(torchvision: ModuleType) -> None:
    """The loss, and the gradient of every weight, with their weights; without dropout, which is random."""
    theirs = torchvision.models.googlenet(weights=None, init_weights=True, dropout=0.0, dropout_aux=0.0).train()
    ours = graphc_torch.module(compile("googlenet"), training=True).train()
    for layer in ours.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    names, weights = list(ours.state_dict()), theirs.state_dict()
    order = sorted(weights, key=lambda path: path.startswith("aux"))
    order.sort(key=lambda path: (path.startswith("aux"), path.startswith("fc")))
    assert [ours.state_dict()[path].shape for path in names] == [weights[path].shape for path in order]
    ours.load_state_dict({ours_: weights[path] for ours_, path in zip(names, order, strict=True)})
    torch.manual_seed(0)
    image, label = torch.randn(4, 3, 224, 224), torch.tensor([1, 2, 3, 4])
    found = theirs(image)
    heads = [functional.cross_entropy(logits, label) for logits in (found.logits, found.aux_logits1, found.aux_logits2)]
    wanted = heads[0] + 0.3 * (heads[1] + heads[2])
    wanted.backward()
    loss = ours(image, label)["total"]
    loss.backward()
    assert float(loss.detach()) == pytest.approx(float(wanted.detach()), rel=1e-5)
    gradients, known = dict(ours.named_parameters()), dict(theirs.named_parameters())
    for path, other in zip(names, order, strict=True):
        if path in gradients:
            assert worst(gradient(gradients[path]), gradient(known[other])) < 1e-3, path


def gradient(weight: nn.Parameter) -> Tensor:
    assert weight.grad is not None
    return weight.grad


@pytest.mark.parametrize("address", [NET, GAN, "mnist_cnn", "resnet18"])
def test_compile_of_the_whole(address: str) -> None:
    graph = compile(address)
    module, inputs = graphc_torch.module(graph, training=True).eval(), tensors(batch(graph, {"N": 2}))
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    for name, loss in module(**inputs).items():
        assert float(compiled(**inputs)[name].detach()) == pytest.approx(float(loss.detach()), rel=1e-5)


@pytest.mark.parametrize("address", [NET, "mnist_cnn", "resnet18"])
def test_autocast(address: str) -> None:
    graph = compile(address)
    module, inputs = graphc_torch.module(graph, training=True).eval(), tensors(batch(graph, {"N": 2}))
    exact = float(sum(module(**inputs).values()).detach())
    with torch.autocast("cpu", torch.bfloat16):
        loss = sum(module(**inputs).values())
    loss.backward()
    assert float(loss.detach()) == pytest.approx(exact, rel=0.05)
    assert {gradient(w).dtype for w in module.parameters() if w.requires_grad} == {torch.float32}


def replica(rank: int, address: str, file: str, gradients: str) -> None:
    """One of two processes, each with half of the batch; the first writes the gradients."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{file}", rank=rank, world_size=2)
    graph = compile(address)
    module = DistributedDataParallel(graphc_torch.module(graph, training=True).eval())
    half = {name: value[rank::2] for name, value in tensors(batch(graph, {"N": 4})).items()}
    torch.stack([*module(**half).values()]).sum().backward()
    if rank == 0:
        torch.save({p: w.grad for p, w in module.module.named_parameters() if w.requires_grad}, gradients)
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize("address", [NET, pytest.param("mnist_cnn", marks=pytest.mark.slow)])
def test_two_processes_share_the_work(address: str, tmp_path: Path) -> None:
    """Under DDP the gradients are those of the whole batch in one process."""
    graph = compile(address)
    module = graphc_torch.module(graph, training=True).eval()
    torch.stack([*module(**tensors(batch(graph, {"N": 4}))).values()]).sum().backward()
    file, gradients = str(tmp_path / "meeting"), str(tmp_path / "gradients.pt")
    code = "import sys; from test_training import replica; replica(int(sys.argv[1]), *sys.argv[2:])"
    command = [sys.executable, "-c", code]
    workers = [subprocess.Popen([*command, str(rank), address, file, gradients], cwd=CASES.parent) for rank in (0, 1)]
    assert [worker.wait(timeout=300) for worker in workers] == [0, 0]
    shared = torch.load(gradients)
    assert shared.keys() == {path for path, weight in module.named_parameters() if weight.requires_grad}
    for path, found in shared.items():
        assert worst(found, gradient(module.get_parameter(path))) < 1e-5
