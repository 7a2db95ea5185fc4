"""Finds specs: a path, or the name of one that is installed with graphc; `:variant` behind it chooses a variant."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from graphc.diagnostics import Diagnostic, Source, Span, SpecError, did_you_mean
from graphc.reader import read
from graphc.source import read_source, read_text
from graphc.spec import Spec


def load(address: str) -> tuple[Spec, str | None]:
    """The spec at an address, and the variant that the address names.

    `specs/unet.yaml`, `unet`, `resnet:resnet18` and `specs/resnet.yaml:resnet18` are addresses. What ends in .yaml or
    .yml, or has a folder in it, is a path; a bare name is looked up among the installed specs.

    Raises:
        SpecError: there is no such spec or variant, or the spec's form is wrong.
    """
    file, variant = _split(address)
    path = Path(file) if _is_path(file) else _installed(file)
    spec = load_file(path, file if _is_path(file) else path.name)
    if variant is not None and variant not in spec.variants:
        hint = did_you_mean(variant, spec.variants, f"the variants are {', '.join(spec.variants) or 'none'}")
        raise _no_spec(address, f"{spec.name} has no variant `{variant}`", hint)
    return spec, variant


def load_file(path: Path, name: str) -> Spec:
    """The spec in a file, reported under `name`."""
    text = read_source(path, name)
    return read(read_text(text, name), name, text)


def standard() -> Spec:
    """The blocks that are always in scope."""
    path = specs() / "blocks" / "standard.yaml"
    return load_file(path, "blocks/standard.yaml")


def specs() -> Path:
    """The folder of the installed specs; in a checkout the one at its top."""
    inside = Path(str(files("graphc"))) / "specs"
    return inside if inside.is_dir() else inside.parents[1] / "specs"


def names() -> list[str]:
    """The names of the installed specs."""
    return sorted(path.stem for path in specs().glob("*.yaml"))


def _split(address: str) -> tuple[str, str | None]:
    """`file:variant`; the colon of a Windows drive splits nothing."""
    file, colon, variant = address.rpartition(":")
    if not colon or len(file) == 1 or "/" in variant or "\\" in variant:
        return address, None
    return file, variant


def _is_path(file: str) -> bool:
    return Path(file).suffix in (".yaml", ".yml") or "/" in file or "\\" in file


def _installed(name: str) -> Path:
    path = specs() / f"{name}.yaml"
    if not path.is_file():
        hint = did_you_mean(name, names(), f"installed are {', '.join(names())}; a path ends in .yaml")
        raise _no_spec(name, f"no spec `{name}`", hint)
    return path


def _no_spec(address: str, message: str, hint: str) -> SpecError:
    """The address is wrong: there is no text to point at."""
    return SpecError([Diagnostic("E105", message, Span(address, 1, 1, 2, Source(address, "")), hint=hint)])
