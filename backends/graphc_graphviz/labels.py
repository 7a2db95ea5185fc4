"""The text in leaves and boxes, as Graphviz's HTML-like labels. All text of a spec is escaped here.

Graphviz takes text from `<` to `>` as markup in which IMG reads files, so nothing may reach it unescaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from graphc_graphviz import style
from graphc_graphviz.picture import Box, Leaf, Line

NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML has no place for."""


def text(words: str) -> str:
    """Text of a spec, made safe for markup."""
    return escape(NO_XML.sub("\ufffd", words))


def leaf_label(leaf: Leaf, *, rises: bool) -> str:
    """A leaf: its strips, and the shapes that leave it on the side where the arrow leaves."""
    rows = [_row(_strips(leaf)), *(_row(_font(text(shape), style.SMALL_SIZE, style.FAINT)) for shape in leaf.shapes)]
    return _markup(_table(reversed(rows) if rises else rows, "0", "0"))


def box_label(box: Box) -> str:
    """The name of an opened block, what it is, and how often it is repeated."""
    parts = (f"<B>{text(box.name)}</B>", _font(text(box.words), style.NODE_SIZE, style.FAINT), _times(box.count))
    return _markup(" ".join(filter(None, parts)))


def caption(title: str, reference: str, families: Iterable[str]) -> str:
    """The title, the paper, and what the colours mean."""
    rows = (
        _row(f"<B>{_font(text(title), style.TITLE_SIZE)}</B>"),
        _row(_font(text(reference), style.SMALL_SIZE + 1, style.FAINT) or " "),
        _row(_legend(families)),
    )
    return _markup(_table(rows, "0", "2"))


def _strips(leaf: Leaf) -> str:
    if leaf.role in ("input", "output"):
        return _table([_strip(leaf.lines[0], style.BACKGROUND, "")], "1", "3", rounded=True)
    times = _times(leaf.count)
    rows = [_strip(line, style.fill(line.family), times if line is leaf.lines[0] else "") for line in leaf.lines]
    return _table(rows, "1", "3", rounded=leaf.role == "block")


def _strip(line: Line, fill: str, times: str) -> str:
    words = " ".join(filter(None, (f"<B>{text(line.name)}</B>", text(line.words), times)))
    return _row(words, f' BGCOLOR="{fill}" ID="{text(line.path)}"')


def _legend(families: Iterable[str]) -> str:
    cells = (f'<TD BGCOLOR="{style.fill(f)}" WIDTH="9"></TD><TD>{_font(f, style.SMALL_SIZE)}</TD>' for f in families)
    return _table([f"<TR>{''.join(cells)}</TR>"], "0", "2")


def _times(count: int) -> str:
    return f"<B>×{count}</B>" if count > 1 else ""


def _font(markup: str, size: int, color: str = style.INK) -> str:
    return f'<FONT POINT-SIZE="{size}" COLOR="{color}">{markup}</FONT>' if markup else ""


def _row(markup: str, attributes: str = "") -> str:
    return f"<TR><TD{attributes}>{markup}</TD></TR>"


def _table(rows: Iterable[str], border: str, padding: str, *, rounded: bool = False) -> str:
    look = ' STYLE="ROUNDED"' if rounded else ""
    frame = f'BORDER="{border}" CELLBORDER="0" CELLSPACING="0" CELLPADDING="{padding}" COLOR="{style.LINE}"{look}'
    return f"<TABLE {frame}>{''.join(rows)}</TABLE>"


def _markup(markup: str) -> str:
    return f"<{markup}>"
