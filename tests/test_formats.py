"""Diagnostics for programs."""

from __future__ import annotations

import json

import pytest

from graphc.cli import main
from graphc.codes import CODES
from graphc.diagnostics import Diagnostic, Note, Source, Span
from graphc.formats import FORMATS

SOURCE = Source("a,b.yaml", "graph:\n  - relo\n")
FOUND = Diagnostic(
    "E401",
    "no op `relo`: 50%",
    Span("a,b.yaml", 2, 5, 9, SOURCE),
    (Note("inside", None), Note("here")),
    "did you mean `relu`?",
)


def test_a_line_each() -> None:
    assert FORMATS["line"]([FOUND, FOUND]).splitlines() == ["a,b.yaml:2:5: error E401: no op `relo`: 50%"] * 2


def test_json_has_every_field() -> None:
    (found,) = json.loads(FORMATS["json"]([FOUND]))
    assert found == {
        "code": "E401",
        "severity": "error",
        "message": "no op `relo`: 50%",
        "file": "a,b.yaml",
        "line": 2,
        "column": 5,
        "end": 9,
        "hint": "did you mean `relu`?",
        "notes": [{"message": "inside"}, {"message": "here"}],
    }


def test_github_annotations_are_escaped_as_its_toolkit_does() -> None:
    """actions/toolkit, packages/core/src/command.ts: %, CR and LF in data; `:` and `,` too in properties."""
    assert FORMATS["github"]([FOUND]) == (
        "::error file=a%2Cb.yaml,line=2,col=5,endColumn=9,title=E401::"
        "no op `relo`: 50%25%0Ainside%0Ahere%0Adid you mean `relu`?"
    )


@pytest.mark.parametrize("form", ["line", "json", "github"])
def test_the_option_chooses_the_form(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["check", "nothing.yaml", "--format", form])
    shown = capsys.readouterr()
    assert stop.value.code == 2
    assert shown.out == ""
    start = {"line": "nothing.yaml: error E105: can't read", "json": "[\n", "github": "::error file=nothing.yaml,"}[
        form
    ]
    assert shown.err.startswith(start)


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_explained(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["explain", code.lower()])
    assert stop.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert text == f"{code}: {CODES[code].title} {CODES[code].meaning}"


def test_an_unknown_code_is_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["explain", "E50"])
    assert stop.value.code == 2
    assert "did you mean `E50" in capsys.readouterr().err
