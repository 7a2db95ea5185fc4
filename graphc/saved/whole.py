"""A graph as the JSON that docs/saved_graphs.md describes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields

from graphc import __version__
from graphc.checkpoint.origins import Origin
from graphc.diagnostics import Diagnostic, Span
from graphc.expr import Expr
from graphc.graph import (
    Binding,
    Demand,
    ExpectedFigure,
    ExpectedShape,
    FreeSize,
    Graph,
    InitRule,
    Item,
    Loss,
    Node,
    Part,
    Scope,
    Skipped,
    Value,
)
from graphc.saved import expressions, things
from graphc.saved.layout import Json
from graphc.tensor import Weight

FORMAT = "graphc graph"
VERSION = 1
PARTS = ("training", "sampling")


def written(graph: Graph) -> dict[str, Json]:
    """All of a graph."""
    return _Writer(graph).whole()


@dataclass(slots=True)
class _Writer:
    """Writes a graph. `names` are what its nodes are called, `sources` the texts that its places lie in."""

    graph: Graph
    names: dict[Node, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    def whole(self) -> dict[str, Json]:
        graph, paper = self.graph, self.graph.paper
        head = {"format": FORMAT, "version": VERSION, "graphc": __version__}
        about = {key: getattr(graph, key) for key in ("name", "title", "doc", "file", "digest")}
        made = {
            "paper": paper and {each.name: getattr(paper, each.name) for each in fields(paper)},
            "sizes": {name: self.free_size(size) for name, size in graph.sizes.items()},
            **self.part(graph, ""),
            **{name: self.extra(getattr(graph, name), name) for name in PARTS},
            "expected": [self.expected(each) for each in graph.expected],
            "init": [self.rule(each) for each in graph.init],
            "weights": _weights(graph.weights()),
            "training_weights": _weights(graph.training_weights()),
            "checkpoints": {table: _origins(rules) for table, rules in graph.checkpoints.items()},
            "unused": [self.finding(each) for each in graph.unused],
        }
        return {**head, **about, **made, "sources": self.sources}

    def part(self, part: Graph | Part, name: str) -> dict[str, Json]:
        """What the main graph and its parts have in common."""
        inputs = [value.node for value in part.inputs.values()]
        for node in (*inputs, *part.nodes):
            self.names[node] = f"{name}/{node.path}" if name else node.path
        return {
            "inputs": self.values(part.inputs),
            "outputs": self.values(part.outputs),
            "input_nodes": [self.node(node) for node in inputs],
            "nodes": [self.node(node) for node in part.nodes],
            "root": self.scope(part.root),
            "demands": [self.demand(each) for each in part.demands],
        }

    def extra(self, part: Part | None, name: str) -> Json:
        """Training or sampling."""
        if part is None:
            return None
        made = self.part(part, name)
        return {**made, "losses": [self.loss(each) for each in part.losses], "frozen": sorted(part.frozen)}

    # --- nodes and scopes

    def node(self, node: Node) -> Json:
        made: dict[str, Json] = {
            "path": node.path,
            "op": node.op.name,
            "attributes": {name: things.plain(value) for name, value in node.op.stated.items()},
            "operands": [None if value is None else self.value(value) for value in node.arguments],
            "types": {value.name: things.tensor(value.type) for value in node.outputs},
            "span": self.span(node.span),
        }
        rest: dict[str, Json] = {
            "written": _expressions(node.written),
            "condition": _expression(node.condition),
            "inline": node.inline,
            "home": "" if node.home == node.path else node.home,
        }
        return made | {key: value for key, value in rest.items() if value}

    def scope(self, scope: Scope) -> Json:
        about = {key: getattr(scope, key) for key in ("name", "path", "kind", "definition", "label")}
        rest: dict[str, Json] = {
            "doc": scope.doc,
            "condition": _expression(scope.condition),
            "home": "" if scope.home == scope.path else scope.home,
            "bindings": {name: _binding(each) for name, each in scope.bindings.items()},
            "inputs": self.values(scope.inputs),
            "outputs": self.values(scope.outputs),
            "lets": self.values(scope.lets),
        }
        items = [self.item(item) for item in scope.items]
        given = {key: value for key, value in rest.items() if value}
        return {**about, "span": self.span(scope.span), **given, "items": items}

    def item(self, item: Item) -> Json:
        """A node by its name, a scope whole, a skipped step."""
        if isinstance(item, Node):
            return self.names[item]
        return {"skipped": self.skipped(item)} if isinstance(item, Skipped) else self.scope(item)

    def skipped(self, step: Skipped) -> Json:
        return {
            "name": step.name,
            "condition": _expression(step.condition),
            "span": self.span(step.span),
            "value": None if step.value is None else self.value(step.value),
        }

    def value(self, value: Value) -> str:
        """The name of a value: that of its node, and of which of several outputs."""
        name = self.names[value.node]
        return f"{name}:{value.name}" if value.name else name

    def values(self, values: Mapping[str, Value]) -> dict[str, Json]:
        return {name: self.value(value) for name, value in values.items()}

    def span(self, span: Span) -> Json:
        self.sources.setdefault(span.file, span.source.text)
        return things.span(span)

    # --- what is said of the graph

    def free_size(self, size: FreeSize) -> Json:
        rule = {each.name: getattr(size.rule, each.name) for each in fields(size.rule)}
        return {"example": size.example, "rule": rule, "promises": sorted(size.promises), "span": self.span(size.span)}

    def demand(self, demand: Demand) -> Json:
        relation = demand.relation
        for each in demand.notes:
            if each.span:
                self.span(each.span)
        return {
            "relation": [things.size(relation.left), relation.kind, things.size(relation.right)],
            "path": demand.path,
            "span": self.span(demand.span),
            "message": demand.message,
            "notes": [things.note(each) for each in demand.notes],
            "strict": demand.strict,
        }

    def expected(self, expected: ExpectedFigure | ExpectedShape) -> Json:
        span = self.span(expected.span)
        if isinstance(expected, ExpectedFigure):
            return {"figure": expected.figure, "text": expected.text, "span": span}
        return {"output": expected.output, "shape": [things.size(each) for each in expected.shape], "span": span}

    def loss(self, loss: Loss) -> Json:
        return {
            "name": loss.name,
            "value": self.value(loss.value),
            "trains": list(loss.trains),
            "trained": sorted(loss.trained),
        }

    def rule(self, rule: InitRule) -> Json:
        given = {name: things.plain(getattr(rule.distribution, name)) for name in type(rule.distribution).model_fields}
        return {"op": rule.op, "distribution": rule.distribution.name, "arguments": given, "paths": list(rule.paths)}

    def finding(self, finding: Diagnostic) -> Json:
        self.span(finding.span)
        return things.diagnostic(finding)


def _weights(weights: Iterable[tuple[str, Weight]]) -> Json:
    return {path: things.weight(weight) for path, weight in weights}


def _origins(rules: Mapping[str, Origin]) -> Json:
    return {path: _origin(origin) for path, origin in rules.items()}


def _origin(origin: Origin) -> Json:
    names = [each if isinstance(each, str) else _origin(each) for each in origin.operands]
    options = {each.name: things.plain(getattr(origin, each.name)) for each in fields(origin)[1:]}
    return {"operation": origin.word, "names": names, **options}


def _binding(binding: Binding) -> Json:
    made = {"value": things.plain(binding.value), "source": binding.source}
    rest = {
        "expression": _expression(binding.expression),
        "given": binding.given or None,
        "default": binding.default,
    }
    return {**made, **{key: value for key, value in rest.items() if value is not None}}


def _expression(tree: Expr | None) -> Json:
    return None if tree is None else expressions.written(tree)


def _expressions(trees: Mapping[str, Expr]) -> Json:
    return {name: expressions.written(tree) for name, tree in trees.items()}
