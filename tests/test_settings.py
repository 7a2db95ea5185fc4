"""`--set` and `--size`: what a command line changes in a spec."""

from __future__ import annotations

import pytest

from graphc.check import needs
from graphc.cli import main
from graphc.compiler import compile
from graphc.cost import parameters
from graphc.diagnostics import SpecError
from graphc.settings import read_settings

PLAIN34 = 21_623_848
"""reference.yaml, plain-34: ResNet-34 without its shortcuts."""


def test_a_setting_makes_one_network_the_other() -> None:
    graph = compile("resnet:resnet34", read_settings(["block=plain_block"]))
    assert parameters(graph) == PLAIN34


def test_a_setting_comes_after_the_variant() -> None:
    """ResNet-18's counts in the variant of ResNet-50."""
    graph = compile("resnet:resnet50", read_settings(["layers=[2, 2, 2, 2]", "block=basic_block"]))
    assert parameters(graph) == 11_689_512


def test_a_setting_is_an_expression() -> None:
    assert parameters(compile("unet", read_settings(["width=8*8"]))) == 31_030_658


def test_sizes_are_the_examples_and_change_no_need() -> None:
    graph = compile("unet", read_settings(sizes=["H=188,W=204", "N=3"]))
    assert graph.examples() == {"N": 3, "H": 188, "W": 204}
    assert [str(need.needed) for need in needs(graph)] == ["at least 1", "at least 188", "at least 188"]


def test_expectations_hold_for_the_spec_as_it_is() -> None:
    assert compile("unet").expected
    assert not compile("unet", read_settings(["width=32"])).expected


@pytest.mark.parametrize(
    ("set_", "size", "code", "said"),
    [
        ("wdith=32", "", "E402", "did you mean `width`?"),
        ("width", "", "E106", "name=value"),
        ("width=wide", "", "E302", "`wide` is not a name"),
        ("width=1.5", "", "E404", "whole number"),
        ("width=", "", "E106", "name=value"),
        ("", "H=100", "E404", "a multiple of 16 plus 12 and at least 188"),
        ("", "H=big", "E404", "a multiple of 16 plus 12"),
        ("", "K=4", "E402", "it has N, H and W"),
        ("", "H=188,,W=188", "E106", "name=value"),
    ],
)
def test_a_wrong_setting_is_a_wrong_call(
    set_: str, size: str, code: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--set", set_] if set_ else ["--size", size]
    with pytest.raises(SystemExit) as stop:
        main(["check", "unet", *options])
    shown = capsys.readouterr()
    assert (stop.value.code, shown.out) == (2, "")
    assert f"error {code}" in shown.err
    assert said in shown.err


def test_a_network_that_a_setting_makes_impossible_is_the_specs_error() -> None:
    """Of the paper's 572 rows nothing is left after seven levels."""
    with pytest.raises(SpecError) as error:
        compile("unet", read_settings(["depth=7"]))
    assert {diagnostic.span.file for diagnostic in error.value.diagnostics} == {"unet.yaml"}
