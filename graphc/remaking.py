"""A graph made anew, node by node: with other ops, and without some. The given graph stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from graphc.expr import Expr
from graphc.graph import Graph, Node, Scope, Skipped, Value
from graphc.ops import Op

Arguments: TypeAlias = Sequence[Value | None]
Made: TypeAlias = "Value | tuple[Op, Arguments]"
"""What stands for a node: a value that is there already, or an op and what it reads."""
Rule: TypeAlias = Callable[[Node, Arguments], Made]
"""From a node and its operands in the new graph; the values that it gives stay as they are.

What it makes may read values of nodes that the rule made itself, in the scope of the given node: they come before it.
"""


def remade(graph: Graph, rule: Rule) -> Graph:
    """The main graph as a rule makes it, without its training part and without expectations of its counts.

    Nodes that nothing reads any more go. What was said of the path of a node that another stands for (`let`, outputs)
    is said of that one.
    """
    return _Remaking(graph, rule).graph()


@dataclass(slots=True)
class _Remaking:
    given: Graph
    rule: Rule
    values: dict[Value, Value] = field(default_factory=dict)
    nodes: dict[Node, Node] = field(default_factory=dict)
    added: dict[Node, list[Node]] = field(default_factory=dict)
    known: set[Node] = field(default_factory=set)
    scopes: dict[Scope, Scope] = field(default_factory=dict)

    def graph(self) -> Graph:
        given = self.given
        root = self.scope(given.root, None)
        for value in given.inputs.values():
            self.node(value.node)
        for node in given.nodes:
            self.node(node)
        outputs = self.named(given.outputs)
        self.forget(outputs)
        for scope in self.scopes:
            self.fill(scope)
        nodes = [made for node in given.nodes for made in self.standing(node)]
        left = {node.path for node in nodes}
        return replace(
            given,
            inputs=self.named(given.inputs),
            outputs=outputs,
            root=root,
            nodes=nodes,
            demands=[demand for demand in given.demands if demand.path in left],
            expected=[],
            training=None,
            sampling=None,
            init=(),
            checkpoints={},
        )

    def scope(self, scope: Scope, around: Scope | None) -> Scope:
        """A scope and all below, still empty."""
        made = self.scopes[scope] = replace(scope, parent=around, items=[], inputs={}, outputs={}, lets={})
        for item in scope.items:
            if isinstance(item, Scope):
                self.scope(item, made)
        return made

    def node(self, node: Node) -> None:
        """What stands for a node."""
        arguments = [value and self.values[value] for value in node.arguments]
        made = self.rule(node, arguments)
        if isinstance(made, Value):
            self.adopt(node, made)
            self.values[node.output] = made
            return
        op, arguments = made[0], list(made[1])
        for value in arguments:
            self.adopt(node, value)
        self.nodes[node] = Node(
            node.path,
            op,
            tuple(arguments),
            {value.name: value.type for value in node.outputs},
            self.scopes[node.scope],
            node.span,
            _written(node, op),
            node.condition,
            node.inline,
            node.home,
        )
        self.values.update(zip(node.outputs, self.nodes[node].outputs, strict=True))
        self.known.add(self.nodes[node])

    def adopt(self, node: Node, value: Value | None) -> None:
        """Takes in the nodes behind a value that the rule made for a node, each after its operands."""
        if value is None or value.node in self.known:
            return
        made = value.node
        self.known.add(made)
        for each in made.operands:
            self.adopt(node, each)
        made.scope = self.scopes[node.scope]
        self.added.setdefault(node, []).append(made)

    def standing(self, node: Node) -> list[Node]:
        """What stands for a given node: what was added for it, and the node that has its values."""
        return [*self.added.get(node, ()), *([self.nodes[node]] if node in self.nodes else ())]

    def forget(self, outputs: Mapping[str, Value]) -> None:
        """Leaves out the nodes that something read before, and that nothing reads any more."""
        before = {value.node for node in self.given.nodes for value in node.operands}
        wanted = {value.node for value in outputs.values()}
        for old in reversed([*(value.node for value in self.given.inputs.values()), *self.given.nodes]):
            for new in reversed(self.standing(old)):
                if new in wanted or (old not in before and new is self.nodes.get(old)):
                    wanted |= {new, *(value.node for value in new.operands)}
        self.nodes = {old: new for old, new in self.nodes.items() if new in wanted or old.op.name == "input"}
        self.added = {old: [new for new in made if new in wanted] for old, made in self.added.items()}
        left = {*self.nodes.values(), *(new for made in self.added.values() for new in made)}
        self.values = {old: new for old, new in self.values.items() if new.node in left}

    def fill(self, scope: Scope) -> None:
        """What is in a scope, and what its values are called."""
        made = self.scopes[scope]
        for item in scope.items:
            if isinstance(item, Scope):
                made.items.append(self.scopes[item])
            elif isinstance(item, Skipped):
                made.items.append(replace(item, value=item.value and self.values.get(item.value)))
            else:
                made.items += self.standing(item)
        made.inputs, made.outputs, made.lets = map(self.named, (scope.inputs, scope.outputs, scope.lets))

    def named(self, values: Mapping[str, Value]) -> dict[str, Value]:
        return {name: self.values[value] for name, value in values.items() if value in self.values}


def _written(node: Node, op: Op) -> Mapping[str, Expr]:
    """The spec's expressions of the attributes that are as they were."""
    if op is node.op:
        return node.written
    known = {name for name in type(op).model_fields if getattr(op, name) == getattr(node.op, name, None)}
    return {name: each for name, each in node.written.items() if type(op) is type(node.op) and name in known}
