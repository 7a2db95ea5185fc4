"""The pictures, against the papers' figures and against what a picture must never do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias
from xml.etree import ElementTree

import pytest

import graphc_graphviz
from graphc.compiler import compile
from graphc.graph import Graph
from graphc.marks import Mark
from graphc_graphviz.depth import deepest
from graphc_graphviz.dot import to_dot
from graphc_graphviz.drawing import draw
from graphc_graphviz.picture import About, Arrow, Box, Leaf, Line, Picture
from graphc_graphviz.render import Dot, DrawingError, render
from graphc_graphviz.style import THEMES

Made: TypeAlias = Callable[..., Graph]

SVG = "{http://www.w3.org/2000/svg}"
TOOLTIP = "{http://www.w3.org/1999/xlink}title"
CONV = "conv2d: {out_channels: 8, kernel_size: 1}"
HOSTILE = '<IMG SRC="/etc/passwd"/> </TABLE> & &lt; "quoted" \\N \\ ]]> {x|y} ×'

WRITER = """
import sys
from pathlib import Path
from graphc.compiler import compile
import graphc_graphviz
for name, suffixes in (("unet", graphc_graphviz.SUFFIXES), ("resnet", (".svg", ".dot", ".mmd"))):
    graph = compile(name)
    for suffix in suffixes:
        graphc_graphviz.write(graph, Path(sys.argv[1], name + suffix))
"""


class Svg:
    """A picture, as a reader of the file sees it."""

    def __init__(self, data: bytes) -> None:
        self.root = ElementTree.fromstring(data)
        groups = list(self.root.iter(f"{SVG}g"))
        drawn = {_title(group): group for group in groups if group.get("class") == "node"}
        self.nodes = {name: group for name, group in drawn.items() if not re.search(r"\.(title|fork\d+)$", name)}
        self.titles = {name.removesuffix(".title"): group for name, group in drawn.items() if name.endswith(".title")}
        self.boxes = {group.get("id", ""): group for group in groups if group.get("class") == "cluster"}
        self.pieces = {_title(group) for group in groups if group.get("class") == "edge"}
        """The lines between nodes, titles left out and the places where lines fork."""
        self.arrows = {f"{tail}->{head}" for tail, head in self.led()}

    def led(self) -> Iterator[tuple[str, str]]:
        """From where to where the lines lead in the end."""
        onward: dict[str, list[str]] = {}
        for tail, head in (re.sub(r":\w+", "", piece).split("->") for piece in self.pieces):
            onward.setdefault(tail, []).append(head)
        for tail in self.nodes:
            heads = onward.get(tail, []).copy()
            while heads:
                head = heads.pop()
                if head in self.nodes:
                    yield tail, head
                else:
                    heads += onward[head]

    @property
    def text(self) -> str:
        return _text(self.root)

    @property
    def paths(self) -> set[str]:
        """The paths that are shown under the pointer."""
        return {element.get(TOOLTIP, "").partition("\n")[0] for element in self.root.iter()} | set(self.boxes)

    def label(self, node: str) -> str:
        """The text of a node, line by line."""
        return _text(self.nodes[node])

    def x(self, node: str) -> float:
        return _middle(self.nodes[node], 0)

    def y(self, node: str) -> float:
        return _middle(self.nodes[node], 1)


def _title(group: ElementTree.Element) -> str:
    return group.findtext(f"{SVG}title") or ""


def _text(element: ElementTree.Element) -> str:
    pieces = (piece for text in element.iter(f"{SVG}text") for piece in text.itertext())
    return " ".join(" ".join(pieces).split())


def _squeezed(words: str) -> str:
    """Words without their spaces, where lines may be broken."""
    return "".join(words.split())


def _middle(group: ElementTree.Element, axis: int) -> float:
    """The middle of a node's outlines."""
    outlines = " ".join(shape.get("points", "") + " " + shape.get("d", "") for shape in group.iter())
    values = [float(point[axis]) for point in re.findall(r"(-?[\d.]+),(-?[\d.]+)", outlines)]
    return (min(values) + max(values)) / 2


@cache
def loaded(address: str) -> Graph:
    return compile(address)


def drawn(graph: Graph, depth: int | None = None) -> Svg:
    return Svg(draw(graph, ".svg", depth=depth))


