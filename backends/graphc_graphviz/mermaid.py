"""A picture as Mermaid's text: a flowchart, as GitHub shows it (https://mermaid.js.org/syntax/flowchart.html).

Names of nodes are numbers behind an `n`, so none is a word of the language. Labels are quoted; in them a character that
could end them or be taken for markup is written by its number (`#35;`), as Mermaid has it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from graphc.marks import MarkKind
from graphc_graphviz import style
from graphc_graphviz.markup import printable
from graphc_graphviz.picture import Box, Leaf, Line, Picture
from graphc_graphviz.render import DrawingError

LARGEST = 50_000
"""Characters that Mermaid takes (`maxTextSize`)."""
MOST_ARROWS = 500
"""Arrows that Mermaid takes (`maxEdges`)."""
WIDEST = 480
"""Pixels of a line of text, beyond which it is broken; Mermaid's own 200 break most shapes."""
RISKY = re.compile(r"[^\w .,/()\[\]{}×·–…−→↔≠=]|(?<![^\W_])_|_(?![^\W_])|\.(?= )")
"""What is not written as it is: all but letters and numbers of any language and harmless signs, and what Markdown would
take for a list or for emphasis."""
BREAK = "<br/>"
SHAPES = {"op": "[{}]", "block": "({})", "input": "([{}])", "output": "([{}])"}


def to_mermaid(picture: Picture, theme: style.Theme, right: bool = False) -> str:
    """The text of a flowchart, whose arrows run down, or to the right.

    Raises:
        DrawingError: Mermaid would refuse it for its size.
    """
    text = "".join(f"{line}\n" for line in _Writer(picture, theme).lines("LR" if right else "TB"))
    if len(text) > LARGEST or len(picture.arrows) > MOST_ARROWS:
        raise DrawingError(
            f"Mermaid takes {LARGEST:,} characters and {MOST_ARROWS} arrows, this has {len(text):,} and "
            f"{len(picture.arrows)}; a smaller --depth has fewer"
        )
    return text


class _Writer:
    def __init__(self, picture: Picture, theme: style.Theme) -> None:
        self.picture, self.theme = picture, theme
        self.names = {leaf: f"n{number}" for number, leaf in enumerate(picture.root.leaves())}
        self.boxes = {box: f"b{number}" for number, box in enumerate(picture.root.boxes())}

    def lines(self, direction: str) -> Iterator[str]:
        heading = " — ".join(filter(None, (self.picture.title, self.picture.reference)))
        yield from ("---", f"title: {json.dumps(printable(heading), ensure_ascii=True)}")
        yield from ("config:", "  flowchart:", f"    wrappingWidth: {WIDEST}", "---")
        yield f"flowchart {direction}"
        yield from self.fill(self.picture.root, 1)
        for arrow in self.picture.arrows:
            yield f"  {self.names[arrow.tail]} {'-.->' if arrow.dashed else '-->'} {self.names[arrow.head]}"
        yield from self.legend()
        yield from self.styles()

    def fill(self, box: Box, level: int) -> Iterator[str]:
        for part in box.parts:
            yield from self.leaf(part, level) if isinstance(part, Leaf) else self.box(part, level)

    def box(self, box: Box, level: int) -> Iterator[str]:
        title = _told(box.name, box.words, box.count)
        notes = (_signed(title, box), box.mark.note if box.mark else "", box.figures)
        yield f"{'  ' * level}subgraph {self.boxes[box]}[{_label(notes)}]"
        yield from self.fill(box, level + 1)
        yield f"{'  ' * level}end"

    def leaf(self, leaf: Leaf, level: int) -> Iterator[str]:
        strips = [_signed(_told(line.name, line.words, leaf.count), line) for line in leaf.lines]
        notes = [line.mark.note for line in leaf.lines if line.mark]
        text = _label((*strips, *notes, *leaf.digest, leaf.figures, *leaf.shapes))
        yield f"{'  ' * level}{self.names[leaf]}{SHAPES[leaf.role].format(text)}"

    def legend(self) -> Iterator[str]:
        """A node in each colour that occurs."""
        found = self.picture.families()
        families = [family for family in style.FAMILIES if family in found and family != "other"]
        marks = [kind for kind in style.SIGNS if kind in self.picture.marks()]
        if families or marks:
            yield '  subgraph legend[" "]'
            yield "    direction LR"
            yield from (f'    l{number}["{family}"]:::{family}' for number, family in enumerate(families))
            yield from (
                f"    m{number}[{_label([f'{style.SIGNS[kind]} {kind}'])}]:::{kind}"
                for number, kind in enumerate(marks)
            )
            yield "  end"

    def styles(self) -> Iterator[str]:
        """The colours, and which node has which."""
        theme = self.theme
        looks = {
            family: f"fill:{color},stroke:{theme.edge},color:{theme.ink}" for family, color in style.FAMILIES.items()
        }
        looks["outside"] = f"fill:{theme.background},stroke:{theme.edge},color:{theme.text}"
        looks["training"] = "stroke-dasharray:4 3"
        for kind, color in theme.marks.items():
            looks[kind] = f"stroke:{color},stroke-width:4px{_dashes(kind)}"
        members = self.members()
        for name in (name for name in looks if name in members):
            yield f"  classDef {name} {looks[name]}"
            yield f"  class {','.join(members[name])} {name}"

    def members(self) -> dict[str, list[str]]:
        """The nodes of each class."""
        members: dict[str, list[str]] = {}
        for leaf, name in self.names.items():
            for kind in self.kinds(leaf):
                members.setdefault(kind, []).append(name)
        for box, name in self.boxes.items():
            for kind in ([box.mark.kind] if box.mark else []) + ["training"] * box.dashed:
                members.setdefault(kind, []).append(name)
        return members

    def kinds(self, leaf: Leaf) -> Iterator[str]:
        yield leaf.lines[0].family if leaf.role in ("op", "block") else "outside"
        if leaf.dashed:
            yield "training"
        yield from dict.fromkeys(line.mark.kind for line in leaf.lines if line.mark)


def _told(name: str, words: str, count: int) -> str:
    return " ".join(filter(None, (name, words, f"×{count}" if count > 1 else "")))


def _signed(words: str, part: Line | Box) -> str:
    return f"{style.SIGNS[part.mark.kind]} {words}" if part.mark else words


def _label(pieces: Iterable[str]) -> str:
    """Pieces of text, one below the other, as a quoted label."""
    return '"' + BREAK.join(_escaped(piece) for piece in pieces if piece) + '"'


def _escaped(words: str) -> str:
    return RISKY.sub(lambda found: f"#{ord(found[0])};", " ".join(printable(words).split()))


def _dashes(kind: MarkKind) -> str:
    return {"dashed": ",stroke-dasharray:8 4", "dotted": ",stroke-dasharray:2 3"}.get(
        style.MARK_STYLES.get(kind, ""), ""
    )
