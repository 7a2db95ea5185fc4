"""Free sizes that weights have: free in a spec, its checks and its costs, fixed at their examples in what is built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain

from graphc.copying import Copying
from graphc.dims import Dim, substitute, symbols
from graphc.graph import Binding, Demand, Graph, Part
from graphc.ops import Op
from graphc.tensor import Tensor, Weight


def tied(graph: Graph) -> frozenset[str]:
    """The free sizes that weights have: `H` and `W` of a position for each patch."""
    weights = chain(graph.weights(), graph.training_weights())
    return frozenset(name for _, weight in weights for size in weight.shape for name in symbols(size))


def bound(graph: Graph, at: Mapping[str, int] | None = None) -> Graph:
    """The graph with the sizes that its weights have fixed, at their examples or as `at` says; itself without such."""
    sizes = {name: (at or {}).get(name, graph.sizes[name].example) for name in tied(graph)}
    return _Bound(sizes=sizes).graph(graph) if sizes else graph


@dataclass(slots=True)
class _Bound(Copying):
    """Puts numbers in the place of sizes."""

    sizes: Mapping[str, int] = field(default_factory=dict)

    def graph(self, graph: Graph) -> Graph:
        parts = [part for part in (graph, graph.training, graph.sampling) if part]
        for part in parts:
            self.framed(part.root, None)
        for node in chain.from_iterable([value.node for value in p.inputs.values()] + p.nodes for p in parts):
            self.node(node)
        for part in parts:
            self.fill(part.root)
        return replace(
            graph,
            sizes={name: size for name, size in graph.sizes.items() if name not in self.sizes},
            inputs=self.values(graph.inputs),
            outputs=self.values(graph.outputs),
            root=self.scopes[graph.root],
            nodes=[self.nodes[node] for node in graph.nodes],
            demands=list(self.demands(graph.demands)),
            expected=[],
            training=graph.training and self.part(graph.training),
            sampling=graph.sampling and self.part(graph.sampling),
        )

    def part(self, part: Part) -> Part:
        """Training or sampling, which read values of the main graph."""
        return replace(
            part,
            root=self.scopes[part.root],
            inputs=self.values(part.inputs),
            outputs=self.values(part.outputs),
            nodes=[self.nodes[node] for node in part.nodes],
            demands=list(self.demands(part.demands)),
            losses=[replace(loss, value=self.value(loss.value)) for loss in part.losses],
        )

    def demands(self, demands: Iterable[Demand]) -> Iterable[Demand]:
        """Those that say something about sizes that are free still; the others hold at the examples."""
        for demand in demands:
            left, right = (substitute(side, self.sizes) for side in (demand.relation.left, demand.relation.right))
            if symbols(left) | symbols(right):
                yield replace(demand, relation=replace(demand.relation, left=left, right=right))

    def op(self, op: Op) -> Op:
        given = op.stated
        made = {name: self.number(value) for name, value in given.items()}
        return op if made == given else type(op)(**made)

    def type(self, type: Tensor) -> Tensor:
        return type.with_shape(tuple(substitute(size, self.sizes) for size in type.shape))

    def bindings(self, bindings: Mapping[str, Binding]) -> dict[str, Binding]:
        return {name: replace(each, value=self.number(each.value)) for name, each in bindings.items()}

    def number(self, thing: object) -> object:
        """A thing with numbers for the sizes in it."""
        match thing:
            case Dim():
                return substitute(thing, self.sizes)
            case Weight():
                return replace(thing, shape=tuple(substitute(size, self.sizes) for size in thing.shape))
            case tuple():
                return tuple(map(self.number, thing))
            case list():
                return list(map(self.number, thing))
            case _:
                return thing