@cache
def svg(address: str, depth: int | None = None) -> Svg:
    return drawn(loaded(address), depth)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Makes a graph from steps, with one input of [N, 8, 32, 32]."""

    def make(steps: str, *more: str) -> Graph:
        lines = ["graphc: 1", "name: made", "dims: {N: 1}", "inputs: {image: [N, 8, 32, 32]}", *more, "graph:", steps]
        path = tmp_path / "made.yaml"
        path.write_text("\n".join(lines), "utf-8")
        return compile(str(path))

    return make


# ResNet, as in He et al. 2015, table 1


@pytest.mark.parametrize(
    ("variant", "units"),
    [
        ("plain34", (3, 4, 6, 3)),
        ("resnet18", (2, 2, 2, 2)),
        ("resnet34", (3, 4, 6, 3)),
        ("resnet50", (3, 4, 6, 3)),
        ("resnet101", (3, 4, 23, 3)),
        ("resnet152", (3, 8, 36, 3)),
    ],
)
def test_each_stage_has_the_papers_number_of_units(variant: str, units: tuple[int, ...]) -> None:
    picture = svg(f"resnet:{variant}", 2)
    for stage, number in enumerate(units):
        labels = [picture.label(node) for node in picture.nodes if node.startswith(f"stage.{stage}.unit.")]
        assert len(labels) <= 2
        assert sum(int(label.partition("×")[2].split()[0]) if "×" in label else 1 for label in labels) == number


def test_resnet50_is_read_from_the_top_down() -> None:
    picture = svg("resnet")
    stages = [f"stage.{stage}.unit.{unit}" for stage in range(4) for unit in range(2)]
    column = ["image", "stem", "max_pool2d", *stages, "adaptive_avg_pool2d", "flatten", "fc", "output.logits"]
    assert set(picture.nodes) == set(column)
    assert all(picture.y(above) < picture.y(below) for above, below in pairwise(column))
    assert "stem conv_bn_relu 7×7, 64, stride 2" in picture.label("stem")
    assert "bottleneck 128, stride 2" in picture.label("stage.1.unit.0")
    assert picture.label("stage.3.unit.1") == "unit.1–2 bottleneck 512 ×2 [N, 2048, H/32, W/32]"
    assert picture.arrows >= {"stage.0.unit.0->stage.0.unit.1", "stage.0.unit.1->stage.1.unit.0"}


def test_a_bottleneck_has_its_branches_in_reading_order() -> None:
    picture = svg("resnet", 3)
    assert picture.x("stage.0.unit.0.residual.conv1") < picture.x("stage.0.unit.0.shortcut")
    assert "relu" in picture.label("stage.0.unit.0.add")


def test_a_line_into_a_residual_block_forks_inside() -> None:
    picture = svg("resnet", 3)
    (fork,) = (piece.split("->")[1] for piece in picture.pieces if piece.startswith("stage.0.unit.0.add->"))
    assert fork.startswith("stage.0.unit.1.")
    assert {f"{fork}->stage.0.unit.1.residual.conv1", f"{fork}->stage.0.unit.1.add"} <= picture.pieces


def test_a_repeated_block_has_no_arrow_back() -> None:
    picture = svg("resnet", 3)
    (piece,) = (piece for piece in picture.pieces if piece.startswith("stage.0.unit.1.add->"))
    assert piece.startswith("stage.0.unit.1.add->stage.1.")


def test_operands_stand_in_reading_order(made: Made) -> None:
    steps = (f"  - {CONV}\n    id: {name}\n    from: image" for name in ("first", "second", "third"))
    picture = drawn(made("\n".join([*steps, "  - concat:", "    from: [third, first, second]"])))
    assert picture.x("third") < picture.x("first") < picture.x("second")


# U-Net, as in Ronneberger et al. 2015, figure 1


def test_unet_has_the_papers_sizes() -> None:
    """Every size in figure 1, and no other, is drawn; in the spec's terms, at the figure's input of 572."""
    shown = re.findall(r"(?:H|\(?H - (\d+)\)?)(?:/(\d+))?, ", svg("unet", 3).text.replace("−", "-"))
    sizes = {(572 - int(minus or 0)) / int(divisor or 1) for minus, divisor in shown}
    down = {572, 570, 568, 284, 282, 280, 140, 138, 136, 68, 66, 64, 32, 30, 28}
    up = {56, 54, 52, 104, 102, 100, 200, 198, 196, 392, 390, 388}
    assert sizes == down | up


def test_unet_goes_down_at_the_left_and_up_at_the_right() -> None:
    picture = svg("unet")
    levels = [
        (f"down.{level}.features", f"up.{3 - level}.center_crop", f"up.{3 - level}.double_conv") for level in range(4)
    ]
    for skip, crop, conv in levels:
        assert f"{skip}->{crop}" in picture.arrows
        assert picture.y(skip) == pytest.approx(picture.y(crop), abs=8)
        assert picture.x(skip) < picture.x(crop) < picture.x(conv)
    assert all(picture.y(upper[0]) < picture.y(lower[0]) for upper, lower in pairwise(levels))
    assert picture.y("bottom") > max(picture.y(skip) for skip, _, _ in levels)
    assert picture.x("image") < picture.x("down.0.features") < picture.x("up.3.concat") < picture.x("output.logits")


@pytest.mark.parametrize("depth", [2, 3])
def test_unet_has_its_four_skips(depth: int) -> None:
    skips = {arrow for arrow in svg("unet", depth).arrows if re.fullmatch(r"down.*->up.*", arrow)}
    assert skips == {f"down.{level}.features->up.{3 - level}.center_crop" for level in range(4)}


def test_unet_keeps_its_form_where_its_levels_are_closed() -> None:
    picture = svg("unet", 1)
    for level in range(4):
        down, up = f"down.{level}", f"up.{3 - level}"
        assert f"{down}->{up}" in picture.arrows
        assert picture.y(down) == pytest.approx(picture.y(up), abs=12)
    assert picture.label("down.1") == "down.1 double_conv 128 max_pool2d 2×2 [N, 128, (H - 12)/4, (W - 12)/4]"


# ViT, as in Dosovitskiy et al. 2020, figure 1


def test_the_encoder_is_drawn_once() -> None:
    picture = svg("vit", 1)
    assert list(picture.nodes) == [
        "image", "patch_embedding", "rearrange", "embed", "encoder.0", "norm", "getitem", "head", "output.logits"
    ]  # fmt: skip
    assert picture.label("encoder.0") == "encoder encoder_layer 12 ×12 [N, (H//16)*(W//16) + 1, 768]"


def test_a_part_of_a_value_is_told_as_the_spec_has_it(made: Made) -> None:
    assert svg("vit", 1).label("getitem") == "getitem [:, 0] [N, 768]"
    picture = drawn(made('  - relu:\n    from: "image[0, ..., none, 1:-1, ::2]"'.replace("..., ", "2:, ")))
    assert "[0, 2:, none, 1:-1, ::2]" in picture.label("getitem")


def test_attention_has_its_operands_in_reading_order() -> None:
    picture = svg("vit", 4)
    xs = [picture.x(f"encoder.0.attend.self_attention.attention.{name}") for name in "qkv"]
    assert xs == sorted(xs)


# Folding


def test_equal_copies_are_drawn_once(made: Made) -> None:
    picture = drawn(made("  - conv2d: {out_channels: 8, kernel_size: 1}\n    repeat: 12\n    id: encoder"))
    assert [node for node in picture.nodes if node.startswith("encoder")] == ["encoder.0"]
    assert picture.label("encoder.0").startswith("encoder conv2d 1×1, 8 ×12")


def test_equal_open_blocks_are_drawn_once(made: Made) -> None:
    block = "blocks: {wide: {graph: [conv2d: {out_channels: 8, kernel_size: 1}, max_pool2d: 1, relu]}}"
    picture = drawn(made("  - wide\n    repeat: 3\n    id: layer".replace("wide", "wide:"), block), 2)
    assert {"layer.0.conv2d", "layer.0.max_pool2d", "layer.0.relu"} <= picture.paths
    assert not any(path.startswith("layer.1") for path in picture.paths)
    assert picture.text.count("×3") == 1


def test_copies_with_other_numbers_are_drawn_each(made: Made) -> None:
    picture = drawn(made("  - conv2d: {out_channels: n, kernel_size: 1}\n    for: {n: [8, 16, 32]}\n    id: layer"))
    assert [node for node in picture.nodes if node.startswith("layer")] == ["layer.0", "layer.1", "layer.2"]


def test_the_first_of_a_run_may_read_another_width(made: Made) -> None:
    """As VGG's table has it: two times 3×3, 16, the first from 8 channels."""
    picture = drawn(made("  - conv2d: {out_channels: 16, kernel_size: 3, padding: 1}\n    repeat: 2\n    id: layer"))
    assert picture.label("layer.0") == "layer conv2d 3×3, 16 ×2 [N, 16, 32, 32]"


