"""What PyTorch's exporters write beside the spec: the same, however it is written; and a change is still one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import graphc
from exporting import SIZES, exported, exported_graph, filled
from graphc.api import Setting
from graphc.cost import macs
from graphc.diff import Diff
from graphc.diff.normal import normal
from graphc.dims import substitute
from graphc.graph import Graph
from graphc.ops.linear import Linear
from graphc.sources import graph_of
from graphc.tensor import Tensor as Type

FAST = ("squeezenet1_1", "mobilenet_v3_small")
BOTH = pytest.mark.parametrize("dynamo", [False, True], ids=["torchscript", "dynamo"])
pytestmark = pytest.mark.filterwarnings("ignore")


@BOTH
@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n not in FAST)) for n in SIZES])
def test_torchvisions_network_is_the_same(name: str, dynamo: bool, torchvision: ModuleType, tmp_path: Path) -> None:
    made = graphc.compile(name).diff(exported_graph(torchvision, name, tmp_path, dynamo=dynamo))
    assert made.sentence.startswith("The two are the same")
    assert made.same
    assert (made.cost, list(made.edits)) == (0, [])
    norms = any(node.op.name == "batch_norm" for node in made.before.nodes)
    assert norms == ("batch norms folded" in made.done)


# --- forms in small


def spec(*steps: str, input: str = "image: [N, 8, 12, 12]", dims: str = "N: 2") -> Graph:
    """A spec of some steps."""
    text = f"graphc: 1\nname: small\ndims: {{{dims}}}\ninputs: {{{input}}}\ngraph:\n"
    return graphc.compile(text=text + "".join(f"  - {step}\n" for step in steps))


def beside(net: nn.Module, graph: Graph, folder: Path, shape: tuple[int, ...], *, dynamo: bool) -> Diff:
    """The difference of a spec and what the exporter writes of a module."""
    path = exported(filled(net), torch.zeros(shape), folder / "net.onnx", dynamo=dynamo)
    return graph.diff(graph_of(path)[0])


class Pools(nn.Module):
    def __init__(self, parts: int, ceil_mode: bool = False, kernel: int = 2) -> None:
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3)
        self.pool = nn.MaxPool2d(kernel, ceil_mode=ceil_mode)
        self.parts = nn.AdaptiveAvgPool2d(parts)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.parts(self.pool(self.conv(x)))
        return found


def pools(parts: int, **options: object) -> Graph:
    said = "".join(f", {name}: {str(value).lower()}" for name, value in options.items())
    return spec(
        "conv2d: {out_channels: 8, kernel_size: 3}",
        f"max_pool2d: {{kernel_size: 2{said}}}",
        f"adaptive_avg_pool2d: {parts}",
    )


@BOTH
@pytest.mark.parametrize("parts", [1, 5])
def test_a_pool_is_what_it_is_at_the_size_of_the_file(parts: int, dynamo: bool, tmp_path: Path) -> None:
    """10 · 10 places become 5 · 5, of which each part is one, or they become 1."""
    shape = (2, 8, 12, 12)
    assert beside(Pools(parts), pools(parts), tmp_path, shape, dynamo=dynamo).same
    assert beside(Pools(parts), pools(parts, stride=2), tmp_path, shape, dynamo=dynamo).same
    assert beside(Pools(parts), pools(parts, ceil_mode=True), tmp_path, shape, dynamo=dynamo).same  # 10 is even
    other = 5 if parts == 1 else 1
    assert not beside(Pools(parts), pools(other), tmp_path, shape, dynamo=dynamo).same
    assert not beside(Pools(parts), pools(parts, stride=1, padding=1), tmp_path, shape, dynamo=dynamo).same


def test_where_something_is_left_to_round_it_matters_how(tmp_path: Path) -> None:
    """Of 10 places windows of 3 leave one."""
    graph = spec(
        "conv2d: {out_channels: 8, kernel_size: 3}",
        "max_pool2d: {kernel_size: 3, ceil_mode: true}",
        "adaptive_avg_pool2d: 1",
    )
    shape = (2, 8, 12, 12)
    assert beside(Pools(1, True, 3), graph, tmp_path, shape, dynamo=False).same
    assert not beside(Pools(1, False, 3), graph, tmp_path, shape, dynamo=False).same


class Dense(nn.Module):
    def __init__(self, *, turned: bool = False) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(8, 4, 1), nn.Conv2d(12, 4, 1)
        self.turned = turned

    def forward(self, x: Tensor) -> Tensor:
        first = self.first(x)
        second = self.second(torch.cat([x, first], 1))
        return torch.cat([first, x, second] if self.turned else [x, first, second], 1)


@BOTH
def test_a_concat_of_all_is_concats_of_two(dynamo: bool, tmp_path: Path) -> None:
    text = """
