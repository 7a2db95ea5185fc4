"""Writes files whole or not at all, several together: what was there before changes only when all are made."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TypeAlias

Writer: TypeAlias = Callable[[Path], None]


class OutputError(Exception):
    """A file can't be written: one line for the user."""


@dataclass(frozen=True, slots=True)
class _Target:
    """A file to be: as the user wrote it, and where it really lies."""

    shown: Path
    place: Path

    def beside(self, name: str) -> _Target:
        """The file of another name in the same folder."""
        return _Target(self.shown.parent / name, self.place.parent / name)


def write_all(outputs: Sequence[tuple[Path, Writer]], read: Iterable[Path] = ()) -> list[Path]:
    """Writes each path by its writer, or nothing at all; the files written, each with those that belong to it.

    A writer is given a path of the same name in an empty folder on the same file system. What it writes there, that
    file and others beside it, is put in place by renaming, after the last writer is done. Missing folders are made,
    links followed. What a writer raises passes through. Files that were `read` are never written.

    Raises:
        OutputError: a path can't be written, or two are the same file, or it was read.
    """
    targets = [_resolved(path) for path, _ in outputs]
    _refuse_same(targets)
    with ExitStack() as stack:
        made: dict[Path, _Target] = {}
        for target, (_, write) in zip(targets, outputs, strict=True):
            folder = _stage(target, stack) / "new"
            _write(target, write, folder / target.shown.name)
            made |= _made(target, folder)
        _refuse_same(made.values())
        _refuse_read(made.values(), {path.resolve() for path in read})
        for file, target in made.items():
            _put(file, target, stack)
    return [target.shown for target in made.values()]


def _resolved(path: Path) -> _Target:
    """Where a path really leads.

    Raises:
        OutputError: what is there is not a file that may be written.
    """
    try:
        place = path.resolve()
        if place.is_dir():
            raise OutputError(f"can't write {path}: it is a folder")
        if place.exists():
            place.open("ab").close()
    except (OSError, RuntimeError) as error:
        raise _cannot(path, error) from error
    return _Target(path, place)


def _refuse_same(targets: Iterable[_Target]) -> None:
    seen: set[Path] = set()
    for target in targets:
        if target.place in seen:
            raise OutputError(f"{target.shown} would be written twice")
        seen.add(target.place)


def _refuse_read(targets: Iterable[_Target], read: set[Path]) -> None:
    for target in targets:
        if target.place in read:
            raise OutputError(f"{target.shown} would be overwritten, which is read; choose another name for the output")


def _stage(target: _Target, stack: ExitStack) -> Path:
    """A folder beside a target for the files as they are made (`new`) and those that they replace (`old`)."""
    folder = target.place.parent
    try:
        for missing in [f for f in (*reversed(folder.parents), folder) if not f.exists()]:
            missing.mkdir()
            _on_failure(stack, partial(_remove_folder, missing))
        stage = Path(stack.enter_context(TemporaryDirectory(prefix=".graphc-", dir=folder)))
        for name in ("new", "old"):
            (stage / name).mkdir()
    except OSError as error:
        raise _cannot(target.shown, error) from error
    return stage


def _write(target: _Target, write: Writer, path: Path) -> None:
    """Lets a writer write. That the disk is full, and its like, is no bug; that it misses a file of its own is one."""
    try:
        write(path)
    except OSError as error:
        if error.filename is None or path.parent in Path(str(error.filename)).parents:
            raise _cannot(target.shown, error) from error
        raise


def _made(target: _Target, folder: Path) -> dict[Path, _Target]:
    """The files that a writer made, the target first, and what they are to be."""
    beside = sorted(file.name for file in folder.iterdir() if file.name != target.shown.name)
    return {folder / target.shown.name: target} | {folder / name: target.beside(name) for name in beside}


def _put(file: Path, target: _Target, stack: ExitStack) -> None:
    """Renames a file to its place; should a later one fail, what was there comes back."""
    old = file.parents[1] / "old" / file.name
    try:
        if target.place.exists():
            _copy(target.place, old)
            _on_failure(stack, partial(old.replace, target.place))
        else:
            _on_failure(stack, partial(target.place.unlink, missing_ok=True))
        file.replace(target.place)
    except OSError as error:
        raise _cannot(target.shown, error) from error


def _copy(file: Path, copy: Path) -> None:
    try:
        copy.hardlink_to(file)
    except OSError:
        shutil.copy2(file, copy)


def _on_failure(stack: ExitStack, action: Callable[[], object]) -> None:
    """Has the stack do something when an exception unwinds it, before all that was put on it earlier."""

    def leave(kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            action()

    stack.push(leave)


def _remove_folder(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _cannot(path: Path, error: Exception) -> OutputError:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return OutputError(f"can't write {path}: {reason}")
