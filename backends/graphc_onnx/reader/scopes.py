"""The tree of scopes that paths are."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from graphc.graph import Binding, Node, Scope, Value
from graphc.words import unnumbered


def plant(root: Scope, nodes: Iterable[Node]) -> None:
    """Puts each node into the scope that its path says, in the order of the nodes."""
    scopes = {"": root}
    for node in nodes:
        around, _, _ = node.path.rpartition(".")
        node.scope = _scope(around, scopes)
        node.scope.items.append(node)
    for scope in scopes.values():
        _describe(scope)
    for scope in reversed(list(root.scopes())):
        _describe_values(scope)


def _scope(path: str, scopes: dict[str, Scope]) -> Scope:
    if path not in scopes:
        outer, _, name = path.rpartition(".")
        around = _scope(outer, scopes)
        made = Scope(name, path, "block", path, name, around.span, around, home=path)
        around.items.append(made)
        scopes[path] = made
    return scopes[path]


def _describe(scope: Scope) -> None:
    """A scope whose items are all numbered is a group of copies, which are called as it is."""
    if scope.parent is None:
        return
    if all(item.name.isdecimal() for item in scope.items):
        scope.kind, scope.bindings = "copies", {"": Binding(len(scope.items), "loop")}
    around = scope.parent
    while scope.label.isdecimal() and around.parent is not None:
        scope.label, around = around.label, around.parent
    scope.label = unnumbered(scope.label)
    scope.definition = f"{scope.span.file}:{scope.label}"


def _describe_values(scope: Scope) -> None:
    """What a scope takes from outside, and what others take from it."""
    if scope.parent is None:
        return
    inside = list(scope.nodes())
    own = set(inside)
    taken = dict.fromkeys(chain.from_iterable(node.operands for node in inside))
    read = [value for value in taken if value.node not in own]
    scope.inputs = {f"input_{number + 1}" if number else "input": value for number, value in enumerate(read)}


def give_outputs(root: Scope, nodes: Iterable[Node], outputs: Iterable[Value]) -> None:
    """Tells each scope which of its values are read outside."""
    wanted: dict[Scope, dict[Value, None]] = {}
    for value, reader in chain(
        ((value, node.scope) for node in nodes for value in node.operands), ((value, root) for value in outputs)
    ):
        around = _around(reader)
        scope: Scope | None = value.node.scope
        while scope is not None and scope.parent is not None and scope not in around:
            wanted.setdefault(scope, {})[value] = None
            scope = scope.parent
    for scope, values in wanted.items():
        scope.outputs = {f"output_{number + 1}" if number else "output": value for number, value in enumerate(values)}


def _around(scope: Scope) -> set[Scope]:
    found = {scope}
    while scope.parent is not None:
        scope = scope.parent
        found.add(scope)
    return found
