"""What of a graph is drawn: opened and closed parts, one part alone, the part for training, figures, marks, links."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Unpack

import pytest

from graphc import cost
from graphc.backends import BackendError, backends
from graphc.compiler import compile
from graphc.dims import substitute
from graphc.graph import Graph
from graphc.made import DrawOptions
from graphc.marks import Mark, MarkKind
from graphc_graphviz.costs import Costs
from graphc_graphviz.drawing import draw
from graphc_graphviz.picture import Leaf, Picture
from graphc_graphviz.sketch import sketch
from graphc_graphviz.view import view_of


@cache
def loaded(address: str) -> Graph:
    return compile(address)


def sketched(address: str, **options: Unpack[DrawOptions]) -> Picture:
    graph = loaded(address)
    return sketch(Costs(graph), view_of(graph, **options))


def leaves(picture: Picture) -> dict[str, Leaf]:
    return {leaf.path: leaf for leaf in picture.root.leaves() if leaf.role != "output"}


def boxes(picture: Picture) -> set[str]:
    return {box.path for box in picture.root.boxes() if box is not picture.root}


def arrows(picture: Picture) -> set[tuple[str, str]]:
    return {(arrow.tail.path, arrow.head.path) for arrow in picture.arrows}


# Open and closed


def test_expand_opens_a_part_and_all_around_it_and_nothing_else() -> None:
    picture = sketched("resnet", depth=1, expand=["stage.1.unit.0"])
    assert boxes(picture) == {"stage.1", "stage.1.unit.0"}
    assert {"stage.0", "stage.1.unit.0.residual.conv1", "stage.1.unit.1", "stage.2"} <= leaves(picture).keys()


def test_expand_of_copies_opens_each_of_them() -> None:
    assert boxes(sketched("resnet", depth=1, expand=["stage"])) == {f"stage.{number}" for number in range(4)}


def test_a_path_in_copies_that_are_drawn_once_means_the_one_that_is_drawn() -> None:
    picture = sketched("vit", depth=1, expand=["encoder.7.attend.self_attention"])
    assert boxes(picture) == {"encoder.0", "encoder.0.attend.self_attention"}
    assert boxes(sketched("vit", depth=2, collapse=["encoder.7"])) == {"embed"}


def test_collapse_closes_a_part_whatever_the_depth() -> None:
    picture = sketched("resnet", depth=2, collapse=["stage.1"])
    assert boxes(picture) == {"stem", "stage.0", "stage.2", "stage.3"}
    assert leaves(picture)["stage.1"].digest == ("bottleneck 128 ×4",)


def test_collapse_of_copies_makes_one_part_of_them() -> None:
    picture = sketched("resnet", depth=2, collapse=["stage"])
    assert leaves(picture)["stage"].digest == ("bottleneck ×16",)
    assert {("max_pool2d", "stage"), ("stage", "adaptive_avg_pool2d")} <= arrows(picture)


def test_expand_inside_an_open_part_leaves_the_depth_as_it_is() -> None:
    assert boxes(sketched("unet", depth=2, expand=["bottom"])) == boxes(sketched("unet", depth=2))


# One part alone


def test_focus_draws_one_part_between_what_it_reads_and_who_reads_it() -> None:
    picture = sketched("googlenet", depth=1, focus=["stage.0.inception.0"])
    assert not boxes(picture)
    ends = {leaf.role: leaf for leaf in picture.root.leaves() if leaf.role in ("input", "output")}
    assert ends["input"].path == "stage.0.max_pool2d"
    assert ends["input"].shapes == ("[N, 192, 28, 28]",)
    assert ends["output"].path == "stage.0.inception.1"
    names = [leaf.lines[0].name for leaf in picture.root.leaves() if leaf.role == "block"]
    assert names == ["branch1.conv", "branch2.conv", "branch2.conv_2", "branch3.conv", "branch3.conv_2", "branch4.conv"]
    assert picture.title == "GoogLeNet · stage.0.inception.0"


def test_focus_on_a_part_that_gives_the_output_ends_with_it() -> None:
    picture = sketched("unet", focus=["up.3", "logits"], depth=1)
    assert boxes(picture) == {"up.3"}
    ends = [leaf.path for leaf in picture.root.leaves() if leaf.role == "output"]
    assert ends == ["logits"]
    inputs = {leaf.path for leaf in picture.root.leaves() if leaf.role == "input"}
    assert inputs == {"up.2.double_conv.relu_2", "down.0.features.relu_2"}


def test_depth_counts_from_the_focus() -> None:
    assert boxes(sketched("vit", focus=["encoder"], depth=1)) == set()
    assert boxes(sketched("vit", focus=["encoder"], depth=2)) == {"encoder.0"}


def test_focus_inside_another_is_drawn_with_it() -> None:
    both = sketched("resnet", focus=["stage.0", "stage.0.unit.1"], depth=1)
    assert leaves(both).keys() == leaves(sketched("resnet", focus=["stage.0"], depth=1)).keys()


# What is not there


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"expand": ["stage.7"]}, "expand: nothing is at `stage.7`; did you mean `stage.3`?"),
        ({"collapse": ["stge"]}, "collapse: nothing is at `stge`; did you mean `stage`?"),
        ({"focus": ["max_pool"]}, "focus: nothing is at `max_pool`; did you mean `max_pool2d`?"),
        ({"expand": ["fc"]}, "`fc` is an op; expand is for blocks, `do` and copies"),
        ({"marks": {"fcc": Mark("added")}}, "marks: nothing is at `fcc`; did you mean `fc`?"),
        ({"expand": ["stage.1.unit.0"], "collapse": ["stage.1"]}, "`stage.1` can't be both expanded"),
        ({"theme": "blue"}, "theme: `blue` is none of light, dark, print"),
        ({"direction": "up"}, "direction: `up` is none of down, right"),
        ({"show": ["flops"]}, "show: `flops` is none of params, macs"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_told_in_one_line(options: DrawOptions, message: str) -> None:
    with pytest.raises(BackendError) as caught:
        draw(loaded("resnet"), ".dot", **options)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_training_of_a_graph_that_has_none_is_told() -> None:
    graph = compile("resnet:resnet18")
    graph.training = None
    with pytest.raises(BackendError, match=r"^`resnet18` has no `training` to draw$"):
        draw(graph, ".dot", training=True)


# Training


def test_training_is_dashed_and_reads_the_network() -> None:
    picture = sketched("googlenet", depth=1, training=True)
    training = [leaf for leaf in picture.root.leaves() if leaf.dashed]
    assert {"aux.0", "aux.1", "label", "cross_entropy", "total"} <= {leaf.path for leaf in training}
    assert {("stage.1", "aux.0"), ("stage.1", "aux.1"), ("fc", "cross_entropy"), ("add_2", "total")} <= arrows(picture)
    assert {arrow.dashed for arrow in picture.arrows} == {True, False}
    assert not any(leaf.dashed for leaf in sketched("googlenet", depth=1).root.leaves())
    svg = draw(loaded("googlenet"), ".svg", depth=1, training=True).decode()
    assert svg.count("stroke-dasharray") > len(training)


# Figures


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_figures_of_all_parts_are_those_of_the_network(depth: int) -> None:
    """Rounded to three digits each."""
    graph = loaded("vit")
    found = [leaf.figures for leaf in sketched("vit", depth=depth, show=["params", "macs"]).root.leaves()]
    for name, whole in (("params", cost.parameters(graph)), ("MACs", cost.macs(graph))):
        parts = re.findall(rf"([\d.]+)([kMG]?) {name}", " ".join(found))
        total = sum(float(number) * {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}[unit] for number, unit in parts)
        assert whole is not None
        assert total == pytest.approx(int(str(substitute(whole, graph.examples()))), rel=0.005)


def test_figures_of_copies_are_those_of_all() -> None:
    figures = leaves(sketched("vit", depth=1, show=["params"]))["encoder.0"].figures
    assert figures == "85.1M params in all"
    assert leaves(sketched("vit", depth=1))["encoder.0"].figures == ""


# Marks


def test_a_mark_is_told_by_colour_sign_note_and_legend() -> None:
    kinds: dict[str, MarkKind] = {"stem": "added", "fc": "removed", "flatten": "changed", "max_pool2d": "moved"}
    marks = {path: Mark(kind, f"a note on {path}") for path, kind in kinds.items()}
    svg = draw(loaded("resnet"), ".svg", depth=1, marks=marks).decode()
    text = " ".join(re.findall(r">([^<>]+)</text>", svg))
    for path, kind in kinds.items():
        assert f"a note on {path}" in text
        assert len(re.findall(rf"\b{kind}\b", text)) == 1
    assert all(text.count(sign) == 2 for sign in "+−≠↔")
    assert "added" not in draw(loaded("resnet"), ".svg", depth=1).decode()


def test_a_mark_in_a_closed_block_shows_on_it() -> None:
    marks = {"stage.1.unit.0.add": Mark("changed"), "stage.1.unit.2": Mark("added"), "stage.2": Mark("moved", "whole")}
    picture = leaves(sketched("resnet", depth=1, marks=marks))
    assert picture["stage.1"].lines[0].mark == Mark("changed", "inside: 1 changed, 1 added")
    assert picture["stage.2"].lines[0].mark == Mark("moved", "whole")
    assert picture["stage.0"].lines[0].mark is None


def test_copies_with_other_marks_are_drawn_each() -> None:
    picture = leaves(sketched("vit", depth=1, marks={"encoder.5": Mark("changed")}))
    assert [picture[f"encoder.{copy}"].count for copy in (0, 5, 6)] == [5, 1, 6]
    same = leaves(sketched("vit", depth=1, marks={f"encoder.{copy}": Mark("changed") for copy in range(12)}))
    assert same["encoder.0"].count == 12


def test_marks_on_open_blocks_inputs_and_outputs() -> None:
    marks = {"stage.0": Mark("added"), "image": Mark("changed"), "logits": Mark("moved")}
    picture = sketched("resnet", depth=2, marks=marks)
    assert picture.marks() == {"added", "changed", "moved"}
    assert next(box.mark for box in picture.root.boxes() if box.path == "stage.0") == Mark("added")


# Links, themes, backends


def test_an_svg_leads_to_the_lines_of_the_spec(tmp_path: Path) -> None:
    spec = tmp_path / "a: javascript.yaml"
    lines = ["graphc: 1", "name: made", "dims: {N: 1}", "inputs: {row: [N, 4]}", "graph:", "  - relu", "  - linear: 3"]
    spec.write_text("\n".join(lines), "utf-8")
    plain = draw(compile(str(spec)), ".svg").decode()
    assert set(re.findall(r'xlink:href="([^"]+)"', plain)) == {"a%3A%20javascript.yaml#L6", "a%3A%20javascript.yaml#L7"}
    assert str(tmp_path) not in plain
    assert "linear&#10;linear 3&#10;[N, 3]&#10;15 parameters, 12 MACs&#10;a: javascript.yaml:7" in plain
    led = draw(compile(str(spec)), ".svg", links="https://example.org/main/").decode()
    assert 'xlink:href="https://example.org/main/a%3A%20javascript.yaml#L7"' in led


def test_a_theme_changes_colours_alone() -> None:
    pictures = [draw(loaded("unet"), ".svg", depth=1, theme=theme).decode() for theme in ("light", "dark")]
    light, dark = (re.sub(r"#[0-9a-fA-F]{6}|\b(white|black)\b", "", picture) for picture in pictures)
    assert light == dark
    assert pictures[0] != pictures[1]


def test_reading_order_runs_down_where_values_flow_to_the_right() -> None:
    svg = draw(loaded("vit"), ".svg", depth=4, focus=["encoder"], direction="right").decode()
    names = [re.escape(f"encoder.0.attend.self_attention.attention.{name}") for name in "qkv"]
    pattern = r'<title>{}</title>.*?points="[-\d.]+,(-?[\d.]+)'
    found = [re.search(pattern.replace("{}", name), svg, re.DOTALL) for name in names]
    heights = [float(match[1]) for match in found if match]
    assert len(heights) == 3
    assert heights == sorted(heights)


def test_texts_need_neither_graphviz_nor_its_bindings(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['pygraphviz'] = None\n"
        "from graphc.compiler import compile\n"
        "for name in ('a.dot', 'a.mmd', 'a.svg'): compile('unet').draw(name, depth=1)"
    )
    folder = tmp_path / "pygraphviz"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise ImportError('no pygraphviz here')", "utf-8")
    environment = {"PYTHONPATH": ":".join([str(tmp_path), *sys.path])}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (tmp_path / "a.dot").read_text("utf-8").startswith("digraph")
    assert (tmp_path / "a.mmd").read_text("utf-8").startswith("---")
    assert not (tmp_path / "a.svg").exists()
    assert run.stderr.splitlines()[-1].endswith(
        "Graphviz could not draw the picture: ImportError: no pygraphviz here; a .dot or .mmd file can do without it"
    )


def test_the_backend_takes_what_can_be_asked_of_a_diagram() -> None:
    for option in DrawOptions.__annotations__:
        assert set(backends().taking(option).by_suffix) == {".svg", ".png", ".pdf", ".dot", ".mmd"}
