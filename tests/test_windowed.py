"""Attention in windows and neighbourhoods, and hybrids: against torchvision, timm, and networks written by hand."""

from __future__ import annotations

import importlib
import math
from types import ModuleType

import onnx
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

import graphc_torch
from graphc import library
from graphc.compiler import compile
from graphc.cost import macs, parameters
from graphc.dims import substitute
from graphc.elaborate import elaborate
from graphc.graph import Graph
from graphc.settings import read_settings
from graphc.verify import Asked, verify
from optable.running import session
from test_checkpoint import fit_of
from test_torch import worst
from test_training import batch, tensors, train
from windowed import NAT, CvT, NeighbourhoodAttention

THEIRS = {
    "swin_t": ("torchvision", "swin_t"),
    "swin_s": ("torchvision", "swin_s"),
    "swin_b": ("torchvision", "swin_b"),
    "mobilevit_xxs": ("timm", "mobilevit_xxs"),
    "mobilevit_xs": ("timm", "mobilevit_xs"),
    "mobilevit_s": ("timm", "mobilevit_s"),
    "coatnet_0": ("timm", "coatnet_0_224"),
    "coatnet_1": ("timm", "coatnet_1_224"),
}
"""Our variants, and whose model they are."""
SWIN_IN_TIMM = ("timm", "swin_tiny_patch4_window7_224")
BLOCKS = "specs/blocks/windows.yaml"
SMALL = {
    "swin": (["width=8", "layers=[2,2,2,2]", "heads=[1,2,2,4]", "window=3", "drop_path=0", "classes=5"], (64, 32)),
    "nat": (["width=8", "layers=[1,1,1,1]", "window=3", "drop_path=0", "classes=5"], (96, 128)),
    "cvt": (["width=[8,24,24]", "layers=[1,1,2]", "drop_path=0", "classes=5"], (48, 64)),
    "coatnet": (["H=64", "W=64", "width=[8,16,32,64]", "layers=[1,1,2,1]", "drop_path=0", "classes=5"], ()),
    "mobilevit": (["width=[8,8,8,16,16]", "token_width=[0,0,16,16,16]", "features=16", "classes=5"], (64, 128)),
}
"""Each network, small; and a picture's size that is not its example."""
QUICK = {"swin", "cvt"}


def model_of(by: str, name: str, torchvision: ModuleType) -> nn.Module:
    """A model of torchvision or timm, with random weights; timm is imported behind torchvision."""
    made: nn.Module
    if by == "torchvision":
        made = torchvision.models.get_model(name, weights=None)
    else:
        made = importlib.import_module("timm").create_model(name)
    return made


def lively(model: nn.Module) -> nn.Module:
    """The model with weights that all matter, in evaluation."""
    torch.manual_seed(0)
    for weight in model.parameters():
        nn.init.normal_(weight, std=weight[0].numel() ** -0.5 if weight.dim() > 1 else 0.2)
    for module in model.modules():
        if isinstance(module, (nn.LayerNorm, nn.BatchNorm2d)) and module.weight is not None:
            nn.init.uniform_(module.weight, 0.5, 1.5)
        if isinstance(module, nn.BatchNorm2d) and module.running_var is not None:
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    for name, weight in model.named_parameters():
        if "position" in name or "rpb" in name:
            nn.init.normal_(weight)
    return model.eval()


def pictures(height: int, width: int, count: int = 2) -> Tensor:
    """Pictures with more than noise in them: a mean over all places is different for each."""
    coarse = torch.randn(count, 3, 3, 4)
    return 3 * functional.interpolate(coarse, (height, width)) + torch.randn(count, 3, height, width)


def same(graph: Graph, ours: nn.Module, theirs: nn.Module, *sizes: tuple[int, int], in_onnx: bool = True) -> None:
    """Both give the same for pictures of each size, in PyTorch; and for the last in ONNX Runtime."""
    with torch.inference_mode():
        for size in sizes:
            images = pictures(*size)
            wanted = theirs(images)
            assert worst(wanted[:1], wanted[1:]) > 1e-3, "whatever the picture is"
            assert worst(ours.eval()(images), wanted) < 1e-5
        if in_onnx:
            weights = {path: weight.numpy() for path, weight in ours.state_dict().items()}
            model = onnx.load_from_string(graph.onnx(weights=weights).SerializeToString())
            (found,) = session(model).run(None, {"image": images.numpy()})
            assert worst(torch.from_numpy(found), wanted) < 1e-5


def small(name: str) -> Graph:
    settings, _ = SMALL[name]
    return compile(name, read_settings(settings))


