"""Reads a file with those that it uses and extends; all of them lie in its folder, or come with graphc."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Protocol

from graphc.diagnostics import Diagnostic, SpecError, did_you_mean
from graphc.extends import merged
from graphc.reader import read
from graphc.source import Mapping, Scalar, Tree, kind_of, read_source, read_text
from graphc.spec import Spec

MOST_FILES = 100


def specs() -> Path:
    """The folder of the installed specs; in a checkout the one at its top."""
    inside = Path(str(files("graphc"))) / "specs"
    return inside if inside.is_dir() else inside.parents[1] / "specs"


class Files(Protocol):
    """Where files are read: on the disk, or at a revision (`graphc.git`)."""

    def has(self, path: Path) -> bool:
        """Whether there is a file."""

    def read(self, path: Path, name: str) -> str:
        """The text of a file, reported under `name`; a SpecError says why it can't be had."""

    def name(self, path: Path, folder: Path) -> str:
        """What a file is reported under, which lies below the folder of the first one."""


class Disk:
    """The files that there are."""

    def has(self, path: Path) -> bool:
        return path.is_file()

    def read(self, path: Path, name: str) -> str:
        return read_source(path, name)

    def name(self, path: Path, folder: Path) -> str:
        """Below the folder as it was given."""
        return (folder / path.relative_to(folder.resolve())).as_posix()


DISK: Files = Disk()


@dataclass(slots=True)
class Loader:
    """One run of reading. `folder` is that of the first file; without one only installed files can be used.

    `files` is where those of the folder are read; installed ones are always those on the disk. `paths` has the place
    of each file by the name that it is reported under.
    """

    folder: Path | None
    paths: dict[str, Path] = field(default_factory=dict)
    known: dict[Path, Spec] = field(default_factory=dict)
    active: list[Path] = field(default_factory=list)
    files: Files = DISK

    def file(self, path: Path, name: str) -> Spec:
        """The spec in a file, reported under `name`.

        Raises:
            SpecError: it can't be read, or is wrong, or a file that it uses is.
        """
        path = path.resolve()
        if path not in self.known:
            self.paths[name] = path
            text = self.text_in(path, name)
            self.known[path] = self.spec(read_text(text, name), text, name)
        return self.known[path]

    def text(self, text: str, name: str) -> Spec:
        """The spec that a text is; it counts as lying in the folder."""
        if self.folder is not None:
            self.paths[name] = self.folder.resolve() / name
        return self.spec(read_text(text, name), text, name)

    def spec(self, tree: Tree, text: str, name: str) -> Spec:
        """The spec that a tree is, with what it extends and uses."""
        tree, text = self.extended(tree, text)
        spec = read(tree, name, text)
        uses, wrong = {}, list[Diagnostic]()
        for alias, path in spec.used.items():
            try:
                uses[alias] = self.used(path)
            except SpecError as error:
                wrong += error.diagnostics
        if wrong:
            raise SpecError((*spec.wrong, *wrong))
        place = self.paths.get(name)
        return replace(spec, uses=uses, installed=place is not None and place.is_relative_to(specs().resolve()))

    def extended(self, tree: Tree, text: str) -> tuple[Tree, str]:
        """A file's tree on top of the one that it extends, and both texts."""
        base = tree.values.get("extends") if isinstance(tree, Mapping) else None
        if base is None:
            return tree, text
        if not isinstance(base, Scalar):
            message = f"extends must be a text, not {kind_of(base)}"
            raise SpecError([Diagnostic("E201", message, base.span, hint="extends: vit.yaml")])
        path, name = self.find(base)
        with self.reading(path, base):
            below = self.text_in(path, name)
            base_tree, below = self.extended(read_text(below, name), below)
        return merged(base_tree, tree), below + text

    def used(self, scalar: Scalar) -> Spec:
        """The file that a text after `use` names."""
        path, name = self.find(scalar)
        with self.reading(path, scalar):
            return self.file(path, name)

    @contextmanager
    def reading(self, path: Path, scalar: Scalar) -> Iterator[None]:
        """A file on the way, which none that it uses may use in turn."""
        if path in self.active or path == self.paths.get(scalar.span.file):
            chain = " → ".join(place.name for place in (*self.active, path))
            raise _wrong(scalar, f"files use each other: {chain}")
        if len(self.paths) > MOST_FILES:
            raise _wrong(scalar, f"a spec uses at most {MOST_FILES} files", code="E102")
        self.active.append(path)
        try:
            yield
        finally:
            self.active.pop()

    def find(self, scalar: Scalar) -> tuple[Path, str]:
        """The place of a file that is named in another, and the name that it is reported under.

        It is looked for beside the file that names it, then among the installed ones.
        """
        written = Path(scalar.text.replace("\\", "/"))
        around = self.paths.get(scalar.span.file)
        library = specs().resolve()
        allowed = [place.resolve() for place in (self.folder, library) if place]
        places = [(folder / written).resolve() for folder in (around and around.parent, library) if folder]
        path = next((place for place in places if self.around(place).has(place)), places[0])
        if written.is_absolute() or not any(path.is_relative_to(place) for place in allowed):
            raise _wrong(scalar, "a file that is used lies in the spec's folder, or comes with graphc")
        if not self.around(path).has(path):
            raise _wrong(scalar, f"no file `{scalar.text}`", _near(written, around))
        return path, self.unique(self.name(path), path)

    def text_in(self, path: Path, name: str) -> str:
        """The text of a file, reported under `name`."""
        return self.around(path).read(path, name)

    def around(self, path: Path) -> Files:
        """Where the file at a path is read."""
        return DISK if path.is_relative_to(specs().resolve()) else self.files

    def name(self, path: Path) -> str:
        """The path as it is said: of an installed file below its folder."""
        library = specs().resolve()
        if path.is_relative_to(library):
            return path.relative_to(library).as_posix()
        return self.files.name(path, self.folder) if self.folder else path.name

    def unique(self, name: str, path: Path) -> str:
        """A name that no other file is reported under."""
        while self.paths.get(name, path) != path:
            name = f"graphc/{name}"
        self.paths[name] = path
        return name


def _near(written: Path, around: Path | None) -> str:
    """The hint for a file that is not there."""
    folder = (around.parent if around else specs()) / written.parent
    there = sorted(path.name for path in folder.glob("*.yaml")) if folder.is_dir() else []
    return did_you_mean(written.name, there)


def _wrong(scalar: Scalar, message: str, hint: str = "", code: str = "E108") -> SpecError:
    return SpecError([Diagnostic(code, message, scalar.span, hint=hint)])
