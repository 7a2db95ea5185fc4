"""Which values are shown as pictures, and beside what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from graphc.backends import BackendError
from graphc.diagnostics import did_you_mean
from graphc.maps import channel_axis
from graphc.rewrite import values_of
from graphc_graphviz.picture import Leaf, Sheet

if TYPE_CHECKING:
    from graphc.graph import Graph, Node, Value


def put_sheets(
    graph: Graph, leaving: Mapping[Leaf, Value], leaf_of: Mapping[Node, Leaf], wanted: Iterable[str]
) -> None:
    """Puts what is wanted beside the leaf that it is in; where nothing is, what leaves each leaf, if it is maps.

    Raises:
        BackendError: there is no value at a path, it has no maps, or it is not in what is drawn.
    """
    asked = dict.fromkeys(wanted)
    known = dict(graph.inputs) | values_of(graph) if asked else {}
    for path in asked:
        value = _known(path, known)
        leaf = leaf_of.get(value.node)
        if leaf is None:
            raise BackendError(f"activations: `{path}` is not in what is drawn")
        leaf.sheets.append(Sheet(value, "" if leaving.get(leaf) is value else path))
    for leaf, value in leaving.items() if not asked else ():
        if channel_axis(value.type):
            leaf.sheets.append(Sheet(value))


def _known(path: str, known: Mapping[str, Value]) -> Value:
    """The value at a path, which is maps."""
    if path not in known:
        hint = did_you_mean(path, known)
        raise BackendError(f"activations: nothing is at `{path}`" + f"; {hint}" * bool(hint))
    value = known[path]
    if channel_axis(value.type) is None:
        raise BackendError(f"activations: `{path}` {value.type} has no maps to show: it is not [N, C, H, W]")
    return value