def weights_by_shape(ours: nn.Module, theirs: nn.Module) -> dict[str, Tensor]:
    """Their weights by our names, where both have those of one shape in the same order."""
    waiting: dict[tuple[int, ...], list[Tensor]] = {}
    for name, weight in theirs.state_dict().items():
        table = weight.flatten(1).T if name.endswith("rpb") else weight
        waiting.setdefault(tuple(table.shape), []).append(table)
    return {path: waiting[tuple(weight.shape)].pop(0) for path, weight in ours.state_dict().items()}


# --- counts


@pytest.mark.parametrize("name", THEIRS)
def test_the_counts_are_those_of_the_library(name: str, torchvision: ModuleType) -> None:
    """torch counts the products of attention where they are written out."""
    graph, size = compile(name), 256 if name.startswith("mobilevit") else 224
    with torch.device("meta"):
        model = model_of(*THEIRS[name], torchvision)
        images = torch.zeros(1, 3, size, size)
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH), torch.no_grad():
        model.train()(images.expand(2, -1, -1, -1))
    assert substitute(parameters(graph), graph.examples()) == sum(p.numel() for p in model.parameters())
    cost = macs(graph)
    assert cost is not None
    assert substitute(cost, graph.examples() | {"N": 2}) == counter.get_total_flops() // 2


@pytest.mark.parametrize(
    ("name", "depths", "cost"), [("cvt_13", (1, 2, 10), 4_566_089_216), ("cvt_21", (1, 4, 16), None)]
)
def test_cvts_counts_are_those_of_the_network_by_hand(name: str, depths: tuple[int, ...], cost: int | None) -> None:
    """The authors' own code, counted: 19,997,480 and 4,566,089,216 for CvT-13 (microsoft/CvT, with fvcore)."""
    graph = compile(name)
    with torch.device("meta"):
        model, images = CvT(depths), torch.zeros(1, 3, 224, 224)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.eval()(images)
    assert parameters(graph) == sum(p.numel() for p in model.parameters())
    found = substitute(macs(graph) or 0, graph.examples())
    assert found == counter.get_total_flops() // 2
    assert cost in (None, found)


@pytest.mark.parametrize(
    ("name", "depths", "cost"), [("nat_mini", (3, 4, 6, 5), 2_694_812_672), ("nat_tiny", (3, 4, 18, 5), 4_295_226_368)]
)
def test_nats_counts_are_those_of_the_authors_code(name: str, depths: tuple[int, ...], cost: int) -> None:
    """MACs: classification/nat.py of SHI-Labs, 2·h·w·49·C for each attention, which its paper has (section 3.2)."""
    graph = compile(name)
    with torch.device("meta"):
        model = NAT(depths)
    assert parameters(graph) == sum(p.numel() for p in model.parameters())
    assert substitute(macs(graph) or 0, graph.examples()) == cost


@pytest.mark.parametrize(("by", "name", "ours"), [(*SWIN_IN_TIMM, "swin_t"), *((*v, k) for k, v in THEIRS.items())])
def test_every_name_and_shape_of_their_models_is_known(by: str, name: str, ours: str, torchvision: ModuleType) -> None:
    with torch.device("meta"):
        state = model_of(by, name, torchvision).state_dict()
    fit = fit_of(compile(ours).bound(), state)
    assert (fit.missing, fit.unexpected, fit.wrong) == ([], [], {})
    used = {taken for _, origin, _ in fit.found.values() for taken in origin.names}
    assert {taken for taken in state if not taken.endswith("relative_position_index")} == used


# --- same weights, same outputs


@pytest.mark.parametrize(
    ("ours", "by", "name", "sizes"),
    [
        ("swin_t", "torchvision", "swin_t", [(224, 224), (96, 352)]),
        ("mobilevit_s", "timm", "mobilevit_s", [(128, 64)]),
        ("coatnet_0", "timm", "coatnet_0_224", [(224, 224)]),
        pytest.param("swin_t", *SWIN_IN_TIMM, [(224, 224)], marks=pytest.mark.slow),
        pytest.param("mobilevit_xs", "timm", "mobilevit_xs", [(128, 192)], marks=pytest.mark.slow),
        pytest.param("swin_s", "torchvision", "swin_s", [(256, 192)], marks=pytest.mark.slow),
        pytest.param("swin_b", "torchvision", "swin_b", [(256, 192)], marks=pytest.mark.slow),
        pytest.param("mobilevit_xxs", "timm", "mobilevit_xxs", [(256, 256)], marks=pytest.mark.slow),
        pytest.param("coatnet_1", "timm", "coatnet_1_224", [(224, 224)], marks=pytest.mark.slow),
    ],
)
def test_with_their_weights_it_gives_what_theirs_gives(
    ours: str, by: str, name: str, sizes: list[tuple[int, int]], torchvision: ModuleType
) -> None:
    """At the paper's size, where Swin's last stage is one window, and where windows don't divide the map."""
    model = lively(model_of(by, name, torchvision))
    graph = compile(ours)
    module = graph.module(weights=model.state_dict())
    assert isinstance(module, nn.Module)
    same(graph, module, model, *sizes, in_onnx=ours in ("swin_t", "mobilevit_xs", "swin_s"))


