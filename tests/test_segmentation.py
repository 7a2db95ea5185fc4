"""The networks for segmentation, against torchvision, the released files and the papers written by hand in torch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.functional import max_pool2d, max_unpool2d, relu
from torch.utils.flop_counter import FlopCounterMode

import graphc_onnx
import graphc_torch
from graphc import library
from graphc.check import check
from graphc.checkpoint import read_weights
from graphc.compiler import compile
from graphc.cost import macs, parameters, training_parameters
from graphc.diagnostics import SpecError
from graphc.dims import Size, substitute
from graphc.elaborate import elaborate
from graphc.graph import Graph
from graphc.initial import initial_values
from graphc.settings import read_settings
from graphc.verify import Asked, verify
from optable.running import session
from test_checkpoint import alive, fit_of
from test_torch import worst
from test_training import batch, tensors, train

FIGURES = {
    "fcn32s": (136_152_917, 1_806_336, 181_365_854_976),
    "fcn16s": (134_815_994, 458_640, 181_448_086_272),
    "fcn8s": (134_489_759, 127_008, 181_529_034_048),
    "fcn8s_atonce": (134_490_527, 127_776, 181_529_034_048),
    "fcn_resnet50": (32_957_013, 0, 142_725_772_800),
    "segnet_camvid11": (29_449_355, 0, 106_712_432_640),
    "segnet_basic": (1_416_587, 0, 59_188_838_400),
    "deconvnet": (251_805_653, 0, 32_745_979_904),
    "red10": (296_641, 0, 740_160_000),
    "red20": (665_921, 0, 1_661_760_000),
    "red30": (1_035_201, 0, 2_583_360_000),
}
"""Parameters, those of them that stay as they are, and MACs.

