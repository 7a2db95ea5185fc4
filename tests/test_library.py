"""The addresses of specs."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from graphc import library
from graphc.compiler import compile
from graphc.diagnostics import SpecError
from graphc.graph import Graph
from graphc.settings import read_settings

TEXT = """
graphc: 1
name: tiny
variants: {small: {}}
dims: {N: 1}
inputs: {x_in: [N, 4]}
blocks:
  unit:
    params: {width: 3}
    inputs: {a: [N, C], b: [N, 2*C], bias: optional}
    graph:
      - concat:
        from: [a, b]
      - add:
        from: [x, bias]
        when: bias != none
      - linear: width
  open: {graph: [relu]}
  rest: {inputs: {a: [..., C]}, graph: [relu]}
graph: [relu]
"""


@pytest.mark.parametrize(
    ("address", "name", "variant"),
    [
        ("unet", "unet", None),
        ("resnet:resnet18", "resnet", "resnet18"),
        ("resnet18", "resnet", "resnet18"),
        ("./tiny.yaml", "tiny", None),
        ("tiny.yaml:small", "tiny", "small"),
        ("folder/tiny.yml:small", "tiny", "small"),
        ("-", "tiny", None),
        ("-:small", "tiny", "small"),
        ("resnet#bottleneck", "bottleneck", None),
        ("tiny.yaml#unit", "unit", None),
        ("-#unit", "unit", None),
        ("a#b:c.yaml", "tiny", None),
        ("a#b:c.yaml:small", "tiny", "small"),
        ("a#b:c.yaml#unit", "unit", None),
    ],
)
def test_an_address_finds_its_spec(
    address: str, name: str, variant: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder").mkdir()
    for file in ("tiny.yaml", "folder/tiny.yml", "a#b:c.yaml"):
        (tmp_path / file).write_text(TEXT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO(TEXT))
    spec, chosen = library.load(address)
    assert (spec.name, chosen) == (name, variant)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("unett", "did you mean `unet`?"),
        ("resnet:resnet19", "did you mean `resnet18`?"),
        ("unet:big", "it has no variants"),
        ("resnet18:resnet34", "write resnet:resnet34"),
        ("resnet#botleneck", "did you mean `bottleneck`?"),
        ("resnet18#bottlenec", "resnet has no block"),
        ("missing.yaml", "No such file"),
        ("./", "directory"),
        ("C:\\specs\\unet.yaml", "No such file"),
    ],
)
def test_an_address_that_leads_nowhere_says_so(
    address: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecError) as error:
        library.load(address)
    (found,) = error.value.diagnostics
    assert found.code == "E105"
    assert said in f"{found.message} {found.hint}"


def test_no_name_means_two_specs() -> None:
    """A variant is named as its spec or as nobody else."""
    specs = {name: library.installed(name).variants for name in library.names()}
    variants = [variant for name, own in specs.items() for variant in own if variant != name]
    assert len(set(variants)) == len(variants)
    assert not set(variants) & set(specs)


def compiled(address: str, *settings: str) -> Graph:
    return compile(address, read_settings(settings))


def test_a_block_stands_alone(tmp_path: Path) -> None:
    """The sizes of its inputs are free, those that are set are fixed; what may be absent is."""
    (tmp_path / "tiny.yaml").write_text(TEXT)
    graph = compiled(f"{tmp_path}/tiny.yaml#unit", "C=5", "width=7")
    assert {name: str(value.type) for name, value in graph.inputs.items()} == {"a": "[N, 5]", "b": "[N, 10]"}
    assert [(path, weight.shape) for path, weight in graph.weights()] == [
        ("linear.weight", (7, 15)),
        ("linear.bias", (7,)),
    ]
    assert graph.examples() == {"N": 1}


@pytest.mark.parametrize(
    ("address", "settings", "code", "said"),
    [
        ("#unit", [], "E501", "must be fixed"),
        ("#unit", ["D=5"], "E402", "it has width, N and C"),
        ("#unit", ["C=0"], "E404", "C must be"),
        ("#unit", ["C=x"], "E404", "not x"),
        ("#open", [], "E105", "it doesn't say what it takes"),
        ("#rest", [], "E105", "the shape of `a` is open"),
    ],
)
def test_a_block_that_cannot_stand_alone_says_why(
    address: str, settings: list[str], code: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "tiny.yaml").write_text(TEXT)
    with pytest.raises(SpecError) as error:
        compiled(f"{tmp_path}/tiny.yaml{address}", *settings)
    (found,) = error.value.diagnostics
    assert found.code == code
    assert said in f"{found.message} {found.hint}"


def test_a_size_can_be_fixed() -> None:
    graph = compiled("unet", "H=188")
    assert list(graph.sizes) == ["N", "W"]
    assert graph.outputs["logits"].type.shape[2] == 4
