"""An op's entry as text that fits a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from graphc.opmanual.entry import Attribute, Entry
from graphc.opmanual.markdown import operands

WIDTH = 80
INDENT = "  "


def text(entry: Entry, width: int = WIDTH) -> str:
    """A page, no line of which is longer than `width` where it can be broken."""
    return "\n".join(_lines(entry, max(width, 40)))


def _lines(entry: Entry, width: int) -> Iterator[str]:
    yield entry.name
    for paragraph in (entry.summary, *entry.details.split("\n\n")):
        yield from _paragraph(_plain(paragraph), width)
    yield ""
    yield from (f"{INDENT}{line}" for line in entry.step.splitlines())
    yield ""
    for label, told in _facts(entry):
        yield from _hanging(f"{label:10}", _plain(told), width)
    if entry.attributes:
        yield from ("", "attributes")
        for attribute in entry.attributes:
            yield from _hanging(f"{INDENT}{attribute.name}  ", _attribute(attribute, entry), width, len(INDENT) * 3)
    if entry.weights:
        yield from ("", "weights, as the example has them")
        for held in entry.weights:
            said = f"{held.shape}, begins as {held.initial}{', a buffer' if held.buffer else ''}"
            yield from _hanging(f"{INDENT}{held.name}  ", said, width, len(INDENT) * 3)


def _facts(entry: Entry) -> Iterator[tuple[str, str]]:
    yield "operands", operands(entry.operands)
    if entry.problem:
        yield "example", f"does not work: {entry.problem}"
    else:
        yield from (("shapes", entry.shapes), ("cost", entry.cost))
    if entry.sources:
        yield "source", "; ".join(entry.sources)
    yield from entry.backends.items()


def _attribute(attribute: Attribute, entry: Entry) -> str:
    default = f"default {attribute.default}" if attribute.default else "must be given"
    alone = f", or alone: `- {entry.name}: …`" * (attribute.name == entry.main)
    return _plain(f"{attribute.takes}; {default}{alone}. {attribute.meaning}".rstrip())


def _paragraph(paragraph: str, width: int) -> Iterator[str]:
    if paragraph:
        yield ""
        yield from wrap(paragraph, width, break_long_words=False, break_on_hyphens=False)


def _hanging(label: str, told: str, width: int, indent: int = 10) -> Iterator[str]:
    """A label, and what is told behind it; further lines are indented."""
    yield from wrap(label + told, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)


def _plain(told: str) -> str:
    """Without Markdown's marks."""
    return told.replace("`", "")
