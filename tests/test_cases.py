"""Broken specs, each with the findings that it must get, and random damage to the specs that are right."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from graphc import library
from graphc.check import require
from graphc.codes import CODES
from graphc.diagnostics import Diagnostic, SpecError, human
from graphc.elaborate import build, elaborate
from graphc.loader import Loader

CASES = Path(__file__).parent / "cases"
BAD = sorted((CASES / "bad").glob("*.yaml"))
ELSEWHERE = {
    "E105": "test_library.py",
    "E106": "test_settings.py",
    "E109": "test_saved.py and test_onnx_reader.py: it needs a saved graph or a model",
    "E701": "test_checkpoint.py: it needs a file of weights",
    "E702": "test_checkpoint.py: it needs a file of weights",
    "W103": "test_onnx_reader.py: it needs a model",
    "E901": "test_onnx.py and test_torch.py: it needs a stranger's op",
}
SLOWEST = 2.0
"""Seconds that any spec of this size may take."""


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_broken_spec_gets_its_findings_and_no_other(path: Path) -> None:
    """Above each: `# expect: CODE at LINE:COLUMN words`, a line a finding; ` | ` parts words that stand apart."""
    text = path.read_text(encoding="utf-8")
    expected = re.findall(r"^# expect: (\w+) at (\d+:\d+) ?(.*)$", text, re.MULTILINE)
    found = findings(text)
    said = [human(finding, width=1_000) for finding in found]
    assert [(f.code, f"{f.span.line}:{f.span.column}") for f in found] == [row[:2] for row in expected], said
    for (*_, words), told in zip(expected, said, strict=True):
        for part in words.split(" | "):
            assert part in told.replace("(spec.yaml:", "("), told
    assert path.stem.partition("_")[0] in {row[0] for row in expected}


def test_every_code_has_a_case() -> None:
    assert {path.stem.partition("_")[0] for path in BAD} | set(ELSEWHERE) == set(CODES)


def test_what_nothing_reads_is_a_warning() -> None:
    head = "graphc: 1\nname: case\ndims: {N: 1}\ninputs: {a: [N, 3], b: [N, 3]}\n"
    found = warnings(head + "graph:\n  - relu:\n    id: lost\n  - relu:\n    from: a\n")
    assert {(warning.code, warning.span.line) for warning in found} == {("W101", 4), ("W101", 6)}


def test_two_mistakes_are_two_findings_and_what_follows_from_them_is_none() -> None:
    text = (library.specs() / "unet.yaml").read_text(encoding="utf-8")
    broken = text.replace("- relu\n", "- rellu\n", 1).replace("{kernel_size: 2, return", "{kernel: 2, return")
    with pytest.raises(SpecError) as error:
        warnings(broken)
    assert [found.code for found in error.value.diagnostics] == ["E401", "E402"]


def warnings(text: str, folder: Path | None = None) -> list[Diagnostic]:
    """Everything that is done with a spec short of a backend, as if it lay in a folder; its warnings."""
    return require(elaborate(Loader(folder).text(text, "spec.yaml"), library.standard()))


def findings(text: str, folder: Path | None = None) -> list[Diagnostic]:
    """All errors or all warnings; any other exception is a bug."""
    try:
        return warnings(text, folder)
    except SpecError as error:
        return error.diagnostics


def damaged(text: str, generator: random.Random) -> str:
    """The text with one to three random edits: lines lost, doubled, swapped or moved in, characters lost or changed."""
    lines = text.split("\n")
    for _ in range(generator.randint(1, 3)):
        at = generator.randrange(len(lines))
        line = lines[at]
        where = generator.randrange(len(line) + 1)
        lines[at : at + 1] = generator.choice(
            [
                [],
                [line, line],
                [lines[generator.randrange(len(lines))], line],
                [line[:where] + line[where + 1 :]],
                [line[:where] + generator.choice("{}[]:,-#*&!|>'\"%@`$.()0129 \tabxé\x00") + line[where:]],
                ["  " + line],
                [line.removeprefix("  ")],
                [re.sub(r"\d+", lambda _: str(generator.choice([0, 1, 3, 1000, 10**12])), line, count=1)],
            ]
        )
    return "\n".join(lines)


def reworded(text: str, generator: random.Random) -> str:
    """The text with one word replaced by another of its words, or by a number that nobody expects."""
    words = list(re.finditer(r"\w+", text))
    at = generator.choice(words)
    instead = generator.choice([generator.choice(words).group(), generator.choice(NUMBERS)])
    return text[: at.start()] + instead + text[at.end() :]


NUMBERS = ["0", "1", "2", "7", "97", "1024", "-1", "0.5", "1e9", "9" * 30, "true", "none", "[1, 2]", "'3'", "H", "{}"]
SPECS = [*library.specs().glob("*.yaml"), CASES / "ok" / "wiring.yaml", *(CASES / "language").glob("*.yaml")]
Damage: TypeAlias = Callable[[str, random.Random], str]


def check_damage(path: Path, damage: Damage, times: int) -> None:
    """No exception but `SpecError`, each finding inside the text, none late; and the damage is not too little."""
    generator = random.Random(path.stem)
    text = path.read_text(encoding="utf-8")
    refused = 0
    for _ in range(times):
        spec = damage(text, generator)
        start = time.process_time()
        found = findings(spec, path.parent)
        assert time.process_time() - start < SLOWEST, spec
        assert all(map(human, found))
        assert all(f.span.column <= len(f.span.source.line(f.span.line)) + 1 for f in found), spec
        refused += any(finding.severity == "error" for finding in found)
    assert refused > times / 4


@pytest.fixture
def small_graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A graph of 100,000 nodes is allowed, and to take its time."""
    monkeypatch.setattr(build, "MOST_NODES", 10_000)


@pytest.mark.usefixtures("small_graphs")
@pytest.mark.parametrize("path", SPECS[::6], ids=lambda path: path.stem)
@pytest.mark.parametrize("damage", [damaged, reworded])
def test_random_damage_never_gives_a_traceback(path: Path, damage: Damage) -> None:
    check_damage(path, damage, 30)


@pytest.mark.slow
@pytest.mark.usefixtures("small_graphs")
@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
@pytest.mark.parametrize("damage", [damaged, reworded])
def test_ten_thousand_damages_never_give_a_traceback(path: Path, damage: Damage) -> None:
    check_damage(path, damage, 10_000 // (2 * len(SPECS)) + 1)
