"""Broken specs, each with the one finding that it must get, and random damage to the specs that are right."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path

import pytest

from graphc import library
from graphc.check import require
from graphc.codes import CODES
from graphc.compile import compile
from graphc.diagnostics import Diagnostic, SpecError, human
from graphc.elaborate import elaborate

BAD = sorted((Path(__file__).parent / "cases" / "bad").glob("*.yaml"))
ELSEWHERE = {
    "E102": "test_source.py",
    "E105": "test_library.py",
    "E106": "test_settings.py",
    "E901": "test_onnx.py and test_torch.py: it needs a stranger's op",
    "W101": "below",
}
SLOWEST = 2.0
"""Seconds that any spec of this size may take."""


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_broken_spec_gets_its_one_finding(path: Path) -> None:
    """The first line of each: `# expect: CODE at LINE:COLUMN words of the message, the notes or the hint`."""
    expected = re.match(r"# expect: (\w+) at (\d+):(\d+) ?(.*)", path.read_text(encoding="utf-8"))
    assert expected is not None
    code, line, column, said = expected.groups()
    with pytest.raises(SpecError) as error:
        compile(str(path))
    (found,) = error.value.diagnostics
    assert (found.code, found.span.line, found.span.column) == (code, int(line), int(column)), human(found)
    assert said in human(found)
    assert path.stem.startswith(f"{code}_")


def test_every_code_has_a_case() -> None:
    assert {path.stem.partition("_")[0] for path in BAD} | set(ELSEWHERE) == set(CODES)


def test_what_nothing_reads_is_a_warning() -> None:
    head = "graphc: 1\nname: case\ndims: {N: 1}\ninputs: {a: [N, 3], b: [N, 3]}\n"
    found = warnings(head + "graph:\n  - relu:\n    id: lost\n  - relu:\n    from: a\n")
    assert {(warning.code, warning.span.line) for warning in found} == {("W101", 4), ("W101", 6)}


def test_two_mistakes_are_two_findings_and_what_follows_from_them_is_none() -> None:
    text = (library.specs() / "unet.yaml").read_text(encoding="utf-8")
    broken = text.replace("- relu\n", "- rellu\n", 1).replace("max_pool2d: 2", "max_pool2d: {kernel: 2}")
    with pytest.raises(SpecError) as error:
        warnings(broken)
    assert [found.code for found in error.value.diagnostics] == ["E401", "E402"]


def warnings(text: str) -> list[Diagnostic]:
    """Everything that is done with a spec short of a backend; its warnings."""
    return require(elaborate(library.parse(text, "spec.yaml"), library.standard()))


def findings(text: str) -> list[Diagnostic]:
    """All errors or all warnings; any other exception is a bug."""
    try:
        return warnings(text)
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


@pytest.mark.parametrize("name", ["unet", "resnet"])
def test_random_damage_never_gives_a_traceback(name: str) -> None:
    generator = random.Random(name)
    text = (library.specs() / f"{name}.yaml").read_text(encoding="utf-8")
    refused = 0
    for _ in range(400):
        spec = damaged(text, generator)
        start = time.perf_counter()
        found = findings(spec)
        assert time.perf_counter() - start < SLOWEST, spec
        assert all(map(human, found))
        refused += any(finding.severity == "error" for finding in found)
    assert refused > 200
