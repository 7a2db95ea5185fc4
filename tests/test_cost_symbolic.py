"""Formulas: evaluated they are the counts, and they are those of the papers; plots have the right series."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
import sympy
from PIL import Image

import graphc
from graphc import cost
from graphc.cost.fit import FitError, fit
from graphc.cost.formula import Formula, simplified
from graphc.dims import Size, substitute
from graphc.pretty import rules_of
from graphc.settings import NO_SETTINGS, read_settings
from graphc.summary.plot import Over, PlotError, series
from graphc.summary.symbolic import symbolic
from test_cli import Graphc, folder
from test_cli import graphc as graphc_fixture

__all__ = ["folder", "graphc_fixture"]

ATTENTION = """\
graphc: 1
name: msa
params: {C: 96, heads: 3}
dims: {N: 1, h: 56, w: 56}
inputs: {tokens: [N, h*w, C]}
graph:
  - attention: heads
    from: {query: [linear: C], key: [linear: C], value: [linear: C]}
  - linear: C
outputs: {mixed: x}
"""


@pytest.fixture
def run(graphc_fixture: Graphc) -> Graphc:
    return graphc_fixture


@pytest.fixture
def attention(tmp_path: Path) -> str:
    path = tmp_path / "msa.yaml"
    path.write_text(ATTENTION, encoding="utf-8")
    return str(path)


def by_sympy(text: str) -> sympy.Expr:
    """A formula as it is printed, read by another program."""
    powers = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda found: "**" + found[0].translate(PLAIN), text)
    return sympy.sympify(
        powers.replace("·", "*").replace(",", ""), locals={name: sympy.Symbol(name) for name in "NCHW"}
    )


PLAIN = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


# --- formulas


def test_the_formula_of_attention_is_that_of_swins_paper(attention: str) -> None:
    """Liu et al. 2021, equation 1: Ω(MSA) = 4hwC² + 2(hw)²C; Vaswani et al. 2017: four projections of C² and C."""
    found = symbolic(attention, NO_SETTINGS, ["C"])
    assert found.formula("MACs") == "N·(4·h·w·C² + 2·(h·w)²·C)"
    assert found.formula("parameters") == "4·C² + 4·C"
    assert found.checked == [
        "In C the formulas are those through C = 96, 192, 288, 384; they were checked at 480, 576."
    ]


@pytest.mark.parametrize(
    "address", ["resnet18", "unet", "alexnet", "densenet121", "mobilenet_v3_large", "squeezenet1_0"]
)
def test_a_formula_comes_to_the_counts_at_all_sizes_that_it_is_for(address: str) -> None:
    """At the examples, and at the next sizes of the kind: as the spec read anew for them counts."""
    graph = graphc.compile(address)
    rules, examples = rules_of(graph), graph.examples()
    sizes: dict[str, Size] = {
        "macs": cost.macs(graph) or 0,
        "flops": cost.flops(graph) or 0,
        "bytes": cost.activations(graph),
    }
    for size in sizes.values():
        told = simplified(size, rules, examples)
        steps = {name: told.only.get(name, (rules[name].multiple, 0))[0] for name in graph.sizes}
        for times in (0, 1, 3):
            at = {name: examples[name] + times * steps[name] for name in examples}
            assert told.formula.at(at) == substitute(size, at)
            text = told.formula.text([*graph.sizes], ["N"])
            assert by_sympy(text).subs(at) == substitute(size, at)
    sizes_then = {name: examples[name] + rules[name].multiple * 32 for name in ("H", "W")}
    other = graphc.compile(address, size=sizes_then)
    told = simplified(sizes["macs"], rules, examples)
    assert told.formula.at({**examples, **sizes_then}) == substitute(cost.macs(other) or 0, other.examples())


def test_floors_go_where_sizes_are_promised() -> None:
    """resnet declares multiples of 32; alexnet nothing, so it is said for which sizes the formula is."""
    assert symbolic("resnet18", NO_SETTINGS).holds == ""
    assert symbolic("alexnet", NO_SETTINGS).holds == "H, W a multiple of 32"
    assert "//" not in "".join(symbolic("alexnet", NO_SETTINGS).lines())


@pytest.mark.slow
def test_formulas_in_parameters_hold_where_nobody_looked(attention: str) -> None:
    """At values that were neither used nor checked, with the sizes changed too."""
    for address, names, values in (
        (attention, ["C"], {"C": 81}),
        ("vit_b_16", ["width", "depth"], {"width": 7 * 768, "depth": 3}),
        ("vit_b_16", ["classes"], {"classes": 17}),
    ):
        found = symbolic(address, NO_SETTINGS, names)
        graph = graphc.compile(address, set=values)
        at = {**graph.examples(), **values}
        macs, params = found.counts["MACs"], found.counts["parameters"]
        assert macs is not None
        assert params is not None
        assert macs.at(at) == substitute(cost.macs(graph) or 0, graph.examples())
        assert params.at(at) == substitute(cost.parameters(graph), graph.examples())


def test_what_is_no_polynomial_is_refused() -> None:
    """EfficientNet rounds channels to multiples of 8; 2^n grows faster than any of degree 4."""
    with pytest.raises(FitError, match="is no polynomial of degree 4: not at n = 12"):
        fit(lambda values: {"count": Formula.of(2 ** values["n"])}, {"n": 2})
    with pytest.raises(FitError, match="can't have n = 5"):
        fit(lambda values: {"count": Formula.of(1)} if values["n"] <= 4 else None, {"n": 1})
    with pytest.raises(FitError, match=r"`width` is no parameter of resnet18 .*; it has classes"):
        symbolic("resnet18", NO_SETTINGS, ["width"])


def test_an_exact_polynomial_is_found_again() -> None:
    wanted = Formula({(("a", 2), ("b", 1)): 3, (("b", 3),): 5, (): 7})  # type: ignore[dict-item]  # whole fractions
    found = fit(lambda values: {"count": Formula.of(int(wanted.at(values)))}, {"a": 2, "b": 3})
    assert found.counts["count"] == wanted


def test_the_command_prints_formulas_and_what_they_come_to(run: Graphc, attention: str) -> None:
    done = run("summary", attention, "--free", "C", "--size", "h=7,w=7")
    assert (done.code, done.err) == (0, "")
    assert re.search(r"^MACs +N·\(4·h·w·C² \+ 2·\(h·w\)²·C\)$", done.out, re.MULTILINE)
    assert re.search(rf"^MACs +{4 * 49 * 96**2 + 2 * 49**2 * 96:,}$", done.out, re.MULTILINE)
    data = json.loads(run("summary", "resnet18", "--symbolic", "--as", "json").out)
    assert data["counts"]["MACs"]["at_examples"] == 1_814_073_344
    for wrong in (["resnet18", "--free", "width"], ["resnet18", "--symbolic", "--as", "csv"], ["resnet18", "unet"]):
        done = run("summary", *wrong)
        assert (done.code, done.out) == (2, "")
        assert "Traceback" not in done.err


# --- plots


def test_a_series_is_the_costs_of_the_spec_at_each_size() -> None:
    found = series("resnet18", NO_SETTINGS, Over.read("H,W=192..300/16"))
    assert found.sizes == (192, 224, 256, 288)
    for size, macs, inference, training in zip(found.sizes, found.macs, found.inference, found.training, strict=True):
        graph = graphc.compile("resnet18", size={"H": size, "W": size})
        assert macs == substitute(cost.macs(graph) or 0, graph.examples())
        memory = cost.memory(graph)
        assert (inference, training) == (memory.peak_inference, memory.peak_training)


def test_only_sizes_that_a_network_takes_are_in_its_series() -> None:
    """U-Net: 16·k + 12 from 188 on; ViT needs a patch at least."""
    assert series("unet", NO_SETTINGS, Over.read("H,W=150..260/2")).sizes[:3] == (188, 204, 220)
    assert series("vit_ti_16", NO_SETTINGS, Over.read("H,W=8..40/8")).sizes == (16, 24, 32, 40)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("H", "not of the form"),
        ("H=9..3", "to a larger one"),
        ("H=0..3", "positive"),
        ("H=1..99999/1", "larger step"),
    ],
)
def test_wrong_ranges_are_told(text: str, message: str) -> None:
    with pytest.raises(PlotError, match=message):
        Over.read(text)


def test_what_cannot_be_plotted_is_told() -> None:
    for address, text, message in (
        ("resnet18", "T=1..9", "has no size or parameter `T`"),
        ("unet", "H,W=10..90", "takes none of the sizes from 10 to 90"),
    ):
        with pytest.raises(PlotError, match=message):
            series(address, read_settings(), Over.read(text))


def test_a_plot_has_a_line_for_each_spec_and_is_the_same_each_time(run: Graphc, tmp_path: Path) -> None:
    arguments = ["summary", "resnet18", "unet", "--over", "H,W=192..512/4", "--plot"]
    texts = []
    for name in ("one.svg", "two.svg"):
        done = run(*arguments, str(tmp_path / name))
        assert (done.code, done.err, done.out) == (0, "", f"{tmp_path / name}\n")
        texts.append((tmp_path / name).read_bytes())
    assert texts[0] == texts[1]
    lines = {it.get("id"): it for it in ElementTree.fromstring(texts[0]).iter() if ":" in str(it.get("id"))}
    kinds = ("macs", "inference", "training")
    assert set(lines) == {f"{kind}:{name}" for kind in kinds for name in ("resnet18", "unet")}
    points = lines["macs:resnet18"].findall(".//{http://www.w3.org/2000/svg}use")
    heights = [float(str(point.get("y"))) for point in points]
    macs = series("resnet18", NO_SETTINGS, Over.read("H,W=192..512/4")).macs
    assert len(points) == len(macs) == 11
    steps = [(b - a) / (heights[0] - heights[-1]) for a, b in pairwise(heights)]
    wanted = [(a - b) / (macs[-1] - macs[0]) for a, b in pairwise(macs)]
    assert steps == pytest.approx(wanted, abs=1e-3)
    assert b"resnet18" in texts[0]


def test_a_png_is_a_picture_and_the_same_each_time(run: Graphc, tmp_path: Path) -> None:
    for name in ("one.png", "two.png"):
        assert run("summary", "resnet18", "--plot", str(tmp_path / name), "--over", "H,W=64..256/64").code == 0
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    with Image.open(tmp_path / "one.png") as picture:
        assert picture.size == (1650, 630)
        assert len(set(picture.convert("RGB").get_flattened_data())) > 10


@pytest.mark.parametrize(
    "arguments",
    [
        ["--plot", "x.png"],
        ["--over", "H=1..9"],
        ["--plot", "x.gif", "--over", "H=1..9"],
        ["--plot", "x.png", "--over", "T=1..9"],
    ],
)
def test_a_wrong_call_writes_nothing(run: Graphc, arguments: list[str]) -> None:
    done = run("summary", "resnet18", *arguments)
    assert (done.code, done.out) == (2, "")
    assert "Traceback" not in done.err
    assert not Path("x.png").exists()
