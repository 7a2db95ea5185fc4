"""The pictures of the terminal are what the commands write now, and the page shows them all."""

from __future__ import annotations

import re
import runpy
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Protocol

import pytest


class Screen(Protocol):
    """A command, and the name of its pictures."""

    command: str

    def file(self, width: int) -> str: ...

    def svg(self, width: int) -> str: ...


TOP = Path(__file__).parents[1]
PICTURES = TOP / "docs" / "pictures"


pytest.importorskip("pty")
screens = runpy.run_path(str(TOP / "docs" / "screens.py"))
SCREENS: tuple[Screen, ...] = screens["SCREENS"]
WIDTHS: tuple[int, ...] = screens["WIDTHS"]
TAKEN = [(screen, width) for screen in SCREENS for width in WIDTHS]


@pytest.mark.parametrize(("screen", "width"), TAKEN, ids=[screen.file(width) for screen, width in TAKEN])
def test_a_picture_is_what_the_command_writes_now(screen: Screen, width: int) -> None:
    """`python docs/screens.py` takes them anew."""
    assert (PICTURES / screen.file(width)).read_text("utf-8") == screen.svg(width)


@pytest.mark.parametrize(("screen", "width"), TAKEN, ids=[screen.file(width) for screen, width in TAKEN])
def test_a_picture_keeps_to_the_width_and_loads_nothing(screen: Screen, width: int) -> None:
    file = PICTURES / screen.file(width)
    assert file.stat().st_size < 40_000
    text = file.read_text("utf-8")
    assert not re.search(r"url\((?!#)|@import|@font-face|href", text)
    lines: dict[str, int] = {}
    for element in ET.fromstring(text).iter("{http://www.w3.org/2000/svg}text"):
        if element.text == "\n":
            continue
        end = round((float(element.get("x", 0)) + float(element.get("textLength", 0))) / 12.2)
        lines[element.get("y", "")] = max(lines.get(element.get("y", ""), 0), end)
    assert max(lines.values()) <= width


def test_the_page_shows_each_picture_below_its_command() -> None:
    page = (TOP / "docs" / "terminal.md").read_text("utf-8")
    shown = re.findall(r"^`(graphc [^`]+)`$|\]\(pictures/(terminal_\w+\.svg)\)", page, re.MULTILINE)
    wanted: list[tuple[str, str]] = []
    for screen in SCREENS:
        wanted += [(screen.command, ""), *(("", screen.file(width)) for width in WIDTHS)]
    assert shown == wanted
    assert {file.name for file in PICTURES.glob("terminal_*")} == {screen.file(width) for screen, width in TAKEN}


def test_progress_leaves_no_trace_in_a_picture() -> None:
    assert screens["PROGRESS"].sub("", "\r\x1b[2Kreading …\r\x1b[2Kwriting …\r\x1b[2Kdone\n") == "done\n"


def test_the_page_of_benchmarks_has_each_that_the_one_command_runs() -> None:
    run = runpy.run_path(str(TOP / "benchmarks" / "run.py"))
    page = (TOP / "docs" / "benchmarks.md").read_text("utf-8")
    titles = [found.title for found in run["BENCHMARKS"].values()]
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == titles
    assert all((TOP / "benchmarks" / f"{name}.py").is_file() for name in run["BENCHMARKS"])
