"""YAML text → a tree whose every node knows its place.

The tree is built from libyaml's events, without recursion, and every limit is counted as the events come: composing
first would end the process on deep nesting. Scalars stay text; what they mean is decided where they are used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import NoReturn, TypeAlias

import yaml

from graphc.diagnostics import Diagnostic, Source, Span, SpecError

MOST_BYTES = 1 << 20
MOST_NODES = 100_000
DEEPEST = 50

Tree: TypeAlias = "Scalar | Sequence | Mapping"


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A text. `exact` says that its characters stand in the source as they are, from column `first` on."""

    text: str
    span: Span
    quoted: bool = False
    exact: bool = True
    first: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing is written, as after `key:`."""
        return not (self.text or self.quoted)

    def part(self, start: int, end: int) -> Span:
        """The span of the characters start … end of the text."""
        if not self.exact:
            return self.span
        return Span(self.span.file, self.span.line, self.first + start, self.first + end, self.span.source)


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """A list."""

    items: list[Tree]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """Keys with their values, in the order of the source."""

    span: Span
    keys: dict[str, Scalar] = field(default_factory=dict)
    values: dict[str, Tree] = field(default_factory=dict)


KINDS = {Scalar: "a text", Sequence: "a list", Mapping: "a mapping"}


def kind_of(tree: Tree) -> str:
    """What a tree is, in words."""
    return "nothing" if isinstance(tree, Scalar) and tree.is_empty else KINDS[type(tree)]


def read_source(path: Path, name: str) -> str:
    """The text of a file, reported under `name`.

    Raises:
        SpecError: it can't be read, is too large, or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise _nowhere("E105", name, f"can't read {name}: {error.strerror}") from error
    return text_of(data, name)


