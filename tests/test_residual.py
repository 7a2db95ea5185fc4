"""ResNets for study, on series, tables and video: against torchvision, or the paper's network by hand."""

from __future__ import annotations

from itertools import pairwise
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import graphc_torch
from by_hand import assert_backends_agree, assert_learns, by_name, counted, drawn, error, figures
from graphc.compiler import compile as compiled
from graphc.graph import Graph
from graphc.ops.activation import StochasticDepth
from graphc.settings import read_settings

VIDEO = ["r3d_18", "mc3_18", "r2plus1d_18"]


def graph(address: str, *settings: str) -> Graph:
    return compiled(address, read_settings(settings))


# --- CIFAR-10


class Unit(nn.Module):
    """He et al. 2015, figure 2, with option A; He et al. 2016, figure 4 (e), where norms and ReLUs stand in front."""

    def __init__(self, channels: int, width: int, skips: bool, pre: bool, first: bool) -> None:
        super().__init__()
        self.stride, self.added = (1, 0) if channels == width else (2, (width - channels) // 2)
        self.skips, self.pre = skips, pre
        norms = [nn.BatchNorm2d(c) for c in ((channels, width) if pre else (width, width))]
        convs = [
            nn.Conv2d(channels, width, 3, self.stride, 1, bias=False),
            nn.Conv2d(width, width, 3, 1, 1, bias=False),
        ]
        pairs = [(n, nn.ReLU(), c) if pre else (c, n, nn.ReLU()) for n, c in zip(norms, convs, strict=True)]
        layers = [layer for pair in pairs for layer in pair]
        self.residual = nn.Sequential(*(layers[2:] if pre and first else layers if pre else layers[:-1]))

    def forward(self, x: Tensor) -> Tensor:
        residual: Tensor = self.residual(x)
        if self.skips:
            residual = residual + functional.pad(
                x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, *[self.added] * 2)
            )
        return residual if self.pre else residual.relu()