Counted on the released Caffe files (FCN, where lr_mult is 0 for what stays; SegNet; DeconvNet), on torchvision's model,
or by the paper's layers (RED-Net: 640 weights in the first, 36,928 in each of the others, 577 in the last, at 50×50).
The MACs of SegNet-Basic are those of 45, 90, 180 and 360 rows on the way up: see
`test_segnet_basic_ends_with_the_rows_of_the_image`."""


def count(size: Size | None, graph: Graph) -> int:
    """A count at the example sizes."""
    assert size is not None
    return int(str(substitute(size, graph.examples())))


def frozen(graph: Graph) -> int:
    """The parameters that training leaves as they are."""
    module = graphc_torch.module(graph, training=True)
    return sum(weight.numel() for weight in module.parameters() if not weight.requires_grad)


@pytest.mark.parametrize("address", FIGURES)
def test_the_counts_are_those_of_the_reference(address: str) -> None:
    params, _, products = FIGURES[address]
    graph = compile(address)
    assert (count(parameters(graph), graph), count(macs(graph), graph)) == (params, products)


@pytest.mark.parametrize("name", ["fcn_resnet50", "fcn_resnet101", "deeplabv3_resnet50", "deeplabv3_resnet101"])
def test_the_counts_are_those_of_torchvision(name: str, torchvision: ModuleType) -> None:
    """With its second head they are those of training."""
    graph = compile(name)
    found = []
    for aux in (False, True):
        with torch.device("meta"):
            model = theirs(name, torchvision, aux_loss=aux).eval()
            with FlopCounterMode(display=False) as counter:
                model(torch.zeros(1, 3, 520, 520))
        found.append((sum(p.numel() for p in model.parameters()), counter.get_total_flops() // 2))
    assert found[0] == (count(parameters(graph), graph), count(macs(graph), graph))
    assert found[1][0] == count(training_parameters(graph), graph)


# --- torchvision's


def theirs(name: str, torchvision: ModuleType, **options: object) -> nn.Module:
    model: nn.Module = torchvision.models.segmentation.__dict__[name](
        weights=None, weights_backbone=None, num_classes=21, **options
    )
    return model


@pytest.mark.parametrize("name", ["fcn_resnet50", "fcn_resnet101", "deeplabv3_resnet50", "deeplabv3_resnet101"])
def test_every_name_and_shape_of_their_models_is_known(name: str, torchvision: ModuleType) -> None:
    with torch.device("meta"):
        state = theirs(name, torchvision, aux_loss=True).state_dict()
    fit = fit_of(compile(name), state, training=True)
    assert (fit.missing, fit.unexpected, fit.wrong) == ([], [], {})


@pytest.mark.parametrize("name", ["fcn_resnet50", "deeplabv3_resnet50"])
def test_with_their_weights_it_gives_what_theirs_gives(name: str, torchvision: ModuleType, tmp_path: Path) -> None:
    """Through the table, in both backends; the loss in training too, with the second head at 0.5.

    Fifty layers with random weights round to 1e-4 in float32: ONNX Runtime is as near to float64 as torchvision is.
    """
    torch.manual_seed(0)
    image = torch.randn(2, 3, 72, 57)
    label = torch.randint(0, 21, (2, 72, 57))
    label[:, :9] = 255
    model = alive(theirs(name, torchvision, aux_loss=True), image)
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, tmp_path / "weights.safetensors")
    graph = compile(name)
    weights = read_weights(graph, tmp_path / "weights.safetensors", training=True)
    ours = graphc_torch.module(graph, weights=weights, training=True).eval()
    with torch.inference_mode():
        wanted = model(image)
        assert worst(wanted["out"][:1], wanted["out"][1:]) > 1e-2, "whatever the image is"
        assert worst(ours.get_submodule("model")(image), wanted["out"]) < 1e-5
        entropy = partial(functional.cross_entropy, target=label, ignore_index=255)
        loss = entropy(wanted["out"]) + 0.5 * entropy(wanted["aux"])
        assert float(ours(image, label)["total"]) == pytest.approx(float(loss), rel=1e-5)
        exact = model.double()(image.double())["out"]
    alone = {path: value for path, value in weights.items() if not path.startswith("aux.")}
    (found,) = session(graphc_onnx.model(graph, weights=alone)).run(None, {"image": image.numpy()})
    rounding = worst(wanted["out"], exact)
    assert worst(torch.from_numpy(found), exact) < 3 * rounding < 5e-3  # theirs changes with the number of threads


# --- the others, by hand


@dataclass
class Layers:
    """The weights of a network, taken layer by layer in the order of the paper."""

    left: list[Tensor]

    def take(self, count: int) -> list[Tensor]:
        taken, self.left = self.left[:count], self.left[count:]
        return taken

    def conv(self, x: Tensor, padding: int = 0) -> Tensor:
        weight, bias = self.take(2)
        return functional.conv2d(x, weight, bias, padding=padding)

    def deconv(self, x: Tensor, padding: int = 0, stride: int = 1) -> Tensor:
        weight, bias = self.take(2)
        return functional.conv_transpose2d(x, weight, bias, padding=padding, stride=stride)

    def norm(self, x: Tensor) -> Tensor:
        weight, bias, mean, variance = self.take(4)
        return functional.batch_norm(x, mean, variance, weight, bias)


def fcn(layers: Layers, image: Tensor, strides: Sequence[int], offsets: Sequence[int], scaled: bool = False) -> Tensor:
    """voc-fcn8s/net.py and its like, with the offsets that the prototxts have."""
    x, pools, padding = image, [], 100
    for depth in (2, 2, 3, 3, 3):
        for _ in range(depth):
            x, padding = relu(layers.conv(x, padding)), 1
        x = max_pool2d(x, 2, ceil_mode=True)
        pools.append(x)
    x = relu(layers.conv(relu(layers.conv(x))))
    scores = []
    for pool in pools[4 - len(strides) + 1 : 4]:
        scale = layers.take(1)[0] if scaled else torch.ones(())
        scores.append(layers.conv(pool * scale))
    x = layers.conv(x)
    for stride, offset in zip(strides, offsets, strict=True):
        x = functional.conv_transpose2d(x, layers.take(1)[0], stride=stride)
        like = x if scores else image
        rows, columns = (slice(offset, offset + size) for size in like.shape[2:])
        x = x + scores.pop()[:, :, rows, columns] if scores else x[:, :, rows, columns]
    return x


def encoder(layers: Layers, x: Tensor) -> tuple[Tensor, list[tuple[Tensor, torch.Size]]]:
    """VGG16 with norms; what each pooling says, and the size of what it was given."""
    places = []
    for depth in (2, 2, 3, 3, 3):
        for _ in range(depth):
            x = relu(layers.norm(layers.conv(x, 1)))
        size = x.shape[2:]
        x, indices = max_pool2d(x, 2, ceil_mode=True, return_indices=True)
        places.append((indices, size))
    return x, places


def segnet(layers: Layers, image: Tensor) -> Tensor:
    """Models/segnet_train.prototxt."""
    x, places = encoder(layers, image)
    for depth in (3, 3, 3, 2, 1):
        indices, size = places.pop()
        x = max_unpool2d(x, indices, (2, 2), output_size=list(size))
        for _ in range(depth):
            x = relu(layers.norm(layers.conv(x, 1)))
    return layers.conv(x, 1)


def segnet_basic(layers: Layers, image: Tensor) -> Tensor:
    """Models/segnet_basic_train.prototxt."""
    x, places = functional.local_response_norm(image, 5, alpha=1e-4, beta=0.75), []
    for _ in range(4):
        x = relu(layers.norm(layers.conv(x, 3)))
        size = x.shape[2:]
        x, indices = max_pool2d(x, 2, ceil_mode=True, return_indices=True)
        places.append((indices, size))
    for indices, size in reversed(places):
        x = layers.norm(layers.conv(max_unpool2d(x, indices, (2, 2), output_size=list(size)), 3))
    return layers.conv(x)


def deconvnet(layers: Layers, image: Tensor) -> Tensor:
    """DeconvNet_inference_deploy.prototxt."""
    x, places = encoder(layers, image)
    x = relu(layers.norm(layers.conv(x)))
    x = relu(layers.norm(layers.conv(x)))
    x = relu(layers.norm(layers.deconv(x)))
    for depth in (3, 3, 3, 2, 2):
        x = max_unpool2d(x, places.pop()[0], (2, 2))
        for _ in range(depth):
            x = relu(layers.norm(layers.deconv(x, 1)))
    return layers.conv(x)


def rednet(layers: Layers, image: Tensor, depth: int) -> Tensor:
    """Section 3.1: each second map goes to the transposed convolution at its mirror image, the image to the last."""
    maps = [image]
    for _ in range(depth):
        maps.append(relu(layers.conv(maps[-1], 1)))
    x = maps.pop()
    for number in reversed(range(depth)):
        x = layers.deconv(x, 1)
        skip = maps.pop()
        x = x + skip if number % 2 == 0 else x
        x = relu(x) if number else x
    return x


def nails(x: Tensor) -> Tensor:
    larger = x.new_zeros(*x.shape[:2], 2 * x.size(2), 2 * x.size(3))
    larger[:, :, ::2, ::2] = x
    return larger


def unet(layers: Layers, image: Tensor, upsampling: str) -> Tensor:
    """U-Net with padding; where the upsampling has no weights, a 1×1 convolution before it."""
    x, skips = image, []
    ways: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "nearest": lambda x, _: functional.interpolate(x, scale_factor=2),
        "bilinear": lambda x, _: functional.interpolate(x, scale_factor=2, mode="bilinear"),
        "bed_of_nails": lambda x, _: nails(x),
        "max_unpool": lambda x, indices: max_unpool2d(x, indices, (2, 2)),
    }
    for _ in range(4):
        x = relu(layers.conv(relu(layers.conv(x, 1)), 1))
        pooled, indices = max_pool2d(x, 2, return_indices=True)
        skips.append((x, indices))
        x = pooled
    x = relu(layers.conv(relu(layers.conv(x, 1)), 1))
    for skip, indices in reversed(skips):
        x = layers.deconv(x, stride=2) if upsampling == "transposed" else ways[upsampling](layers.conv(x), indices)
        x = torch.cat([skip, x], 1)
        x = relu(layers.conv(relu(layers.conv(x, 1)), 1))
    return layers.conv(x)


def naive(layers: Layers, image: Tensor, poolings: int) -> Tensor:
    x = image
    for number in range(5):
        x = relu(layers.conv(x, 1))
        x = max_pool2d(x, 2) if number < poolings else x
        x = functional.interpolate(x, scale_factor=2) if number >= 5 - poolings else x
    return layers.conv(x)


UPSAMPLING = ["transposed", "nearest", "bilinear", "bed_of_nails", "max_unpool"]
SMALL = ["width=4", "hidden=32"]
BY_HAND: dict[str, tuple[list[str], Callable[[Layers, Tensor], Tensor], list[tuple[int, int]]]] = {
    "fcn32s": (SMALL, partial(fcn, strides=[32], offsets=[19]), [(33, 70), (7, 64)]),
    "fcn16s": (SMALL, partial(fcn, strides=[2, 16], offsets=[5, 27]), [(33, 70), (7, 64)]),
    "fcn8s": (SMALL, partial(fcn, strides=[2, 2, 8], offsets=[5, 9, 31]), [(33, 70), (7, 64)]),
    "fcn8s_atonce": (SMALL, partial(fcn, strides=[2, 2, 8], offsets=[5, 9, 31], scaled=True), [(33, 70), (7, 64)]),
    "segnet_camvid11": (SMALL[:1], segnet, [(45, 50), (64, 33)]),
    "segnet_basic": (SMALL[:1], segnet_basic, [(45, 50), (64, 33)]),
    "deconvnet": (SMALL, deconvnet, [(224, 224), (256, 224)]),
    **{f"red{2 * n}": (["width=8"], partial(rednet, depth=n), [(17, 20), (9, 4)]) for n in (5, 10, 15)},
    **{f"unet_{way}": (SMALL[:1], partial(unet, upsampling=way), [(32, 48), (16, 32)]) for way in UPSAMPLING},
    "naive_fcn": (["width=8"], partial(naive, poolings=0), [(12, 16), (8, 20)]),
    "down_and_up": (["width=8"], partial(naive, poolings=2), [(12, 16), (8, 20)]),
}
"""What makes each small, the network by hand, and sizes of images."""


QUICK = {
    "fcn32s",
    "fcn8s_atonce",
    "segnet_camvid11",
    "segnet_basic",
    "red10",
    "unet_bed_of_nails",
    "unet_max_unpool",
    "down_and_up",
}
"""One of each kind."""


def all_of(names: Collection[str]) -> list[object]:
    return [pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK)) for name in names]


def small(address: str, *settings: str) -> Graph:
    return compile(address, read_settings([*BY_HAND[address][0], *settings]))


def learned(module: nn.Module) -> dict[str, Tensor]:
    """The weights and the statistics, but for the numbers of batches."""
    return {path: value for path, value in module.state_dict().items() if value.is_floating_point()}


def drawn(module: nn.Module) -> None:
    """Every weight at random, so that all of it counts."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for path, weight in learned(module).items():
            if weight.dim() == 4:
                weight.normal_(std=(2 / weight[0].numel()) ** 0.5, generator=generator)
            elif path.endswith(("bias", "mean")):
                weight.normal_(std=0.2, generator=generator)
            else:
                weight.uniform_(0.5, 1.5, generator=generator)


