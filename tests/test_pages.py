"""Pages that show what commands print: it is what they print now, and what the papers say that it should be."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import sympy

from graphc.settings import NO_SETTINGS
from graphc.summary.symbolic import symbolic

TOP = Path(__file__).parents[1]
EXAMPLES = TOP / "examples"
PAGES = ("costs.md", "diff.md", "receptive_fields.md")
POWERS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def shown(page: str) -> list[tuple[str, str]]:
    """The commands of a page that stand with what they print."""
    text = (TOP / "docs" / page).read_text(encoding="utf-8")
    consoles = re.findall(r"^```console\n\$ (graphc [^\n]*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [(command, printed) for command, printed in consoles]


COMMANDS = [each for page in PAGES for each in shown(page)]


@pytest.mark.parametrize(("command", "printed"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_what_a_page_shows_is_what_is_printed(command: str, printed: str) -> None:
    run = [sys.executable, "-m", *command.split()]
    done = subprocess.run(run, cwd=TOP, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (printed, "")
    assert done.returncode == ("diff" in command)  # 1: they differ


def formula(address: str, *parameters: str, of: str = "MACs") -> sympy.Expr:
    """A formula as it is printed, read by another program."""
    text = symbolic(address, NO_SETTINGS, parameters).formula(of)
    powers = re.sub(f"[{''.join(map(chr, POWERS))}]+", lambda found: "**" + found[0].translate(POWERS), text)
    names = {name: sympy.Symbol(name) for name in "NCHWMhw"}
    return sympy.sympify(powers.replace("·", "*").replace(",", ""), locals=names)


N, C, H, W, M, h, w = sympy.symbols("N C H W M h w")


def test_attention_costs_what_swins_paper_says() -> None:
    """Liu et al. 2021, equations 1 and 2, for N pictures."""
    everywhere = formula(f"{EXAMPLES}/attention_costs.yaml:msa", "C")
    windows = formula(f"{EXAMPLES}/attention_costs.yaml:w_msa", "C", "M")
    assert sympy.expand(everywhere - N * (4 * h * w * C**2 + 2 * (h * w) ** 2 * C)) == 0
    assert sympy.expand(windows - N * (4 * h * w * C**2 + 2 * M**2 * h * w * C)) == 0


def test_three_small_convolutions_have_the_weights_that_vggs_paper_says() -> None:
    """Simonyan and Zisserman 2014, section 2.3: 3·(3²C²) = 27C² against 7²C² = 49C²; two against 5²C²."""
    for variant, weights in (("three_3x3", 27), ("one_7x7", 49), ("two_3x3", 18), ("one_5x5", 25)):
        assert formula(f"{EXAMPLES}/stacked.yaml:{variant}", "C", of="parameters") == weights * C**2
        assert formula(f"{EXAMPLES}/stacked.yaml:{variant}", "C") == weights * N * H * W * C**2


@pytest.mark.slow
def test_vits_formula_is_that_of_its_layers() -> None:
    """12 layers of width 768 over n = H·W/256 + 1 tokens: 12C²n + 2n²C each; the patches, and a head of 1000."""
    tokens, width = H * W / sympy.Integer(256) + 1, 768
    layers = 12 * (12 * width**2 * tokens + 2 * width * tokens**2)
    assert sympy.expand(formula("vit_b_16") - N * (layers + (tokens - 1) * 768 * width + 1000 * width)) == 0
