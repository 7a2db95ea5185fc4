"""What the documents say is true."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import graphc_graphviz
from graphc import manual
from graphc.compiler import compile

TOP = Path(__file__).parents[1]


def blocks(document: str, language: str) -> list[str]:
    """The code blocks of a document, by language."""
    return re.findall(rf"```{language}\n(.*?)```", (TOP / document).read_text(encoding="utf-8"), re.DOTALL)


def test_the_spec_in_the_readme_is_the_one_drawn_beside_it(tmp_path: Path) -> None:
    (spec,) = blocks("README.md", "yaml")
    assert spec == (TOP / "examples" / "tiny.yaml").read_text(encoding="utf-8")
    graphc_graphviz.write(compile(str(TOP / "examples" / "tiny.yaml")), tmp_path / "tiny.svg")
    assert (tmp_path / "tiny.svg").read_bytes() == (TOP / "docs" / "pictures" / "tiny.svg").read_bytes()


def test_the_output_in_the_readme_is_what_graphc_prints(tmp_path: Path) -> None:
    wanted, error = blocks("README.md", "text")
    unet = (TOP / "specs" / "unet.yaml").read_text(encoding="utf-8")
    (tmp_path / "unet.yaml").write_text(unet.replace("center_crop(skip, x)", "skip"), encoding="utf-8")
    fine, broken = (graphc(tmp_path, "check", address) for address in ("unet", "unet.yaml"))
    assert (fine.stdout, fine.stderr, fine.returncode) == (wanted, "", 0)
    assert (broken.stdout, broken.stderr, broken.returncode) == ("", error, 1)


def graphc(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, run in a folder."""
    command = [sys.executable, "-m", "graphc", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_links_lead_somewhere() -> None:
    for document in ("README.md", "CONTRIBUTING.md", "docs/design.md"):
        text = (TOP / document).read_text(encoding="utf-8")
        for link in re.findall(r"\]\((?!http)([^)#]+)\)|src=\"([^\"]+)\"", text):
            assert ((TOP / document).parent / "".join(link)).exists(), (document, link)


def test_the_manual_of_errors_is_the_table_of_codes() -> None:
    """`python -m graphc.manual` writes it."""
    assert (TOP / "docs" / "errors.md").read_text(encoding="utf-8") == manual.errors()


def test_the_how_tos_do_as_they_say(tmp_path: Path) -> None:
    """Each `$ graphc …` is run, and where its output stands below, it is that."""
    spec, expected, workflow = blocks("docs/howto.md", "yaml")
    (tmp_path / "allcnn.yaml").write_text(spec + expected, encoding="utf-8")
    slip = spec.replace("{out_channels: 192, kernel_size: 1}", "{out_chanels: 192, kernel_size: 1}")
    (tmp_path / "slip.yaml").write_text(slip, encoding="utf-8")
    for console in blocks("docs/howto.md", "console"):
        for said in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
            command, _, wanted = said.partition("\n")
            if command.startswith("graphc"):
                run = graphc(tmp_path, *command.split()[1:])
                assert run.returncode == ("slip" in command), run.stderr
                assert not wanted or run.stdout + run.stderr == wanted
    (step,) = (line for line in workflow.splitlines() if "graphc ls" in line)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "slip.yaml").write_text(slip, encoding="utf-8")
    run = graphc(tmp_path, *step.partition("graphc ")[2].split())
    assert run.returncode == 1
    assert run.stderr.startswith("::error file=specs/slip.yaml,line=27,")
