"""The addresses of specs."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from graphc import library
from graphc.diagnostics import SpecError

TEXT = "graphc: 1\nname: tiny\nvariants: {small: {}}\ndims: {N: 1}\ninputs: {x_in: [N, 4]}\ngraph: [relu]\n"


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
    ],
)
def test_an_address_finds_its_spec(
    address: str, name: str, variant: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder").mkdir()
    for file in ("tiny.yaml", "folder/tiny.yml"):
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