@pytest.mark.parametrize(("address", "copies"), [("alexnet", "hidden"), ("vgg", "hidden")])
def test_the_linear_layers_of_the_first_networks_are_drawn_once(address: str, copies: str) -> None:
    """The first of them reads the map, which has another size: Krizhevsky et al. 2012, figure 2."""
    label = svg(address, 1).label(f"{copies}.0")
    assert label.startswith(f"{copies} ")
    assert "×2" in label
    assert label.endswith(" [N, 4096]")


def test_copies_that_grow_are_drawn_once() -> None:
    """Huang et al. 2016, table 1: 6, 12, 24 and 16 layers, each with 32 channels more than the one before it."""
    picture = svg("densenet", 2)
    layers = [f"dense.{block}.layer.0" for block in range(4)]
    assert [re.findall(r"×(\d+)", picture.label(layer)) for layer in layers] == [["6"], ["12"], ["24"], ["16"]]
    assert "[N, 96…256, " in picture.label(layers[0])
    assert "[N, 544…1024, " in picture.label(layers[3])


def test_a_rate_that_grows_does_not_tell_copies_apart(made: Made) -> None:
    picture = drawn(made("  - dropout: 0.1 * (i + 1)\n    for: {i: range(4)}\n    id: drop"))
    assert picture.label("drop.0") == "drop dropout 0.1…0.4 ×4"


