"""Colours, fonts and distances.

The fills are Paul Tol's "light" scheme (https://sronpersonalpages.nl/~pault/, qualitative schemes), made for black text
on coloured areas, with a purple in place of its pink, which the colour-blind take for grey. A family is the module that
an op's class is in, or one that is drawn alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from graphc.marks import MarkKind
from graphc.ops import Op

FONT = "Arimo,Arial,Helvetica,sans-serif"
"""Arimo is shipped and measured. Arial has the same widths, so a viewer without Arimo shows the same picture."""

FAMILIES = {
    "conv": "#77AADD",
    "linear": "#EE8866",
    "attention": "#AA77EE",
    "norm": "#EEDD88",
    "activation": "#BBCC33",
    "pool": "#44BB99",
    "join": "#99DDFF",
    "other": "#DDDDDD",
}
KINDS = {
    **{family: family for family in FAMILIES},
    "arithmetic": "join",
    "embedding": "linear",
    "functions": "activation",
    "masked": "conv",
    "reduce": "pool",
    "resize": "pool",
}
"""The family of each module of ops; what is not here is another."""


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of a picture; `boxes` are the fills of nested boxes, from the outside in, in turn.

    `ink` is for text on the fills of ops, `text` and `faint` for that on the background and in boxes.
    """

    background: str
    boxes: tuple[str, ...]
    text: str
    faint: str
    line: str
    frame: str
    skip: str
    marks: Mapping[MarkKind, str]
    ink: str = "#1A1A1A"
    edge: str = "#4D4D4D"
    """The outline of an op."""


_LIGHT = Theme(
    background="#FFFFFF",
    boxes=("#F5F5F3", "#FFFFFF"),
    text="#1A1A1A",
    faint="#5F5F5F",
    line="#4D4D4D",
    frame="#B5B5B0",
    skip="#8C8C8C",
    marks={"added": "#0044DD", "removed": "#CC6600", "changed": "#882288", "moved": "#444444"},
)
THEMES = {
    "light": _LIGHT,
    "dark": Theme(
        background="#1B1B1F",
        boxes=("#27272D", "#1B1B1F"),
        text="#F0F0F0",
        faint="#B4B4B8",
        line="#BDBDC2",
        frame="#5C5C64",
        skip="#8E8E96",
        marks={"added": "#44CCFF", "removed": "#E07030", "changed": "#C060F0", "moved": "#F0F060"},
    ),
    "print": replace(
        _LIGHT, boxes=("#FFFFFF",), faint="#333333", line="#000000", frame="#000000", skip="#000000", edge="#000000"
    ),
}

SIGNS: Mapping[MarkKind, str] = {"added": "+", "removed": "−", "changed": "≠", "moved": "↔"}
MARK_STYLES: Mapping[MarkKind, str] = {"removed": "dashed", "moved": "dotted"}
"""How the outline of a mark is drawn, where it is not solid."""

SHEET = 64
"""How long the longer side of a picture of a value is, in points."""
NODE_SIZE = 10
SMALL_SIZE = 8
TITLE_SIZE = 13

GRAPH = {
    "newrank": "true",
    "nodesep": "0.2",
    "ranksep": "0.18",
    "fontname": FONT,
    "fontsize": str(NODE_SIZE),
    "labelloc": "b",
    "pad": "0.15",
}
NODE = {"fontname": FONT, "fontsize": str(NODE_SIZE), "shape": "plain"}
EDGE = {"fontname": FONT, "fontsize": str(SMALL_SIZE), "arrowsize": "0.55", "penwidth": "0.9"}
BOX = {"labelloc": "t", "labeljust": "l", "margin": "8"}
FORK = {"shape": "point", "width": "0.04"}
BEND = {"shape": "box", "style": "filled", "fixedsize": "true", "width": "0.0125", "height": "0.028", "penwidth": "0"}
"""A place that a line is led through: a piece of the line."""
STRAIGHT = {"weight": "10"}
MANY_LEAVES = 300
LARGE = {"nslimit": "1", "mclimit": "0.2"}
"""Limits on Graphviz's patience, for a picture of many leaves: ten times as fast, somewhat less tidy."""


def family(op: Op) -> str:
    """The kind of an op."""
    return KINDS.get(type(op).__module__.rpartition(".")[2], "other")
