"""Sizes that weights have: free in checks and costs, fixed in what is built."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

import graphc
from graphc import saved
from graphc.bound import tied
from graphc.compiler import compile as compiled
from graphc.cost import macs, parameters
from graphc.dims import substitute, symbols
from graphc.expanded import text as expanded
from graphc.settings import read_settings
from graphc.sources import graph_of
from graphc.verify.sizes import SizeError
from test_torch import worst
from test_transformers import counted, of_timm, stirred, total

POSITIONS = """
graphc: 1
name: positions
dims: {N: 2, H: {multiple: 4, example: 32}, W: {multiple: 4, example: 48}}
inputs: {image: [N, 3, H, W]}
shared: {table: {embedding: {num_embeddings: (H // 4) * (W // 4) + 1, embedding_dim: 8}}}
graph:
  - conv2d: {out_channels: 8, kernel_size: 4, stride: 4}
  - rearrange: N C h w -> N (h w) C
  - add:
    from: {tokens: x, position: table(arange(end=(H // 4)*(W // 4))), first: "table.weight[:1]"}
  - mean: 1
  - linear: 3
    id: logits
training:
  inputs: {label: {shape: [N], dtype: int64}, where: [N, H // 4]}
  graph:
    - multiply:
      from: {of: where, by: {parameter: {shape: [H // 4], std: 1.0}}}
      id: waves
  losses: {total: "cross_entropy(logits, label) + mean(waves)"}
"""
SMALL = {
    "positions": (),
    "vit_ti_16": ("depth=2", "classes=10"),
    "deit_ti_distilled": ("depth=2", "classes=10"),
    "vit_hybrid_r50_b_16": ("layers=[1, 1, 1]", "width=64", "heads=4", "depth=2"),
    "image_gpt_s": ("colours=12", "width=32", "depth=2"),
    "coatnet_0": ("width=[32, 64, 96, 128]", "layers=[1, 1, 2, 1]"),
}


def network(name: str, set_: tuple[str, ...] = (), sizes: tuple[str, ...] = ()) -> graphc.Graph:
    values = dict(text.split("=") for text in (*SMALL[name], *set_))
    size = {key: int(value) for key, value in (text.split("=") for text in sizes)}
    if name == "positions":
        return graphc.compile(text=POSITIONS, set=values, size=size)
    return graphc.compile(name, set=values, size=size)


SEQUENCES = ("transformer", "sequence")
PICTURES = (
    *(
        "vit",
        "deit",
        "vit_patch7",
        "vit_hybrid",
        "visual_transformer",
        "image_gpt",
        "mae",
        "cvt",
        "coatnet",
        "mobilevit",
    ),
    *("swin", "nat", "detr", "maskformer", "van", "non_local"),
)


@pytest.mark.parametrize("name", [*SEQUENCES, *PICTURES])
def test_attention_leaves_sizes_free(name: str) -> None:
    """The length of a sequence, and both sides of a picture: in the inputs, and in the MACs."""
    graph = graphc.compile(name)
    wanted = {"T"} if name in SEQUENCES else {"H", "W"}
    cost = macs(graph)
    assert cost is not None
    assert wanted <= symbols(cost)
    assert wanted <= {name for value in graph.inputs.values() for size in value.type.shape for name in symbols(size)}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * n.startswith(("vit_hybrid", "deit"))) for n in SMALL]
)
def test_what_is_built_is_what_fixed_sizes_give(name: str) -> None:
    """`--set H=64,W=96` makes numbers of the sizes while the spec is read, without what is tested here."""
    free, fixed = network(name, sizes=("H=64", "W=96")), network(name, ("H=64", "W=96"))
    assert tied(free) == {"H", "W"}
    assert not tied(fixed)
    assert list(free.bound().sizes) == list(fixed.sizes)
    assert free.source() == fixed.source()
    assert dict(free.bound().weights()) == dict(fixed.weights())
    ours, theirs = (graph.onnx(weights=None) for graph in (free, fixed))
    assert ours.graph == theirs.graph
    assert not free.diff(fixed)


def test_a_graph_without_such_sizes_is_bound_already() -> None:
    graph = graphc.compile("swin_t")
    assert not tied(graph)
    assert graph.bound() is graph


@pytest.mark.parametrize("size", [(96, 128), (224, 224), (160, 32)])
def test_counts_at_other_sizes_are_timms(size: tuple[int, int], torchvision: object) -> None:
    """From one graph, whose formulas are in H and W."""
    graph, at = graphc.compile("vit_ti_16"), {"N": 1, "H": size[0], "W": size[1]}
    with torch.device("meta"):
        reference = of_timm("vit_tiny_patch16_224", img_size=size)
        image = torch.zeros(1, 3, *size)
    assert substitute(parameters(graph), at) == total(reference)
    cost = macs(graph)
    assert cost is not None
    assert substitute(cost, at) == counted(reference, image)


def test_a_picture_that_is_no_square_gives_what_timms_gives(torchvision: object) -> None:
    torch.manual_seed(0)
    reference = stirred(of_timm("vit_tiny_patch16_224", img_size=(64, 96), depth=2, num_classes=10))
    graph = network("vit_ti_16", sizes=("H=64", "W=96"))
    module, image = graph.module(weights=reference.state_dict()), torch.randn(3, 3, 64, 96)
    assert isinstance(module, nn.Module)
    with torch.inference_mode():
        wanted = reference(image)
        assert worst(wanted[:1], wanted[1:2]) > 1e-2
        assert worst(module.eval()(image), wanted) < 1e-5


@pytest.mark.parametrize("name", ["positions", "coatnet_0"])
def test_both_backends_agree_at_sizes_of_ones_choice(name: str) -> None:
    graph = network(name)
    training = graph.training is not None
    assert graph.verify(training=training, sizes=[{"N": 2, "H": 64, "W": 96}, {"N": 3, "H": 64, "W": 96}])


def test_one_network_has_one_size_of_its_weights() -> None:
    graph = network("positions")
    with pytest.raises(SizeError, match="`H` is a size of weights: it can't be 64 and 96 in one network"):
        graph.verify(sizes=[{"H": 64}, {"H": 96}])
    with pytest.raises(SizeError, match="doesn't take"):
        graph.verify(sizes=[{"H": 3}])


def test_a_saved_graph_keeps_the_sizes_and_is_built_as_the_spec(tmp_path: Path) -> None:
    graph = network("positions", sizes=("H=64",))
    path = tmp_path / "graph.json"
    path.write_text(saved.save(graph), encoding="utf-8")
    again, _ = graph_of(str(path))
    assert json.loads(saved.save(again)) == json.loads(saved.save(graph))
    assert tied(again) == {"H", "W"}
    assert again.source() == graph.source()


def test_an_expanded_spec_keeps_the_sizes() -> None:
    graph = network("vit_ti_16", sizes=("H=64", "W=96"))
    again = graphc.compile(text=expanded(graph))
    assert tied(again) == {"H", "W"}
    assert parameters(again) == parameters(graph)
    assert not again.diff(graph)


def test_a_file_of_another_size_is_not_taken() -> None:
    small, large = (network("positions", sizes=(f"H={height}",)) for height in (32, 64))
    module = large.module()
    assert isinstance(module, nn.Module)
    with pytest.raises(graphc.SpecError, match="1 of another shape"):
        small.module(weights=module.state_dict())


def test_taps_and_pictures_are_of_what_is_built(tmp_path: Path) -> None:
    graph = graphc.compile(text=POSITIONS, taps=["conv2d"], size={"H": 16, "W": 16})
    module = graph.module()
    assert isinstance(module, nn.Module)
    assert module(torch.zeros(1, 3, 16, 16))[1].shape == (1, 8, 4, 4)
    graph.draw(tmp_path / "maps.svg", image=torch.rand(3, 16, 16).numpy())
    assert "data:image/png" in (tmp_path / "maps.svg").read_text("utf-8")


def test_a_variant_gives_examples() -> None:
    """The paper's table 4: b1 for 240 pixels a side; the network takes others too."""
    graph = compiled("efficientnet_b1")
    assert graph.examples() == {"N": 1, "H": 240, "W": 240}
    assert compiled("efficientnet_b1", read_settings((), ["H=64"])).examples()["H"] == 64
    assert "H" not in compiled("efficientnet_b1", read_settings(["H=64"])).sizes
