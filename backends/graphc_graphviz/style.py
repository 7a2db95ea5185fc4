"""Colours, fonts and distances.

The fills are Paul Tol's "light" scheme (https://sronpersonalpages.nl/~pault/, qualitative schemes): made for black text
on coloured areas, and told apart with each kind of colour blindness. A family is the module that an op's class is in,
or one that is drawn alike.
"""

from __future__ import annotations

from graphc.ops import Op

FONT = "Arimo,Arial,Helvetica,sans-serif"
"""Arimo is shipped and measured. Arial has the same widths, so a viewer without Arimo shows the same picture."""

INK = "#1A1A1A"
FAINT = "#5F5F5F"
LINE = "#4D4D4D"
BACKGROUND = "#FFFFFF"
BOXES = ("#F5F5F3", "#FFFFFF")
"""Fills of nested boxes, from the outside in, in turn."""

FAMILIES = {
    "conv": "#77AADD",
    "linear": "#EE8866",
    "attention": "#FFAABB",
    "norm": "#EEDD88",
    "activation": "#BBCC33",
    "pool": "#44BB99",
    "join": "#99DDFF",
    "shape": "#DDDDDD",
}
OTHER = "#DDDDDD"
KINDS = {"arithmetic": "join", "compare": "shape", "embedding": "linear", "index": "shape", "reduce": "pool"}
"""Families of ops that are drawn as others."""

NODE_SIZE = 10
SMALL_SIZE = 8
TITLE_SIZE = 13

GRAPH = {
    "newrank": "true",
    "nodesep": "0.25",
    "ranksep": "0.24",
    "fontname": FONT,
    "fontsize": str(NODE_SIZE),
    "fontcolor": INK,
    "bgcolor": BACKGROUND,
    "labelloc": "b",
    "pad": "0.15",
}
NODE = {"fontname": FONT, "fontsize": str(NODE_SIZE), "fontcolor": INK, "color": LINE, "shape": "plain"}
EDGE = {"fontname": FONT, "fontsize": str(SMALL_SIZE), "color": LINE, "arrowsize": "0.55", "penwidth": "0.9"}
FRAME = "#B5B5B0"
BOX = {"style": "rounded,filled", "color": FRAME, "labelloc": "t", "labeljust": "l", "margin": "9"}
FORK = {"shape": "point", "width": "0.04"}
SKIP = {"penwidth": "2", "color": "#8C8C8C"}
STRAIGHT = {"weight": "10"}
MANY_LEAVES = 300
LARGE = {"nslimit": "1", "mclimit": "0.2"}
"""Limits on Graphviz's patience, for a picture of many leaves: ten times as fast, somewhat less tidy."""


def family(op: Op) -> str:
    """The kind of an op."""
    module = type(op).__module__.rpartition(".")[2]
    return KINDS.get(module, module)


def fill(family: str) -> str:
    """The colour of a kind of op."""
    return FAMILIES.get(family, OTHER)
