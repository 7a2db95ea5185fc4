"""`graphc ls` and `graphc new`: what there is, and how one begins."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import graphc
from graphc import library
from graphc.cli import main
from graphc.cli.arguments import complete_spec
from graphc.cli.progress import Progress
from graphc.verify import Asked, verify

SPECS = Path(__file__).parents[1] / "specs"
BAD = "graphc: 1\nname: bad\ndims: {N: 1}\ninputs: {image: [N, 3]}\ngraph: [linear: wide]\noutputs: {y: x}\n"

Ran = tuple[object, str, str]
Graphc = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Graphc:
    """Runs a command in an empty folder; gives the exit code, and what went to stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def graphc(*arguments: str) -> Ran:
        with pytest.raises(SystemExit) as left:
            main(arguments)
        caught = capsys.readouterr()
        return left.value.code, caught.out, caught.err

    return graphc


# --- ls


@pytest.mark.slow
def test_every_installed_spec_and_variant_is_listed_with_its_figures(run: Graphc) -> None:
    code, out, err = run("ls", "--as", "json")
    assert (code, err) == (0, "")
    entries = {entry["address"]: entry for entry in json.loads(out)}
    wanted = {
        f"{name}:{variant}" if variant else name
        for name in library.names()
        for variant in library.installed(name).variants or [""]
    }
    assert entries.keys() == wanted
    assert entries["resnet:resnet50"]["params"] == 25_557_032
    assert entries["resnet:resnet50"]["macs"] == 4_089_184_256
    assert entries["unet"]["inputs"] == {"image": [1, 1, 572, 572]}
    assert entries["unet"]["outputs"] == {"logits": [1, 2, 388, 388]}


def test_a_list_for_people_fits_a_terminal_of_80_columns(run: Graphc) -> None:
    _, out, _ = run("ls", "resnet", "vgg:vgg16", "squeezenet1_1")
    lines = out.splitlines()
    figures = [line for line in lines if line.startswith("  ")]
    assert max(map(len, figures)) <= 80
    assert "  resnet50          25,557,032    4,089,184,256  image [1, 3, 224, 224]" in lines
    assert "resnet  ResNet: Deep Residual Learning for Image Recognition (2015)" in lines
    assert [line.split()[0] for line in figures[-2:]] == ["vgg16", "squeezenet1_1"]


def test_markdown_is_a_table(run: Graphc) -> None:
    _, out, _ = run("ls", "mnist_cnn", "--as", "markdown")
    assert out.splitlines() == [
        "| spec | parameters | MACs | inputs |",
        "| --- | ---: | ---: | --- |",
        "| `mnist_cnn` | 3,274,634 | 13,883,904 | image [1, 1, 28, 28] |",
    ]


def test_what_is_wrong_is_told_and_the_rest_listed(run: Graphc, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(BAD)
    (tmp_path / "good.yml").write_text((SPECS / "mnist_cnn.yaml").read_text())
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    (tmp_path / "blocks.yaml").write_text("graphc: 1\nname: blocks\nblocks: {one: {graph: [relu]}}\n")
    code, out, err = run("ls", ".")
    assert code == 1
    assert "bad.yaml:5:17: error E302" in err
    assert re.findall(r"^  (\S+) +(\S+)", out, re.MULTILINE) == [("bad.yaml", "wrong"), ("good.yml", "3,274,634")]


def test_an_address_that_leads_nowhere_is_a_wrong_call(run: Graphc) -> None:
    code, _, err = run("ls", "resnet51")
    assert code == 2
    assert "no spec `resnet51`" in err
    assert "resnet101" in err or "did you mean" in err


def test_addresses_are_completed() -> None:
    assert complete_spec("mobilen") == ["mobilenet_v2", "mobilenet_v3"]
    assert complete_spec("mobilenet_v3:") == ["mobilenet_v3:mobilenet_v3_large", "mobilenet_v3:mobilenet_v3_small"]
    assert complete_spec("nothing:x") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands_and_specs(shell: str) -> None:
    asked = {
        "bash": {"COMP_WORDS": "graphc check sque", "COMP_CWORD": "2"},
        "zsh": {"_TYPER_COMPLETE_ARGS": "graphc check sque"},
        "fish": {"_TYPER_COMPLETE_ARGS": "graphc check sque", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }
    found = subprocess.run(
        [sys.executable, "-c", "from graphc.cli import main; main()"],
        env={"_GRAPHC_COMPLETE": f"complete_{shell}", **asked[shell]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "squeezenet" in found.stdout, found.stderr


def test_progress_is_for_terminals_alone(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with Progress(patience=0.0) as progress:
        progress.tell("working")
    assert progress.timer is None
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with Progress(patience=0.0) as progress:
        progress.tell("working")
        assert progress.timer
        progress.timer.join()
        progress.tell("working on")
    assert capsys.readouterr().err == "\r\x1b[2Kworking …\r\x1b[2Kworking on …\r\x1b[2K"
    with Progress() as progress:
        progress.tell("soon done")
    assert capsys.readouterr().err == ""


# --- new


@pytest.mark.parametrize("template", library.templates())
def test_a_template_is_a_whole_network(template: str, run: Graphc, tmp_path: Path) -> None:
    code, out, err = run("new", "mine", "--from", template)
    assert (code, err) == (0, "")
    assert out.splitlines() == ["mine.yaml", "", "graphc check mine.yaml", "graphc build mine.yaml"]
    graph = graphc.compile(tmp_path / "mine.yaml")
    assert graph.name == "mine"
    assert graph.training is not None
    small = {"N": 2, "H": 32, "W": 32}
    sizes = {name: size for name, size in small.items() if name in graph.sizes}
    result = verify(graph, Asked(training=True, sizes=[sizes]))
    assert result, str(result)


def test_templates_are_those_that_the_help_names(run: Graphc) -> None:
    _, out, _ = run("new", "--help")
    assert all(name in out for name in library.templates())


def test_a_file_that_is_there_is_left_alone(run: Graphc, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("precious")
    code, _, err = run("new", "mine")
    assert code == 2
    assert "mine.yaml is there already" in err
    assert (tmp_path / "mine.yaml").read_text() == "precious"
    assert run("new", "mine", "-o", "nets/mine.yml")[0] == 0
    assert (tmp_path / "nets" / "mine.yml").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["3d"], "`3d` is no name"),
        (["net", "--from", "segmentor"], "did you mean `segmenter`?"),
        (["net", "-o", "net.txt"], "a spec's file ends in .yaml"),
    ],
)
def test_a_wrong_call_writes_nothing(arguments: list[str], said: str, run: Graphc, tmp_path: Path) -> None:
    code, _, err = run("new", *arguments)
    assert code == 2
    assert said in " ".join(err.split())
    assert not list(tmp_path.iterdir())