graphc: 1
name: dense
dims: {N: 2}
inputs: {image: [N, 8, 12, 12]}
blocks:
  layer:
    inputs: {features: [N, C, H, W]}
    graph:
      - conv2d: {out_channels: 4, kernel_size: 1}
        id: conv
    outputs: {grown: "concat(features, conv)"}
graph:
  - layer:
    repeat: 2
    id: layer
"""
    graph, shape = graphc.compile(text=text), (2, 8, 12, 12)
    made = beside(Dense(), graph, tmp_path, shape, dynamo=dynamo)
    assert made.sentence == "The two are the same, equivalent forms as one."
    assert not beside(Dense(turned=True), graph, tmp_path, shape, dynamo=dynamo).same


class Attending(nn.Module):
    """PyTorch's attention: one packed projection, tokens in front of the batch."""

    def __init__(self, heads: int = 4, *, batch_first: bool = True) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(32, heads, batch_first=batch_first)
        self.norm = nn.LayerNorm(32)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(x)
        found: Tensor = x + self.attention(y, y, y, need_weights=False)[0]
        return found


class Packed(nn.Module):
    """timm's: one projection, of which queries, keys and values are the thirds."""

    def __init__(self, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm, self.qkv, self.proj = nn.LayerNorm(32), nn.Linear(32, 96), nn.Linear(32, 32)

    def forward(self, x: Tensor) -> Tensor:
        n, t, c = x.shape
        qkv = self.qkv(self.norm(x)).reshape(n, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        found = nn.functional.scaled_dot_product_attention(q, k, v)
        out: Tensor = x + self.proj(found.transpose(1, 2).reshape(n, t, c))
        return out


def attending(heads: int) -> Graph:
    text = f"""
graphc: 1
name: attending
use: {{attention: blocks/attention.yaml}}
dims: {{N: 2}}
inputs: {{tokens: [N, 9, 32]}}
graph:
  - add:
    from:
      attend:
        - layer_norm
        - attention.self_attention: {{heads: {heads}}}
      skip: x
"""
    return graphc.compile(text=text)


@BOTH
@pytest.mark.parametrize("kind", [Attending, Packed])
def test_attention_of_several_heads_is_found(kind: type[Attending | Packed], dynamo: bool, tmp_path: Path) -> None:
    made = beside(kind(4), attending(4), tmp_path, (2, 9, 32), dynamo=dynamo)
    assert made.same, made.text()
    read = made.after
    assert [node.op.name for node in read.nodes] == ["layer_norm", *["linear"] * 3, "attention", "linear", "add"]
    assert sum(weight.count for _, weight in read.weights()) == sum(w.count for _, w in made.before.weights())
    assert len({node.home for node in read.nodes if isinstance(node.op, Linear)}) == 4
    assert len(made.weights.carried) == len(list(made.before.weights()))


@BOTH
@pytest.mark.parametrize("kind", [Attending, Packed])
def test_another_number_of_heads_is_a_change(kind: type[Attending | Packed], dynamo: bool, tmp_path: Path) -> None:
    made = beside(kind(8), attending(4), tmp_path, (2, 9, 32), dynamo=dynamo)
    assert [edit.text.partition(": ")[2] for edit in made.edits] == ["4 → 8 heads"]


class Turned(nn.Module):
    """Tokens mixed where Attending mixes channels: a transpose that doesn't cancel."""

    def __init__(self, *, back: bool) -> None:
        super().__init__()
        self.linear, self.back = nn.Linear(9, 9), back

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.linear(x.transpose(1, 2))
        return found.transpose(1, 2) if self.back else found


@BOTH
def test_a_transpose_that_does_something_stays(dynamo: bool, tmp_path: Path) -> None:
    square = "tokens: [N, 9, 9]"
    plain, mixing = spec("linear: 9", input=square), spec("transpose", "linear: 9", "transpose", input=square)
    for back in (True, False):
        made = beside(Turned(back=back), mixing, tmp_path, (2, 9, 9), dynamo=dynamo)
        assert made.same == back
        assert not beside(Turned(back=back), plain, tmp_path, (2, 9, 9), dynamo=dynamo).same


def test_two_ways_to_move_are_one(tmp_path: Path) -> None:
    class Moving(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(x).flatten(2).transpose(1, 2).contiguous().view(x.shape[0], 144, 2, 4).flatten(2)

    one = spec("relu", "rearrange: n c h w -> n (h w) c")
    made = beside(Moving(), one, tmp_path, (2, 8, 12, 12), dynamo=False)
    assert made.sentence == "The two are the same, equivalent forms as one."
    other = spec("relu", "rearrange: n c h w -> n (w h) c")
    assert not beside(Moving(), other, tmp_path, (2, 8, 12, 12), dynamo=False).same


class Rolled(nn.Module):
    def __init__(self, shifts: tuple[int, int]) -> None:
        super().__init__()
        self.shifts, self.conv = shifts, nn.Conv2d(8, 8, 3)

    def forward(self, x: Tensor) -> Tensor:
        padded = nn.functional.pad(x, (0, 0, 0, -x.shape[2] % 4))
        found: Tensor = self.conv(torch.roll(padded, self.shifts, (2, 3)))
        return found


@BOTH
def test_a_map_moved_round_its_edges_is_that(dynamo: bool, tmp_path: Path) -> None:
    """Exporters write parts in another order; nothing is padded, for 4 divides 12."""
    conv, shape = "conv2d: {out_channels: 8, kernel_size: 3}", (2, 8, 12, 12)
    one = spec("pad: [0, 0, 0, 0]", "roll: {shifts: [-3, 2], dims: [2, 3]}", conv)
    made = beside(Rolled((-3, 2)), one, tmp_path, shape, dynamo=dynamo)
    assert made.same, made.text()
    twice = spec("roll: {shifts: 2, dims: 3}", "roll: {shifts: 9, dims: -2}", conv)
    assert beside(Rolled((-3, 2)), twice, tmp_path, shape, dynamo=dynamo).same
    assert not beside(Rolled((-3, 2)), spec(conv), tmp_path, shape, dynamo=dynamo).same
    assert not beside(Rolled((3, 2)), one, tmp_path, shape, dynamo=dynamo).same
    idle = spec("roll: {shifts: [-3, 12, 2], dims: [2, 3, 3]}", conv)
    assert beside(Rolled((-3, 2)), idle, tmp_path, shape, dynamo=dynamo).same


def at_sizes(kind: Type, sizes: Mapping[str, int]) -> Type:
    return kind.with_shape(tuple(substitute(size, sizes) for size in kind.shape))


@pytest.mark.parametrize("name", ["densenet121", "vit_ti_16", "swin_t", "unet"])
def test_the_normal_form_keeps_types_and_outputs(name: str) -> None:
    graph = graphc.compile(name)
    for sizes in ({}, graph.examples()):
        made = normal(graph, sizes)
        for node in made.nodes:
            inferred = node.op.infer(*(kind and at_sizes(kind, sizes) for kind in node.inputs))
            assert isinstance(inferred, Type)
            assert at_sizes(inferred, sizes) == at_sizes(node.output.type, sizes), node
        before, after = ({n: at_sizes(v.type, sizes) for n, v in it.outputs.items()} for it in (graph, made))
        assert before == after
        kept = {path for path, _ in graph.weights() if "qkv" not in path}  # which becomes three layers
        assert {path for path, _ in made.weights() if "qkv" not in path} == kept
        assert [node.op for node in normal(made, sizes).nodes] == [node.op for node in made.nodes]  # no more to be done


# --- other families


NETWORKS = {
    "fcn_resnet50": ("segmentation", 3, 64, 64),
    "deeplabv3_resnet50": ("segmentation", 3, 64, 64),
    "r3d_18": ("video", 3, 8, 64, 64),
}
"""Where torchvision has a network, and a picture or a film of it."""


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("name", NETWORKS)
def test_other_families_are_the_same(name: str, dynamo: bool, torchvision: ModuleType, tmp_path: Path) -> None:
    family, *shape = NETWORKS[name]
    options = {"weights_backbone": None} if family == "segmentation" else {}
    net = filled(getattr(getattr(torchvision.models, str(family)), name)(**options))
    path = exported(net, torch.zeros(2, *map(int, shape)), tmp_path / "net.onnx", dynamo=dynamo, free=False)
    made = graphc.compile(name).diff(graph_of(path)[0])
    assert made.same, made.text()


def windowed(torchvision: ModuleType, folder: Path, dynamo: bool) -> Graph:
    """A small Swin Transformer for pictures of 64 · 64, as it is exported."""
    made = torchvision.models.swin_transformer.SwinTransformer(
        patch_size=[4, 4], embed_dim=16, depths=[2] * 4, num_heads=[2, 2, 4, 4], window_size=[2, 2]
    )
    path = exported(filled(made), torch.zeros(2, 3, 64, 64), folder / "net.onnx", dynamo=dynamo, free=False)
    graph, found = graph_of(path)
    assert [each.message for each in found] == []
    return graph


OTHERS = {
    "efficientnet_v2_s": 64,
    "inception_v3": 299,
    "maxvit_t": 224,
    "mnasnet1_0": 64,
    "regnet_x_400mf": 64,
    "regnet_y_400mf": 64,
    "resnext50_32x4d": 64,
    "shufflenet_v2_x1_0": 64,
    "swin_v2_t": 256,
    "wide_resnet50_2": 64,
}
"""torchvision's families without a spec, and the size of the picture that they are exported with."""
WINDOWED: Mapping[str, Setting] = {"width": 16, "layers": [2] * 4, "heads": [2, 2, 4, 4], "window": 2}


@pytest.mark.parametrize("dynamo", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["torchscript", "dynamo"])
def test_shifted_windows_are_found(dynamo: bool, torchvision: ModuleType, tmp_path: Path) -> None:
    """The masks are calculated in the spec, and numbers in the file; windows lie in the batch there."""
    file = windowed(torchvision, tmp_path, dynamo)
    made = graphc.compile("swin_t", set=WINDOWED).diff(file)
    assert made.same, made.text()
    assert made.sentence.endswith("equivalent forms as one and learned tables looked up.")
    tables = {path for path, _ in made.before.weights() if ".table." in path}
    packed = {path for path, _ in made.before.weights() if ".qkv." in path}
    assert made.weights.lost.keys() == tables | packed
    assert all(
        dict(made.after.weights())[new].shape == dict(made.before.weights())[old].shape
        for new, old in made.weights.carried.items()
    )
    wider = graphc.compile("swin_t", set={**WINDOWED, "window": 4}).diff(file)
    assert not wider.same
    heads = graphc.compile("swin_t", set={**WINDOWED, "heads": [2, 2, 4, 8]}).diff(file)
    assert [edit.text.partition(": ")[2] for edit in heads.edits][-1] == "8 → 4 heads (2×)"


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("name", ["swin_t", "swin_s", "swin_b"])
def test_torchvisions_swin_is_the_same(name: str, dynamo: bool, torchvision: ModuleType, tmp_path: Path) -> None:
    net = filled(getattr(torchvision.models, name)())
    path = exported(net, torch.zeros(1, 3, 224, 224), tmp_path / "net.onnx", dynamo=dynamo, free=False)
    made = graphc.compile(name).diff(graph_of(path)[0])
    assert made.same, made.text()


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("name", OTHERS)
def test_every_other_family_of_torchvision_is_read_whole(
    name: str, dynamo: bool, torchvision: ModuleType, tmp_path: Path
) -> None:
    """No spec says them; nothing in their files is unknown, and what they cost is torchvision's.

    But for what dynamo's exporter calculates beforehand: the small network of Swin V2's biases, 0.05 % of it all.
    """
    size = OTHERS[name]
    options = {"init_weights": False, "aux_logits": False} if name == "inception_v3" else {}
    net = filled(getattr(torchvision.models, name)(**options))
    path = exported(net, torch.zeros(1, 3, size, size), tmp_path / "net.onnx", dynamo=dynamo, free=False)
    graph, found = graph_of(path)
    assert [each.message for each in found] == []
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(torch.zeros(1, 3, size, size))
    found_macs, wanted = int(str(substitute(macs(graph) or 0, graph.examples()))), counter.get_total_flops() // 2
    assert wanted * (0.999 if dynamo else 1) <= found_macs <= wanted
    made = graphc.compile("swin_t").diff(graph)
    assert made.is_rewrite
    assert made.text()
    assert made.markdown()
    assert made.data()


@BOTH
def test_an_operator_without_an_op_is_told_and_compared(dynamo: bool, tmp_path: Path) -> None:
    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.head = nn.LSTM(16, 32, batch_first=True), nn.Linear(32, 10)

        def forward(self, x: Tensor) -> Tensor:
            found: Tensor = self.head(self.lstm(x)[0])
            return found

    path = exported(filled(Recurrent()), torch.zeros(2, 5, 16), tmp_path / "net.onnx", dynamo=dynamo, free=False)
    graph, found = graph_of(path)
    assert [each.message.partition(" (")[0] for each in found] == ["LSTM: graphc has no op for LSTM"]
    made = graphc.compile("mnist_cnn").diff(graph)
    assert "LSTM" in made.text()
    assert graph.diff(graph).same
