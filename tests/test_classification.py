"""The classification networks against torchvision: counts, and the same outputs with the same weights.

What torchvision has no model of is put together from its parts, or has its figures from elsewhere: see FIGURES.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TypeAlias

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import graphc_torch
from graphc import library
from graphc.checkpoint import read_weights
from graphc.compiler import compile, compile_with_warnings
from graphc.cost import macs, parameters, training_parameters
from graphc.dims import Size, substitute
from graphc.elaborate import elaborate
from graphc.graph import Graph
from graphc.settings import read_settings
from test_torch import worst

FAMILIES = [
    "alexnet",
    "cbam",
    "convnext",
    "densenet",
    "efficientnet",
    "googlenet",
    "mnist_cnn",
    "mobilenet_v2",
    "mobilenet_v3",
    "senet",
    "squeezenet",
    "vgg",
]

FIGURES = {
    # BVLC's bvlc_alexnet/deploy.prototxt, counted
    "alexnet_two_towers": (60_965_224, 724_406_816, 0),
    # a port without groups; pytorchcv's `alexnet` has as many parameters
    "alexnet_ungrouped": (62_378_344, 1_135_256_096, 0),
    # as vgg11: local response normalisation has no weights
    "vgg11_lrn": (132_863_336, 7_609_090_048, 0),
    # vgg13 and its three 1×1 convolutions: 256·256 + 256, and 512·512 + 512 twice
    "vgg16_c": (133_047_848 + 65_792 + 2 * 262_656, 11_770_888_192, 0),
    # BVLC's bvlc_googlenet/deploy.prototxt, counted
    "googlenet_paper": (6_998_552, 1_582_671_872, 0),
    # Keras 3.15.1: 832 + 51,264 + 3,212,288 + 10,250
    "mnist_cnn": (3_274_634, 13_883_904, 0),
    # timm 1.0.31's legacy_seresnet18, legacy_seresnet50 and legacy_seresnet101, and seresnet50, counted
    "se_resnet18": (11_778_592, 1_814_160_384, 9_620),
    "se_resnet50": (28_088_024, 3_860_488_192, 53_173),
    "se_resnet101": (49_326_872, 7_574_937_600, 105_448),
    "seresnet50": (28_088_024, 4_091_699_200, 53_173),
    # torchvision's resnet34, and its resnet152 with the paper's strides; to each block of C channels come 2·C·C/16
    # multiplications, and C/16 + C biases: 3, 4, 6, 3 blocks of 64 to 512, and 3, 8, 36, 3 of 256 to 2048
    "se_resnet34": (21_797_672 + 157_184 + 4_012, 3_663_761_408 + 157_184, 17_060),
    "se_resnet152": (60_192_808 + 6_578_176 + 50_864, 11_282_415_616 + 6_578_176, 151_579),
    # timm 1.0.31's legacy_senet154, counted; hujie-frank's SENet-154.prototxt has the same
    "senet154": (115_088_984, 20_688_363_520, 247_709),
    # Jongchan/attention-module's ResidualNet('ImageNet', 18 or 50, 1000, 'CBAM'), counted
    "cbam_resnet18": (11_779_392, 1_815_063_764, 9_644),
    "cbam_resnet50": (28_089_624, 4_095_573_110, 53_221),
}
"""Parameters, MACs of convolutions and matrix products, elements of buffers, of what is not in torchvision."""

TRAINING = {
    "googlenet": 13_004_888,  # torchvision's with its auxiliary heads
    "googlenet_paper": 13_378_280,  # BVLC's bvlc_googlenet/train_val.prototxt in its TRAIN phase, counted
}


def variants() -> list[str]:
    return [address for family in FAMILIES for address in library.installed(family).variants or [family]]


def count(size: Size | None, graph: Graph) -> int:
    """A count at the example sizes."""
    assert size is not None
    return int(str(substitute(size, graph.examples())))


def figures(graph: Graph) -> tuple[int, int, int]:
    buffers = sum((weight.count for _, weight in graph.weights() if weight.buffer), start=0)
    return count(parameters(graph), graph), count(macs(graph), graph), count(buffers, graph)


def image_size(graph: Graph) -> tuple[int, ...]:
    """The shape of the first input at the example sizes."""
    (image,) = graph.inputs.values()
    return tuple(count(size, graph) for size in image.type.shape)


def counted(module: nn.Module, *shape: int) -> tuple[int, int, int]:
    """What `figures` gives, of a module on the meta device, from the shapes that flow through it."""
    total = 0

    def count_macs(layer: nn.Module, _: object, output: Tensor) -> None:
        nonlocal total
        assert isinstance(layer, nn.Conv2d | nn.Linear)
        total += output.numel() * layer.weight[0].numel()

    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(count_macs)
    module.eval()(torch.empty(shape, device="meta"))
    return sum(p.numel() for p in module.parameters()), total, sum(b.numel() for b in module.buffers())


def without_heads(name: str) -> dict[str, bool]:
    """What torchvision's model of that name is built with."""
    return {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}


