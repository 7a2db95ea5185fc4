"""The text in leaves and boxes, as Graphviz's HTML-like labels. All text of a spec is escaped here.

Graphviz takes text from `<` to `>` as markup in which IMG reads files, so nothing may reach it unescaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape
from itertools import pairwise
from textwrap import wrap
from typing import Literal, TypeAlias

from graphc_graphviz import style
from graphc_graphviz.picture import Box, Leaf, Line

NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML has no place for."""
LONGEST_LINE = 72
BODY = "body"
"""The port of a leaf without its shapes."""

Flow: TypeAlias = Literal["down", "up", "right"]
"""Where the lines through a leaf go."""


def text(words: str) -> str:
    """Text of a spec, made safe for markup: in Graphviz's a backslash has a meaning, too."""
    return escape(printable(words)).replace("\\", "\\\\")


def printable(words: str) -> str:
    """Text that can stand in an SVG."""
    return NO_XML.sub("\ufffd", words)


def leaf_label(leaf: Leaf, flow: Flow) -> str:
    """A leaf, and the shapes that leave it, on the side where they leave."""
    shapes = [_shape(shape) for shape in leaf.shapes]
    blank = [_shape("\xa0") for _ in shapes]
    above, below = {"down": ([], shapes), "up": (shapes, []), "right": (blank, shapes)}[flow]
    return _markup(_table([*above, _row(_body(leaf, flow), PORT=BODY), *below], "0", "0"))


def box_label(box: Box) -> str:
    """The name of an opened block, how often it is repeated, and what it is: short lines, to keep clear of arrows."""
    name = _spaced(f"<B>{text(box.name)}</B>", _times(box.count))
    words = _font(text(box.words), style.NODE_SIZE, style.FAINT)
    return _markup('<BR ALIGN="LEFT"/>'.join(filter(None, (name, words))) + '<BR ALIGN="LEFT"/>')


def caption(title: str, reference: str, families: Iterable[str]) -> str:
    """The title, the paper, and what the colours mean."""
    lines = "<BR/>".join(text(line) for line in wrap(reference, LONGEST_LINE))
    parts = (
        f"<B>{_font(text(title), style.TITLE_SIZE)}</B>",
        _font(lines, style.SMALL_SIZE + 1, style.FAINT),
        _legend(families),
    )
    return _markup(_table([_row(part) for part in parts if part], "0", "2"))


def _body(leaf: Leaf, flow: Flow) -> str:
    match leaf.role:
        case "frame":
            return _frame(leaf, flow)
        case "op":
            return _strips(leaf, flow)
        case "block":
            return _rounded(_words(leaf.lines[0], leaf.count), leaf.path, style.fill(leaf.lines[0].family))
    return _rounded(_words(leaf.lines[0]), leaf.path, style.BACKGROUND)


def _frame(leaf: Leaf, flow: Flow) -> str:
    """The name of a block above its parts, with the shapes between them."""
    head = _row(_title(leaf.lines[0].name, leaf.lines[0].words, leaf.count))
    rows = [_row(_body(leaf.stack[0], flow))]
    for before, part in pairwise(leaf.stack):
        rows += [*map(_shape, before.shapes), _row(_body(part, flow))]
    fill = {"STYLE": "ROUNDED", "BGCOLOR": style.BOXES[1], "COLOR": style.FRAME} | _named(leaf.path)
    inside = _table(reversed(rows) if flow == "up" else rows, "0", "2")
    return _table([head, _row(inside)], "1", "3", **fill)


def _strips(leaf: Leaf, flow: Flow) -> str:
    """An op and the small ops that follow it."""
    strips = [_strip(_words(line, leaf.count), line) for line in leaf.lines]
    return _table(reversed(strips) if flow == "up" else strips, "0", "3", CELLBORDER="1")


def _shape(shape: str) -> str:
    return _row(_font(text(shape), style.SMALL_SIZE, style.FAINT))


def _rounded(words: str, path: str, fill: str) -> str:
    return _table([_row(words)], "1", "4", STYLE="ROUNDED", BGCOLOR=fill, **_named(path))


def _strip(words: str, line: Line) -> str:
    return _row(words, BGCOLOR=style.fill(line.family), **_named(line.path))


def _title(name: str, words: str, count: int) -> str:
    return _spaced(f"<B>{text(name)}</B>", _font(text(words), style.NODE_SIZE, style.FAINT), _times(count))


def _words(line: Line, count: int = 1) -> str:
    return _spaced(f"<B>{text(line.name)}</B>", text(line.words), _times(count))


def _spaced(*parts: str) -> str:
    return " ".join(filter(None, parts))


def _named(path: str) -> dict[str, str]:
    """What lets a part of an SVG be found, and shows its path under the pointer."""
    return {"ID": text(path), "TOOLTIP": text(path)}


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