def test_cvt_gives_what_the_network_by_hand_gives() -> None:
    """With its names. The last map is 5×7: half of it is not whole."""
    model = lively(CvT((1, 2, 2), (16, 48, 96), classes=7))
    graph = compile("cvt", read_settings(["layers=[1,2,2]", "width=[16,48,96]", "classes=7"]))
    module = graph.module(weights=model.state_dict())
    assert isinstance(module, nn.Module)
    same(graph, module, model, (96, 64), (80, 112))


@pytest.mark.slow
def test_cvt_13_gives_what_the_network_by_hand_gives() -> None:
    model = lively(CvT())
    module = compile("cvt_13").module(weights=model.state_dict())
    assert isinstance(module, nn.Module)
    same(compile("cvt_13"), module, model, (224, 224), (96, 128))


def test_nat_gives_what_brute_force_gives() -> None:
    """Each pixel by itself, with the slices that it sees; the last stage is as small as its window, or a bit larger."""
    model = lively(NAT((1, 1, 1, 2), width=8, classes=7))
    graph = compile("nat_mini", read_settings(["width=8", "layers=[1,1,1,2]", "classes=7"]))
    module = graphc_torch.module(graph)
    module.load_state_dict(weights_by_shape(module, model))
    same(graph, module, model, (224, 256))


# --- blocks


def block(name: str, *settings: str) -> nn.Module:
    """A block of the library, as a module with random weights."""
    module = graphc_torch.module(compile(f"{BLOCKS}#{name}", read_settings(settings)))
    return lively(module)


def test_a_bias_is_that_of_the_offset() -> None:
    module = block("relative_position_bias", "height=3", "width=3", "heads=2")
    (table,) = module.state_dict().values()
    found = module()
    assert found.shape == (2, 9, 9)
    for query in range(9):
        for key in range(9):
            down, across = query // 3 - key // 3, query % 3 - key % 3
            assert torch.equal(found[:, query, key], table[(down + 2) * 5 + across + 2])


