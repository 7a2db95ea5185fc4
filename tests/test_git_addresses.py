"""Specs at a git revision."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from graphc import saved
from graphc.cli import main
from graphc.compiler import compile
from graphc.diagnostics import SpecError
from graphc.sources import graph_of

BLOCK = "graphc: 1\nname: parts\nblocks:\n  unit: {{params: {{width: 3}}, graph: [linear: {factor}*width, relu]}}\n"
NET = """graphc: 1
name: net
use: {parts: parts/parts.yaml}
variants: {small: {}}
dims: {N: 1}
inputs: {features: [N, 4]}
blocks: {own: {inputs: {a: [N, 4]}, graph: [relu]}}
graph: [parts.unit]
"""
MORE = "graphc: 1\nname: more\nextends: net.yaml\ngraph: [linear: 2]\n"


def git(folder: Path, *arguments: str) -> None:
    names = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *names, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two commits: in the first one a block is twice as wide as in the second; in the folder it is lost."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    top = tmp_path / "top"
    (top / "specs" / "parts").mkdir(parents=True)
    git(top, "init", "-q")
    (top / "specs" / "net.yaml").write_text(NET)
    (top / "specs" / "more.yaml").write_text(MORE)
    for factor in (2, 1):
        (top / "specs" / "parts" / "parts.yaml").write_text(BLOCK.format(factor=factor))
        git(top, "add", ".")
        git(top, "commit", "-q", "-m", f"factor {factor}")
    (top / "specs" / "parts" / "parts.yaml").unlink()
    monkeypatch.chdir(top)
    return top


def width(address: str) -> object:
    return compile(address).nodes[0].output.type.shape[-1]


def test_a_spec_has_the_files_of_its_revision(repository: Path) -> None:
    assert width("git:HEAD~1:specs/net.yaml") == 6
    assert width("git:HEAD:specs/net.yaml") == 3
    assert width("git:HEAD^{/factor 2}:specs/net.yaml:small") == 6
    assert compile("git:HEAD~1:specs/net.yaml#own").name == "own"
    with pytest.raises(SpecError, match=r"no file `parts/parts\.yaml`"):
        compile("specs/net.yaml")


def test_what_it_extends_is_of_its_revision_too(repository: Path) -> None:
    (repository / "specs" / "net.yaml").write_text("broken")
    graph = compile("git:HEAD~1:specs/more.yaml")
    assert [node.output.type.shape[-1] for node in graph.nodes] == [6, 6, 2]


def test_places_name_the_revision(repository: Path) -> None:
    graph = compile("git:HEAD~1:specs/net.yaml")
    assert graph.file == "git:HEAD~1:specs/net.yaml"
    assert str(graph.nodes[0].span).startswith("git:HEAD~1:specs/parts/parts.yaml:4:")


def test_the_path_is_from_where_the_user_is(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository / "specs" / "parts")
    assert width("git:HEAD~1:../net.yaml") == 6
    assert width(f"git:HEAD~1:{repository}/specs/net.yaml") == 6
    with pytest.raises(SpecError) as error:
        compile("git:HEAD:specs/net.yaml")
    assert error.value.diagnostics[0].hint == "did you mean `git:HEAD:../net.yaml`?"


def test_a_link_in_the_tree_is_followed(repository: Path) -> None:
    (repository / "specs" / "alias.yaml").symlink_to("net.yaml")
    git(repository, "add", "specs/alias.yaml")
    git(repository, "commit", "-q", "-m", "a link")
    assert width("git:HEAD:specs/alias.yaml") == 3


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("git:HEAD~9:specs/net.yaml", "there is no revision `HEAD~9` here"),
        ("git:--output=x:specs/net.yaml", "there is no revision `--output=x` here"),
        ("git:-h:specs/net.yaml", "there is no revision `-h` here"),
        ("git:HEAD\nHEAD:specs/net.yaml", "needs the revision and a path"),
        ("git:HEAD:specs/none.yaml", "there is no file specs/none.yaml at HEAD"),
        ("git:HEAD:specs/none.yaml:small", "there is no file specs/none.yaml at HEAD"),
        ("git:HEAD:--output=x.yaml", "there is no file --output=x.yaml at HEAD"),
        ("git:HEAD:../net.yaml", "../net.yaml lies outside of the repository"),
        ("git:HEAD:specs", "needs the revision and a path"),
        ("git:HEAD:specs/", "there is no file specs/ at HEAD"),
        ("git::specs/net.yaml", "needs the revision and a path"),
        ("git:HEAD:specs/net.yaml:large", "net has no variant `large`"),
    ],
)
def test_an_address_that_leads_nowhere_is_one_line(
    address: str, words: str, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", address, "--format", "line"]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) == 1
    assert not (repository / "x").exists()


def run(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as error:
        main(arguments)
    return int(str(error.value.code or 0))


def test_without_a_repository_or_git_that_is_told(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(["check", "git:HEAD:specs/net.yaml"]) == 2
    assert "git is not installed" in capsys.readouterr().err
    monkeypatch.undo()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    assert run(["check", "git:HEAD:specs/net.yaml"]) == 2
    assert "not a git repository" in capsys.readouterr().err


def test_a_file_that_is_used_and_is_not_there_is_told_at_its_place(repository: Path) -> None:
    (repository / "specs" / "lost.yaml").write_text(NET.replace("parts/parts.yaml", "parts/none.yaml"))
    git(repository, "add", "specs/lost.yaml")
    git(repository, "commit", "-q", "-m", "lost")
    with pytest.raises(SpecError) as error:
        compile("git:HEAD:specs/lost.yaml")
    (found,) = error.value.diagnostics
    assert (found.code, str(found.span)) == ("E108", "git:HEAD:specs/lost.yaml:3:14")


def test_a_file_of_more_bytes_than_a_spec_has_is_not_read(repository: Path) -> None:
    (repository / "large.yaml").write_text("#" * (1 << 20) + "\n")
    git(repository, "add", "large.yaml")
    git(repository, "commit", "-q", "-m", "large")
    with pytest.raises(SpecError, match="E102"):
        compile("git:HEAD:large.yaml")


def test_a_saved_graph_can_be_one_of_a_revision(repository: Path) -> None:
    (repository / "net.json").write_text(saved.save(compile("git:HEAD:specs/net.yaml")), encoding="utf-8")
    git(repository, "add", "net.json")
    git(repository, "commit", "-q", "-m", "saved")
    (repository / "net.json").unlink()
    assert graph_of("git:HEAD:net.json")[0].name == "small"
    assert graph_of("git:HEAD:specs/net.yaml")[0].name == "small"


def test_a_file_whose_name_is_an_address_is_that_file(repository: Path) -> None:
    name = "git:HEAD:net.yaml"
    Path(name).write_text(NET.replace("parts.unit", "relu").replace("use: {parts: parts/parts.yaml}\n", ""))
    assert compile(name).nodes[0].op.name == "relu"


def test_the_schema_knows_the_names_of_that_revision(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "git:HEAD:specs/net.yaml"]) == 0
    assert "parts.unit" in capsys.readouterr().out
