"""Mermaid's text, read by a small grammar of our own: that of the flowcharts that are written here.

It is no test of Mermaid itself. The grammar is stricter than Mermaid's: what it takes is, by Mermaid's description of
flowcharts (https://mermaid.js.org/syntax/flowchart.html), a flowchart.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Unpack

import pytest
import yaml

import graphc
from graphc.compiler import compile
from graphc.graph import Graph
from graphc.made import DrawOptions
from graphc.marks import Mark
from graphc_graphviz.drawing import draw
from graphc_graphviz.mermaid import WIDEST, to_mermaid
from graphc_graphviz.picture import Arrow, Box, Leaf, Line, Picture
from graphc_graphviz.render import DrawingError
from graphc_graphviz.style import THEMES

HOSTILE = (
    '"]; click a "javascript:1" <img src=x onerror=1> `md` #quot; 1. one - two __b__ style:x#1 --> y %%{i}%% \n end \\'
)
TEXT = r'"(?P<text>(?:[^"#<>`&;\\%|]|#\d+;|<br/>)*)"'
"""A label: no sign in it ends it or is markup, but for line breaks; numbers stand for such signs."""
NODE = re.compile(rf"(?P<name>[nlm]\d+)(?P<open>\[|\(|\(\[){TEXT}(?P<close>\]|\)|\]\))(?::::(?P<kind>\w+))?")
BOX = re.compile(rf"subgraph (?P<name>b\d+|legend)\[{TEXT}\]")
ARROW = re.compile(r"(?P<tail>n\d+) (?P<line>-->|-\.->) (?P<head>n\d+)")
STYLE = re.compile(r"classDef (?P<kind>\w+) (?:[a-z-]+:[#\w .]+)(?:,[a-z-]+:[#\w .]+)*")
CLASS = re.compile(r"class (?P<names>[nb]\d+(?:,[nb]\d+)*) (?P<kind>\w+)")


@dataclass
class Flowchart:
    """What was read."""

    title: str
    direction: str
    labels: dict[str, str] = field(default_factory=dict)
    arrows: list[tuple[str, str, str]] = field(default_factory=list)
    boxes: dict[str, str] = field(default_factory=dict)
    styles: set[str] = field(default_factory=set)
    classes: dict[str, list[str]] = field(default_factory=dict)


def read(text: str) -> Flowchart:
    """Reads a flowchart; each line has to be one of the grammar's."""
    nothing, front, chart_text = text.split("---\n", 2)
    assert nothing == ""
    title = front.splitlines()[0]
    head, *lines = chart_text.splitlines()
    chart = Flowchart(json.loads(title.removeprefix("title: ")), head.removeprefix("flowchart "))
    assert yaml.safe_load(front) == {"title": chart.title, "config": {"flowchart": {"wrappingWidth": WIDEST}}}
    assert chart.direction in ("TB", "LR")
    depth = 0
    for line in map(str.strip, lines):
        if line == "end":
            depth -= 1
            assert depth >= 0
        elif found := BOX.fullmatch(line):
            depth += 1
            chart.boxes[found["name"]] = plain(found["text"])
        elif not take(chart, line):
            assert line == "direction LR", line
    assert depth == 0
    known = {*chart.labels, *chart.boxes}
    assert {name for arrow in chart.arrows for name in arrow[::2]} <= known
    assert {name for names in chart.classes.values() for name in names} <= known
    assert chart.classes.keys() <= chart.styles
    return chart


def take(chart: Flowchart, line: str) -> bool:
    """Reads a line with a node, an arrow or a style."""
    if found := NODE.fullmatch(line):
        assert found["name"] not in chart.labels
        assert (found["open"], found["close"]) in (("[", "]"), ("(", ")"), ("([", "])"))
        chart.labels[found["name"]] = plain(found["text"])
    elif found := ARROW.fullmatch(line):
        chart.arrows.append((found["tail"], found["line"], found["head"]))
    elif found := STYLE.fullmatch(line):
        chart.styles.add(found["kind"])
    elif found := CLASS.fullmatch(line):
        chart.classes[found["kind"]] = found["names"].split(",")
    return found is not None