@pytest.mark.parametrize("address", variants())
def test_the_counts_are_those_of_the_reference(address: str, torchvision: ModuleType) -> None:
    graph, warnings = compile_with_warnings(address)
    assert warnings == []
    if address in FIGURES:
        wanted = FIGURES[address]
    else:
        with torch.device("meta"):
            model = torchvision.models.get_model(address, weights=None, **without_heads(address))
        wanted = counted(model, *image_size(graph))
    assert figures(graph) == wanted


@pytest.mark.parametrize("address", TRAINING)
def test_auxiliary_heads_are_counted_in_training(address: str) -> None:
    assert training_parameters(compile(address)) == TRAINING[address]


def test_caffe_has_no_padding_but_227_rows() -> None:
    graph = compile("alexnet_two_towers", read_settings(["padding=0", "H=227", "W=227"]))
    assert figures(graph) == FIGURES["alexnet_two_towers"]


def alive(module: nn.Module, image: Tensor) -> nn.Module:
    """The module in evaluation, with random weights and this image's statistics, so that it comes through well."""
    torch.manual_seed(0)
    for path, weight in module.named_parameters():
        if path.endswith(("layer_scale", "scale.weight")):
            nn.init.uniform_(weight, 0.1, 0.3)
        elif path.endswith("bias"):
            nn.init.normal_(weight, std=0.1)
        elif weight.dim() == 1:
            nn.init.uniform_(weight, 0.5, 1.5)
        else:
            nn.init.kaiming_normal_(weight, nonlinearity="relu")
    with torch.no_grad():
        measuring(module.eval())(image)
    return module.eval()


def measuring(module: nn.Module) -> nn.Module:
    """The module, whose next run sets all running statistics to those of its batch: the mean of all runs so far."""
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.train().momentum = None
    return module


def by_name(graph: Graph, theirs: nn.Module) -> Mapping[str, object]:
    """The weights of their module by our paths, as the spec's tables say."""
    return read_weights(graph, theirs.state_dict())


def in_order(graph: Graph, theirs: nn.Module) -> Mapping[str, object]:
    """The weights of a module that nobody publishes, and no table knows: in the order in which they are used."""
    weights, state = dict(graph.weights()), theirs.state_dict()
    assert [w.shape for w in weights.values()] == [tuple(w.shape) for w in state.values()]
    return dict(zip(weights, state.values(), strict=True))


Naming: TypeAlias = Callable[[Graph, nn.Module], Mapping[str, object]]


def assert_equal(graph: Graph, theirs: nn.Module, *sizes: tuple[int, ...], naming: Naming = by_name) -> None:
    """With their weights our module gives what theirs gives."""
    images = [torch.randn(size, generator=torch.Generator().manual_seed(1)) for size in sizes]
    ours = graphc_torch.module(graph, weights=naming(graph, alive(theirs, images[0]))).eval()
    for image in images:
        with torch.inference_mode():
            wanted = theirs(image)
            assert worst(wanted[:1], wanted[1:]) > 1e-3, "whatever the image is"
            assert worst(ours(image), wanted) < 1e-5


SIZES = {
    "alexnet": [(2, 3, 224, 224), (2, 3, 63, 100)],
    "vgg11": [(2, 3, 224, 224), (2, 3, 75, 100)],
    "vgg16": [(2, 3, 224, 224), (2, 3, 75, 100)],
    "vgg16_bn": [(2, 3, 224, 224), (2, 3, 75, 100)],
    "squeezenet1_0": [(2, 3, 224, 224), (2, 3, 97, 120)],
    "squeezenet1_1": [(2, 3, 224, 224), (2, 3, 97, 120)],
    "googlenet": [(2, 3, 224, 224)],
    "convnext_tiny": [(2, 3, 224, 224), (2, 3, 97, 120)],
    "densenet121": [(2, 3, 224, 224), (2, 3, 95, 120)],
    "mobilenet_v2": [(2, 3, 224, 224), (2, 3, 95, 120)],
    "mobilenet_v3_large": [(2, 3, 224, 224), (2, 3, 95, 120)],
    "mobilenet_v3_small": [(2, 3, 224, 224), (2, 3, 95, 120)],
    "efficientnet_b0": [(2, 3, 224, 224), (2, 3, 129, 96)],
    "efficientnet_b3": [(2, 3, 300, 300)],
}
SLOW = {"densenet121", "mobilenet_v2", "mobilenet_v3_large", "vgg11", "vgg16", "vgg16_bn"}


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW)) for n in SIZES])
def test_same_weights_same_outputs(name: str, torchvision: ModuleType) -> None:
    theirs = torchvision.models.get_model(name, weights=None, **without_heads(name))
    assert_equal(compile(name), theirs, *SIZES[name])


