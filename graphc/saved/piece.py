"""A piece of a JSON text that knows where it stands, so that what is wrong with it can be said."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import NoReturn, TypeVar

from graphc.diagnostics import Diagnostic, Source, Span, SpecError, did_you_mean

MOST_BYTES = 1 << 26
HINT = "`graphc expand SPEC --as json` writes a saved graph"
SHOWN = 60
"""How many characters of a text an error shows."""
KINDS = {dict: "a mapping", list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Piece:
    """A value of a JSON text; `where` is the way to it, as in `nodes[3].op`."""

    value: object
    where: str
    file: str

    def fail(self, message: str, hint: str = HINT) -> NoReturn:
        """What is wrong here."""
        place = f"{self.where}: " if self.where else ""
        raise wrong(self.file, f"{place}{message}", hint)

    def at(self, key: str) -> Piece:
        """What a mapping has under a key."""
        found = self.may(key)
        return self.fail(f"`{key}` is missing") if found is None else found

    def may(self, key: str) -> Piece | None:
        """The same; None where there is no such key."""
        entries = self._of(dict, "a mapping")
        where = f"{self.where}.{key}" if self.where else key
        return Piece(entries[key], where, self.file) if key in entries else None

    def entries(self) -> dict[str, Piece]:
        """The members of a mapping."""
        return {key: self.at(key) for key in self._of(dict, "a mapping")}

    def items(self, length: int | None = None) -> list[Piece]:
        """The members of a list, which has so many."""
        found = self._of(list, "a list")
        if length is not None and len(found) != length:
            self.fail(f"needs {length} entries, got {len(found)}")
        return [Piece(item, f"{self.where}[{number}]", self.file) for number, item in enumerate(found)]

    def text(self) -> str:
        return self._of(str, "a text")

    def flag(self) -> bool:
        return self._of(bool, "true or false")

    def whole(self, least: int | None = None) -> int:
        """A whole number; at least as large."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            self._unfit("a whole number")
        if least is not None and self.value < least:
            self.fail(f"must be {least} or more, not {self.value}")
        return self.value

    def real(self) -> float:
        if isinstance(self.value, bool) or not isinstance(self.value, (int, float)):
            self._unfit("a number")
        return float(self.value)

    def one_of(self, known: Sequence[_T]) -> _T:
        """One of some words."""
        text = self.text()
        for word in known:
            if word == text:
                return word
        self.fail(f"no `{text[:SHOWN]}` is known", did_you_mean(text, map(str, known), HINT))

    def or_none(self, read: Callable[[Piece], _T]) -> _T | None:
        """What is read here; nothing for null."""
        return None if self.value is None else read(self)

    def _of(self, kind: type[_T], words: str) -> _T:
        return self.value if type(self.value) is kind else self._unfit(words)

    def _unfit(self, words: str) -> NoReturn:
        self.fail(f"needs {words}, got {KINDS.get(type(self.value), 'nothing')}")


def wrong(file: str, message: str, hint: str = HINT) -> SpecError:
    """What is wrong with a saved graph."""
    return SpecError([Diagnostic("E109", message, Span(file, 1, 1, 2, Source(file, "")), hint=hint)])


def text_in(path: Path, name: str) -> str:
    """The text of a file.

    Raises:
        SpecError: it can't be read, is too large, or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise SpecError(
            [Diagnostic("E105", f"can't read {name}: {error.strerror}", Span(name, 1, 1, 2, Source(name, "")))]
        ) from error
    if len(data) > MOST_BYTES:
        raise wrong(name, f"a saved graph has at most {MOST_BYTES} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise wrong(name, f"it is not UTF-8 text (byte {error.start})") from error


def parsed(text: str, name: str) -> Piece:
    """The JSON text as a piece.

    Raises:
        SpecError: it is none, or one that JSON forbids: NaN, a key twice.
    """
    try:
        return Piece(json.loads(text, object_pairs_hook=_once, parse_constant=_number, parse_float=_finite), "", name)
    except json.JSONDecodeError as error:
        raise wrong(name, f"it is not JSON: {error.msg} at {error.lineno}:{error.colno}") from error
    except RecursionError as error:
        raise wrong(name, "it is nested too deeply") from error
    except ValueError as error:
        raise wrong(name, f"it is not JSON: {error}") from error


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key in found if sum(key == other for other, _ in pairs) > 1)
        raise ValueError(f"the key `{twice[:SHOWN]}` stands twice")
    return found


def _number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _finite(text: str) -> float:
    found = float(text)
    return found if isfinite(found) else _number(text)
