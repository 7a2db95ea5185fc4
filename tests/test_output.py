"""Files are written whole or not at all, and several together."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from graphc.output import OutputError, Writer, write_all


def text(content: str) -> Writer:
    """A writer of a text."""

    def write(path: Path) -> None:
        path.write_text(content)

    return write


def failing(error: BaseException) -> Writer:
    """A writer that fails when the file is half written."""

    def write(path: Path) -> None:
        path.write_text("half")
        raise error

    return write


def files(folder: Path) -> dict[str, str]:
    """Everything below a folder, hidden or not."""
    return {str(p.relative_to(folder)): p.read_text() if p.is_file() else "" for p in folder.rglob("*")}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with one file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("before")
    return tmp_path


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that everybody may enter, with one that nobody may write in."""
    with TemporaryDirectory(prefix="graphc-test-") as name:
        top = Path(name)
        for folder in ("open", "locked"):
            (top / folder).mkdir()
            (top / folder / "old.txt").write_text("before")
        (top / "open" / "readonly.txt").write_text("before")
        (top / "open" / "readonly.txt").chmod(0o444)
        (top / "open").chmod(0o777)
        (top / "locked").chmod(0o555)
        top.chmod(0o755)
        yield top
        (top / "locked").chmod(0o755)


@contextmanager
def not_root() -> Iterator[None]:
    """Root may write everywhere; whoever runs as root is nobody for a while."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_files_are_written_and_named_as_the_user_named_them(folder: Path) -> None:
    written = write_all([(Path("a.txt"), text("new")), (Path("deep/er/b.txt"), text("b"))])
    assert written == [Path("a.txt"), Path("deep/er/b.txt")]
    assert files(folder) == {"a.txt": "new", "deep": "", "deep/er": "", "deep/er/b.txt": "b"}


def test_files_beside_the_target_come_along(folder: Path) -> None:
    def write(path: Path) -> None:
        assert path.name == "net.onnx"
        path.write_text("model")
        path.with_name("net.onnx.data").write_text("weights")

    assert write_all([(Path("out/net.onnx"), write)]) == [Path("out/net.onnx"), Path("out/net.onnx.data")]
    assert files(folder / "out") == {"net.onnx": "model", "net.onnx.data": "weights"}


def test_nothing_is_in_place_before_the_last_writer_is_done(folder: Path) -> None:
    seen = {}

    def look(path: Path) -> None:
        seen["a.txt"] = (folder / "a.txt").read_text()
        seen["new.txt"] = str((folder / "new.txt").exists())
        path.write_text("last")

    write_all([(Path("a.txt"), text("new")), (Path("new.txt"), text("new")), (Path("last.txt"), look)])
    assert seen == {"a.txt": "before", "new.txt": "False"}


@pytest.mark.parametrize("error", [RuntimeError("a bug"), KeyboardInterrupt(), SystemExit(3)])
def test_what_a_writer_raises_passes_through_and_leaves_all_as_it_was(folder: Path, error: BaseException) -> None:
    with pytest.raises(type(error)):
        write_all([(Path("a.txt"), text("new")), (Path("new/b.txt"), text("b")), (Path("c.txt"), failing(error))])
    assert files(folder) == {"a.txt": "before"}


def test_a_full_disk_is_told_with_the_file_that_did_not_fit(folder: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(OutputError, match=r"can't write out/b.txt: No space left on device"):
        write_all([(Path("a.txt"), text("new")), (Path("out/b.txt"), failing(full))])
    assert files(folder) == {"a.txt": "before"}


def test_a_file_that_the_writer_itself_misses_is_its_bug(folder: Path) -> None:
    def write(path: Path) -> None:
        path.write_text(Path("no/font.ttf").read_text())

    with pytest.raises(FileNotFoundError):
        write_all([(Path("a.txt"), write)])
    assert files(folder) == {"a.txt": "before"}


def test_a_failure_between_the_renames_brings_the_old_files_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = Path.replace

    def refuse(self: Path, target: Path) -> Path:
        if target.name == "c.txt":
            raise PermissionError(errno.EPERM, "Operation not permitted")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OutputError, match=r"can't write c.txt: Operation not permitted"):
        write_all([(Path(name), text("new")) for name in ("a.txt", "b.txt", "c.txt")])
    assert files(folder) == {"a.txt": "before"}


def test_old_files_come_back_where_there_are_no_hard_links(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    test_a_failure_between_the_renames_brings_the_old_files_back(folder, monkeypatch)


@pytest.mark.parametrize("again", ["a.txt", "./a.txt", "sub/../a.txt", "link.txt"])
def test_one_file_is_not_written_twice(folder: Path, again: str) -> None:
    (folder / "sub").mkdir()
    (folder / "link.txt").symlink_to("a.txt")
    with pytest.raises(OutputError, match="would be written twice"):
        write_all([(Path("a.txt"), text("1")), (Path(again), text("2"))])
    assert (folder / "a.txt").read_text() == "before"


def test_two_targets_with_the_same_file_beside_them_are_refused(folder: Path) -> None:
    def write(path: Path) -> None:
        path.write_text("model")
        path.with_name("weights").write_text("weights")

    with pytest.raises(OutputError, match="weights would be written twice"):
        write_all([(Path("1.onnx"), write), (Path("2.onnx"), write)])
    assert files(folder) == {"a.txt": "before"}


def test_a_link_is_followed(folder: Path) -> None:
    (folder / "real").mkdir()
    (folder / "real" / "x.txt").write_text("before")
    (folder / "link.md").symlink_to("real/x.txt")

    def write(path: Path) -> None:
        path.write_text(f"in the form of {path.suffix}")

    write_all([(Path("link.md"), write)])
    assert (folder / "link.md").is_symlink()
    assert (folder / "real" / "x.txt").read_text() == "in the form of .md"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("sub", "it is a folder"),
        ("a.txt/b.txt", "Not a directory"),
        (f"{'n' * 300}.txt", "File name too long"),
        ("loop.txt", "Symlink loop|Too many levels of symbolic links"),
    ],
)
def test_a_path_that_can_not_be_a_file(folder: Path, path: str, reason: str) -> None:
    (folder / "sub").mkdir()
    (folder / "loop.txt").symlink_to("loop.txt")
    before = sorted(folder.iterdir())
    with pytest.raises(OutputError, match=f"can't write {path}: .*({reason})"):
        write_all([(Path("new.txt"), text("1")), (Path(path), text("2"))])
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("path", ["locked/new.txt", "locked/old.txt", "locked/deep/new.txt", "open/readonly.txt"])
def test_what_the_user_may_not_write_is_refused(shared: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.chdir(shared)
    before = files(shared)
    with not_root(), pytest.raises(OutputError, match=f"can't write {path}: Permission denied"):
        write_all([(Path("open/new.txt"), text("1")), (Path(path), text("2"))])
    assert files(shared) == before


def test_what_was_read_is_not_written(folder: Path) -> None:
    """Nor beside what is asked for: PyTorch's source brings its weights with it."""

    def write(path: Path) -> None:
        path.write_text("source")
        path.with_name("a.txt").write_text("weights")

    with pytest.raises(OutputError, match=r"^a\.txt would be overwritten, which is read; choose another name"):
        write_all([(Path("net.py"), write)], read=[folder / "a.txt"])
    assert files(folder) == {"a.txt": "before"}