def test_fixed_sizes_can_be_set(torchvision: ModuleType) -> None:
    theirs = torchvision.models.get_model("googlenet", weights=None, **without_heads("googlenet"))
    assert_equal(compile("googlenet", read_settings(["size=128"])), theirs, (2, 3, 128, 128))


def test_auxiliary_head_equals_torchvision(torchvision: ModuleType) -> None:
    text = """graphc: 1
name: head
use: {googlenet: googlenet.yaml}
params: {conv: {conv_bn_relu: {norm: {batch_norm: {eps: 0.001}}}}}
dims: {N: 1}
inputs: {features: [N, 528, 14, 14]}
graph:
  - googlenet.aux_head: {pool: {adaptive_avg_pool2d: 4}, conv: $conv, classes: 1000}
"""
    theirs = torchvision.models.get_model("googlenet", weights=None, init_weights=False).aux2
    graph = elaborate(library.parse(text, "head.yaml"), library.standard())
    assert_equal(graph, theirs, (2, 528, 14, 14), naming=in_order)


class AlexNet2012(nn.Module):
    """Krizhevsky et al. 2012, by hand: response normalisation is equation 3.3 with k 2, n 5, α 1e-4 and β 0.75."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            [
                nn.Conv2d(3, 96, 11, 4, 2),
                nn.Conv2d(96, 256, 5, 1, 2, groups=2),
                nn.Conv2d(256, 384, 3, 1, 1),
                nn.Conv2d(384, 384, 3, 1, 1, groups=2),
                nn.Conv2d(384, 256, 3, 1, 1, groups=2),
            ]
        )
        self.linears = nn.ModuleList([nn.Linear(9216, 4096), nn.Linear(4096, 4096), nn.Linear(4096, 1000)])

    @staticmethod
    def responses(x: Tensor) -> Tensor:
        squares = functional.pad(x.square(), (0, 0, 0, 0, 2, 2))
        return x / (2 + 1e-4 * sum(squares[:, i : i + x.shape[1]] for i in range(5))) ** 0.75

    def forward(self, x: Tensor) -> Tensor:
        for number, conv in enumerate(self.convs):
            x = conv(x).relu()
            x = self.responses(x) if number < 2 else x
            x = functional.max_pool2d(x, 3, 2) if number in {0, 1, 4} else x
        x = x.flatten(1)
        for linear in self.linears[:2]:
            x = linear(x).relu()
        result: Tensor = self.linears[2](x)
        return result


@pytest.mark.slow
def test_two_towers_equal_the_paper_written_by_hand() -> None:
    assert_equal(compile("alexnet_two_towers"), AlexNet2012(), (2, 3, 224, 224), naming=in_order)


class Cbam(nn.Module):
    """Woo et al. 2018, equations 2 and 3, by hand."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(channels, channels // 16), nn.ReLU(), nn.Linear(channels // 16, channels))
        self.spatial = nn.Sequential(nn.Conv2d(2, 1, 7, padding=3, bias=False), nn.BatchNorm2d(1))

    def forward(self, x: Tensor) -> Tensor:
        channels = self.mlp(x.mean((2, 3))) + self.mlp(x.amax((2, 3)))
        x = x * channels.sigmoid()[:, :, None, None]
        places = self.spatial(torch.stack([x.mean(1), x.amax(1)], 1))
        result: Tensor = x * places.sigmoid()
        return result


def gated(torchvision: ModuleType, resnet: str, gate: str) -> nn.Module:
    """torchvision's ResNet, with a gate behind the last norm of each residual."""
    model: nn.Module = torchvision.models.get_model(resnet, weights=None)
    for block in model.modules():
        if isinstance(block, torchvision.models.resnet.BasicBlock | torchvision.models.resnet.Bottleneck):
            last = "bn3" if hasattr(block, "bn3") else "bn2"
            norm = getattr(block, last)
            channels = norm.num_features
            made = Cbam(channels) if gate == "cbam" else torchvision.ops.SqueezeExcitation(channels, channels // 16)
            setattr(block, last, nn.Sequential(norm, made))
    return model


GATED = [
    ("se_resnet18", "resnet18", "se"),
    ("se_resnet34", "resnet34", "se"),
    ("seresnet50", "resnet50", "se"),
    ("cbam_resnet18", "resnet18", "cbam"),
    ("cbam_resnet50", "resnet50", "cbam"),
]


@pytest.mark.parametrize(("name", "resnet", "gate"), GATED)
def test_gated_resnets_equal_torchvision_with_gates(name: str, resnet: str, gate: str, torchvision: ModuleType) -> None:
    theirs = gated(torchvision, resnet, gate)
    if name.startswith("se_"):  # Caffe's
        theirs.set_submodule("maxpool", nn.MaxPool2d(3, 2, ceil_mode=True))
    assert_equal(compile(name), theirs, (2, 3, 96, 128), naming=in_order)