def test_a_copy_that_is_read_from_outside_ends_a_run(made: Made) -> None:
    steps = "  - conv2d: {out_channels: 8, kernel_size: 1}\n    repeat: 4\n    id: layer"
    picture = drawn(made(steps, "outputs: {early: layer.1, late: layer}"))
    assert [node for node in picture.nodes if node.startswith("layer")] == ["layer.0", "layer.2"]
    assert {"layer.0->output.early", "layer.2->output.late", "layer.0->layer.2"} <= picture.arrows


def test_a_block_that_does_nothing_is_not_drawn(made: Made) -> None:
    block = "blocks: {maybe: {params: {on: false}, graph: [{relu: {}, when: on}]}}"
    for depth in (1, 2):
        picture = drawn(made("  - maybe:\n    repeat: 2\n  - max_pool2d: 2", block), depth)
        assert picture.nodes.keys() == {"image", "max_pool2d", "output.output"}
        assert not picture.boxes


# Depth


def test_nothing_is_left_out_at_the_deepest() -> None:
    graph = loaded("resnet")
    paths = svg("resnet", deepest(graph.root)).paths
    first = {"0", "1"}
    drawn_once = (node.path for node in graph.nodes if re.findall(r"unit\.(\d+)", node.path) <= sorted(first))
    assert {path for path in drawn_once if not path.startswith("output")} <= paths


def test_depth_opens_level_by_level() -> None:
    assert svg("unet", 0).nodes.keys() == {"image", "unet", "output.logits"}
    inside = {"down.0.features", "down.0.pool"}
    assert "down.0" in svg("unet", 1).paths
    assert not inside & svg("unet", 1).paths
    assert inside <= svg("unet", 2).paths
    assert "down.0.features.conv2d" not in svg("unet", 2).paths
    assert {"down.0.features", "down.0.features.conv2d", "down.0.features.relu_2"} <= svg("unet", 3).paths
    assert svg("unet", 9).paths == svg("unet", 3).paths


# The files


def test_every_suffix_is_written(tmp_path: Path) -> None:
    starts = {".svg": b"<?xml", ".png": b"\x89PNG", ".pdf": b"%PDF", ".dot": b"digraph", ".mmd": b"---\ntitle: "}
    assert starts.keys() == graphc_graphviz.SUFFIXES.keys()
    for suffix, start in starts.items():
        path = tmp_path / f"unet{suffix}"
        graphc_graphviz.write(loaded("unet"), path)
        assert path.read_bytes().startswith(start)