def plain(label: str) -> str:
    """A label as it is shown."""
    return re.sub(r"#(\d+);", lambda code: chr(int(code[1])), label.replace("<br/>", "\n"))


@cache
def loaded(address: str) -> Graph:
    return compile(address)


def chart_of(address: str, **options: Unpack[DrawOptions]) -> Flowchart:
    return read(draw(loaded(address), ".mmd", **options).decode())


@pytest.mark.parametrize("address", ["unet", "resnet:resnet50", "googlenet", "vit", "densenet", "convnext"])
@pytest.mark.parametrize("depth", [1, 2])
def test_a_flowchart_is_read(address: str, depth: int) -> None:
    chart = chart_of(address, depth=depth)
    assert chart.arrows
    assert {kind for _, kind, _ in chart.arrows} == {"-->"}


def test_a_flowchart_has_what_the_spec_has() -> None:
    chart = chart_of("vit", depth=1)
    shown = list(chart.labels.values())
    assert shown[0] == "image\n[N, 3, H, W]"
    assert "encoder encoder_layer 12 ×12\n[N, (H//16)*(W//16) + 1, 768]" in shown
    assert "getitem [:, 0]\n[N, 768]" in shown
    assert chart.title.startswith("ViT · vit_b_16 — Dosovitskiy, ")
    names = list(chart.labels)
    assert [(tail, head) for tail, _, head in chart.arrows] == [(names[i], names[i + 1]) for i in range(8)]
    assert chart.labels[chart.classes["norm"][0]] == "norm layer_norm"


def test_boxes_direction_training_and_marks_are_told() -> None:
    chart = chart_of("resnet", depth=2, direction="right", training=True, marks={"fc": Mark("moved", "from `head`")})
    assert chart.direction == "LR"
    assert {"stage.0", "training"} <= set(chart.boxes.values())
    assert "-.->" in {line for _, line, _ in chart.arrows}
    (moved,) = chart.classes["moved"]
    assert chart.labels[moved] == "↔ fc linear 1000\nfrom `head`\n[N, 1000]"
    assert "↔ moved" in chart.labels.values()


def test_hostile_text_stays_text() -> None:
    root = Box("")
    box = Box("box", True, HOSTILE, HOSTILE, parent=root, mark=Mark("changed", HOSTILE), figures=HOSTILE)
    root.parts.append(box)
    line = Line("path", HOSTILE, HOSTILE, "conv", mark=Mark("added", HOSTILE))
    leaves = [Leaf(role, box, [line], (HOSTILE,), digest=(HOSTILE,)) for role in ("op", "block", "input")]
    box.parts.extend(leaves)
    picture = Picture("name", HOSTILE, HOSTILE, root, [Arrow(leaves[0], leaves[1], "value")])
    chart = read(to_mermaid(picture, THEMES["dark"]))
    clean = " ".join(HOSTILE.split())
    assert [chart.labels[f"n{number}"].count(clean) for number in range(3)] == [5, 5, 5]
    assert chart.boxes["b1"].count(clean) == 4
    assert chart.title.count(HOSTILE) == 2
    assert len(chart.arrows) == 1


def test_what_mermaid_refuses_for_its_size_is_not_written(tmp_path: Path) -> None:
    steps = "graph: [{conv2d: {out_channels: n, kernel_size: 1}, for: {n: 'range(1, 600)'}}]"
    graph = graphc.compile(text=f"graphc: 1\nname: long\ndims: {{N: 1}}\ninputs: {{image: [N, 1, 4, 4]}}\n{steps}")
    with pytest.raises(DrawingError, match=r"^Mermaid takes 50,000 characters and 500 arrows, .* --depth has fewer$"):
        graph.draw(tmp_path / "large.mmd")
    assert not (tmp_path / "large.mmd").exists()
