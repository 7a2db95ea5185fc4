"""Pictures that fit a page, and those of the documents."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Protocol

import pytest
import yaml

from graphc.compiler import compile
from graphc.graph import Graph
from graphc.made import DrawOptions
from graphc_graphviz.costs import Costs
from graphc_graphviz.depth import readable
from graphc_graphviz.dot import to_dot
from graphc_graphviz.drawing import draw
from graphc_graphviz.render import HERE, _environment
from graphc_graphviz.sketch import sketch
from graphc_graphviz.style import THEMES
from graphc_graphviz.view import View

TOP = Path(__file__).parents[1]
SPECS = sorted((TOP / "specs").glob("*.yaml"))
PAGE = (7.5 * 72, 10 * 72)
"""What A4 and Letter have in common inside their margins, in points."""
SMALLEST = 6
"""The smallest letters that are easily read in print, in points."""
LAYOUT = """
import json, sys
sys.path.insert(0, sys.argv[1])
from layout import AGraph, _best
asked = json.load(sys.stdin)
best = {name: _best(**json.loads(text)) for name, text in asked.items()}
json.dump({name: AGraph(string=dot).draw(format="svg", prog="dot").decode() for name, dot in best.items()}, sys.stdout)
"""
"""What `layout.py` does, for several pictures."""


class Shown(Protocol):
    """A picture of `docs/gallery.py`."""

    name: str
    address: str
    options: DrawOptions
    settings: Mapping[str, int]

    def draw(self, folder: Path) -> None: ...


class Plotted(Protocol):
    """A plot of `docs/gallery.py`."""

    name: str

    def draw(self, folder: Path) -> None: ...


DRAWN = runpy.run_path(str(TOP / "docs" / "gallery.py"))
GALLERY: tuple[Shown, ...] = DRAWN["GALLERY"]
PLOTS: tuple[Plotted, ...] = DRAWN["PLOTS"]


@cache
def loaded(address: str) -> Graph:
    return compile(address)


def variants(spec: Path) -> list[str]:
    """The addresses of a spec's variants, the spec alone where it has none."""
    named = yaml.safe_load(spec.read_text("utf-8")).get("variants") or {}
    return [f"{spec.stem}:{name}" for name in named] or [spec.stem]


def smallest_letters(svg: str) -> float:
    """The size of the smallest letters when a picture is scaled to fit the page, upright or turned; never enlarged."""
    width, height = (float(side) for side in re.findall(r'<svg width="([\d.]+)pt" height="([\d.]+)pt"', svg)[0])
    (short, long), least = PAGE, min(map(float, re.findall(r'font-size="([\d.]+)"', svg)))
    upright, turned = min(short / width, long / height), min(long / width, short / height)
    return least * min(1, max(upright, turned))


def pictures(graphs: Mapping[str, Graph], folder: Path, depth: int | None) -> dict[str, str]:
    """Each graph's SVG, all laid out in one process, with the fonts that `render` gives it."""
    dots = {}
    for address, graph in graphs.items():
        costs, view = Costs(graph), View()
        opened = view.to(readable(costs, view) if depth is None else depth)
        dots[address] = to_dot(sketch(costs, opened), THEMES["light"]).asked().decode()
    command = [sys.executable, "-P", "-c", LAYOUT, str(HERE)]
    done = subprocess.run(
        command, input=json.dumps(dots).encode(), env=_environment(folder), capture_output=True, check=True
    )
    drawn: dict[str, str] = json.loads(done.stdout)
    return drawn


@pytest.mark.slow
def test_each_variant_fits_a_page_at_depth_1(tmp_path: Path) -> None:
    graphs = {address: loaded(address) for spec in SPECS for address in variants(spec)}
    sizes = {address: smallest_letters(svg) for address, svg in pictures(graphs, tmp_path, 1).items()}
    assert len(sizes) >= 60
    assert not {address for address, size in sizes.items() if size < SMALLEST}


def test_without_a_depth_a_picture_fits_a_page(tmp_path: Path) -> None:
    graphs = {spec.stem: loaded(spec.stem) for spec in SPECS}
    sizes = {address: smallest_letters(svg) for address, svg in pictures(graphs, tmp_path, None).items()}
    assert not {name for name, size in sizes.items() if size < SMALLEST}


def test_a_picture_that_is_too_tall_has_letters_too_small() -> None:
    """The measure itself: DenseNet with every layer open does not fit."""
    assert smallest_letters(draw(loaded("densenet:densenet121"), ".svg", depth=4).decode()) < SMALLEST


@pytest.mark.parametrize("picture", GALLERY, ids=lambda picture: picture.name)
def test_the_pictures_of_the_documents_are_what_is_drawn_now(picture: Shown, tmp_path: Path) -> None:
    """`python docs/gallery.py` draws them again."""
    picture.draw(tmp_path)
    drawn = (tmp_path / picture.name).read_bytes()
    assert drawn == (TOP / "docs" / "pictures" / picture.name).read_bytes()
    assert len(drawn) < 150_000


@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.name)
def test_the_plots_of_the_documents_are_what_is_plotted_now(plot: Plotted, tmp_path: Path) -> None:
    plot.draw(tmp_path)
    assert (tmp_path / plot.name).read_bytes() == (TOP / "docs" / "pictures" / plot.name).read_bytes()


def test_the_gallery_shows_each_picture_below_the_command_that_draws_it() -> None:
    text = (TOP / "docs" / "gallery.md").read_text("utf-8")
    shown = re.findall(r"`graphc draw ([^`]*)`\n\n!\[[^\]]+\]\(pictures/([^)]+)\)", text)
    others = {"tiny.svg", "marks.svg"}
    assert {name: words for words, name in shown} == {p.name: command(p) for p in GALLERY if p.name not in others}
    assert "](pictures/marks.svg)" in text


def test_no_picture_is_left_over() -> None:
    there = {path.name for path in (TOP / "docs" / "pictures").iterdir()}
    others = {name for name in there if name.startswith(("activations_", "grad_cam", "rectangles", "terminal_"))}
    assert there - others == {picture.name for picture in (*GALLERY, *PLOTS)}


def command(picture: Shown) -> str:
    """What is written on the command line for a picture."""
    words = [picture.address]
    for name, value in picture.options.items():
        match value:
            case True:
                words.append(f"--{name}")
            case list() if name == "show":
                words.append(f"--show {','.join(value)}")
            case list():
                words += [f"--{name} {path}" for path in value]
            case _:
                words.append(f"--{name} {value}")
    return " ".join([*words, *(f"--set {name}={value}" for name, value in picture.settings.items())])
