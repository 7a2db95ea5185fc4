"""A spec as it is written: read from its tree alone, so that one with mistakes still gives what can be read of it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from graphc import git, library
from graphc.diagnostics import SpecError
from graphc.loader import Loader
from graphc.ops import OPS
from graphc.schema.calls import Call, call_of_block
from graphc.source import Mapping, Scalar, Tree, read_source, read_text

_FILE = re.compile(r"(.*\.ya?ml|.*[/\\].*?)(:[^:/\\]*)?")


@dataclass(frozen=True, slots=True)
class Written:
    """A file, with what it has from the one that it extends; not `whole` where that one can't be read."""

    tree: Tree
    whole: bool = True

    def table(self, key: str) -> dict[str, Tree]:
        return table(self.tree, key)

    def text(self, key: str) -> str:
        return text(self.tree, key)

    def is_step(self, name: str) -> bool:
        """Whether a text is the name of an op or a block."""
        return any(name in names for names in (OPS, self.table("blocks"), standard().table("blocks"))) or (
            name.partition(".")[0] in self.table("use")
        )

    def call(self, variant: str = "") -> Call:
        """The file as a block, in one of its variants."""
        given = entries(self.table("variants").get(variant))
        return call_of_block(self.text("doc"), self.table("params"), self.is_step, given)

    def blocks(self) -> dict[str, Call]:
        """What may stand behind the names of its blocks."""
        return {
            name: call_of_block(text(tree, "doc"), table(tree, "params"), self.is_step)
            for name, tree in self.table("blocks").items()
        }


def entries(tree: Tree | None) -> dict[str, Tree]:
    """The entries of a mapping; none of anything else."""
    return tree.values if isinstance(tree, Mapping) else {}


def table(tree: Tree, key: str) -> dict[str, Tree]:
    """The entries of the mapping under a key."""
    return entries(entries(tree).get(key))


def text(tree: Tree, key: str) -> str:
    """The text under a key."""
    value = entries(tree).get(key)
    return value.text if isinstance(value, Scalar) else ""


@cache
def standard() -> Written:
    """The blocks that are always in scope."""
    path = library.specs() / "blocks" / "standard.yaml"
    return Written(_tree(path, path.name))


def written(address: str) -> tuple[Written, dict[str, Written | None]]:
    """The file at an address, and by name those that it uses: None where one can't be read.

    Raises:
        SpecError: there is no such file, or it is not YAML.
    """
    if address == "-":
        return _with_used(Loader(None), read_text(sys.stdin.read(), "<stdin>"))
    if git.is_git(address):
        return _at_revision(library.split(address)[0])
    file = _FILE.fullmatch(address)
    path = Path(file[1]) if file else library.specs() / library.load(address)[0].main.file
    loader = Loader(path.parent, {str(path): path.resolve()})
    return _with_used(loader, _tree(path, str(path)))


def _at_revision(address: str) -> tuple[Written, dict[str, Written | None]]:
    path, files = git.place(address)
    loader = Loader(path.parent, {address: path}, files=files)
    return _with_used(loader, read_text(loader.text_in(path, address), address))


def _tree(path: Path, name: str) -> Tree:
    return read_text(read_source(path, name), name)


def _with_used(loader: Loader, tree: Tree) -> tuple[Written, dict[str, Written | None]]:
    file = _extended(loader, tree)
    return file, dict(_used(loader, file))


def _extended(loader: Loader, tree: Tree) -> Written:
    """The file on top of the one that it extends, where that can be read."""
    try:
        return Written(loader.extended(tree, "")[0])
    except SpecError:
        return Written(tree, whole=False)


def _used(loader: Loader, file: Written) -> Iterator[tuple[str, Written | None]]:
    """The files that a file uses."""
    for alias, place in file.table("use").items():
        try:
            found = loader.find(place) if isinstance(place, Scalar) else None
            yield alias, _extended(loader, read_text(loader.text_in(*found), found[1])) if found else None
        except SpecError:
            yield alias, None
