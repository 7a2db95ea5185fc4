"""ViT against torchvision and timm, Swin against torchvision: counts, and the same outputs with the same weights."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import onnx
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

import graphc_onnx
import graphc_torch
from graphc import library
from graphc.compiler import compile as compiled
from graphc.cost import macs, parameters
from graphc.dims import substitute
from graphc.elaborate import elaborate
from graphc.ops.attention import Attention
from optable.running import assert_close, session
from sketch import Sketch, tensor
from test_torch import worst

SWIN = Path(__file__).parent / "cases" / "language" / "swin.yaml"
TORCHVISION = ["vit_b_16", "vit_b_32", "vit_l_16", "vit_l_32", "vit_h_14"]
TIMM = {
    "vit_ti_16": "vit_tiny_patch16_224",
    "vit_s_16": "vit_small_patch16_224",
    "vit_b_16": "vit_base_patch16_224",
    "vit_l_14": "vit_large_patch14_224",
}


def theirs(library: str, name: str, torchvision: ModuleType) -> nn.Module:
    """A model of torchvision, or of timm, which can be imported behind torchvision."""
    made: nn.Module
    if library == "torchvision":
        made = torchvision.models.get_model(name, weights=None)
    else:
        import timm

        made = timm.create_model(TIMM[name])
    return made


@pytest.mark.parametrize(
    ("library", "name"), [("torchvision", name) for name in TORCHVISION] + [("timm", name) for name in TIMM]
)
def test_the_counts_are_those_of_the_reference(library: str, name: str, torchvision: ModuleType) -> None:
    """torch counts the products of attention where they are written out, as torchvision's is in training."""
    with torch.device("meta"):
        model = theirs(library, name, torchvision)
        images = torch.zeros(1, 3, 224, 224)
    graph = compiled(name)
    assert substitute(parameters(graph), graph.examples()) == sum(p.numel() for p in model.parameters())
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH), torch.no_grad():
        model.train()(images)
    cost = macs(graph)
    assert cost is not None
    assert substitute(cost, graph.examples()) == counter.get_total_flops() // 2


@pytest.mark.parametrize(
    ("library", "name"), [pytest.param("torchvision", "vit_b_16", marks=pytest.mark.slow), ("timm", "vit_s_16")]
)
def test_with_their_weights_it_gives_what_theirs_gives(library: str, name: str, torchvision: ModuleType) -> None:
    """In both backends, from one ONNX file for one picture and for two."""
    torch.manual_seed(0)
    model = theirs(library, name, torchvision).eval()
    for path, weight in model.named_parameters():
        if path.endswith("bias") or "head" in path or "token" in path:
            nn.init.normal_(weight, std=0.1)
    graph, weights = compiled(name), model.state_dict()
    ours = graph.module(weights=weights)
    assert isinstance(ours, nn.Module)
    run = session(onnx.load_from_string(graph.onnx(weights=weights).SerializeToString())).run
    for count in (2, 1):
        images = torch.randn(count, 3, 224, 224)
        with torch.inference_mode():
            wanted = model(images)
            assert count == 1 or worst(wanted[:1], wanted[1:]) > 1e-2, "whatever the picture is"
            assert worst(ours.eval()(images), wanted) < 1e-5
        assert worst(torch.from_numpy(run(None, {"image": images.numpy()})[0]), wanted) < 1e-4


def in_order_of_shapes(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Their weights by our names, where both name those of one shape in the same order."""
    by_shape: dict[tuple[int, ...], list[Tensor]] = {}
    for weight in reversed(theirs.values()):
        by_shape.setdefault(tuple(weight.shape), []).append(weight)
    return {path: by_shape[tuple(weight.shape)].pop() for path, weight in ours.items()}


def test_swin_needs_a_mask_and_a_bias_together(torchvision: ModuleType) -> None:
    """The design's Swin-T: relative positions are a bias, what the cyclic shift brings together a mask."""
    torch.manual_seed(0)
    model = torchvision.models.swin_t(weights=None).eval()
    for path, weight in model.named_parameters():
        if path.endswith("bias") or "relative" in path:
            nn.init.normal_(weight, std=0.1)
    graph = elaborate(library.load_file(SWIN, "swin.yaml"), library.standard())
    ours, theirs = graphc_torch.module(graph).eval(), model.state_dict()
    learned = {path: weight for path, weight in theirs.items() if not path.endswith("index")}
    assert len(learned) == len(ours.state_dict())
    ours.load_state_dict(in_order_of_shapes(ours.state_dict(), learned))
    images = torch.randn(2, 3, 224, 224)
    with torch.inference_mode():
        wanted = model(images)
        assert worst(wanted[:1], wanted[1:]) > 1e-2
        assert worst(ours(images), wanted) < 1e-5
    weights = {path: weight.numpy() for path, weight in ours.state_dict().items()}
    (found,) = session(graphc_onnx.model(graph, weights=weights)).run(None, {"image": images.numpy()})
    assert worst(torch.from_numpy(found), wanted) < 1e-5


def test_the_encoder_is_drawn_once() -> None:
    """×12, as in figure 1 of the paper the layer stands once, with L ×."""
    picture = compiled("vit").draw(depth=3)
    assert picture.count("×12<") == 1
    assert picture.count(">fc1<") == 1


def test_dropout_of_attention_is_for_training() -> None:
    """functional.scaled_dot_product_attention drops weights whenever it is told a probability."""
    sketch = Sketch(query=tensor("N", 3, 4), key=tensor("N", 5, 4), value=tensor("N", 5, 4))
    given = sketch.graph.inputs.values()
    graph = sketch.give(output=sketch.add("attention", Attention(heads=2, dropout_p=0.5), *given))
    module = graphc_torch.module(graph)
    operands = [torch.randn(2, size, 4) for size in (3, 5, 5)]
    drawn: list[Tensor] = [module.train()(*operands) for _ in range(2)]
    assert not torch.equal(*drawn)
    query, key, value = (operand.unflatten(-1, (2, 2)).transpose(1, 2) for operand in operands)
    wanted = functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
    assert_close(module.eval()(*operands).numpy(), wanted.numpy())
