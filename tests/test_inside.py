"""Looking into live modules: values by their paths against hooks, and Grad-CAM against its formula and against CAM."""

from __future__ import annotations

import copy
import pickle
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

import graphc
import graphc_torch
from graphc.checkpoint import read_weights

CAM = """\
graphc: 1
name: cam
dims: {N: 1, H: 12, W: 16}
inputs: {image: [N, 3, H, W]}
graph:
  - conv_bn_relu: {out_channels: 8, kernel_size: 3}
    repeat: 2
    id: body
  - adaptive_avg_pool2d: 1
  - flatten
  - linear: 5
    id: fc
outputs: {logits: fc}
"""


@pytest.fixture
def net() -> nn.Module:
    return graphc.compile(text=CAM).module(seed=3).eval()


def picture(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def hooked(module: nn.Module, path: str, image: Tensor) -> Tensor:
    """What a submodule gives, by a hook."""
    caught: list[Tensor] = []
    handle = module.get_submodule(path).register_forward_hook(lambda _, __, output: caught.append(output))
    module(image)
    handle.remove()
    return caught[0]


def test_values_are_those_that_hooks_see(torchvision: ModuleType) -> None:
    theirs = torchvision.models.resnet18(weights=None).eval()
    graph = graphc.compile("resnet18")
    ours = graph.module(weights=read_weights(graph, theirs.state_dict())).eval()
    image = picture(2, 3, 64, 96)
    found = graphc_torch.activations(ours, image, ["stage.3", "stem", "logits", "stage.0.unit.1.residual.conv1"])
    assert list(found) == ["stage.3", "stem", "logits", "stage.0.unit.1.residual.conv1"]
    torch.testing.assert_close(found["stage.3"], hooked(theirs, "layer4", image))
    torch.testing.assert_close(found["logits"], theirs(image))
    torch.testing.assert_close(found["stage.0.unit.1.residual.conv1"], hooked(theirs, "layer1.1.bn1", image).relu())


def test_the_module_is_used_as_it_is(net: nn.Module) -> None:
    image = picture(2, 3, 12, 16)
    net.train()
    net.get_submodule("body.0.bn").eval()
    frozen = next(net.parameters()).requires_grad_(False)
    seen, unseen = net.get_buffer("body.1.bn.running_mean").clone(), net.get_buffer("body.0.bn.running_mean").clone()
    found = graphc_torch.activations(net, {"image": image}, ["body.0.act", "body.1.bn"])
    assert not frozen.requires_grad
    assert not torch.equal(net.get_buffer("body.1.bn.running_mean"), seen)
    assert torch.equal(net.get_buffer("body.0.bn.running_mean"), unseen)
    found["body.1.bn"].square().sum().backward()
    assert frozen.grad is None
    assert all(p.grad is not None for path, p in net.named_parameters() if path.startswith("body.1.conv"))


def test_copies_and_other_types_are_looked_into_as_well(net: nn.Module) -> None:
    image = picture(1, 3, 12, 16)
    (wanted,) = graphc_torch.activations(net, image, ["body.1"]).values()
    (copied,) = graphc_torch.activations(copy.deepcopy(net), image, ["body.1"]).values()
    (pickled,) = graphc_torch.activations(pickle.loads(pickle.dumps(net)), [image], ["body.1"]).values()
    (double,) = graphc_torch.activations(copy.deepcopy(net).double(), image.double(), ["body.1"]).values()
    assert torch.equal(copied, wanted)
    assert torch.equal(pickled, wanted)
    assert double.dtype == torch.float64
    torch.testing.assert_close(double.float(), wanted)


def test_before_a_mean_and_a_linear_layer_grad_cam_is_cam(net: nn.Module) -> None:
    """Selvaraju et al. 2017, section 3.1: there the weights are those of the class, but for the number of places."""
    image = picture(4, 3, 12, 16)
    (maps,) = graphc_torch.activations(net, image, ["body.1"]).values()
    weight = net.get_parameter("fc.weight")
    for target in (0, torch.tensor([1, 4, 0, 2]), None):
        classes = net(image).argmax(1) if target is None else torch.as_tensor(target).expand(4)
        cam = torch.einsum("nk,nkhw->nhw", weight[classes], maps).relu() / (12 * 16)
        found = graphc_torch.grad_cam(net, image, "body.1", target)
        torch.testing.assert_close(found, cam.detach())
        assert found.shape == (4, 12, 16)
        assert not found.requires_grad


def test_grad_cam_deep_inside_is_its_formula(torchvision: ModuleType) -> None:
    theirs = torchvision.models.resnet18(weights=None).eval()
    graph = graphc.compile("resnet18")
    ours = graph.module(weights=read_weights(graph, theirs.state_dict())).eval()
    image = picture(2, 3, 64, 96)
    maps: list[Tensor] = []
    handle = theirs.layer2.register_forward_hook(lambda _, __, output: maps.append(output))
    score = theirs(image)[:, 7].sum()
    handle.remove()
    (slopes,) = torch.autograd.grad(score, maps[0])
    wanted = (slopes.mean((2, 3), keepdim=True) * maps[0]).sum(1).clamp(min=0).detach()
    with torch.inference_mode():
        found = graphc_torch.grad_cam(ours, image, "stage.1", 7)
    torch.testing.assert_close(found, wanted)


def test_grad_cam_needs_no_weight_with_a_gradient(net: nn.Module) -> None:
    image = picture(2, 3, 12, 16)
    wanted = graphc_torch.grad_cam(net, image, "body.1", 2)
    assert torch.equal(graphc_torch.grad_cam(net.requires_grad_(False), image, "body.1", 2), wanted)
    assert not image.requires_grad


def test_what_can_not_be_looked_at_is_told(net: nn.Module) -> None:
    image = picture(1, 3, 12, 16)
    with pytest.raises(ValueError, match=r"no value at `body.2`: did you mean `body"):
        graphc_torch.activations(net, image, ["body.2"])
    with pytest.raises(ValueError, match="Linear is no live module of this process"):
        graphc_torch.activations(nn.Linear(3, 3), image, ["fc"])
    with pytest.raises(ValueError, match=r"needs maps \[N, C, \*space\], `fc` is \[1, 5\]"):
        graphc_torch.grad_cam(net, image, "fc")
    segments = graphc.compile("unet", set={"width": 2}).module().eval()
    with pytest.raises(ValueError, match=r"needs scores \[N, classes\] as the first output"):
        graphc_torch.grad_cam(segments, picture(1, 1, 188, 188), "bottom")
