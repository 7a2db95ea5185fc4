"""The way through, in one place: graph → what is drawn of it → DOT or Mermaid's text → the bytes of a file."""

from __future__ import annotations

from typing import Unpack, get_args

from graphc.backends import BackendError
from graphc.diagnostics import listed
from graphc.graph import Graph
from graphc.made import Direction, DrawOptions, Figure, Pictures, Theme
from graphc_graphviz.costs import Costs
from graphc_graphviz.depth import readable
from graphc_graphviz.dot import to_dot
from graphc_graphviz.mermaid import to_mermaid
from graphc_graphviz.picture import Picture
from graphc_graphviz.render import FORMS, LayoutTimeoutError, render
from graphc_graphviz.sketch import sketch
from graphc_graphviz.style import THEMES
from graphc_graphviz.view import view_of

CHOICES: dict[str, tuple[str, ...]] = {
    "theme": get_args(Theme),
    "direction": get_args(Direction),
    "show": get_args(Figure),
}
TIME_LIMIT = 60.0
"""Seconds that a layout may take where nobody says."""


def draw(graph: Graph, suffix: str, **options: Unpack[DrawOptions]) -> bytes:
    """A picture in the form of a file's suffix.

    Raises:
        DrawingError: the layout took too long, or Graphviz failed.
        BackendError: an option asks for what is not there.
    """
    _require_choices(**options)
    view = view_of(graph, **options)
    costs = Costs(graph)
    fitting = readable(costs, view)
    opened = fitting if options.get("depth") is None else view.depth
    picture = sketch(costs, view.to(opened))
    _fill_sheets(picture, suffix, options.get("pictures"))
    theme, right = THEMES[options.get("theme") or "light"], options.get("direction") == "right"
    if suffix == ".mmd":
        return to_mermaid(picture, theme, right).encode()
    dot = to_dot(picture, theme, right, options.get("links") or "")
    try:
        return dot.text.encode() if suffix == ".dot" else render(dot, suffix, options.get("time_limit") or TIME_LIMIT)
    except LayoutTimeoutError as error:
        instead = f"--depth {fitting}" if opened > fitting else "a .dot or .mmd file"
        raise LayoutTimeoutError(f"{error} with blocks opened to depth {opened}; try {instead}") from None


def _fill_sheets(picture: Picture, suffix: str, pictures: Pictures | None) -> None:
    """Puts the pictures of values into their places.

    Raises:
        BackendError: a form of file has no place for pictures, or they can't be made.
    """
    if pictures is None:
        return
    if suffix not in FORMS:
        raise BackendError(f"pictures of activations are for {listed(sorted(FORMS))}, a {suffix} has no place for them")
    sheets = picture.sheets()
    made = pictures([sheet.value for sheet in sheets])
    for sheet in sheets:
        sheet.png = made[sheet.value.path]


def _require_choices(**options: Unpack[DrawOptions]) -> None:
    """What is chosen is there to choose.

    Raises:
        BackendError: it is not.
    """
    chosen = (("theme", options.get("theme")), ("direction", options.get("direction")))
    given: list[tuple[str, str]] = [(option, value) for option, value in chosen if value is not None]
    given += [("show", figure) for figure in options.get("show") or ()]
    for option, value in given:
        if value not in CHOICES[option]:
            raise BackendError(f"{option}: `{value}` is none of {', '.join(CHOICES[option])}")
