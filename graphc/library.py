"""Finds specs by address: a file, also at a git revision, an installed spec or a variant of one, or standard input."""

from __future__ import annotations

import sys
from pathlib import Path

from graphc import git
from graphc.alone import alone
from graphc.diagnostics import Diagnostic, Source, Span, SpecError, did_you_mean
from graphc.loader import Loader, specs
from graphc.spec import Spec

__all__ = ["installed", "load", "load_file", "names", "parse", "specs", "standard", "templates"]


def load(address: str) -> tuple[Spec, str | None]:
    """The spec at an address, and the variant that the address names.

        address = place, place:variant or place#block
        place   = -, a path, git:REV:path or a name

    `-` is standard input. A path ends in .yaml or .yml, or has a slash or a backslash in it. A name is that of an
    installed spec, or of a variant of one (`resnet50`). A block is a spec of its own: the sizes of its inputs are free.
    `git:REV:path` is the file at a revision, with the files of that revision that it uses and extends; the path is
    from where the user is, as any other.

    Raises:
        SpecError: there is no such spec, variant or block, or the spec's form is wrong.
    """
    place, variant, block = split(address)
    spec, alias = _find(place)
    if block is not None:
        return _alone(spec, block, address), None
    if variant and alias:
        raise _no_spec(address, f"`{alias}` is itself a variant, of {spec.name}", f"write {spec.name}:{variant}")
    variant = variant or alias
    if variant is not None and variant not in spec.variants:
        known = f"the variants are {', '.join(spec.variants)}" if spec.variants else "it has no variants"
        hint = did_you_mean(variant, spec.variants, known)
        raise _no_spec(address, f"{spec.name} has no variant `{variant}`", hint)
    return spec, variant


def split(address: str) -> tuple[str, str | None, str | None]:
    """Place, variant and block of an address. What is a file as it stands is one, whatever signs are in it."""
    if _is_path(address) and Path(address).is_file():
        return address, None, None
    place, sign, block = address.rpartition("#")
    if sign and block.isidentifier():
        return place, None, block
    place, sign, variant = address.rpartition(":")
    if sign and not _is_path(variant):
        return place, variant, None
    return address, None, None


def _alone(spec: Spec, name: str, address: str) -> Spec:
    """A block of a file as a spec of its own."""
    if name not in spec.blocks:
        known = f"the blocks are {', '.join(spec.blocks)}" if spec.blocks else "it has no blocks"
        raise _no_spec(address, f"{spec.name} has no block `{name}`", did_you_mean(name, spec.blocks, known))
    try:
        return alone(spec, name)
    except ValueError as error:
        hint = "declare its inputs: inputs: {features: [N, C, H, W]}"
        raise SpecError([Diagnostic("E105", str(error), spec.blocks[name].span, hint=hint)]) from error


def load_file(path: Path, name: str) -> Spec:
    """The spec in a file, reported under `name`, with the files that it uses."""
    return Loader(path.parent).file(path, name)


def parse(text: str, name: str) -> Spec:
    """The spec that a text is, reported under `name`; it can use the installed files alone."""
    return Loader(None).text(text, name)


def installed(name: str) -> Spec:
    """The installed spec of that name."""
    return load_file(specs() / f"{name}.yaml", f"{name}.yaml")


def standard() -> Spec:
    """The blocks that are always in scope."""
    path = specs() / "blocks" / "standard.yaml"
    return load_file(path, "blocks/standard.yaml")


def names() -> list[str]:
    """The names of the installed specs."""
    return sorted(path.stem for path in specs().glob("*.yaml"))


def templates() -> dict[str, Path]:
    """The files that `graphc new` starts from, by name; each is a spec."""
    return {path.stem: path for path in sorted((specs() / "templates").glob("*.yaml"))}


def _is_path(file: str) -> bool:
    return Path(file).suffix in (".yaml", ".yml") or "/" in file or "\\" in file


def _find(file: str) -> tuple[Spec, str | None]:
    """The spec that an address without its variant means, and the variant where it is the name of one."""
    if file == "-":
        return parse(sys.stdin.read(), "<stdin>"), None
    if git.is_git(file) and not Path(file).is_file():
        return _at_revision(file), None
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


def _at_revision(file: str) -> Spec:
    """The spec in a file at a revision."""
    place, files = git.place(file)
    return Loader(place.parent, files=files).file(place, file)


def _no_spec(address: str, message: str, hint: str) -> SpecError:
    """The address is wrong: there is no text to point at."""
    return SpecError([Diagnostic("E105", message, Span(address, 1, 1, 2, Source(address, "")), hint=hint)])
