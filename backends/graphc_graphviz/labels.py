"""The text in leaves and boxes, as Graphviz's HTML-like labels. All text of a spec is escaped here.

Graphviz takes text from `<` to `>` as markup in which IMG reads files, so nothing may reach it unescaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape
from textwrap import wrap

from graphc_graphviz import style
from graphc_graphviz.picture import Box, Leaf, Line

NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML has no place for."""
LONGEST_LINE = 72


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
    lines = "<BR/>".join(text(line) for line in wrap(reference, LONGEST_LINE))
    parts = (f"<B>{_font(text(title), style.TITLE_SIZE)}</B>", _font(lines, style.SMALL_SIZE + 1, style.FAINT), _legend(families))
    return _markup(_table([_row(part) for part in parts if part], "0", "2"))


def _strips(leaf: Leaf) -> str:
    if leaf.role in ("input", "output"):
        return _rounded(_words(leaf.lines[0]), leaf.path, style.BACKGROUND)
    first, *others = leaf.lines
    words = f"{_words(first)} {_times(leaf.count)}".rstrip()
    if leaf.role == "block":
        return _rounded(words, leaf.path, style.fill(first.family))
    strips = [_strip(words, first), *(_strip(_words(line), line) for line in others)]
    return _table(strips, "0", "3", CELLBORDER="1")


def _rounded(words: str, path: str, fill: str) -> str:
    return _table([_row(words)], "1", "4", STYLE="ROUNDED", BGCOLOR=fill, ID=text(path))


def _strip(words: str, line: Line) -> str:
    return _row(words, BGCOLOR=style.fill(line.family), ID=text(line.path))


def _words(line: Line) -> str:
    return f"<B>{text(line.name)}</B> {text(line.words)}".rstrip()


def _legend(families: Iterable[str]) -> str:
    keys = (f"{_font('■', style.TITLE_SIZE, style.fill(f))} {_font(f, style.SMALL_SIZE + 1)}" for f in families)
    return "&nbsp;&nbsp; ".join(keys)


def _times(count: int) -> str:
    return f"<B>{_font(f'×{count}', style.TITLE_SIZE)}</B>" if count > 1 else ""


def _font(markup: str, size: int, color: str = style.INK) -> str:
    return f'<FONT POINT-SIZE="{size}" COLOR="{color}">{markup}</FONT>' if markup else ""


def _row(markup: str, **attributes: str) -> str:
    return f"<TR><TD{_written(attributes)}>{markup}</TD></TR>"


def _table(rows: Iterable[str], border: str, padding: str, **attributes: str) -> str:
    frame = {"BORDER": border, "CELLBORDER": "0", "CELLSPACING": "0", "CELLPADDING": padding, "COLOR": style.LINE}
    return f"<TABLE{_written(frame | attributes)}>{''.join(rows)}</TABLE>"


def _written(attributes: Mapping[str, str]) -> str:
    return "".join(f' {name}="{value}"' for name, value in attributes.items())


def _markup(markup: str) -> str:
    return f"<{markup}>"
