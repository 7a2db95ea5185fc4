"""What is wrong, where, and what to do about it: codes, spans, and how they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Source:
    """A text and the name it is reported under."""

    name: str
    text: str

    def line(self, number: int) -> str:
        """The line of that number, counted from 1; empty where there is none."""
        lines = self.text.split("\n")
        return lines[number - 1].rstrip("\r") if 0 < number <= len(lines) else ""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of one line; line and columns count from 1, `end` lies behind the last character."""

    file: str
    line: int
    column: int
    end: int
    source: Source = field(compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Note:
    """Another place that matters."""

    message: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `message` is one line; `hint` says what to do."""

    code: str
    message: str
    span: Span
    notes: tuple[Note, ...] = ()
    hint: str = ""
    severity: Severity = "error"


class SpecError(Exception):
    """A spec is wrong: all that was found."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = in_order(diagnostics)
        super().__init__("\n".join(one_line(d) for d in self.diagnostics))


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """By place in the source, each once."""
    return sorted(dict.fromkeys(diagnostics), key=lambda d: (d.span, d.code, d.message))


def one_line(diagnostic: Diagnostic) -> str:
    """file:line:column: severity code: message."""
    return f"{diagnostic.span}: {diagnostic.severity} {diagnostic.code}: {diagnostic.message}"


def human(diagnostic: Diagnostic) -> str:
    """The finding with its source line and a caret, the other places, and the hint."""
    parts = [one_line(diagnostic), *_quoted(diagnostic.span)]
    for note in diagnostic.notes:
        parts.append(f"  = {note.message}" + (f" ({note.span})" if note.span else ""))
    if diagnostic.hint:
        parts.append(f"  hint: {diagnostic.hint}")
    return "\n".join(parts)


def did_you_mean(word: str, known: Iterable[str], instead: str = "") -> str:
    """A hint with the nearest known word, or `instead` where none is near."""
    near = get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else instead


def listed(words: Sequence[str]) -> str:
    """a, b and c."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else "none"


def _quoted(span: Span) -> list[str]:
    line = span.source.line(span.line)
    number = str(span.line)
    indent = "".join("\t" if c == "\t" else " " for c in line[: span.column - 1])
    caret = "^" * max(1, min(span.end, len(line) + 1) - span.column)
    return [f" {number} | {line}", f" {' ' * len(number)} | {indent}{caret}"]