@pytest.mark.parametrize("address", BY_HAND)
def test_it_is_the_paper_written_by_hand(address: str) -> None:
    """The same outputs from the same weights, in both backends."""
    _, paper, sizes = BY_HAND[address]
    graph = small(address)
    ours = graphc_torch.module(graph).eval()
    drawn(ours)
    run = session(graphc_onnx.model(graph, weights={k: v.numpy() for k, v in ours.state_dict().items()})).run
    channels = graph.inputs["image"].type.shape[1]
    for size in sizes:
        image = torch.randn(2, int(str(channels)), *size, generator=torch.Generator().manual_seed(1))
        layers = Layers([*learned(ours).values()])
        with torch.inference_mode():
            wanted = paper(layers, image)
            assert layers.left == []
            assert worst(wanted[:1], wanted[1:]) > 1e-2, "whatever the image is"
            found = ours(image)
        first = found if isinstance(found, Tensor) else found[0]
        assert first.shape == wanted.shape
        assert worst(first, wanted) < 1e-5
        assert worst(torch.from_numpy(run(None, {"image": image.numpy()})[0]), wanted) < 1e-5


# --- bilinear weights, and those that stay


def upsample_filt(size: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """surgery.py of FCN's authors."""
    factor = (size + 1) // 2
    center = factor - 1 if size % 2 == 1 else factor - 0.5
    rows, columns = np.ogrid[:size, :size]
    filt: np.ndarray[Any, np.dtype[np.float64]]
    filt = (1 - abs(rows - center) / factor) * (1 - abs(columns - center) / factor)
    return filt


@pytest.mark.parametrize("address", ["fcn32s", "fcn8s_atonce"])
def test_enlargements_begin_as_the_authors_and_stay(address: str) -> None:
    graph = small(address)
    values = dict(initial_values(graph))
    ours = graphc_torch.module(graph)
    from_source = type(ours)()
    names = [path for path in values if path.startswith("enlarge")]
    assert len(names) == (1 if address == "fcn32s" else 3)
    for path in names:
        wanted = np.zeros((21, 21, *values[path].shape[2:]))
        wanted[range(21), range(21)] = upsample_filt(values[path].shape[2])
        for found in (values[path], ours.state_dict()[path].numpy(), from_source.state_dict()[path].numpy()):
            assert np.allclose(found, wanted, rtol=1e-6, atol=0)


@pytest.mark.parametrize("address", ["fcn32s", "fcn16s", "fcn8s", "fcn8s_atonce"])
def test_what_the_release_never_trains_is_frozen(address: str) -> None:
    """As many as with lr_mult 0 in the prototxts; the scales of 64 and 128 channels less where the width is 16."""
    graph = compile(address, read_settings(["width=16", "hidden=32"]))
    fewer = (256 + 512) - (64 + 128) if address == "fcn8s_atonce" else 0
    assert frozen(graph) == FIGURES[address][1] - fewer


NET = """
graphc: 1
name: net
dims: {N: 1, H: 5, W: 6}
inputs: {image: [N, CHANNELS, H, W]}
graph:
  - conv_transpose2d: {ARGUMENTS}
    id: up
init: {up: bilinear}
"""


def enlarging(channels: int, arguments: str) -> Graph:
    text = NET.replace("CHANNELS", str(channels)).replace("ARGUMENTS", arguments)
    graph = elaborate(library.parse(text, "net.yaml"), library.standard())
    assert check(graph) == []
    return graph


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("factor", [2, 4])
def test_bilinear_weights_interpolate(factor: int, groups: int) -> None:
    """Within the outermost places, where a transposed convolution adds nothing from outside."""
    shape = f"out_channels: 4, kernel_size: {2 * factor}, stride: {factor}, padding: {factor // 2}"
    ours = graphc_torch.module(enlarging(4, f"{shape}, groups: {groups}, bias: false"))
    image = torch.randn(2, 4, 5, 6)
    wanted = functional.interpolate(image, scale_factor=factor, mode="bilinear")
    inside = (..., slice(factor, -factor), slice(factor, -factor))
    assert worst(ours(image)[inside].detach(), wanted[inside]) < 1e-6


@pytest.mark.parametrize("channels", [3, 8])
def test_bilinear_weights_need_a_channel_for_each(channels: int) -> None:
    """Eight channels can't become three of their own; where four are one's two groups, they can."""
    with pytest.raises(SpecError, match="interpolates each channel"):
        enlarging(channels, "out_channels: 5, kernel_size: 4, stride: 2, bias: false")


def test_a_transposed_convolution_of_ones_is_the_nearest_neighbour() -> None:
    """Equal exactly, in both backends, at any size."""
    graph = compile("nearest_upsampling")
    ours, run = graphc_torch.module(graph), session(graphc_onnx.model(graph)).run
    for size in ((1, 3, 8, 8), (2, 3, 1, 7)):
        image = torch.randn(size)
        wanted = functional.interpolate(image, scale_factor=2)
        with torch.inference_mode():
            outputs = [value.numpy() for value in ours(image)]
        for transposed, nearest, difference in (outputs, run(None, {"image": image.numpy()})):
            assert np.array_equal(transposed, wanted)
            assert np.array_equal(nearest, wanted)
            assert difference == 0


# --- costs


def test_segnet_basic_ends_with_the_rows_of_the_image() -> None:
    """45 rows are pooled to 23, and 23 become 45 again: `pad_out_h` of the prototxt.

    Without it the maps would have 46, 92, 184 and 368 rows, which is another figure that is about.
    """
    layer, first, score = 49 * 64 * 64, 49 * 3 * 64, 64 * 11

    def products(up: Sequence[int]) -> int:
        down = first * 360 * 480 + layer * (180 * 240 + 90 * 120 + 45 * 60)
        back = layer * sum(rows * columns for rows, columns in zip(up, (60, 120, 240, 480), strict=True))
        return down + back + score * up[-1] * 480

    assert products([45, 90, 180, 360]) == FIGURES["segnet_basic"][2]
    assert products([46, 92, 184, 368]) == 60_215_132_160


def test_segnet_for_cityscapes_costs_what_it_does_elsewhere() -> None:
    """pytorchcv's segnet_cityscapes, at its size."""
    graph = compile("segnet_cityscapes19")
    assert parameters(graph) == 29_453_971
    cost = macs(graph)
    assert cost is not None
    assert substitute(cost, {"N": 1, "H": 256, "W": 512}) == 81_386_274_816


def test_full_resolution_costs_so_much() -> None:
    """CS231n: all layers at full resolution; or the same, but for the first, at a half and a quarter of the rows."""
    pixels, layer = 224 * 224, 9 * 64 * 64
    ends = (27 * 64 + 64 * 21) * pixels
    naive_, down = (compile(name) for name in ("naive_fcn", "down_and_up"))
    assert count(parameters(naive_), naive_) == count(parameters(down), down)
    assert count(macs(naive_), naive_) == ends + 4 * layer * pixels
    assert count(macs(down), down) == ends + layer * (2 * pixels // 4 + 2 * pixels // 16)


@pytest.mark.parametrize("way", UPSAMPLING)
def test_the_padded_unet_costs_what_torch_counts(way: str) -> None:
    graph = compile(f"unet_{way}")
    weights = [torch.empty([int(str(size)) for size in weight.shape], device="meta") for _, weight in graph.weights()]
    with FlopCounterMode(display=False) as counter:
        unet(Layers(weights), torch.empty(1, 1, 512, 512, device="meta"), way)
    assert count(macs(graph), graph) == counter.get_total_flops() // 2


# --- both backends, and training


@pytest.mark.parametrize("address", all_of(BY_HAND))
@pytest.mark.slow
def test_both_backends_agree_at_two_sizes(address: str) -> None:
    """The outputs and the losses."""
    sizes = [{"N": n, "H": height, "W": width} for n, (height, width) in enumerate(BY_HAND[address][2], start=1)]
    result = verify(small(address), Asked(sizes=sizes, training=True))
    assert result, str(result)


FALLING: dict[str, tuple[list[str], dict[str, int]]] = {
    **{name: (["classes=3"], {"N": 2, "H": 20, "W": 24}) for name in BY_HAND if name.startswith("fcn")},
    **{name: (["classes=3"], {"N": 2, "H": 45, "W": 40}) for name in BY_HAND if name.startswith("segnet")},
    "deconvnet": (["classes=3"], {"N": 2, "H": 224, "W": 224}),
    **{name: ([], {"N": 2, "H": 20, "W": 24}) for name in BY_HAND if name.startswith("red")},
    **{name: (["classes=3"], {"N": 2, "H": 32, "W": 32}) for name in BY_HAND if name.startswith("unet")},
    **{name: (["classes=3"], {"N": 2, "H": 16, "W": 16}) for name in ("naive_fcn", "down_and_up")},
}


def falls(graph: Graph, sizes: dict[str, int]) -> None:
    """Twenty steps on a fixed batch, and what is frozen is as it was."""
    module = graphc_torch.module(graph, training=True)
    before = {path: weight.clone() for path, weight in module.named_parameters() if not weight.requires_grad}
    losses = train(module, tensors(batch(graph, sizes)), steps=20, rate=3e-3)
    assert np.isfinite(losses).all()
    assert np.mean(losses[-3:]) < 0.95 * losses[0], losses
    after = dict(module.named_parameters())
    assert all(torch.equal(after[path], weight) for path, weight in before.items())
    assert all(weight.grad is not None for weight in after.values() if weight.requires_grad)


@pytest.mark.parametrize("address", all_of(FALLING))
@pytest.mark.slow
def test_losses_fall_on_a_fixed_batch(address: str) -> None:
    settings, sizes = FALLING[address]
    falls(small(address, *settings), sizes)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fcn_resnet50", "deeplabv3_resnet50"])
def test_losses_fall_on_a_dilated_resnet(name: str) -> None:
    falls(compile(name, read_settings(["layers=[1, 1, 1, 1]"])), {"N": 2, "H": 40, "W": 33})


def addresses() -> Iterator[str]:
    for family in ("fcn", "fcn8s_atonce", "fcn_resnet", "segnet", "segnet_basic", "deconvnet", "rednet", "naive_fcn"):
        yield from library.installed(family).variants or [family]


def test_every_one_has_been_looked_at() -> None:
    """No variant without a figure here or a network to compare with."""
    known = {*FIGURES, *BY_HAND, "fcn_resnet101", "deeplabv3_resnet50", "deeplabv3_resnet101", "segnet_cityscapes19"}
    assert set(addresses()) <= known
