"""Pyramids of features: the five of the FPN paper against torchvision's parts."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from by_hand import assert_backends_agree, assert_learns, counted, drawn, figures, in_order, lively
from graphc import library
from graphc.compiler import compile as compiled
from graphc.elaborate import elaborate
from graphc.graph import Graph
from graphc.settings import read_settings
from test_torch import worst

NECK = """graphc: 1
name: neck
use: {fpn: blocks/fpn.yaml}
params: {extra: false}
dims: {N: 1, H: {multiple: 8, example: 200}, W: {multiple: 8, example: 336}}
inputs: {c2: [N, 256, H, W], c3: [N, 512, H//2, W//2], c4: [N, 1024, H//4, W//4], c5: [N, 2048, H//8, W//8]}
graph:
  - fpn.fpn: {extra: extra}
    from: {features: "[c2, c3, c4, c5]"}
    id: fpn
outputs: {p2: "fpn.maps[0]", p3: "fpn.maps[1]", p4: "fpn.maps[2]", p5: "fpn.maps[3]"}
"""


def neck() -> Graph:
    return elaborate(library.parse(NECK, "neck.yaml"), library.standard())


def test_the_neck_costs_what_torchvisions_does() -> None:
    """`torchvision.ops.FeaturePyramidNetwork([256, 512, 1024, 2048], 256)` on a picture of 800×1344, counted."""
    assert figures(neck()) == (3_344_384, 60_899_328_000)


@pytest.mark.parametrize("rows", [8, 16])
def test_same_weights_same_maps_as_torchvision(rows: int, torchvision: ModuleType) -> None:
    theirs = torchvision.ops.FeaturePyramidNetwork([256, 512, 1024, 2048], 256)
    shapes = {f"c{i + 2}": (2, 256 * 2**i, rows // 2**i, 24 // 2**i) for i in range(4)}
    maps = {name: drawn(*shape) for name, shape in shapes.items()}
    module = neck().module(weights=in_order(neck(), lively(theirs, maps)))
    assert isinstance(module, nn.Module)
    with torch.inference_mode():
        wanted, found = theirs(maps), module.eval()(**maps)
    for ours, other in zip(found, wanted.values(), strict=True):
        assert worst(ours, other) < 1e-5


class Reduce(nn.Sequential):
    def __init__(self, channels: int) -> None:
        super().__init__(nn.Conv2d(channels, 256, 1), nn.Conv2d(256, 256, 3, padding=1))


class Pyramid(nn.Module):
    """torchvision's ResNet, neck and head of region proposals, joined as a figure of the paper shows."""

    def __init__(self, figure: str, torchvision: ModuleType) -> None:
        super().__init__()
        self.figure = figure
        resnet = torchvision.models.resnet50(weights=None)
        self.stem = nn.Sequential(resnet.conv1, resnet.bn1, resnet.relu, resnet.maxpool)
        self.stages = nn.ModuleList([resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4])
        widths = [256, 512, 1024, 2048]
        if figure in {"feature_pyramid_network", "top_down_finest"}:
            self.neck = torchvision.ops.FeaturePyramidNetwork(widths, 256)
            if figure == "top_down_finest":
                del self.neck.layer_blocks[1:]
        elif figure == "pyramidal_feature_hierarchy":
            self.neck = nn.ModuleList(map(Reduce, widths))
        else:
            self.neck = Reduce(2048)
        self.head = torchvision.models.detection.rpn.RPNHead(256, 3)

    def stage_maps(self, x: Tensor) -> list[Tensor]:
        maps = [self.stem(x)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return maps[1:]

    def maps(self, x: Tensor) -> list[Tensor]:
        found = self.stage_maps(x)
        if self.figure == "feature_pyramid_network":
            return list(self.neck({str(i): m for i, m in enumerate(found)}).values())
        if self.figure == "top_down_finest":
            merged = self.neck.inner_blocks[3](found[3])
            for i in (2, 1, 0):
                merged = functional.interpolate(merged, scale_factor=2) + self.neck.inner_blocks[i](found[i])
            return [self.neck.layer_blocks[0](merged)]
        if self.figure == "pyramidal_feature_hierarchy":
            return [reduce(m) for reduce, m in zip(self.neck, found, strict=True)]
        if self.figure == "single_feature_map":
            return [self.neck(found[3])]
        half = functional.interpolate(x, scale_factor=0.5, mode="bilinear")
        images = [x, half, functional.interpolate(half, scale_factor=0.5, mode="bilinear")]
        return [self.neck(self.stage_maps(image)[3]) for image in images]

    def forward(self, x: Tensor) -> Tensor:
        logits, deltas = self.head(self.maps(x))
        return torch.cat([torch.cat([m.flatten(2) for m in part], 2) for part in (logits, deltas)], 1)


class Both(nn.Module):
    """Our two outputs as one."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([*self.module(x)], 1)


FIGURES = [
    "featurized_image_pyramid",
    "single_feature_map",
    "pyramidal_feature_hierarchy",
    "feature_pyramid_network",
    "top_down_finest",
]


def slow_but(quick: set[str]) -> list[object]:
    return [pytest.param(name, marks=[pytest.mark.slow] * (name not in quick)) for name in FIGURES]


@pytest.mark.parametrize("name", slow_but(set(FIGURES) - {"featurized_image_pyramid"}))
def test_every_figure_equals_torchvisions_parts(name: str, torchvision: ModuleType) -> None:
    graph, theirs = compiled(name), Pyramid(name, torchvision)
    assert figures(graph)[0] == counted(theirs)
    image = drawn(2, 3, 128, 128)
    ours = graph.module(weights=in_order(graph, lively(theirs, image)))
    assert isinstance(ours, nn.Module)
    with torch.inference_mode():
        wanted = theirs(image)
        assert worst(wanted[:1], wanted[1:]) > 1e-3, "whatever the image is"
        assert worst(Both(ours.eval())(image), wanted) < 1e-5


def test_merging_costs_additions_alone() -> None:
    """A pyramid whose fine maps know what the coarsest one does has the weights and products of one without."""
    assert figures(compiled("feature_pyramid_network")) == figures(compiled("pyramidal_feature_hierarchy"))


def small(name: str) -> Graph:
    return compiled(name, read_settings(["layers=[1, 1, 1, 1]", "out_channels=16"]))


@pytest.mark.parametrize("name", slow_but({"feature_pyramid_network"}))
@pytest.mark.slow
def test_losses_fall(name: str) -> None:
    assert_learns(small(name), N=2, H=128, W=128)


@pytest.mark.parametrize("name", slow_but(set(FIGURES) - {"featurized_image_pyramid"}))
@pytest.mark.slow
def test_both_backends_agree_at_two_sizes(name: str) -> None:
    assert_backends_agree(small(name), {"N": 2, "H": 128, "W": 128}, {"N": 1, "H": 128, "W": 256})
