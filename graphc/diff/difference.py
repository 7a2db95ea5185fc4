"""The difference of two graphs: the edits, what they cost, and what becomes of a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Unpack

from graphc.diagnostics import listed
from graphc.diff.edits import Edit, Teller
from graphc.diff.extent import LEAST_KEPT, MOST_EDITS, Extent, extent
from graphc.diff.follow import follow
from graphc.diff.forecast import Forecast, forecast, unfolded
from graphc.diff.found import found, is_flat
from graphc.diff.inference import forms
from graphc.diff.match import match
from graphc.diff.matching import Matching, cost
from graphc.diff.sentences import Wheres
from graphc.graph import Graph, Node, Scope

if TYPE_CHECKING:
    from graphc.diff.figures import Row, Totals
    from graphc.made import DrawOptions

MOST_TOLD = 2


@dataclass(frozen=True, eq=False, repr=False)
class Diff:
    """How one graph becomes another: `edits`, the weightiest first. True where there is something to tell.

    `before_name` and `after_name` are what the graphs are called in reports. `done` says in which form they were
    compared, and `matching` is of them in that form: beside a model's file with "batch norms folded". `str()` and
    `text()` give the report as plain text, `markdown()` for a pull request, `data()` for programs.
    """

    before: Graph
    after: Graph
    matching: Matching
    edits: tuple[Edit, ...]
    before_name: str
    after_name: str
    done: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.edits)

    @property
    def same(self) -> bool:
        """Whether the two are the same architecture, whatever its parts are called."""
        return not self.edits

    @property
    def cost(self) -> int:
        """The cost of the edit: `graphc.diff.matching.cost`; beside a side without blocks that of the ops alone."""
        if is_flat(self.matching.left) or is_flat(self.matching.right):
            return sum(edit.cost for edit in self.edits)
        return cost(self.matching)

    @cached_property
    def nodes(self) -> dict[str, str]:
        """The path of each node that both have, from before to after."""
        return {left.path: right.path for left, right in self.matching.nodes()}

    @cached_property
    def renamed(self) -> dict[str, str]:
        """Those of them that have another path."""
        return {left: right for left, right in self.nodes.items() if left != right}

    @cached_property
    def weights(self) -> Forecast:
        """What becomes of the weights of a checkpoint; what batch norms were folded into doesn't carry over."""
        told = forecast(self.matching)
        return unfolded(told, self.before, self.after) if self.done else told

    @cached_property
    def totals(self) -> tuple[Totals, Totals]:
        """What both graphs cost."""
        from graphc.diff.figures import totals

        return totals(self.matching.left.graph), totals(self.matching.right.graph)

    @cached_property
    def rows(self) -> list[Row]:
        """The blocks at the top that cost something else; none beside a side without blocks."""
        from graphc.diff.figures import rows

        return [] if is_flat(self.matching.left) or is_flat(self.matching.right) else rows(self.matching)

    @cached_property
    def extent(self) -> Extent:
        """How much of the two is the same."""
        return extent(self.matching)

    @property
    def is_rewrite(self) -> bool:
        """Whether the one is largely another network than the other, so that reports tell the main edits alone."""
        return len(self.edits) > MOST_EDITS and self.extent.share < LEAST_KEPT

    @property
    def sentence(self) -> str:
        """The difference in one sentence."""
        if self.same:
            return f"The two are the same, {listed(self.done)}." if self.done else "The two are the same architecture."
        if self.is_rewrite:
            return f"{self.extent.sentence}."
        first = [edit.sentence for edit in self.edits[:MOST_TOLD]]
        rest = len(self.edits) - len(first)
        more = [f"{rest} smaller {'change' if rest == 1 else 'changes'}"] if rest else []
        return f"{'; '.join([*first, *more])}."

    @property
    def notes(self) -> list[str]:
        """What is not an edit, and yet worth a word."""
        from graphc.diff.notes import notes

        return list(notes(self))

    def text(self, width: int | None = None) -> str:
        """The report as plain text, a line an edit; tables fit into the width, if given."""
        from graphc.diff.text import text

        return text(self, width)

    def markdown(self) -> str:
        """The report for a pull request."""
        from graphc.diff.markdown import markdown

        return markdown(self)

    def data(self) -> dict[str, object]:
        """All that is known, as JSON can have it; docs/diff.md has the fields."""
        from graphc.diff.data import data

        return data(self)

    def draw(self, path: str | PathLike[str] | None = None, **options: Unpack[DrawOptions]) -> str | None:
        """The new graph as a diagram with marks, what has gone put back in its place; or writes it to `path`.

        Options are those of `Graph.draw`.

        Raises:
            graphc.backends.BackendError, graphc.output.OutputError: it can't be drawn, or not be written.
        """
        from graphc.diff.drawn import merged, opened
        from graphc.made import draw, drawn

        graph, marks = merged(self)
        known = {scope.path for scope in graph.root.scopes()}
        options["marks"] = marks
        if not options.get("depth"):
            options.setdefault("expand", [path for path in opened(self) if path in known])
        if path is None:
            return drawn(graph, **options)
        draw(graph, path, **options)
        return None

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        count = len(self.edits)
        edits = "1 edit" if count == 1 else f"{count} edits"
        return f"<diff {self.before_name} → {self.after_name}: {edits if count else 'same'}>"

    def _repr_markdown_(self) -> str:
        return self.markdown()


def diff(before: Graph, after: Graph, *, names: tuple[str, str] | None = None) -> Diff:
    """How one graph becomes another, with parts recognised by their structure, not by their names.

    `names` are what the reports call the two, their own if not given. Beside the graph of a model's file that was read
    (`graphc.sources.graph_of`), batch norms are folded and steps of training left out if the file has none.
    """
    before, after = before.bound(), after.bound()
    matching, done = _matched(before, after)
    before_name, after_name = names or _names(before, after)
    return Diff(before, after, matching, tuple(_edits(matching)), before_name, after_name, done)


def _matched(before: Graph, after: Graph) -> tuple[Matching, tuple[str, ...]]:
    """The matching, beside a model's file in the form that makes the least difference; and what that form is called."""
    matched = ((match(form.before, form.after), form.done) for form in forms(before, after))
    least, done = next(matched)
    for other, said in matched:
        if cost(other) < cost(least):
            least, done = other, said
    return least, done


def _names(before: Graph, after: Graph) -> tuple[str, str]:
    return (before.name, after.name) if before.name != after.name else ("before", "after")


def _edits(matching: Matching) -> list[Edit]:
    """The edits, each with what follows from it."""
    places = found(matching)
    is_related = extent(matching).share >= LEAST_KEPT
    teller = Teller(matching, Wheres.of(matching.left, matching.right), is_whole=is_related)
    edits = teller.edits(places)
    edited: dict[Node, int] = {}
    for place in places:
        for piece in place.right:
            nodes = piece.nodes() if isinstance(piece, Scope) and place.kind != "repeated" else [piece]
            edited.update((node, teller.grouped[id(place)]) for node in nodes if isinstance(node, Node))
    follows = follow(matching, edited)
    told = [
        replace(edit, ops=follows[number].ops, weights=follows[number].weights) if number in follows else edit
        for number, edit in enumerate(edits)
    ]
    return sorted(told, key=lambda edit: -edit.cost)
