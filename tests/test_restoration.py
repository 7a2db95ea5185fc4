"""Super-resolution and restoration: the papers' networks written by hand, figures, and some training."""

from __future__ import annotations

from itertools import chain

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import graphc_torch
from by_hand import assert_backends_agree, assert_learns, counted, drawn, error, figures
from graphc.compiler import compile as compiled
from graphc.graph import Graph
from graphc.settings import read_settings


def graph(address: str, *settings: str) -> Graph:
    return compiled(address, read_settings(settings))


class Residual(nn.Module):
    """What comes in, and what some layers add to it."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.layers(x)
        return result


def espcn(r: int) -> nn.Module:
    """Shi et al. 2016, section 4.2: (5, 64), (3, 32), 3, tanh."""
    convs = nn.Conv2d(1, 64, 5, padding=2), nn.Conv2d(64, 32, 3, padding=1), nn.Conv2d(32, r * r, 3, padding=1)
    return nn.Sequential(convs[0], nn.Tanh(), convs[1], nn.Tanh(), convs[2], nn.PixelShuffle(r))


def vdsr() -> nn.Module:
    """Kim et al. 2015, section 3.1: twenty layers of 3×3, 64 channels between."""
    pairs = [(nn.Conv2d(64 if i else 1, 64, 3, padding=1), nn.ReLU()) for i in range(19)]
    return Residual(*chain(*pairs), nn.Conv2d(64, 1, 3, padding=1))


def srresnet() -> nn.Module:
    """Ledig et al. 2016, figure 4: k9n64s1, sixteen blocks, k3n256s1 twice, k9n3s1."""

    def norm(*between: nn.Module) -> list[nn.Module]:
        return [nn.Conv2d(64, 64, 3, padding=1), nn.BatchNorm2d(64), *between]

    body = [Residual(*norm(nn.PReLU()), *norm()) for _ in range(16)]
    up = [(nn.Conv2d(64, 256, 3, padding=1), nn.PixelShuffle(2), nn.PReLU()) for _ in range(2)]
    first = nn.Conv2d(3, 64, 9, padding=4), nn.PReLU()
    return nn.Sequential(*first, Residual(*body, *norm()), *chain(*up), nn.Conv2d(64, 3, 9, padding=4))


NETWORKS = {
    # address: the network by hand, parameters as derived from the paper, MACs at the spec's example
    "espcn_x2": (espcn(2), 1_664 + 18_464 + 289 * 2**2, 6_122_176),
    "espcn_x3": (espcn(3), 1_664 + 18_464 + 289 * 3**2, 6_538_336),
    "espcn_x4": (espcn(4), 1_664 + 18_464 + 289 * 4**2, 17 * 17 * (25 * 64 + 9 * 64 * 32 + 9 * 32 * 16)),
    "vdsr": (vdsr(), 640 + 18 * 36_928 + 577, 1_117_367_424),
    "srresnet": (srresnet(), 1_549_462, 1_277_669_376),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_counts_are_those_of_the_paper(name: str) -> None:
    theirs, parameters, macs = NETWORKS[name]
    assert figures(graph(name)) == (parameters, macs)
    assert counted(theirs) == parameters


@pytest.mark.parametrize("name", NETWORKS)
def test_same_weights_same_outputs(name: str) -> None:
    channels = 3 if name == "srresnet" else 1
    assert error(graph(name), NETWORKS[name][0], (2, channels, 17, 20), (3, channels, 9, 5)) < 1e-5


def test_subpixel_convolution_puts_channels_in_the_places_of_equation_4() -> None:
    """PS(T)[x, y, c] = T[⌊x/r⌋, ⌊y/r⌋, C·r·mod(y, r) + C·mod(x, r) + c], x along columns, for one channel."""
    maps, r = drawn(1, 9, 4, 5), 3
    wanted = torch.empty(1, 1, 12, 15)
    for y in range(12):
        for x in range(15):
            wanted[0, 0, y, x] = maps[0, r * (y % r) + x % r, y // r, x // r]
    module = graphc_torch.module(graph("espcn_x3"))
    seen: dict[str, Tensor] = {}
    module.get_submodule("conv3").register_forward_hook(lambda *given: seen.update(maps=given[2]))
    enlarged = module(drawn(1, 1, 4, 5))
    assert torch.equal(functional.pixel_shuffle(maps, r), wanted)
    assert torch.equal(enlarged, functional.pixel_shuffle(seen["maps"], r))


SMALL = {
    "espcn": ([], {"H": 9, "W": 8}),
    "vdsr": (["depth=5", "width=8"], {"H": 9, "W": 8}),
    "srresnet": (["depth=2", "width=8"], {"H": 9, "W": 8}),
}


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.slow
def test_losses_fall(name: str) -> None:
    settings, sizes = SMALL[name]
    assert_learns(graph(name, *settings), N=4, **sizes)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.slow
def test_both_backends_agree_at_two_sizes(name: str) -> None:
    settings, _ = SMALL[name]
    assert_backends_agree(graph(name, *settings), {"N": 2, "H": 9, "W": 8}, {"N": 1, "H": 12, "W": 20})
