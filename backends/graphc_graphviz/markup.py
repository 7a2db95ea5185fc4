"""Graphviz's HTML-like labels, piece by piece. All text of a spec is escaped here.

Graphviz takes text from `<` to `>` as markup in which IMG reads files, so nothing may reach it unescaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape

NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML has no place for."""


def text(words: str) -> str:
    """Text of a spec, made safe for markup: in Graphviz's a backslash has a meaning, too."""
    return escape(printable(words)).replace("\\", "\\\\")


def printable(words: str) -> str:
    """Text that can stand in an SVG."""
    return NO_XML.sub("\ufffd", words)


def spaced(*parts: str) -> str:
    """The parts that are there, with spaces between."""
    return " ".join(filter(None, parts))


def bold(markup: str) -> str:
    """Bold text."""
    return f"<B>{markup}</B>"


def font(markup: str, size: int, color: str) -> str:
    """Text in a size and a colour."""
    return f'<FONT POINT-SIZE="{size}" COLOR="{color}">{markup}</FONT>' if markup else ""


def lines(pieces: Iterable[str], align: str = "") -> str:
    """Pieces of markup, one below the other."""
    return f'<BR ALIGN="{align}"/>'.join(pieces) if align else "<BR/>".join(pieces)


def cell(markup: str, **attributes: str) -> str:
    """A cell of a table."""
    return f"<TD{_written(attributes)}>{markup}</TD>"


def tr(cells: Iterable[str]) -> str:
    """A row of cells."""
    return f"<TR>{''.join(cells)}</TR>"


def row(markup: str, **attributes: str) -> str:
    """A row of one cell."""
    return tr([cell(markup, **attributes)])


def table(rows: Iterable[str], border: int, padding: int, /, **attributes: str) -> str:
    """A table of rows, with an outline of some points."""
    frame = {"BORDER": str(border), "CELLBORDER": "0", "CELLSPACING": "0", "CELLPADDING": str(padding)}
    return f"<TABLE{_written(frame | attributes)}>{''.join(rows)}</TABLE>"


def label(markup: str) -> str:
    """Markup as the value of an attribute."""
    return f"<{markup}>"


def _written(attributes: Mapping[str, str]) -> str:
    return "".join(f' {name}="{value}"' for name, value in attributes.items())