def test_the_same_bytes_on_every_machine(tmp_path: Path) -> None:
    """Other hash seeds, time zones, locales and fonts, a `dot` on the PATH that fails, and some seconds later."""
    dot = tmp_path / "bin" / "dot"
    dot.parent.mkdir()
    dot.write_text("#!/bin/sh\nexit 3\n", "utf-8")
    dot.chmod(0o755)
    fonts = tmp_path / "fonts.conf"
    fonts.write_text("<fontconfig></fontconfig>", "utf-8")
    other = {
        "FONTCONFIG_FILE": str(fonts),
        "PATH": f"{dot.parent}:{os.environ['PATH']}",
        "TZ": "Asia/Tokyo",
        "LC_ALL": "C",
    }
    for folder, environment in (("here", {}), ("there", other)):
        (tmp_path / folder).mkdir()
        seed = {"PYTHONHASHSEED": str(len(folder))}
        subprocess.run(
            [sys.executable, "-c", WRITER, tmp_path / folder], env=os.environ | environment | seed, check=True
        )
    here, there = (sorted((tmp_path / folder).iterdir()) for folder in ("here", "there"))
    assert len(here) == len(graphc_graphviz.SUFFIXES) + 3
    assert [path.name for path in here if path.read_bytes() != (tmp_path / "there" / path.name).read_bytes()] == []
    assert len(there) == len(here)


def test_letters_are_those_of_the_shipped_font(tmp_path: Path) -> None:
    path = tmp_path / "unet.pdf"
    graphc_graphviz.write(loaded("unet"), path)
    assert set(re.findall(rb"/FontFamily \((\w+)\)", path.read_bytes())) == {b"Arimo"}


def test_importing_it_is_cheap() -> None:
    code = "import sys, graphc_graphviz; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "onnx", "pygraphviz", "graphviz", "networkx", "pydantic"} & set(modules)


# What a picture must never do


def test_hostile_text_is_shown_as_it_is() -> None:
    root = Box("")
    about = About(HOSTILE, HOSTILE)
    box = Box(HOSTILE, True, HOSTILE, HOSTILE, about, 2, root, mark=Mark("changed", HOSTILE), figures=HOSTILE)
    root.parts.append(box)
    leaves = [
        Leaf(role, box, [Line(f"{role}{HOSTILE}", HOSTILE, HOSTILE, "conv", about, Mark("added", HOSTILE))], (HOSTILE,))
        for role in ("op", "block", "input")
    ]
    box.parts.extend(leaves)
    arrows = [Arrow(tail, head, HOSTILE) for tail, head in pairwise(leaves)]
    drawn = Picture(HOSTILE, HOSTILE, HOSTILE, root, arrows, HOSTILE)
    picture = Svg(render(to_dot(drawn, THEMES["light"], links=HOSTILE), ".svg", 60))
    assert len(picture.nodes) == 3
    assert len(picture.arrows) == 2
    assert not list(picture.root.iter(f"{SVG}image"))
    assert [_squeezed(picture.label(node)).count(_squeezed(HOSTILE)) for node in picture.nodes] == [4, 4, 4]
    assert _squeezed(_text(picture.titles[re.sub(r"[^\w.]", "_", HOSTILE)])).count(_squeezed(HOSTILE)) == 4
    assert _squeezed(picture.text).count(_squeezed(HOSTILE)) == 12 + 4 + 3
    assert picture.paths >= {HOSTILE}


def test_a_hostile_spec_is_drawn(made: Made) -> None:
    more = [f"title: '{HOSTILE}'", f"paper: {{title: '{HOSTILE}', authors: '<', year: 1999}}", f"doc: '{HOSTILE}'"]
    assert HOSTILE in drawn(made("  - relu", *more)).text


def test_the_time_limit_is_an_error_of_one_line(tmp_path: Path) -> None:
    path = tmp_path / "resnet.svg"
    with pytest.raises(DrawingError, match=r"^the picture was not laid out within 0.001 seconds .*; try --depth 2$"):
        graphc_graphviz.write(loaded("resnet"), path, depth=3, time_limit=0.001)
    assert not path.exists()


def test_what_graphviz_refuses_is_an_error_of_one_line() -> None:
    with pytest.raises(DrawingError, match=r"^Graphviz could not draw the picture: .+$"):
        render(Dot("digraph {"), ".svg", 60)
