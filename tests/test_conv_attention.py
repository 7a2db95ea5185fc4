"""Attention in convolutional networks: counts, and the papers' networks written by hand with the same weights."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import graphc_torch
from by_hand import assert_backends_agree, assert_learns, by_name, counted, error, figures
from graphc.compiler import compile as compiled
from graphc.graph import Graph
from graphc.settings import read_settings


def graph(address: str, *settings: str) -> Graph:
    return compiled(address, read_settings(settings))


# --- VAN


class Scale(nn.Module):
    """A branch times a learned factor for each channel."""

    def __init__(self, norm: nn.Module, branch: nn.Module, channels: int) -> None:
        super().__init__()
        self.norm, self.branch, self.layer_scale = norm, branch, nn.Parameter(torch.full((channels,), 0.01))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.layer_scale[:, None, None] * self.branch(self.norm(x))
        return result


class LargeKernelAttention(nn.Module):
    """Guo et al. 2022, equation 3 and figure 3, in the Attention of a block."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.proj_1 = nn.Conv2d(c, c, 1)
        depthwise = nn.Conv2d(c, c, 5, padding=2, groups=c), nn.Conv2d(c, c, 7, padding=9, groups=c, dilation=3)
        self.gate = nn.Sequential(*depthwise, nn.Conv2d(c, c, 1))
        self.proj_2 = nn.Conv2d(c, c, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.gelu(self.proj_1(x))
        result: Tensor = x + self.proj_2(y * self.gate(y))
        return result


class PlaceNorm(nn.LayerNorm):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class VAN(nn.Module):
    """The authors' network, with its state dict's names given by `authors`."""

    def __init__(self, widths: list[int], layers: list[int]) -> None:
        super().__init__()
        stages, before = [], 3
        for s, (c, depth, ratio) in enumerate(zip(widths, layers, [8, 8, 4, 4], strict=True)):
            patch = nn.Conv2d(before, c, 7, 4, 3) if s == 0 else nn.Conv2d(before, c, 3, 2, 1)
            made: list[nn.Module] = [patch, nn.BatchNorm2d(c)]
            for _ in range(depth):
                r = ratio * c
                mlp = nn.Sequential(
                    nn.Conv2d(c, r, 1), nn.Conv2d(r, r, 3, padding=1, groups=r), nn.GELU(), nn.Conv2d(r, c, 1)
                )
                made += [Scale(nn.BatchNorm2d(c), LargeKernelAttention(c), c), Scale(nn.BatchNorm2d(c), mlp, c)]
            stages.append(nn.Sequential(*made, PlaceNorm(c, eps=1e-6)))
            before = c
        self.stages, self.head = nn.Sequential(*stages), nn.Linear(before, 1000)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.head(self.stages(x).mean((2, 3)))
        return result


PARTS = {
    "branch.proj_1": "attn.proj_1",
    "branch.proj_2": "attn.proj_2",
    "branch.gate.0": "attn.spatial_gating_unit.conv0",
    "branch.gate.1": "attn.spatial_gating_unit.conv_spatial",
    "branch.gate.2": "attn.spatial_gating_unit.conv1",
    "branch.0": "mlp.fc1",
    "branch.1": "mlp.dwconv.dwconv",
    "branch.3": "mlp.fc2",
    "norm": "norm{part}",
    "layer_scale": "layer_scale_{part}",
}


def authors(path: str) -> str:
    """The name of a weight of `VAN` in the state dict that the authors publish."""
    if path.startswith("head"):
        return path
    _, stage, place, *rest = path.split(".")
    s, n = int(stage) + 1, int(place)
    if rest[0] in {"norm", "branch", "layer_scale"}:
        block, part = divmod(n - 2, 2)
        inner = next(key for key in PARTS if ".".join(rest).startswith(key))
        name = PARTS[inner].format(part=part + 1)
        return f"block{s}.{block}.{name}{'.'.join(rest)[len(inner) :]}"
    return ".".join([{0: f"patch_embed{s}.proj", 1: f"patch_embed{s}.norm"}.get(n, f"norm{s}"), *rest])


VANS = {
    "van_b0": VAN([32, 64, 160, 256], [3, 3, 5, 2]),
    "van_b1": VAN([64, 128, 320, 512], [2, 2, 4, 2]),
    "van_b2": VAN([64, 128, 320, 512], [3, 3, 12, 3]),
}
COUNTED = {
    # Visual-Attention-Network/VAN-Classification models/van.py, counted; the README says 4.1M, 0.9G and 26.6M, 5.0G
    "van_b0": (4_105_800, 864_224_000),
    "van_b2": (26_578_472, 4_992_773_120),
    # ResNet-50 and, in 14×14 maps of 1024 channels, θ and z on all places, φ and g on a quarter, two products
    "nonlocal_resnet50": (27_658_792, 4_089_184_256 + 1024 * 512 * (2 * 196 + 2 * 49) + 2 * 196 * 49 * 512),
    # and two more there, two of half the channels in 28×28 maps: 4·512·256 weights each, 3·256 + 512 biases, a norm
    "nonlocal5_resnet50": (25_557_032 + 3 * 2_101_760 + 2 * (4 * 512 * 256 + 3 * 256 + 512 + 2 * 512), 5_560_545_280),
}


@pytest.mark.parametrize("name", COUNTED)
def test_the_counts_are_those_of_the_reference(name: str) -> None:
    assert figures(graph(name)) == COUNTED[name]


@pytest.mark.parametrize("name", VANS)
def test_van_by_hand_has_as_many_parameters(name: str) -> None:
    assert figures(graph(name))[0] == counted(VANS[name])


def test_same_weights_same_outputs_as_van_by_the_authors_names() -> None:
    def naming(of: Graph, theirs: nn.Module) -> dict[str, object]:
        class Named(nn.Module):
            def state_dict(self) -> dict[str, Tensor]:  # type: ignore[override]  # a reader of names needs no more
                return {authors(path): weight for path, weight in theirs.state_dict().items()}

        return dict(by_name(of, Named()))

    assert error(graph("van_b0"), VANS["van_b0"], (2, 3, 96, 128), (2, 3, 70, 65), naming=naming) < 1e-5


# --- non-local blocks


class NonLocal(nn.Module):
    """Wang et al. 2017, equations 1 to 6, as sums over places: nothing is put into one product."""

    def __init__(self, c: int, form: str) -> None:
        super().__init__()
        self.form = form
        if form != "gaussian":
            self.theta, self.phi = nn.Conv2d(c, c // 2, 1), nn.Conv2d(c, c // 2, 1)
        if form == "concatenation":
            self.w_theta, self.w_phi = nn.Conv1d(c // 2, 1, 1, bias=False), nn.Conv1d(c // 2, 1, 1, bias=False)
        self.g, self.z = nn.Conv2d(c, c // 2, 1), nn.Sequential(nn.Conv2d(c // 2, c, 1), nn.BatchNorm2d(c))

    def pairs(self, x: Tensor, pooled: Tensor) -> Tensor:
        """f(xᵢ, xⱼ) / C(x), [N, i, j]."""
        if self.form == "gaussian":
            return torch.einsum("nci,ncj->nij", x.flatten(2), pooled.flatten(2)).softmax(2)
        query, key = self.theta(x).flatten(2), self.phi(pooled).flatten(2)
        if self.form == "concatenation":
            i, j = query.shape[2], key.shape[2]
            both = torch.cat([query[..., None].expand(-1, -1, -1, j), key[:, :, None].expand(-1, -1, i, -1)], 1)
            w = torch.cat([self.w_theta.weight, self.w_phi.weight], 1)[0, :, 0]
            scores: Tensor = torch.einsum("c,ncij->nij", w, both).relu() / j
            return scores
        products: Tensor = torch.einsum("nci,ncj->nij", query, key)
        return products.softmax(2) if self.form == "embedded_gaussian" else products / key.shape[2]

    def forward(self, x: Tensor) -> Tensor:
        pooled = functional.max_pool2d(x, 2)
        y = torch.einsum("nij,ncj->nci", self.pairs(x, pooled), self.g(pooled).flatten(2))
        result: Tensor = x + self.z(y.unflatten(2, x.shape[2:]))
        return result


def block(form: str) -> Graph:
    return compiled("non_local#non_local", read_settings([f"pairwise={form}", "C=16", "H=6", "W=8"]))


@pytest.mark.parametrize("form", ["gaussian", "embedded_gaussian", "dot_product", "concatenation"])
def test_every_form_is_its_equation(form: str) -> None:
    """The block alone: the factor at its end begins with 0, random weights let it be seen."""
    theirs = NonLocal(16, form)
    assert figures(block(form))[0] == counted(theirs)
    assert error(block(form), theirs, (3, 16, 6, 8)) < 1e-5


@pytest.mark.parametrize("name", ["nonlocal_resnet50", "concatenation_resnet50"])
def test_same_weights_same_outputs_as_a_resnet_with_blocks(name: str, torchvision: ModuleType) -> None:
    theirs = torchvision.models.resnet50(weights=None)
    form = {"n": "embedded_gaussian", "c": "concatenation"}[name[0]]
    theirs.layer3[4] = nn.Sequential(theirs.layer3[4], NonLocal(1024, form))
    assert error(graph(name), theirs, (2, 3, 64, 96)) < 1e-5


def test_a_fresh_block_changes_nothing(torchvision: ModuleType) -> None:
    """Section 4.1: it can be put into a network that is trained already."""
    module = graphc_torch.module(graph("non_local", "units=[[0], [0], [1], [0]]")).eval()
    unit, x = module.get_submodule("stage.2.unit.0.non_local"), torch.randn(2, 1024, 4, 4)
    assert torch.equal(unit(x), x)


# --- local relations


class LocalRelation(nn.Module):
    """Hu et al. 2019, section 3.2, window by window: a loop over the places of a window, none over those of the map."""

    def __init__(self, c: int, m: int, k: int, stride: int, form: str) -> None:
        super().__init__()
        self.m, self.k, self.stride, self.form = m, k, stride, form
        self.query, self.key = nn.Conv2d(c, c // m, 1), nn.Conv2d(c, c // m, 1)
        self.prior = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, c // m))
        self.value = nn.Conv2d(c, c, 1)

    def forward(self, x: Tensor) -> Tensor:
        r, s, (height, width) = self.k // 2, self.stride, x.shape[2:]
        query = self.query(x)[:, :, ::s, ::s]
        key, value = (functional.pad(f(x), (r, r, r, r)) for f in (self.key, self.value))
        scores, values = [], []
        for dy in range(-r, r + 1):
            for dx in range(-r, r + 1):
                there = (..., slice(r + dy, r + dy + height, s), slice(r + dx, r + dx + width, s))
                goes = {
                    "squared_difference": -((query - key[there]) ** 2),
                    "absolute_difference": -(query - key[there]).abs(),
                    "multiplication": query * key[there],
                }[self.form]
                scores.append(goes + self.prior(torch.tensor([dy, dx], dtype=torch.float32))[:, None, None])
                values.append(value[there])
        weights = torch.stack(scores).softmax(0).repeat_interleave(self.m, 2)
        return (weights * torch.stack(values)).sum(0)


FORMS = ["squared_difference", "absolute_difference", "multiplication"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("stride", [1, 2])
def test_a_local_relation_is_a_softmax_over_its_window(form: str, stride: int) -> None:
    settings = [f"appearance={form}", f"stride={stride}", "m=4", "kernel_size=5", "C=12"]
    graph = compiled("lr_net#local_relation", read_settings(settings))
    theirs = LocalRelation(12, 4, 5, stride, form)
    assert figures(graph)[0] == counted(theirs)
    assert error(graph, theirs, (3, 12, 6, 9), (2, 12, 7, 5)) < 1e-5


class LRBottleneck(nn.Module):
    def __init__(self, before: int, c: int, after: int, stride: int) -> None:
        super().__init__()
        layers = [nn.Conv2d(before, c, 1, bias=False), nn.BatchNorm2d(c), nn.ReLU()]
        relation = LocalRelation(c, 10, 7, stride, "squared_difference"), nn.BatchNorm2d(c), nn.ReLU()
        self.residual = nn.Sequential(*layers, *relation, nn.Conv2d(c, after, 1, bias=False), nn.BatchNorm2d(after))
        changed = [nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)]
        self.shortcut = nn.Sequential(*changed * (before != after))

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.residual(x) + self.shortcut(x))


def lr_net(layers: list[int]) -> nn.Module:
    stem = nn.Conv2d(3, 64, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()
    relation = LocalRelation(64, 8, 7, 2, "squared_difference"), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
    units, before = [], 64
    for s, depth in enumerate(layers):
        for u in range(depth):
            units.append(LRBottleneck(before, 100 * 2**s, 256 * 2**s, 2 if s > 0 and u == 0 else 1))
            before = 256 * 2**s
    return nn.Sequential(*stem, *relation, *units, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 1000))


@pytest.mark.parametrize(
    ("name", "layers", "millions"), [("lr_net26", [2, 2, 2, 2], 14.7), ("lr_net50", [3, 4, 6, 3], 23.3)]
)
def test_local_relation_networks_have_nearly_the_parameters_of_the_paper(
    name: str, layers: list[int], millions: float
) -> None:
    """No code was published, and 8 channels that share weights do not divide 100: within 1.5 %."""
    assert figures(graph(name))[0] == counted(lr_net(layers))
    assert figures(graph(name))[0] / 1e6 == pytest.approx(millions, rel=0.015)


def test_same_weights_same_outputs_as_the_network_by_hand() -> None:
    """Squares of differences in a softmax: in float32 each of both lies 9·10⁻⁶ from what theirs gives in float64."""
    assert error(graph("lr_net", "layers=[1, 1, 1, 1]"), lr_net([1, 1, 1, 1]), (2, 3, 64, 96)) < 2e-5


# --- all of them

SMALL = {
    "lr_net": (["layers=[1, 1, 1, 1]", "width=10", "kernel_size=3", "m=5", "classes=2"], {"H": 32, "W": 64}),
    "van_b0": (["widths=[8, 8, 8, 8]", "layers=[1, 1, 1, 1]", "classes=2"], {"H": 32, "W": 64}),
    "non_local": (["units=[[0], [1], [1], [0]]"], {"H": 32, "W": 64}),
}


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.slow
def test_losses_fall(name: str) -> None:
    settings, sizes = SMALL[name]
    assert_learns(graph(name, *settings), rate=5e-3, N=4, **sizes)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.slow
def test_both_backends_agree_at_two_sizes(name: str) -> None:
    settings, sizes = SMALL[name]
    assert_backends_agree(graph(name, *settings), {"N": 2, **sizes}, {"N": 1, "H": 96, "W": 64})


@pytest.mark.parametrize("form", ["gaussian", "dot_product", "concatenation"])
@pytest.mark.slow
def test_both_backends_agree_on_every_form(form: str) -> None:
    assert_backends_agree(block(form), {"N": 2}, {"N": 3})
