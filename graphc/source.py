"""YAML text → a tree whose every node knows its place.

The tree is built from libyaml's events, without recursion, and every limit is counted as the events come: composing first
would end the process on deep nesting. Scalars stay text; what they mean is decided where they are used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, TypeAlias

import yaml

from graphc.diagnostics import Diagnostic, Source, Span, SpecError

MOST_BYTES = 1 << 20
MOST_NODES = 100_000
DEEPEST = 60

Tree: TypeAlias = "Scalar | Sequence | Mapping"


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A text. `exact` says that its characters stand in the source as they are, from `first` on."""

    text: str
    span: Span
    quoted: bool = False
    exact: bool = True
    first: int = 0

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


def read_source(path: Path, name: str) -> str:
    """The text of a file, reported under `name`.

    Raises:
        SpecError: it can't be read, or is not UTF-8.
    """
    try:
        return path.read_bytes().decode()
    except OSError as error:
        raise _nowhere(name, f"can't read {name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _nowhere(name, f"{name} is not UTF-8 text (byte {error.start})") from error


def read_text(text: str, name: str) -> Tree:
    """The tree of a YAML text.

    Raises:
        SpecError: the text is not YAML, or passes a limit.
    """
    builder = _Builder(Source(name, text))
    if len(text) > MOST_BYTES:
        builder.fail("E102", f"a spec has at most {MOST_BYTES} characters, this one {len(text)}", builder.span(0, 0))
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        context = f" {error.context}" if error.context else ""
        builder.fail("E101", f"not YAML: {error.problem}{context}", builder.span(line, column))
    except yaml.reader.ReaderError as error:
        builder.fail("E101", f"not YAML: {error.reason}", builder.span(0, 0))
    if builder.root is None:
        builder.fail("E101", "the spec is empty", builder.span(0, 0))
    return builder.root


def walk(tree: Tree) -> Iterator[Tree]:
    """The tree's nodes, each before those in it."""
    yield tree
    below = tree.items if isinstance(tree, Sequence) else tree.values.values() if isinstance(tree, Mapping) else ()
    for node in below:
        yield from walk(node)


class _Builder:
    """Puts events together to a tree; `open` are the lists and mappings that are not yet closed."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.lines = source.text.split("\n")
        self.root: Tree | None = None
        self.open: list[tuple[Sequence | Mapping, Scalar | None]] = []
        self.count = 0

    def span(self, line: int, column: int, end: int | None = None) -> Span:
        return Span(self.source.name, line + 1, column + 1, (column if end is None else end) + 1, self.source)

    def fail(self, code: str, message: str, span: Span, hint: str = "") -> NoReturn:
        raise SpecError([Diagnostic(code, message, span, hint=hint)])

    def take(self, event: yaml.Event) -> None:
        """Adds what an event says."""
        match event:
            case yaml.ScalarEvent():
                self.node(event, self.scalar(event))
            case yaml.SequenceStartEvent():
                self.enter(event, Sequence([], self.start(event)))
            case yaml.MappingStartEvent():
                self.enter(event, Mapping(self.start(event)))
            case yaml.CollectionEndEvent():
                self.open.pop()
            case yaml.AliasEvent():
                self.fail("E104", f"an alias (*{event.anchor}); write a block instead", self.start(event), ALIAS_HINT)
            case yaml.DocumentStartEvent() if self.root is not None:
                self.fail("E104", "a second document; a file holds one spec", self.start(event))

    def start(self, event: yaml.Event) -> Span:
        """The place where an event begins, one character wide."""
        return self.span(event.start_mark.line, event.start_mark.column, event.start_mark.column + 1)

    def scalar(self, event: yaml.ScalarEvent) -> Scalar:
        start, end = event.start_mark, event.end_mark
        last = end.column if end.line == start.line else len(self.lines[start.line])
        first = start.column + (1 if event.style else 0)
        exact = self.lines[start.line][first : first + len(event.value)] == event.value and end.line == start.line
        return Scalar(event.value, self.span(start.line, start.column, last), bool(event.style), exact, first + 1)

    def enter(self, event: yaml.NodeEvent, tree: Sequence | Mapping) -> None:
        self.node(event, tree)
        self.open.append((tree, None))
        if len(self.open) > DEEPEST:
            self.fail("E102", f"lists and mappings nest at most {DEEPEST} deep", tree.span)

    def node(self, event: yaml.NodeEvent, tree: Tree) -> None:
        """Puts a node where it belongs: into the innermost open list or mapping."""
        self.refuse(event, tree)
        if not self.open:
            self.root = tree
            return
        parent, key = self.open[-1]
        if isinstance(parent, Sequence):
            parent.items.append(tree)
        elif key is None:
            self.open[-1] = (parent, self.key(parent, tree))
        else:
            parent.keys[key.text], parent.values[key.text] = key, tree
            self.open[-1] = (parent, None)

    def key(self, parent: Mapping, tree: Tree) -> Scalar:
        if not isinstance(tree, Scalar):
            self.fail("E201", f"a key must be a text, not {KINDS[type(tree)]}", tree.span)
        if tree.text in parent.keys:
            first = parent.keys[tree.text].span
            self.fail("E103", f"`{tree.text}` is already a key of this mapping (line {first.line})", tree.span)
        return tree

    def refuse(self, event: yaml.NodeEvent, tree: Tree) -> None:
        self.count += 1
        if self.count > MOST_NODES:
            self.fail("E102", f"a spec has at most {MOST_NODES} YAML nodes", tree.span)
        if event.anchor:
            self.fail("E104", f"an anchor (&{event.anchor}); write a block instead", tree.span, ALIAS_HINT)
        if getattr(event, "tag", None) and not (isinstance(tree, Scalar) and event.tag == "!"):
            self.fail("E104", f"a tag ({event.tag})", tree.span, "an expression can't begin with `!`; write `not`")


ALIAS_HINT = "an expression that begins with `*` or `&` must be quoted"


def _nowhere(name: str, message: str) -> SpecError:
    return SpecError([Diagnostic("E105", message, Span(name, 1, 1, 2, Source(name, "")))])