@pytest.mark.parametrize(("height", "width"), [(6, 9), (3, 6), (3, 3)])
def test_only_neighbours_of_the_unshifted_map_see_each_other(height: int, width: int) -> None:
    """Tokens of one window of the rolled map that are less than a window apart in the map as it was."""
    window = 3
    module = block("shift_mask", f"window={window}", f"H={height}", f"W={width}", "C=1")
    mask = module(torch.zeros(1, height, width, 1))
    assert mask.shape == (height // window, width // window, 1, 9, 9)
    shifts = [-min(window // 2, size - window) for size in (height, width)]
    rows, columns = (
        torch.arange(size).roll(s).view(-1, window) for size, s in zip((height, width), shifts, strict=True)
    )
    for h in range(height // window):
        for w in range(width // window):
            for q in range(9):
                for k in range(9):
                    down = abs(int(rows[h, q // 3] - rows[h, k // 3]))
                    across = abs(int(columns[w, q % 3] - columns[w, k % 3]))
                    wanted = 0.0 if down < window and across < window else -100.0
                    assert float(mask[h, w, 0, q, k]) == wanted


@pytest.mark.parametrize(("height", "width"), [(3, 3), (3, 7), (8, 5)])
def test_a_token_sees_its_neighbourhood(height: int, width: int) -> None:
    ours = block("neighbourhood_attention", "heads=2", "window=3", "C=8")
    theirs = lively(NeighbourhoodAttention(8, 2, 3))
    ours.load_state_dict(weights_by_shape(ours, theirs))
    features = torch.randn(2, height, width, 8)
    assert worst(ours(features).detach(), theirs(features).detach()) < 1e-6


def test_merging_is_torchvisions(torchvision: ModuleType) -> None:
    theirs = torchvision.models.swin_transformer.PatchMerging(6)
    ours = graphc_torch.module(compile("swin#patch_merging", read_settings(["C=6"])))
    ours.load_state_dict(theirs.state_dict())
    tokens = torch.randn(2, 4, 6, 6)
    assert worst(ours(tokens).detach(), theirs(tokens).detach()) < 1e-6


def test_attention_in_windows_costs_what_the_paper_says() -> None:
    """Ω(W-MSA) = 4hwC² + 2M²hwC (section 3.2, equation 2)."""
    h, w, c, m = 14, 21, 8, 7
    sizes = [f"{name}={size}" for name, size in zip("HWC", (h, w, c), strict=True)]
    graph = compile(f"{BLOCKS}#window_attention", read_settings(["heads=2", f"window={m}", "N=1", *sizes]))
    assert macs(graph) == 4 * h * w * c**2 + 2 * m**2 * h * w * c


def test_nats_smallest_picture_has_one_window_in_its_last_stage() -> None:
    """(192 + 31) // 32 is 6, less than the window."""
    graph = compile("nat_mini")
    with pytest.raises(ValueError, match="H"):
        verify(graph, Asked(sizes=[{"H": 192, "W": 224}]))


# --- both backends, and training


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n not in QUICK)) for n in SMALL])
@pytest.mark.slow
def test_both_backends_agree_at_two_sizes(name: str) -> None:
    """Losses too; the second size is not the example."""
    graph, (_, size) = small(name), SMALL[name]
    sizes = {"N": 2} | dict(zip("HW", size, strict=False))
    larger = sizes | {free: sizes[free] * 2 for free in ("H", "W") if free in sizes}
    result = verify(graph, Asked(training=True, sizes=[sizes, larger if size else {"N": 3}]))
    assert result, str(result)


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n not in QUICK)) for n in SMALL])
@pytest.mark.slow
def test_the_loss_falls_on_a_fixed_batch(name: str) -> None:
    graph, (_, size) = small(name), SMALL[name]
    inputs = tensors(batch(graph, {"N": 2} | dict(zip("HW", size, strict=False))))
    losses = train(graphc_torch.module(graph, training=True), inputs, 20, rate=3e-3)
    assert all(map(math.isfinite, losses))
    assert losses[-1] < 0.9 * losses[0]


# --- the source


def probabilities(module: nn.Module) -> list[float]:
    """Those of stochastic depth, in order."""
    return [float(vars(each)["p"]) for each in module.modules() if type(each).__name__ == "StochasticDepth"]


def test_stochastic_depth_grows_as_torchvisions(torchvision: ModuleType) -> None:
    with torch.device("meta"):
        theirs = torchvision.models.swin_t(weights=None)
    wanted = probabilities(theirs)
    found = probabilities(graphc_torch.module(compile("swin_t", read_settings(["width=24"]))))
    assert found[::2] == found[1::2]
    assert found[::2] == pytest.approx(wanted)


def test_a_loop_in_the_source_has_the_spec_s_variable_only_where_it_counts_from_0() -> None:
    text = """graphc: 1
name: ramp
dims: {N: 1}
inputs: {tokens: [N, 4]}
graph:
  - do:
      - do:
          - linear: 4
          - stochastic_depth: i / 10
        for: {i: "range(start, start + 6, 2)"}
        id: layer
    for: {start: [0, 3]}
    id: stage
outputs: {y: x}
"""
    graph = elaborate(library.parse(text, "ramp.yaml"), library.standard())
    assert probabilities(graphc_torch.module(graph)) == [0.0, 0.2, 0.4, 0.3, 0.5, 0.7]


def test_a_class_is_written_once_and_its_sizes_are_those_of_its_own_inputs() -> None:
    text = graphc_torch.source(compile("swin_t"))
    assert "functional.pad(\n            features, (0, 0, 0, -features.size(2) % 7, 0, -features.size(1) % 7)\n" in text
    assert "-min(3, features.size(1) - 7)" in text
    assert "self.norm = nn.LayerNorm(4 * C)" in text
    assert "device=self.table.weight.device" in text
    for name in ("RelativePositionBias", "AttentionInWindows", "AttentionInShiftedWindows", "PatchMerging", "Mlp"):
        assert text.count(f"class {name}(") == 1
        assert f"class {name}2(" not in text


def test_a_nested_floor_is_read_of_the_nearer_size() -> None:
    text = graphc_torch.source(compile("mobilevit_s"))
    assert "features.size(2) // 2, features.size(3) // 2" in text
    assert "self.fuse = ConvBnRelu(2 * C, C, kernel_size=3)" in text
    assert "class MobilevitBlock2(" not in text
