"""Finds specs by address: a file, the name of an installed spec or of a variant of one, or standard input."""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path

from graphc.diagnostics import Diagnostic, Source, Span, SpecError, did_you_mean
from graphc.reader import read
from graphc.source import read_source, read_text
from graphc.spec import Spec


def load(address: str) -> tuple[Spec, str | None]:
    """The spec at an address, and the variant that the address names.

    An address is `file`, `name` or `-`, perhaps with `:variant` behind it. What ends in .yaml or .yml, or has a slash
    in it, is a file; a name is that of an installed spec, or of a variant of one (`resnet50`); `-` is standard input.

    Raises:
        SpecError: there is no such spec or variant, or the spec's form is wrong.
    """
    file, variant = _split(address)
    spec, alias = _find(file)
    if variant and alias:
        raise _no_spec(address, f"`{alias}` is itself a variant, of {spec.name}", f"write {spec.name}:{variant}")
    variant = variant or alias
    if variant is not None and variant not in spec.variants:
        known = f"the variants are {', '.join(spec.variants)}" if spec.variants else "it has no variants"
        hint = did_you_mean(variant, spec.variants, known)
        raise _no_spec(address, f"{spec.name} has no variant `{variant}`", hint)
    return spec, variant


def load_file(path: Path, name: str) -> Spec:
    """The spec in a file, reported under `name`."""
    return parse(read_source(path, name), name)


def parse(text: str, name: str) -> Spec:
    """The spec that a text is, reported under `name`."""
    return read(read_text(text, name), name, text)


def installed(name: str) -> Spec:
    """The installed spec of that name."""
    return load_file(specs() / f"{name}.yaml", f"{name}.yaml")


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
    if not colon or "/" in variant or "\\" in variant:
        return address, None
    return file, variant


def _is_path(file: str) -> bool:
    return Path(file).suffix in (".yaml", ".yml") or "/" in file or "\\" in file


def _find(file: str) -> tuple[Spec, str | None]:
    """The spec that an address without its variant means, and the variant where it is the name of one."""
    if file == "-":
        return parse(sys.stdin.read(), "<stdin>"), None
    if _is_path(file):
        return load_file(Path(file), file), None
    if file in names():
        return installed(file), None
    for name in names():
        spec = installed(name)
        if file in spec.variants:
            return spec, file
    hint = did_you_mean(file, names(), f"installed are {', '.join(names())}; a path ends in .yaml")
    raise _no_spec(file, f"no spec `{file}`", hint)


def _no_spec(address: str, message: str, hint: str) -> SpecError:
    """The address is wrong: there is no text to point at."""
    return SpecError([Diagnostic("E105", message, Span(address, 1, 1, 2, Source(address, "")), hint=hint)])