def text_of(data: bytes, name: str) -> str:
    """The text that bytes are, reported under `name`.

    Raises:
        SpecError: it is too large, or is not UTF-8.
    """
    if len(data) > MOST_BYTES:
        raise _nowhere("E102", name, f"a spec has at most {MOST_BYTES} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise _nowhere("E105", name, f"{name} is not UTF-8 text (byte {error.start})") from error


def read_text(text: str, name: str, before: str = "") -> Tree:
    """The tree of a YAML text; `before` is what stands before it on its first line, for errors to show.

    Raises:
        SpecError: the text is not YAML, or passes a limit.
    """
    builder = _Builder(text.removeprefix("\ufeff"), name, before)
    try:
        return builder.tree()
    except yaml.MarkedYAMLError as error:
        raise SpecError([_not_yaml(builder, error)]) from error


@dataclass(slots=True)
class _Open:
    """A list or mapping that is not yet closed, and the key whose value comes next.

    `anchor` is its name for aliases, `before` how many nodes were counted before it.
    """

    tree: Sequence | Mapping
    in_brackets: bool
    anchor: str | None
    before: int
    key: Scalar | None = None


class _Builder:
    """Puts events together to a tree."""

    def __init__(self, text: str, name: str, before: str) -> None:
        self.source = Source(name, before + text)
        self.text = " " * len(before) + text
        self.lines = self.text.split("\n")
        self.root: Tree | None = None
        self.open: list[_Open] = []
        self.count = 0
        self.anchors: dict[str, tuple[Tree, int]] = {}
        self.found: list[Diagnostic] = []

    def tree(self) -> Tree:
        """The whole text's tree."""
        if len(self.text) > MOST_BYTES:
            self.fail("E102", f"a spec has at most {MOST_BYTES} bytes", self.span(0, 0))
        self.characters()
        for event in yaml.parse(self.text, Loader=yaml.CSafeLoader):
            self.take(event)
        if self.root is None:
            self.fail("E101", "the spec is empty", self.span(0, 0))
        if self.found:
            raise SpecError(self.found)
        return self.root

    def characters(self) -> None:
        """Refuses what YAML refuses, and the line breaks that nobody else counts."""
        wrong = _FORBIDDEN.search(self.text)
        if wrong:
            before = self.text[: wrong.start()]
            place = self.span(before.count("\n"), len(before) - before.rfind("\n") - 1)
            hint = "end lines with \\n" if wrong.group() == "\r" else ""
            self.fail("E101", f"the character U+{ord(wrong.group()):04X} can't stand in a spec", place, hint)

    def span(self, line: int, column: int, end: int | None = None) -> Span:
        return Span(self.source.name, line + 1, column + 1, (column if end is None else end) + 1, self.source)

    def place(self, mark: yaml.error.Mark | yaml._yaml.Mark | None) -> tuple[int, int]:
        """Line and column, counted from 0; the end of the text where libyaml counts a line more."""
        if mark is None or mark.line >= len(self.lines):
            return len(self.lines) - 1, len(self.lines[-1])
        return mark.line, mark.column

    def report(self, code: str, message: str, span: Span, hint: str = "") -> None:
        self.found.append(Diagnostic(code, message, span, hint=hint))

    def fail(self, code: str, message: str, span: Span, hint: str = "") -> NoReturn:
        raise SpecError([*self.found, Diagnostic(code, message, span, hint=hint)])

    def take(self, event: yaml.Event) -> None:
        """Adds what an event says."""
        match event:
            case yaml.ScalarEvent():
                scalar = self.scalar(event)
                self.node(event.tag, scalar)
                self.anchor(event.anchor, scalar, 1)
            case yaml.SequenceStartEvent():
                self.enter(event, Sequence([], self.start(event)))
            case yaml.MappingStartEvent():
                self.enter(event, Mapping(self.start(event)))
            case yaml.CollectionEndEvent():
                self.leave()
            case yaml.AliasEvent():
                self.alias(event)
            case yaml.DocumentStartEvent() if self.root is not None:
                self.fail("E104", "a second document; a file holds one spec", self.start(event))

    def start(self, event: yaml.Event) -> Span:
        """The place where an event begins, one character wide."""
        line, column = self.place(event.start_mark)
        return self.span(line, column, column + 1)

    def scalar(self, event: yaml.ScalarEvent) -> Scalar:
        (line, column), (end_line, end) = self.place(event.start_mark), self.place(event.end_mark)
        text = self.lines[line]
        first = column + (1 if event.style else 0)
        exact = end_line == line and text[first : first + len(event.value)] == event.value
        last = end if end_line == line else len(text.rstrip("\r"))
        return Scalar(event.value, self.span(line, column, last), bool(event.style), exact, first + 1)

    def enter(self, event: yaml.CollectionStartEvent, tree: Sequence | Mapping) -> None:
        self.node(event.tag, tree)
        self.open.append(_Open(tree, bool(event.flow_style), event.anchor, self.count - 1))
        if len(self.open) > DEEPEST:
            self.fail("E102", f"lists and mappings nest at most {DEEPEST} deep", tree.span)

    def leave(self) -> None:
        """Closes the innermost list or mapping; one text that a comma split is then seen whole."""
        closed = self.open.pop()
        self.anchor(closed.anchor, closed.tree, self.count - closed.before)
        pieces = _pieces(closed.tree) if closed.in_brackets else []
        opening = next((n for n, piece in enumerate(pieces) if _open_brackets(piece) > 0), len(pieces))
        closing = next((piece for piece in pieces[opening + 1 :] if _open_brackets(piece) < 0), None)
        if closing is not None:
            message = f"YAML splits a text at its comma, here into `{pieces[opening].text}` and `{closing.text}`"
            self.report("E107", message, pieces[opening].span, "quote a text that has a comma, inside {} and []")

    def anchor(self, name: str | None, tree: Tree, size: int) -> None:
        """Lets aliases stand for a tree of so many nodes from here on."""
        if name:
            self.anchors[name] = tree, size

    def alias(self, event: yaml.AliasEvent) -> None:
        """Puts the tree that an alias stands for in its place; all its nodes count again."""
        place = self.start(event)
        if event.anchor not in self.anchors:
            self.fail("E104", f"the alias *{event.anchor} stands for nothing before it", place, _QUOTE)
        tree, size = self.anchors[event.anchor]
        self.node(None, tree, size, place)

    def node(self, tag: str | None, tree: Tree, size: int = 1, place: Span | None = None) -> None:
        """Puts a node where it belongs: into the innermost open list or mapping."""
        self.count += size
        if self.count > MOST_NODES:
            self.fail("E102", f"a spec has at most {MOST_NODES} YAML nodes, aliases counted", place or tree.span)
        if tag:
            self.report("E104", f"a tag ({tag})", tree.span, "an expression can't begin with `!`: write `not`")
        if not self.open:
            self.root = tree
            return
        around = self.open[-1]
        if isinstance(around.tree, Sequence):
            around.tree.items.append(tree)
        elif around.key is None:
            around.key = self.key(around.tree, tree)
        else:
            around.tree.keys[around.key.text], around.tree.values[around.key.text] = around.key, tree
            around.key = None

    def key(self, parent: Mapping, tree: Tree) -> Scalar:
        if not isinstance(tree, Scalar):
            self.fail("E201", f"a key must be a text, not {kind_of(tree)}", tree.span)
        if tree.text in parent.keys:
            first = parent.keys[tree.text].span
            self.report("E103", f"`{tree.text}` is already a key of this mapping (line {first.line})", tree.span)
        return tree


_FORBIDDEN = re.compile(
    "\r(?!\n)|[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_QUOTE = "an expression that begins with `*` or `&` must be quoted"
_BESIDE = "a step with keys below it ends with a colon, and they stand under its first letter"
_HINTS = (
    ("mapping values are not allowed", "quote a text that has `: ` in it"),
    ("while scanning a block scalar", "quote a text that begins with `|` or `>`"),
    ("while scanning an a", _QUOTE),
    ("quoted scalar", "the text that begins here has no closing quote"),
    ("while parsing a flow", "close the bracket, and quote a text that has `[`, `{` or `,` in it"),
    ("block sequence entries", "a list begins on the line below its key"),
    ("expected key", "the keys of a mapping stand exactly below each other"),
    ("expected '-'", "the items of a list stand exactly below each other"),
)


def _not_yaml(builder: _Builder, error: yaml.MarkedYAMLError) -> Diagnostic:
    """What the YAML parser says, at the place and with the hint that help most."""
    says = f"{error.problem} {error.context or ''}".strip()
    line, column = builder.place(error.problem_mark)
    begins = builder.place(error.context_mark)
    found = builder.lines[line][column : column + 1]
    unclosed = "parsing a flow" in says and line > begins[0] and found not in ("[", "{")
    if unclosed or "quoted scalar" in says:
        line, column = begins
    hint = next((hint for words, hint in _HINTS if words in says), "")
    if "cannot start any token" in says:
        hint = "indent with spaces" if found == "\t" else f"quote a text that begins with `{found}`"
    if "mapping values" in says and builder.lines[line][:column].strip().isidentifier():
        hint = _BESIDE
    return Diagnostic("E101", f"not YAML: {says}", builder.span(line, column, column + 1), hint=hint)


def _pieces(tree: Sequence | Mapping) -> list[Scalar]:
    """The unquoted texts of a list or mapping, in order."""
    pairs = zip(tree.keys.values(), tree.values.values(), strict=True) if isinstance(tree, Mapping) else ()
    trees = tree.items if isinstance(tree, Sequence) else chain.from_iterable(pairs)
    return [piece for piece in trees if isinstance(piece, Scalar) and not piece.quoted]


def _open_brackets(piece: Scalar) -> int:
    return piece.text.count("(") - piece.text.count(")")


def _nowhere(code: str, name: str, message: str) -> SpecError:
    return SpecError([Diagnostic(code, message, Span(name, 1, 1, 2, Source(name, "")))])
