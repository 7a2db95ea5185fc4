"""What becomes of the weights of a checkpoint: which carry over, change their shape, are new or lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from graphc.diff.matching import Matching
from graphc.diff.side import Side
from graphc.folding import folded
from graphc.graph import Graph, Node
from graphc.tensor import Shape, Weight


@dataclass(frozen=True, slots=True)
class Forecast:
    """Weights by their paths in the state dict: from new to old where they carry over, of which some have other names.

    `reshaped` has old path and both shapes by the new path; `new` and `lost` are on one side only.
    """

    carried: dict[str, str] = field(default_factory=dict)
    reshaped: dict[str, tuple[str, Shape, Shape]] = field(default_factory=dict)
    new: dict[str, Weight] = field(default_factory=dict)
    lost: dict[str, Weight] = field(default_factory=dict)

    @property
    def renamed(self) -> dict[str, str]:
        """Those that carry over under another name, from new to old."""
        return {new: old for new, old in self.carried.items() if new != old}


def forecast(matching: Matching) -> Forecast:
    """What becomes of the weights of the main graph, and of those of training where both are compared."""
    before, after = dict(_weights(matching.left)), dict(_weights(matching.right))
    found = Forecast()
    used: set[str] = set()
    for path, (node, name, weight) in after.items():
        source = matching.back.get(node)
        old = f"{source.home}.{name}" if isinstance(source, Node) else ""
        known = before.get(old) if isinstance(source, Node) and source.op.name == node.op.name else None
        if known is None or old in used:
            found.new[path] = weight
        elif known[2].shape == weight.shape:
            found.carried[path] = old
        else:
            found.reshaped[path] = old, known[2].shape, weight.shape
        if known is not None:
            used.add(old)
    found.lost.update((path, weight) for path, (_, _, weight) in before.items() if path not in used)
    return found


def begun_otherwise(found: Forecast, before: Graph, after: Graph) -> list[str]:
    """The weights that carry over, by the new path, and that the spec's `init` gives another distribution."""
    mine, theirs = before.initial, after.initial
    return [new for new, old in found.carried.items() if mine.get(old) != theirs.get(new)]


def unfolded(found: Forecast, before: Graph, after: Graph) -> Forecast:
    """What a forecast of two graphs in another form says of them as they are.

    Convolutions that are folded on one side alone carry nothing over, nor do weights that only the other form has.
    """
    mine, theirs = ({node.home for node in folded(graph).values()} for graph in (before, after))
    old_weights, new_weights = dict(before.weights()), dict(after.weights())
    carried = {
        new: old
        for new, old in found.carried.items()
        if (old.rpartition(".")[0] in mine) == (new.rpartition(".")[0] in theirs)
        and old in old_weights
        and new in new_weights
        and old_weights[old].shape == new_weights[new].shape
    }
    reshaped = {
        new: (old, old_weights[old].shape, new_weights[new].shape)
        for new, (old, _, _) in found.reshaped.items()
        if old in old_weights and new in new_weights
    }
    used = {*carried.values(), *(old for old, _, _ in reshaped.values())}
    return Forecast(
        carried,
        reshaped,
        {path: weight for path, weight in new_weights.items() if path not in carried and path not in reshaped},
        {path: weight for path, weight in old_weights.items() if path not in used},
    )


def _weights(side: Side) -> Iterator[tuple[str, tuple[Node, str, Weight]]]:
    """Each weight once, at the node that comes first with it."""
    told: set[str] = set()
    for node in side.nodes:
        for name, weight in node.weights().items():
            path = f"{node.home}.{name}"
            if path not in told:
                told.add(path)
                yield path, (node, name, weight)
