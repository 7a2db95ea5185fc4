"""Files as they are at a git revision: `git:REV:path`, read with git's own commands, of which none runs a shell.

What a user wrote reaches git through the standard input of `cat-file`, never as an argument, so that no revision and no
path can be an option. A revision is looked up once; files are read from the tree that it names.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from graphc.diagnostics import Diagnostic, Source, Span, SpecError
from graphc.source import MOST_BYTES, text_of

PREFIX = "git:"
FORM = "git:REV:path, for example git:HEAD~1:specs/unet.yaml"
PATIENCE = 60.0
"""Seconds that git may take for one answer."""
QUIET = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
LINE_BREAKS = "\n\r\0"


@dataclass(frozen=True, slots=True)
class Blob:
    """A file of a tree: its object, and how many bytes it has."""

    object: str
    size: int


@dataclass(slots=True)
class Revision:
    """A revision of the repository around a folder; `prefix` is where in the repository that folder lies.

    Its files are named by paths below `root`, where nothing is on the disk; `said` is the revision as it was written.
    """

    said: str
    tree: str
    prefix: PurePosixPath
    top: Path
    around: Path
    blobs: dict[Path, Blob | None] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """The folder that stands for the top of the repository."""
        return Path(f"/{PREFIX}{self.tree}").absolute()

    def place(self, path: str) -> Path | None:
        """Where a path is that a user wrote; None outside of the repository."""
        written = Path(path)
        if written.is_absolute():
            top, written = self.top.resolve(), Path(os.path.normpath(written))
            return self.root / written.relative_to(top) if written.is_relative_to(top) else None
        inside = Path(os.path.normpath(self.root / self.prefix / path))
        return inside if inside.is_relative_to(self.root) else None

    def has(self, path: Path) -> bool:
        """Whether there is a file at a path below the root."""
        return self._blob(path) is not None

    def read(self, path: Path, name: str) -> str:
        """The text of a file, reported under `name`.

        Raises:
            SpecError: there is none, it is too large, or is not UTF-8.
        """
        return text_of(self.data(path, name, MOST_BYTES), name)

    def data(self, path: Path, name: str, most: int) -> bytes:
        """The bytes of a file, of which there may be so many.

        Raises:
            SpecError: there is no such file, or it is too large.
        """
        blob = self._blob(path)
        if blob is None:
            raise wrong(name, f"there is no file {path.relative_to(self.root).as_posix()} at {self.said}")
        if blob.size > most:
            raise wrong(name, f"it has {blob.size} bytes; at most {most} are read", code="E102")
        answer = _ask(f"{blob.object}\n", self.around, "--batch")
        return answer[answer.index(b"\n") + 1 :][: blob.size]

    def name(self, path: Path, folder: Path | None = None) -> str:
        """What a file is reported under: the revision, and the path from where the user is."""
        inside = path.relative_to(self.root)
        return f"{PREFIX}{self.said}:{PurePosixPath(os.path.relpath(inside, self.prefix)).as_posix()}"

    def _blob(self, path: Path) -> Blob | None:
        if path not in self.blobs:
            self.blobs[path] = self._found(path)
        return self.blobs[path]

    def _found(self, path: Path) -> Blob | None:
        """The file at a path, links inside the tree followed."""
        inside = path.relative_to(self.root).as_posix()
        if any(sign in inside for sign in LINE_BREAKS):
            return None
        return _object(f"{self.tree}:{inside}", self.around, "blob")


def is_git(address: str) -> bool:
    """Whether an address names a revision."""
    return address.startswith(PREFIX)


def parts(address: str) -> tuple[str, str]:
    """The revision and what is behind it, in `git:REV:path`.

    Raises:
        SpecError: it is not of that form.
    """
    said, _, path = address.removeprefix(PREFIX).partition(":")
    if not said or not path or any(sign in address for sign in LINE_BREAKS):
        raise wrong(address, "a spec at a revision needs the revision and a path", f"write {FORM}")
    return said, path


def place(address: str) -> tuple[Path, Revision]:
    """Where the file of an address `git:REV:path` lies below the root of its revision.

    Raises:
        SpecError: there is none.
    """
    said, path = parts(address)
    found = revision(said, address)
    where = found.place(path)
    if where is None:
        raise wrong(address, f"{path} lies outside of the repository")
    if not found.has(where):
        raise wrong(address, f"there is no file {path} at {said}", _at_the_top(found, path))
    return where, found


def _at_the_top(revision: Revision, path: str) -> str:
    """The hint where a path was meant from the top of the repository."""
    inside = Path(os.path.normpath(revision.root / path))
    known = inside.is_relative_to(revision.root) and revision.has(inside)
    return f"did you mean `{revision.name(inside)}`?" if known else "the path is from the folder where you are"


def revision(said: str, address: str, around: Path | None = None) -> Revision:
    """The revision of that name, of the repository around a folder (the current one, if not given).

    Raises:
        SpecError: git is missing, or there is no repository or no such revision.
    """
    folder = Path.cwd() if around is None else around
    try:
        prefix, top = _repository(folder)
        found = _object(f"{said}^{{tree}}", folder, "tree")
    except OSError as error:
        reason = "git is not installed" if isinstance(error, FileNotFoundError) else f"git can't run: {error.strerror}"
        raise wrong(address, reason, "a spec at a revision is read with git") from error
    except (subprocess.SubprocessError, UnicodeError) as error:
        raise wrong(address, f"git can't read a repository here: {_reason(error)}") from error
    if found is None:
        raise wrong(address, f"there is no revision `{said}` here", "`git log --oneline` lists them")
    return Revision(said, found.object, PurePosixPath(prefix or "."), Path(top or folder), folder)


def wrong(address: str, message: str, hint: str = "", code: str = "E105") -> SpecError:
    """The address leads to nothing that can be read."""
    return SpecError([Diagnostic(code, message, Span(address, 1, 1, 2, Source(address, "")), hint=hint)])


def _repository(folder: Path) -> tuple[str, str]:
    """Where a folder lies in its repository, and where that is; a bare one has no place for files."""
    prefix = _run(["rev-parse", "--show-prefix"], folder).decode().rstrip("\n")
    try:
        return prefix, _run(["rev-parse", "--show-toplevel"], folder).decode().rstrip("\n")
    except subprocess.CalledProcessError:
        return prefix, ""


def _object(name: str, folder: Path, kind: str) -> Blob | None:
    """The object of a kind that git finds under a name; None where it finds another, none or several."""
    answer = _ask(f"{name}\n", folder, "--batch-check", "--follow-symlinks").decode(errors="replace")
    words = answer.splitlines()[0].split() if answer else []
    is_found = len(words) == 3 and words[1] == kind and words[2].isdigit()
    return Blob(words[0], int(words[2])) if is_found else None


def _ask(line: str, folder: Path, *options: str) -> bytes:
    return _run(["cat-file", *options], folder, line.encode(errors="surrogateescape"))


def _run(command: list[str], folder: Path, given: bytes = b"") -> bytes:
    environment = os.environ | QUIET
    done = subprocess.run(
        ["git", *command], input=given, capture_output=True, check=True, cwd=folder, env=environment, timeout=PATIENCE
    )
    return done.stdout


def _reason(error: Exception) -> str:
    """What git said, in one line."""
    if isinstance(error, subprocess.CalledProcessError):
        said = bytes(error.stderr).decode(errors="replace").strip().splitlines()
        return said[0].removeprefix("fatal: ") if said else f"it ended with {error.returncode}"
    return str(error)
