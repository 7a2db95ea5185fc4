"""Activations in diagrams: the maps that hooks see, as pictures beside what makes them."""

from __future__ import annotations

import io
import re
from base64 import b64decode
from pathlib import Path
from typing import Unpack

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

import graphc
from graphc.backends import BackendError
from graphc.dims import symbol
from graphc.graph import Graph
from graphc.made import LookOptions
from graphc.maps import channel_axis
from graphc.tensor import Tensor as Type

SPEC = """\
graphc: 1
name: small
dims: {N: 1, H: 12, W: 16}
inputs: {image: [N, 3, H, W]}
graph:
  - conv_bn_relu: {out_channels: 5, kernel_size: 3}
    repeat: 3
    id: body
  - max_pool2d: 2
  - adaptive_avg_pool2d: 1
  - flatten
  - linear: 5
    id: fc
outputs: {logits: fc}
"""
IMAGE = torch.rand(3, 12, 16, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def graph() -> Graph:
    return graphc.compile(text=SPEC)


def pictures(graph: Graph, **options: Unpack[LookOptions]) -> list[np.ndarray]:
    """The pictures in an SVG, from above."""
    svg = graph.draw(**seen(options))
    found = re.findall(r'<image xlink:href="data:image/png;base64,([^"]*)" [^>]*? y="(-?[\d.]+)"', svg)
    return [np.asarray(opened(b64decode(data))) for data, _ in sorted(found, key=lambda f: float(f[1]))]


def seen(options: LookOptions) -> LookOptions:
    """Options with the image, where they have no other."""
    asked: LookOptions = {"image": IMAGE}
    asked.update(options)
    return asked


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def hooked(module: nn.Module, path: str) -> Tensor:
    """The maps that a submodule makes of the image, by a hook."""
    caught: list[Tensor] = []
    handle = module.get_submodule(path).register_forward_hook(lambda _, __, output: caught.append(output))
    with torch.inference_mode():
        module.eval()(IMAGE[None])
    handle.remove()
    return caught[0][0]


def bytes_of(maps: Tensor) -> list[np.ndarray]:
    """Each map from its least number to its largest, as bytes."""
    return [np.round((m - m.min()) / max(m.max() - m.min(), 1e-30) * 255) for m in maps.double().numpy()]


def cells(sheet: np.ndarray, shape: tuple[int, int], count: int, columns: int) -> list[np.ndarray]:
    """The maps in a sheet: of so many columns, a pixel between them, each pixel a square."""
    height, width = shape
    times = sheet.shape[1] // (columns * (width + 1) - 1)
    small = sheet[::times, ::times]
    places = [divmod(number, columns) for number in range(count)]
    return [small[r * (height + 1) :, c * (width + 1) :][:height, :width] for r, c in places]


def test_what_is_drawn_is_what_hooks_see(graph: Graph) -> None:
    sheet, *_ = pictures(graph, depth=1, activations=["max_pool2d"])
    maps = functional.max_pool2d(hooked(graph.module(), "body.2"), 2)
    assert maps.shape == (5, 6, 8)
    for found, wanted in zip(cells(sheet, (6, 8), 5, 2), bytes_of(maps), strict=True):
        assert np.abs(found - wanted).max() <= 1


def test_weights_are_those_given(graph: Graph, tmp_path: Path) -> None:
    trained = graph.module(seed=7)
    torch.save(trained.state_dict(), tmp_path / "trained.pt")
    (sheet,) = pictures(graph, depth=1, activations=["body.1"], weights=tmp_path / "trained.pt", channels=1)
    (found,) = cells(sheet, (12, 16), 1, 1)
    assert np.abs(found - bytes_of(hooked(trained, "body.1"))[0]).max() <= 1
    (other,) = pictures(graph, depth=1, activations=["body.1"], channels=1)
    assert not np.array_equal(sheet, other)


def test_each_map_that_leaves_what_is_drawn_is_shown_and_the_image_itself(graph: Graph) -> None:
    image, body, pooled = pictures(graph, depth=1)
    assert image.shape[2] == 3
    assert np.abs(image[:: image.shape[0] // 12, :: image.shape[1] // 16] - scaled(IMAGE)).max() <= 1
    maps = hooked(graph.module(), "body.2")  # three copies are drawn once: what leaves the last
    for found, wanted in zip(cells(body, (12, 16), 5, 2), bytes_of(maps), strict=True):
        assert np.abs(found - wanted).max() <= 1
    assert pooled.ndim == 2


def scaled(image: Tensor) -> np.ndarray:
    """A picture from its least number to its largest, as bytes [H, W, C]."""
    return np.asarray(((image - image.min()) / (image.max() - image.min()) * 255).permute(1, 2, 0))


def test_a_value_inside_what_is_closed_or_of_a_copy_is_named(graph: Graph) -> None:
    svg = graph.draw(image=IMAGE, depth=1, activations=["body.0.conv", "body.2.act", "image"])
    named = re.findall(r">(body\.[\d.\w]+|image)</text>", svg)
    assert named.count("body.0.conv") == 1
    assert "body.2.act" not in named  # that leaves the copies: it is not named beside them
    assert svg.count("<image ") == 3


@pytest.mark.parametrize("options", [{}, {"direction": "right"}, {"theme": "dark"}, {"depth": 2}])
def test_the_same_bytes_each_time_and_nothing_outside_is_needed(graph: Graph, options: LookOptions) -> None:
    first, second = (graph.draw(**seen(options)) for _ in range(2))
    assert first == second
    assert all(link.startswith("data:image/png;base64,") for link in re.findall(r'<image xlink:href="([^"]*)"', first))
    assert first.count("<image ") >= 3


def test_pictures_are_in_png_and_pdf(graph: Graph, tmp_path: Path) -> None:
    for suffix in ("png", "pdf"):
        plain, seen, again = (tmp_path / f"{name}.{suffix}" for name in ("plain", "seen", "again"))
        graph.draw(plain, depth=1)
        for path in (seen, again):
            graph.draw(path, depth=1, image=IMAGE)
        assert seen.read_bytes() == again.read_bytes()
    plain_png, seen_png = (np.asarray(opened((tmp_path / f"{name}.png").read_bytes())) for name in ("plain", "seen"))
    assert seen_png.shape[:2] > plain_png.shape[:2]
    pixels = seen_png[..., :3]
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 1000  # the photograph's colours
    assert b"/Subtype /Image" in (tmp_path / "seen.pdf").read_bytes()
    assert b"/Subtype /Image" not in (tmp_path / "plain.pdf").read_bytes()


def test_randomness_stays_the_same_and_leaves_torchs_alone() -> None:
    noisy = graphc.compile(text=SPEC.replace("  - max_pool2d: 2\n", "  - dropout\n  - max_pool2d: 2\n"))
    state = torch.get_rng_state()
    assert noisy.draw(image=IMAGE) == noisy.draw(image=IMAGE)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((1, 8, symbol("H"), symbol("W")), 1),
        ((1, symbol("H"), symbol("W"), 8), 3),
        ((1, 7, 7, 96), 3),
        ((1, 96, 7, 7), 1),
        ((1, 7, 7, 7), 1),
        ((1, 12, symbol("T"), symbol("T")), 1),
        ((1, 64, 1, 1), None),
        ((1, 197, 768), None),
        ((1, 16, 3, 8, 8), None),
    ],
)
def test_channels_are_found(shape: tuple[int, ...], axis: int | None) -> None:
    assert channel_axis(Type(shape)) == axis


def test_maps_with_channels_last_are_shown_as_maps() -> None:
    swin = graphc.compile("swin", set={"width": 12, "heads": [1, 1, 1, 1]})
    image = torch.rand(3, 64, 96, generator=torch.Generator().manual_seed(0))
    (sheet,) = pictures(swin, depth=1, activations=["embedding_norm"], channels=1, image=image)
    rows, columns = sheet.shape
    assert rows * 24 == columns * 16  # 64/4 by 96/4


# Images from files


def test_files_are_read_as_pixels_from_0_to_1(graph: Graph, tmp_path: Path) -> None:
    pixels = (IMAGE * 255).round().to(torch.uint8)
    Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(tmp_path / "image.png")
    np.save(tmp_path / "image.npy", pixels.numpy().astype(np.float32) / 255)
    drawn = {graph.draw(image=tmp_path / name, depth=1) for name in ("image.png", "image.npy")}
    assert drawn == {graph.draw(image=pixels / 255, depth=1)}


def test_grey_files_have_one_channel(tmp_path: Path) -> None:
    grey = graphc.compile(text=SPEC.replace("[N, 3, H, W]", "[N, 1, H, W]"))
    values = np.linspace(0, 255, 12 * 16).reshape(12, 16)
    Image.fromarray(values.astype(np.uint8)).save(tmp_path / "grey.png")
    Image.fromarray(values > 100).save(tmp_path / "black.png")
    Image.fromarray((values * 257).astype(np.uint16)).save(tmp_path / "deep.png")
    drawn = [grey.draw(image=tmp_path / name) for name in ("grey.png", "black.png", "deep.png")]
    assert len(set(drawn)) == 3


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("missing.png", "image: missing.png: No such file or directory"),
        ("text.png", "image: text.png: it is no image that can be read"),
        ("text.npy", "image: text.npy: it is no image that can be read"),
        ("grey.png", r"image: it has 1 channels, `image` is \[N, 3, H, W\]"),
        ("alpha.png", "image: it has 4 channels"),
        ("dot.png", "image: `small` doesn't take N = 1, H = 1, W = 1"),
        (torch.rand(2, 3, 12, 16), "one is drawn, these are 2"),
        (torch.rand(12, 16), r"an array \[12, 16\] is none of \[C, H, W\]"),
        ([["a"]], "list is no file and no array of numbers"),
    ],
)
def test_an_image_that_does_not_fit_is_told(
    graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image: object, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("text.png", "text.npy"):
        (tmp_path / name).write_text("no picture")
    for name, mode, size in (("grey", "L", (16, 12)), ("alpha", "RGBA", (16, 12)), ("dot", "RGB", (1, 1))):
        Image.new(mode, size).save(f"{name}.png")
    with pytest.raises(BackendError, match=said):
        graph.draw(image=image)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"activations": ["fc"]}, r"`fc` \[N, 5\] has no maps to show"),
        ({"activations": ["boddy"]}, "nothing is at `boddy`; did you mean `body"),
        ({"activations": ["body.0"], "focus": ["fc"]}, "`body.0` is not in what is drawn"),
        ({"image": None, "activations": ["body.0"]}, "activations: what a network makes of an image is drawn where"),
        ({"image": None, "channels": 4}, "channels: what a network makes of an image is drawn where"),
    ],
)
def test_what_can_not_be_shown_is_told(graph: Graph, options: LookOptions, said: str) -> None:
    with pytest.raises(BackendError, match=said):
        graph.draw(**seen(options))


def test_texts_have_no_place_for_pictures(graph: Graph, tmp_path: Path) -> None:
    for suffix in (".dot", ".mmd"):
        with pytest.raises(BackendError, match=f"pictures of activations are for .pdf, .png and .svg, a {suffix}"):
            graph.draw(tmp_path / f"a{suffix}", image=IMAGE)
    assert not list(tmp_path.iterdir())


def test_a_network_of_several_inputs_or_of_none_that_is_an_image_is_told() -> None:
    with pytest.raises(BackendError, match="`mae_vit_b_16` has the inputs image, noise, and not an image alone"):
        graphc.compile("mae").draw(image=IMAGE)
    with pytest.raises(BackendError, match="which is no image"):
        graphc.compile("resnet_tabular").draw(image=IMAGE)
