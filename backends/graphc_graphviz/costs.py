"""What nodes cost, counted once each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from graphc.dims import Size, substitute
from graphc.graph import Graph, Node, Scope
from graphc_graphviz.style import family


@dataclass(slots=True)
class Costs:
    """Counts a graph's parameters and multiply-accumulates at the example sizes of its inputs."""

    graph: Graph
    macs_of: dict[Node, int] = field(default_factory=dict)
    weights_of: dict[Node, Mapping[str, int]] = field(default_factory=dict)

    def params(self, nodes: Iterable[Node]) -> int:
        """How many trainable numbers some nodes have; those of a shared module once."""
        owned: dict[str, int] = {}
        for node in nodes:
            if node not in self.weights_of:
                self.weights_of[node] = self._weights(node)
            owned |= self.weights_of[node]
        return sum(owned.values())

    def macs(self, nodes: Iterable[Node]) -> int:
        """Multiply-accumulates at the example sizes; an op without a rule has none."""
        total = 0
        for node in nodes:
            if node not in self.macs_of:
                self.macs_of[node] = self._number(node.macs() or 0)
            total += self.macs_of[node]
        return total

    def main_family(self, scope: Scope) -> str:
        """The family of the most multiply-accumulates in a scope; where there are none, that of the most weights."""
        members: dict[str, list[Node]] = {}
        for node in scope.nodes():
            members.setdefault(family(node.op), []).append(node)
        work = {kind: (self.macs(nodes), self.params(nodes)) for kind, nodes in members.items()}
        return max(work, key=lambda kind: work[kind], default="other")

    def _weights(self, node: Node) -> dict[str, int]:
        weights = node.weights()
        return {f"{node.home}.{name}": self._number(w.count) for name, w in weights.items() if not w.buffer}

    def _number(self, size: Size) -> int:
        """A size at the example sizes of the inputs."""
        known = substitute(size, self.graph.examples())
        return known if isinstance(known, int) else 0
