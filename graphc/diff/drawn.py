"""The difference as a diagram: the new graph with marks, and in it, marked, what is only in the old one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from graphc.diff.edits import Edit
from graphc.diff.matching import Matching
from graphc.graph import Graph, Item, Node, Scope, Skipped, Value
from graphc.marks import Mark, MarkKind

if TYPE_CHECKING:
    from graphc.diff.difference import Diff

KINDS: dict[str, MarkKind] = {"+": "added", "-": "removed", ">": "moved", "~": "changed"}
LONGEST = 40
MOST_OPENED = 4


def merged(diff: Diff) -> tuple[Graph, dict[str, Mark]]:
    """The new graph with what has gone put back in its place, and the marks by path."""
    work = _Merging(diff.matching)
    graph = work.graph(diff.matching.right.graph)
    marks: dict[str, Mark] = {}
    for edit in diff.edits:
        for one in edit.details or (edit,):
            marks |= {path: mark for path, mark in _marks(one) if path not in marks}
    marks |= {piece.path: Mark("removed") for piece in work.gone.values()}
    marks |= {path: Mark("added") for path in _new(diff.matching)}
    known = {item.path for item in _all(graph.root)} | set(graph.inputs) | set(graph.outputs)
    return graph, {path: mark for path, mark in marks.items() if path in known}


def _marks(edit: Edit) -> Iterator[tuple[str, Mark]]:
    kind = KINDS[edit.sign]
    if kind == "removed":
        return
    note = _note(edit)
    yield from ((path, Mark(kind, note)) for path in edit.after)


def _note(edit: Edit) -> str:
    from graphc.diff.words import altered

    text = altered(edit.changes) if edit.kind == "changed" else ""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def opened(diff: Diff) -> list[str]:
    """The blocks around the first place of each edit, which the diagram shows open."""
    found: dict[str, None] = {}
    for edit in diff.edits[:MOST_OPENED]:
        for one in edit.details[:2] or (edit,):
            path = next(iter(one.after), "").rpartition(".")[0]
            if path:
                found[path] = None
    return list(found)


def _new(matching: Matching) -> Iterator[str]:
    """The outermost pieces that only the new graph has."""
    for scope in matching.right.scopes():
        if scope in matching.back:
            yield from (item.path for item in matching.right.items[scope] if item not in matching.back)


def _all(scope: Scope) -> Iterator[Node | Scope]:
    for item in scope.items:
        if not isinstance(item, Skipped):
            yield item
        if isinstance(item, Scope):
            yield from _all(item)


@dataclass(slots=True)
class _Merging:
    """Puts copies of what has gone into a copy of the new graph; `gone` has the outermost of them by originals."""

    matching: Matching
    scopes: dict[Scope, Scope] = field(default_factory=dict)
    nodes: dict[Node, Node] = field(default_factory=dict)
    gone: dict[Node | Scope, Node | Scope] = field(default_factory=dict)

    def graph(self, after: Graph) -> Graph:
        for value in after.inputs.values():
            self.nodes[value.node] = value.node
        root = self._scope(after.root, None)
        lost = [node for node in self.matching.left.nodes if node not in self.matching.there]
        ghosts = [self._ghost(node) for node in lost if node.op.name != "input"]
        order = [self.nodes[node] for node in after.nodes]
        return replace(after, root=root, nodes=[*order, *ghosts], outputs=self._values(after.outputs), training=None)

    def _scope(self, scope: Scope, around: Scope | None) -> Scope:
        made = self.scopes[scope] = replace(scope, parent=around, items=[], inputs={}, outputs={}, lets={})
        made.inputs = dict(self._known(scope.inputs))
        for item in scope.items:
            made.items.append(self._item(item, made))
        made.outputs = dict(self._known(scope.outputs))
        return made

    def _item(self, item: Item, around: Scope) -> Item:
        if isinstance(item, Scope):
            return self._scope(item, around)
        if isinstance(item, Node):
            return self._node(item, around)
        return replace(item, value=None)

    def _node(self, node: Node, around: Scope) -> Node:
        reads = tuple(value and self._value(value) for value in node.arguments)
        types = {value.name: value.type for value in node.outputs}
        made = Node(
            node.path, node.op, reads, types, around, node.span, node.written, node.condition, node.inline, node.home
        )
        self.nodes[node] = made
        return made

    def _ghost(self, node: Node) -> Node:
        """A copy of a node that has gone, beside what stood around it and is still there."""
        around = self._around(node)
        reads = tuple(None if value is None else self._old(value) for value in node.arguments)
        types = {value.name: value.type for value in node.outputs}
        path = self._path(around, node.name)
        made = Node(path, node.op, reads, types, around, node.span, node.written, inline=node.inline)
        self.nodes[node] = made
        around.items.append(made)
        if around not in self.gone.values():
            self.gone[node] = made
        return made

    def _around(self, piece: Node | Scope) -> Scope:
        """The scope for a piece that has gone: what its own became, or a copy of that."""
        scope = piece.scope if isinstance(piece, Node) else piece.parent
        if scope is None:
            return next(iter(self.scopes.values()))
        other = self.matching.scope(scope)
        if other is not None:
            return self.scopes[other]
        if scope in self.matching.left.items and any(node in self.matching.there for node in scope.nodes()):
            return self._around(scope)
        if scope not in self.scopes:
            outer = self._around(scope)
            made = replace(
                scope, path=self._path(outer, scope.name), parent=outer, items=[], inputs={}, outputs={}, lets={}
            )
            self.scopes[scope] = made
            outer.items.append(made)
            if outer not in self.gone.values():
                self.gone[scope] = made
        return self.scopes[scope]

    @staticmethod
    def _path(around: Scope, name: str) -> str:
        taken = {item.name for item in around.items}
        while name in taken:
            name += "′"
        return f"{around.path}.{name}".removeprefix(".")

    def _old(self, value: Value) -> Value | None:
        node = self.matching.node(value.node)
        made = self.nodes.get(node) if node else self.nodes.get(value.node)
        return next((it for it in made.outputs if it.name == value.name), made.output) if made else None

    def _value(self, value: Value) -> Value:
        return self.nodes[value.node].outputs[value.node.outputs.index(value)]

    def _values(self, values: dict[str, Value]) -> dict[str, Value]:
        return {name: self._value(value) for name, value in values.items()}

    def _known(self, values: dict[str, Value]) -> Iterator[tuple[str, Value]]:
        yield from ((name, self._value(value)) for name, value in values.items() if value.node in self.nodes)
