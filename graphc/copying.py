"""A graph copied, node by node and scope by scope; what is other in the copy, a subclass says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from graphc.graph import Binding, Item, Node, Scope, Skipped, Value
from graphc.ops import Op
from graphc.tensor import Tensor


@dataclass(slots=True)
class Copying:
    """Copies scopes and nodes, and knows what became of each.

    First come the scopes (`framed`), then the nodes, each behind what it reads, then what is in the scopes (`fill`).
    """

    nodes: dict[Node, Node] = field(default_factory=dict)
    scopes: dict[Scope, Scope] = field(default_factory=dict)

    # --- what a subclass says

    def place(self, path: str) -> str:
        """The path of what is at a path."""
        return path

    def home(self, path: str) -> str:
        """Where weights live that live at a path."""
        return path

    def op(self, op: Op) -> Op:
        return op

    def type(self, type: Tensor) -> Tensor:
        return type

    def bindings(self, bindings: Mapping[str, Binding]) -> dict[str, Binding]:
        return dict(bindings)

    # --- the copy

    def framed(self, scope: Scope, around: Scope | None) -> Scope:
        """A scope and all below, still empty."""
        made = self.scopes[scope] = replace(
            scope,
            path=self.place(scope.path),
            parent=around,
            bindings=self.bindings(scope.bindings),
            inputs={},
            outputs={},
            lets={},
            items=[],
            home=self.home(scope.home),
        )
        for item in scope.items:
            if isinstance(item, Scope):
                self.framed(item, made)
        return made

    def node(self, node: Node, around: Scope | None = None) -> Node:
        """A node, in the copy of its scope or `around`; what it reads was copied before."""
        made = self.nodes[node] = Node(
            path=self.place(node.path),
            op=self.op(node.op),
            arguments=tuple(value and self.value(value) for value in node.arguments),
            type={value.name: self.type(value.type) for value in node.outputs},
            scope=around or self.scopes[node.scope],
            span=node.span,
            written=node.written,
            condition=node.condition,
            inline=node.inline,
            home=self.home(node.home),
        )
        return made

    def fill(self, scope: Scope) -> None:
        """Puts into the copies of a scope and of all below what is in them, once all nodes are there."""
        for given in scope.scopes():
            made = self.scopes[given]
            made.items = [self.item(item) for item in given.items]
            made.inputs, made.outputs = self.values(given.inputs), self.values(given.outputs)
            made.lets = self.values(given.lets)

    def item(self, item: Item) -> Item:
        if isinstance(item, Skipped):
            return replace(item, value=item.value and self.value(item.value))
        return self.scopes[item] if isinstance(item, Scope) else self.nodes[item]

    def value(self, value: Value) -> Value:
        return self.nodes[value.node].outputs[value.node.outputs.index(value)]

    def values(self, values: Mapping[str, Value]) -> dict[str, Value]:
        return {name: self.value(value) for name, value in values.items()}
