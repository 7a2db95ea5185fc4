"""The text in leaves and boxes, and the caption below them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from textwrap import wrap
from typing import Literal, TypeAlias
from urllib.parse import quote

from graphc.marks import Mark
from graphc_graphviz import style
from graphc_graphviz.embedded import file_of, size_in_points
from graphc_graphviz.markup import bold, cell, font, label, lines, printable, row, spaced, table, text, tr
from graphc_graphviz.picture import About, Box, Leaf, Line, Picture, Sheet

LONGEST_LINE = 72
LONGEST_WORDS = 40
LONGEST_TITLE = 24
GLUE = "\xa0"
"""Where a line is not broken."""
BODY = "body"
"""The port of a leaf without its shapes."""
COLUMN = "column"
"""The port of a leaf without its pictures."""

Flow: TypeAlias = Literal["down", "up", "right"]
"""Where the lines through a leaf go."""
Side: TypeAlias = Literal["left", "right", "below"]
"""Where a leaf has its pictures of values."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Writes labels in the colours of a theme, with links that begin with some text."""

    theme: style.Theme
    links: str = ""

    def leaf(self, leaf: Leaf, flow: Flow, side: Side) -> str:
        """A leaf, and the shapes that leave it, on the side where they leave; elsewhere its pictures of values."""
        shapes = [self.shape(shape) for shape in leaf.shapes]
        blank = [self.shape("\xa0") for _ in shapes]
        above, below = {"down": ([], shapes), "up": (shapes, []), "right": (blank, shapes)}[flow]
        if not leaf.sheets:
            return label(table([*above, row(self.body(leaf, flow), PORT=BODY), *below], 0, 0))
        own = {"PORT": COLUMN, "FIXEDSIZE": "TRUE"}  # or it would be stretched to the height of a picture
        column = table([*above, row(self.body(leaf, flow), PORT=BODY), *below], 0, 0, **own)
        return label(self.beside(column, leaf, side))

    def beside(self, column: str, leaf: Leaf, side: Side) -> str:
        """A leaf with pictures of values at a side of it."""
        sheets = [self.sheet(sheet) for sheet in leaf.sheets]
        if side == "below":
            return table([row(column), row(table([tr(sheets)], 0, 0))], 0, 0)
        return table([tr([cell(column), *sheets] if side == "right" else [*sheets, cell(column)])], 0, 0)

    def sheet(self, sheet: Sheet) -> str:
        """A picture of a value, with its path where it is not what leaves the leaf."""
        width, height = size_in_points(sheet.png)
        look = {"FIXEDSIZE": "TRUE", "WIDTH": str(width), "HEIGHT": str(height)}
        shown = cell(f'<IMG SCALE="BOTH" SRC="{file_of(sheet.png)}"/>', **look)
        rows = [tr([shown]), *([self.shape(sheet.name)] if sheet.name else [])]
        return cell(table(rows, 0, 0), CELLPADDING="4")

    def title(self, box: Box) -> str:
        """The name of an opened block, how often it is repeated, and what it is: short lines."""
        sign = self.sign(box.mark)
        name = spaced(sign, bold(text(box.name)), self.times(box.count))
        words = [self.faint(piece, style.NODE_SIZE) for piece in _wrapped(box.words, LONGEST_TITLE, LONGEST_TITLE)]
        notes = [self.faint(piece) for piece in (self.note(box.mark), box.figures)]
        return "".join(f'{piece}<BR ALIGN="LEFT"/>' for piece in (name, *words, *notes) if piece)

    def caption(self, picture: Picture) -> str:
        """The title, the paper, what the colours and the marks mean."""
        small = style.SMALL_SIZE + 1
        parts = (
            bold(font(text(picture.title), style.TITLE_SIZE, self.theme.text)),
            *(lines(self.faint(piece, small) for piece in wrap(words, LONGEST_LINE)) for words in _below(picture)),
            "&nbsp;&nbsp; ".join(self.legend(picture)),
        )
        return label(table([row(part) for part in parts if part], 0, 2))

    def legend(self, picture: Picture) -> Iterator[str]:
        """What a colour or a sign stands for, for each that occurs."""
        families, marks = picture.families(), picture.marks()
        signs = [("■", color, name) for name, color in style.FAMILIES.items() if name in families]
        signs += [(style.SIGNS[kind], color, kind) for kind, color in self.theme.marks.items() if kind in marks]
        for sign, color, name in signs:
            yield f"{font(sign, style.TITLE_SIZE, color)} {font(name, style.SMALL_SIZE + 1, self.theme.text)}"

    def body(self, leaf: Leaf, flow: Flow) -> str:
        """A leaf without its shapes."""
        match leaf.role:
            case "frame":
                return self.frame(leaf, flow)
            case "op":
                return self.strips(leaf, flow)
            case "block":
                return self.rounded(leaf, style.FAMILIES.get(leaf.lines[0].family, style.FAMILIES["other"]))
        return self.rounded(leaf, self.theme.background)

    def frame(self, leaf: Leaf, flow: Flow) -> str:
        """The name of a block above its parts, with the shapes between them."""
        line, color = leaf.lines[0], self.theme.text
        name = spaced(self.sign(line.mark), bold(font(text(line.name), style.NODE_SIZE, color)), self.times(leaf.count))
        words = [self.faint(piece, style.NODE_SIZE) for piece in _wrapped(line.words, LONGEST_WORDS - len(line.name))]
        notes = [self.faint(piece) for piece in (self.note(line.mark), leaf.figures) if piece]
        head = [spaced(name, *words[:1]), *words[1:], *notes]
        rows = [self.part(leaf.stack[0], flow)]
        for before, part in pairwise(leaf.stack):
            rows += [*map(self.shape, before.shapes), self.part(part, flow)]
        inside = table(reversed(rows) if flow == "up" else rows, 0, 2)
        fill = {"BGCOLOR": self.theme.boxes[-1], "STYLE": "ROUNDED"} | self.outline(line, leaf, self.theme.frame)
        return table([row(lines(head)), row(inside)], *self.border(line.mark), **fill, **self.about(line))

    def part(self, leaf: Leaf, flow: Flow) -> str:
        """A part of a frame, with its pictures beside."""
        return tr([cell(self.body(leaf, flow)), *map(self.sheet, leaf.sheets)])

    def strips(self, leaf: Leaf, flow: Flow) -> str:
        """An op and the small ops that follow it."""
        strips = [self.strip(line, leaf) for line in leaf.lines]
        if leaf.figures:
            strips.append(row(self.faint(leaf.figures), CELLPADDING="1"))
        ordered = reversed(strips) if flow == "up" else strips
        return table(ordered, 0, 3, COLOR=self.theme.edge)

    def strip(self, line: Line, leaf: Leaf) -> str:
        """One op: a rectangle in the colour of its kind."""
        border, padding = self.border(line.mark)
        look = {"BORDER": str(border), "CELLPADDING": str(padding), "BGCOLOR": style.FAMILIES[line.family]}
        look |= self.outline(line, leaf, self.theme.edge) | self.about(line)
        return row(self.words(line, leaf.count, self.theme.ink), **look)

    def rounded(self, leaf: Leaf, fill: str) -> str:
        """A closed block, an input or an output."""
        line = leaf.lines[0]
        color = self.theme.ink if leaf.role == "block" else self.theme.text
        pieces = [self.words(line, leaf.count, color)]
        pieces += [font(text(piece), style.NODE_SIZE, color) for piece in leaf.digest]
        content = [row(lines(pieces))]
        if leaf.figures:
            content.append(row(font(text(leaf.figures), style.SMALL_SIZE, color)))
        shape = "ROUNDED,DASHED" if leaf.dashed else "ROUNDED"
        look = {"STYLE": shape, "BGCOLOR": fill} | self.outline(line, leaf, self.theme.edge)
        border, _ = self.border(line.mark)
        return table(content, border, 3 if leaf.figures else 4, **look, **self.about(line))

    def words(self, line: Line, count: int, color: str) -> str:
        """A name and some words, over as many lines as they need."""
        room = LONGEST_WORDS - len(line.name)
        first, *more = _wrapped(line.words, room)
        head = spaced(self.sign(line.mark), bold(text(line.name)), text(first), self.times(count))
        notes = wrap(line.mark.note, LONGEST_WORDS) if line.mark else ()
        small = (font(text(piece), style.SMALL_SIZE, color) for piece in notes)
        return font(lines([head, *map(text, more), *small]), style.NODE_SIZE, color)

    def shape(self, shape: str) -> str:
        return row(self.faint(shape))

    def faint(self, words: str, size: int = style.SMALL_SIZE) -> str:
        return font(text(words), size, self.theme.faint)

    def times(self, count: int) -> str:
        return bold(f'<FONT POINT-SIZE="{style.TITLE_SIZE}">×{count}</FONT>') if count > 1 else ""

    def sign(self, mark: Mark | None) -> str:
        return bold(style.SIGNS[mark.kind]) if mark else ""

    def note(self, mark: Mark | None) -> str:
        return mark.note if mark else ""

    def border(self, mark: Mark | None) -> tuple[int, int]:
        """How wide an outline is, and how far it is from the text."""
        return (3, 2) if mark else (1, 3)

    def outline(self, line: Line, leaf: Leaf, color: str) -> dict[str, str]:
        """The colour of an outline, and its style where it is not solid."""
        if line.mark is None:
            return {"COLOR": color} | ({"STYLE": "DASHED"} if leaf.dashed and leaf.role == "op" else {})
        dashes = style.MARK_STYLES.get(line.mark.kind, "")
        return {"COLOR": self.theme.marks[line.mark.kind]} | ({"STYLE": dashes} if dashes else {})

    def about(self, line: Line) -> dict[str, str]:
        """What lets a part of an SVG be found, leads to the spec, and is shown under the pointer."""
        tip = text(line.about.tip or line.path).replace("\n", "&#10;")
        return {"ID": text(line.path), "TOOLTIP": tip} | self.href(line.about)

    def href(self, about: About) -> dict[str, str]:
        return {"HREF": text(self.address(about))} if about.place else {}

    def address(self, about: About) -> str:
        """Where the link to the spec's line leads."""
        return self.links + quoted(about.place)


def quoted(place: str) -> str:
    """A place as the end of an address; a colon would make what is before it a scheme."""
    return quote(printable(place), safe="/#", errors="replace")


def _wrapped(words: str, room: int, longest: int = LONGEST_WORDS) -> list[str]:
    """Words over several lines, the first of which has less room; broken behind commas."""
    glued = ", ".join(word.replace(" ", GLUE) for word in words.split(", "))
    pieces = wrap(glued, longest, initial_indent=" " * max(longest - room, 0), break_long_words=False)
    return [piece.strip().replace(GLUE, " ") for piece in pieces] or [""]


def _below(picture: Picture) -> tuple[str, str]:
    return picture.reference, picture.remark
