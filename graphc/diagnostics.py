"""What is wrong, where, and what to do about it: codes, spans, and how they are shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal, TypeAlias
from unicodedata import combining, east_asian_width

Severity: TypeAlias = Literal["error", "warning"]
Role: TypeAlias = Literal["error", "warning", "hint", "place", "frame", "source", "text"]
Line: TypeAlias = list[tuple[str, Role]]

WIDEST = 160
"""Columns of a source line that are shown where nobody says how wide the screen is."""

_TURNING = (*range(0x80, 0xA0), 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
_SIGNS = (
    {control: 0x2400 + control for control in range(0x20) if chr(control) != "\t"}
    | {0x7F: 0x2421}
    | dict.fromkeys(_TURNING, 0xFFFD)
)


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
    return _text(_headline(diagnostic))


def human(diagnostic: Diagnostic, width: int = WIDEST) -> str:
    """The finding with its source line and a caret, the other places, and the hint."""
    return "\n".join(_text(line) for line in lines(diagnostic, width))


def lines(diagnostic: Diagnostic, width: int = WIDEST) -> Iterator[Line]:
    """What `human` says, line by line, each as pieces with their roles; source lines are cut to `width` columns."""
    yield _headline(diagnostic)
    yield from _quoted(diagnostic.span, diagnostic.severity, width)
    for note in diagnostic.notes:
        yield [("  = ", "frame"), (visible(note.message), "text"), (f" ({note.span})" if note.span else "", "place")]
    if diagnostic.hint:
        yield [("  hint: ", "hint"), (visible(diagnostic.hint), "text")]


def summary(diagnostics: Sequence[Diagnostic]) -> str:
    """2 errors, 1 warning."""
    counts = Counter(diagnostic.severity for diagnostic in diagnostics)
    return ", ".join(f"{count} {word}{'s' * (count > 1)}" for word, count in sorted(counts.items()))


def visible(text: str) -> str:
    """The text with a sign for each character that would move a terminal's cursor or turn its text around."""
    return text.translate(_SIGNS)


def did_you_mean(word: str, known: Iterable[str], instead: str = "") -> str:
    """A hint with the nearest known word, the same letters before others; or `instead` where none is near."""
    words = sorted(known)
    near = [w for w in words if sorted(w) == sorted(word)] or get_close_matches(word, words, n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else instead


def listed(words: Sequence[str]) -> str:
    """a, b and c."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else "none"


def _headline(diagnostic: Diagnostic) -> Line:
    severity = diagnostic.severity
    return [
        (f"{visible(_place(diagnostic.span))}: ", "place"),
        (f"{severity} {diagnostic.code}: ", severity),
        (visible(diagnostic.message), "text"),
    ]


def _place(span: Span) -> str:
    """The place, or the file alone where there is no text."""
    nowhere = not span.source.text and (span.line, span.column) == (1, 1)
    return span.file if nowhere else str(span)


def _quoted(span: Span, severity: Severity, width: int) -> Iterator[Line]:
    """The source line and a caret below it; nothing where there is no such line."""
    line = visible(span.source.line(span.line))
    if not line.strip():
        return
    number = str(span.line)
    text, start = _cut(line, span.column - 1, width - len(number) - 4)
    caret = max(1, min(span.end - 1 - start, len(text)) - (span.column - 1 - start))
    yield [(f" {number} | ", "frame"), (text, "source")]
    indent = "".join(_blank(c) for c in text[: span.column - 1 - start])
    yield [(f" {' ' * len(number)} | ", "frame"), (indent + "^" * caret, severity)]


def _cut(line: str, column: int, room: int) -> tuple[str, int]:
    """So much of a line as there is room for, around a column; and the column at which that starts."""
    if len(line) <= room:
        return line, 0
    start = max(0, min(column - room // 3, len(line) - room))
    end = start + room
    text = ("…" if start else line[0]) + line[start + 1 : end - 1] + ("…" if end < len(line) else line[-1])
    return text, start


def _blank(character: str) -> str:
    """As much space as the character takes on a screen."""
    if character == "\t":
        return "\t"
    if combining(character):
        return ""
    return "  " if east_asian_width(character) in "WF" else " "


def _text(line: Line) -> str:
    return "".join(text for text, _ in line)
