"""What is told of nodes and scopes: their shapes, their costs, the lines under the pointer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from graphc.demands import Rule
from graphc.diagnostics import Span
from graphc.graph import Node, Scope, Value
from graphc.pretty import pretty, rules_of
from graphc_graphviz.costs import Costs
from graphc_graphviz.picture import About
from graphc_graphviz.words import quantity


@dataclass(slots=True)
class Teller:
    """Tells of a graph's parts. `lasts` has, for a node of copies that are drawn once, that of the last copy."""

    costs: Costs
    show: frozenset[str]
    lasts: dict[Node, Node] = field(default_factory=dict)
    rules: Mapping[str, Rule] = field(init=False)

    def __post_init__(self) -> None:
        self.rules = rules_of(self.costs.graph)

    def shape(self, value: Value) -> str:
        """A shape; where it goes from copy to copy, from the first to the last: `[N, 96…256, H/4, W/4]`."""
        last = self.lasts.get(value.node, value.node).outputs[value.node.outputs.index(value)]
        rules = self.rules
        ends = ((pretty(size, rules) for size in end.type.shape) for end in (value, last))
        return f"[{', '.join(a if a == b else f'{a}…{b}' for a, b in zip(*ends, strict=True))}]"

    def figures(self, nodes: Iterable[Node], several: bool) -> str:
        """What was asked for of the parameters and MACs of some nodes, perhaps of several copies."""
        each = list(nodes)
        told = {"params": (self.costs.params(each), "params"), "macs": (self.costs.macs(each), "MACs")}
        shown = [f"{quantity(number)} {name}" for key, (number, name) in told.items() if key in self.show and number]
        return " · ".join(shown) + " in all" * (several and bool(shown))

    def node(self, node: Node, words: str) -> About:
        """What is told of a node under the pointer."""
        types = ", ".join(self.shape(value) for value in node.outputs)
        return self.about(node.span, node.path, f"{node.op.name} {words}".strip(), types, self.exact([node]))

    def scope(self, scope: Scope, words: str) -> About:
        """What is told of a block or a `do` under the pointer."""
        return self.about(scope.span, scope.path or self.costs.graph.name, words, scope.doc, self.exact(scope.nodes()))

    def exact(self, nodes: Iterable[Node]) -> str:
        """The exact parameters and MACs of some nodes."""
        each = list(nodes)
        told = ((self.costs.params(each), "parameters"), (self.costs.macs(each), "MACs"))
        return ", ".join(f"{number:,} {name}" for number, name in told if number)

    def about(self, span: Span, *lines: str) -> About:
        """Lines of text, with the place in the spec."""
        place = PurePath(span.file)
        file = place.name if place.is_absolute() or ".." in place.parts else place.as_posix()
        return About("\n".join(filter(None, (*lines, f"{file}:{span.line}"))), f"{file}#L{span.line}")

    def examples(self) -> str:
        """The sizes that figures are for."""
        return ", ".join(f"{name} = {number}" for name, number in self.costs.graph.examples().items())


def is_new(node: Node) -> bool:
    """Whether a node's output has a shape to be told: none of its operands has it, and it is no single number."""
    return node.output.type not in node.inputs and bool(node.output.type.shape)
