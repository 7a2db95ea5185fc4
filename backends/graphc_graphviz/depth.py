"""How far blocks are opened where nobody says."""

from __future__ import annotations

from itertools import takewhile

from graphc.graph import Scope
from graphc_graphviz.chains import with_chains
from graphc_graphviz.costs import Costs
from graphc_graphviz.hourglass import hourglass
from graphc_graphviz.picture import Leaf, Picture
from graphc_graphviz.sketch import sketch
from graphc_graphviz.view import View

MOST_LINES = 59
"""As many lines of text, one above the other, as a page shows in readable letters."""
SHEET_LINES = 5
"""As many lines as a picture of a value is high."""


def readable(costs: Costs, view: View) -> int:
    """The deepest depth up to which the picture has at most `MOST_LINES` lines; at least 1."""
    graph = costs.graph
    roots = [graph.root, *([graph.training.root] if graph.training and view.training else [])]
    deeper = range(2, max(map(deepest, roots)) + 1)
    return max(takewhile(lambda depth: lines(sketch(costs, view.to(depth))) <= MOST_LINES, deeper), default=1)


def deepest(scope: Scope) -> int:
    """The depth at which every block is open."""
    inner = max((deepest(item) for item in scope.items if isinstance(item, Scope)), default=0)
    return inner + (scope.kind in ("root", "block", "steps"))


def lines(picture: Picture) -> int:
    """About how many lines of text stand above each other. An hourglass has two halves side by side."""
    picture.arrows = with_chains(picture.root, picture.arrows)
    total = sum(map(_lines, picture.root.leaves())) + 2 * sum(1 for _ in picture.root.boxes())
    return total // 2 if hourglass(picture).bottom else total


def _lines(leaf: Leaf) -> int:
    """The lines of a leaf, and one for the arrow that leaves it."""
    own = max(
        len(leaf.lines) + len(leaf.digest) + len(leaf.shapes) + bool(leaf.figures), SHEET_LINES * bool(leaf.sheets)
    )
    return sum(map(_lines, leaf.stack)) + own + 1