def cifar(n: int, *, skips: bool = True, pre: bool = False) -> nn.Module:
    """Section 4.2: 6n + 2 layers."""
    widths = [16] * (n + 1) + [32] * n + [64] * n
    units = [Unit(c, w, skips, pre, i == 0) for i, (c, w) in enumerate(pairwise(widths))]
    stem = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    last = [nn.BatchNorm2d(64), nn.ReLU()] * pre
    return nn.Sequential(*stem, *units, *last, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


CIFAR = {
    "resnet20": cifar(3),
    "resnet56": cifar(9),
    "resnet110": cifar(18),
    "plain20": cifar(3, skips=False),
    "plain56": cifar(9, skips=False),
    "preact_resnet110": cifar(18, pre=True),
    "stochastic_resnet110": cifar(18),
}


@pytest.mark.parametrize("name", CIFAR)
def test_parameters_are_those_of_the_network_by_hand(name: str) -> None:
    """Table 6 of the paper says 0.27, 0.85 and 1.7 million."""
    assert figures(graph(name))[0] == counted(CIFAR[name])


@pytest.mark.parametrize("name", ["resnet20", "plain20", "preact_resnet110", "stochastic_resnet110"])
def test_same_weights_same_outputs_on_cifar(name: str) -> None:
    assert error(graph(name), CIFAR[name], (4, 3, 32, 32), (2, 3, 21, 30)) < 1e-5


def test_units_survive_less_often_the_deeper_they_are() -> None:
    """Huang et al. 2016, equation 4: 1 - l/L·(1 - p_L), with p_L 0.5 and L 54."""
    found = [node.op.p for node in graph("stochastic_resnet110").nodes if isinstance(node.op, StochasticDepth)]
    assert found == pytest.approx([unit / 54 * 0.5 for unit in range(1, 55)])


def test_a_unit_that_is_left_out_is_its_skip() -> None:
    """With p 1 the last unit's residual is always left out; the whole batch has the same fate."""
    network = graph("resnet_cifar", "n=1", "p=1.0")
    module = graphc_torch.module(network).train()
    seen: dict[str, Tensor] = {}
    unit = module.get_submodule("stage.2.unit.0")
    unit.register_forward_hook(lambda _, inputs, output: seen.update(input=inputs[0], output=output))
    module(drawn(2, 3, 8, 8))
    wanted = functional.pad(seen["input"][:, :, ::2, ::2], (0, 0, 0, 0, 16, 16))
    assert torch.equal(seen["output"], wanted.relu())


# --- video


@pytest.mark.parametrize("name", VIDEO)
def test_parameters_are_torchvisions(name: str, torchvision: ModuleType) -> None:
    with torch.device("meta"):
        theirs = torchvision.models.get_model(name, weights=None)
    assert figures(graph(name))[0] == counted(theirs)


@pytest.mark.parametrize("name", ["r3d_18", *(pytest.param(name, marks=pytest.mark.slow) for name in VIDEO[1:])])
def test_same_weights_same_outputs_on_video(name: str, torchvision: ModuleType) -> None:
    theirs = torchvision.models.get_model(name, weights=None)
    assert error(graph(name), theirs, (2, 3, 8, 32, 48), (2, 3, 9, 35, 32), naming=by_name) < 1e-5


def test_multiply_accumulates_are_those_of_torchvision(torchvision: ModuleType) -> None:
    """40.70·10⁹ is what torchvision's documentation says of r3d_18's weights."""
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        torchvision.models.get_model("r3d_18", weights=None).eval()(torch.zeros(1, 3, 16, 112, 112))
    assert figures(graph("r3d_18"))[1] == counter.get_total_flops() // 2 == 40_696_553_472


# --- series and tables


class Series(nn.Module):
    """Wang et al. 2016, figure 1 (c): kernels of 8, 5 and 3, padded as TensorFlow pads."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList()
        for before, kernel in zip([channels, width, width], [8, 5, 3], strict=True):
            conv = nn.Conv1d(before, width, kernel)
            self.convs.append(
                nn.Sequential(nn.ConstantPad1d(((kernel - 1) // 2, kernel // 2), 0.0), conv, nn.BatchNorm1d(width))
            )
        self.shortcut = nn.Sequential(
            *([] if channels == width else [nn.Conv1d(channels, width, 1)]), nn.BatchNorm1d(width)
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.convs[2](self.convs[1](self.convs[0](x).relu()).relu())
        return functional.relu(y + self.shortcut(x))


class Row(nn.Module):
    """Gorishniy et al. 2021, 3.2."""

    def __init__(self, width: int) -> None:
        super().__init__()
        layers = [nn.BatchNorm1d(width), nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width)]
        self.residual = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.residual(x)
        return result


def series() -> nn.Module:
    end = [nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(128, 2)]
    return nn.Sequential(Series(1, 64), Series(64, 128), Series(128, 128), *end)


def rows() -> nn.Module:
    end = [nn.BatchNorm1d(192), nn.ReLU(), nn.Linear(192, 1)]
    return nn.Sequential(nn.Linear(8, 192), *(Row(192) for _ in range(4)), *end)


def test_a_resnet_for_series_equals_the_paper_by_hand() -> None:
    assert figures(graph("resnet_1d"))[0] == counted(series())
    assert error(graph("resnet_1d"), series(), (3, 1, 50), (2, 1, 9)) < 1e-5


def test_a_resnet_for_tables_equals_the_paper_by_hand() -> None:
    assert figures(graph("resnet_tabular"))[0] == counted(rows())
    assert error(graph("resnet_tabular"), rows(), (5, 8), (2, 8)) < 1e-5


# --- all of them

SMALL = {
    "resnet_cifar": (["n=1"], {"H": 16, "W": 16}),
    "plain20": (["n=1"], {"H": 16, "W": 16}),
    "preact_resnet110": (["n=1"], {"H": 16, "W": 16}),
    "resnet_1d": (["widths=[8, 16, 16]"], {"T": 20}),
    "resnet_tabular": (["width=16", "depth=2"], {}),
    "r3d_18": (["layers=[1, 1, 1, 1]", "width=4", "classes=2"], {"T": 8, "H": 16, "W": 16}),
    "r2plus1d_18": (["layers=[1, 1, 1, 1]", "width=4", "classes=2"], {"T": 8, "H": 16, "W": 16}),
}


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.slow
def test_losses_fall(name: str) -> None:
    settings, sizes = SMALL[name]
    assert_learns(graph(name, *settings), N=4, **sizes)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.slow
def test_both_backends_agree_at_two_sizes(name: str) -> None:
    settings, sizes = SMALL[name]
    assert_backends_agree(graph(name, *settings), {"N": 2, **sizes}, {"N": 3} | {k: 2 * v for k, v in sizes.items()})


@pytest.mark.parametrize("name", ["resnet_cifar", "resnet_1d", "resnet_tabular"])
def test_without_skips_the_weights_are_the_same(name: str) -> None:
    """But for those on the shortcuts of `resnet_1d`."""
    plain = [(path, w.shape) for path, w in graph(name, "skips=false").weights()]
    assert plain == [(path, w.shape) for path, w in graph(name).weights() if ".shortcut." not in path]
