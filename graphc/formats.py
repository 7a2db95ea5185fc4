"""Diagnostics for programs: a line each, JSON, and GitHub's annotations. The form for people is `diagnostics.human`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from graphc.diagnostics import Diagnostic, Note, Span, one_line


def line(diagnostics: Sequence[Diagnostic]) -> str:
    """One line each: file:line:column: severity code: message."""
    return "\n".join(map(one_line, diagnostics))


def as_json(diagnostics: Sequence[Diagnostic]) -> str:
    """A list of objects; lines and columns count from 1, `end` is the column behind the last character."""
    return json.dumps([_object(diagnostic) for diagnostic in diagnostics], indent=2, ensure_ascii=False)


def github(diagnostics: Sequence[Diagnostic]) -> str:
    """Workflow commands that annotate the lines of a pull request."""
    return "\n".join(map(_command, diagnostics))


FORMATS: dict[str, Callable[[Sequence[Diagnostic]], str]] = {"line": line, "json": as_json, "github": github}


def _object(diagnostic: Diagnostic) -> dict[str, object]:
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        **_place(diagnostic.span),
        "hint": diagnostic.hint,
        "notes": [_note(note) for note in diagnostic.notes],
    }


def _note(note: Note) -> dict[str, object]:
    return {"message": note.message, **(_place(note.span) if note.span else {})}


def _place(span: Span) -> dict[str, object]:
    return {"file": span.file, "line": span.line, "column": span.column, "end": span.end}


def _command(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    said = [diagnostic.message, *(note.message for note in diagnostic.notes), *filter(None, [diagnostic.hint])]
    place = f"file={_property(span.file)},line={span.line},col={span.column},endColumn={span.end}"
    return f"::{diagnostic.severity} {place},title={_property(diagnostic.code)}::{_data(chr(10).join(said))}"


def _data(text: str) -> str:
    """Escaped as GitHub's toolkit escapes a command's message."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
