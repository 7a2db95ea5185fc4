"""What is written to one file: the network, and around it its training where the spec has one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from graphc.graph import Graph, Scope, Value, weights_of
from graphc.rewrite import with_training


@dataclass(frozen=True)
class Program:
    """`graph` is the network, `whole` all that is written, in which the scope `model` is the network."""

    graph: Graph
    whole: Graph
    model: Scope

    @property
    def model_outputs(self) -> dict[str, Value]:
        """The outputs of the network, as values of the whole."""
        return self.model.outputs if self.has_training else self.graph.outputs

    @cached_property
    def paths(self) -> frozenset[str]:
        """The paths of all weights in the whole."""
        return frozenset(path for path, _ in weights_of(self.whole.root))

    @property
    def has_training(self) -> bool:
        return self.whole is not self.graph

    def place_of(self, path: str) -> str:
        """Where a weight of the network, or of its training, is in the whole."""
        inside = f"{self.model.home}.{path}" if self.has_training else path
        return inside if inside in self.paths else path


def program(graph: Graph) -> Program:
    """The network and its training."""
    if graph.training is None or not graph.training.losses:
        return Program(graph, graph, graph.root)
    whole = with_training(graph)
    return Program(graph, whole, next(scope for scope in whole.root.items if isinstance(scope, Scope)))
