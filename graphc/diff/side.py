"""A graph made ready to be compared: its nodes and items in an order that neither names nor the file decide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from graphc.diff.sizes import Place, origins, sized
from graphc.graph import Graph, Node, Scope

Piece: TypeAlias = "Node | Scope"


@dataclass(eq=False, slots=True)
class Side:
    """One of the two graphs.

    `nodes` come in the order in which a walk from the outputs through the operands leaves them, inputs among them;
    `items` are a scope's nodes and scopes in that order. `users` are the nodes that read a node, with the slot.
    `owners` have by each `home` the node that comes first there: the one whose weights the others share; `shared` are
    the homes of several; `sized` have sizes with names in their attributes, `origins` say where those come from.
    `tree` has all scopes once they were asked for.
    """

    graph: Graph
    roots: tuple[Scope, ...]
    nodes: tuple[Node, ...]
    position: dict[Node, int]
    users: dict[Node, list[tuple[Node, int]]]
    items: dict[Scope, list[Piece]]
    sizes: dict[Scope, int]
    owners: dict[str, Node] = field(default_factory=dict)
    shared: frozenset[str] = frozenset()
    sized: frozenset[Node] = frozenset()
    origins: dict[str, Place] = field(default_factory=dict)
    tree: tuple[Scope, ...] = ()

    def owner(self, node: Node) -> Node:
        """The node whose weights it uses."""
        return self.owners.get(node.home, node)

    def parent(self, piece: Piece) -> Scope | None:
        """The scope around it; inputs have none."""
        if isinstance(piece, Scope):
            return piece.parent
        return None if piece.op.name == "input" else piece.scope

    def scopes(self) -> Iterator[Scope]:
        """All scopes that hold a node, parents first."""
        if not self.tree:
            self.tree = tuple(scope for root in self.roots for scope in root.scopes() if scope in self.items)
        return iter(self.tree)


def side_of(graph: Graph, training: bool) -> Side:
    """A graph made ready; with `training`, its training part stands beside the main graph."""
    part = graph.training if training else None
    roots = (graph.root, part.root) if part else (graph.root,)
    ends = [*graph.outputs.values(), *(loss.value for loss in part.losses)] if part else [*graph.outputs.values()]
    inputs = [*graph.inputs.values(), *(part.inputs.values() if part else ())]
    known = [*(value.node for value in inputs), *graph.nodes, *(part.nodes if part else ())]
    users = _users(known)
    nodes = tuple(_walk([value.node for value in ends], users))
    position = {node: place for place, node in enumerate(nodes)}
    items, sizes = _tree(roots, nodes)
    owners: dict[str, Node] = {}
    for node in nodes:
        owners.setdefault(node.home, node)
    shared = frozenset(node.home for node in nodes if owners[node.home] is not node)
    named = sized(nodes)
    made = origins(inputs, nodes) if named else {}
    return Side(graph, roots, nodes, position, users, items, sizes, owners, shared, named, made)


def _walk(ends: Iterable[Node], users: dict[Node, list[tuple[Node, int]]]) -> Iterator[Node]:
    """Each node after its operands, as a walk from the ends leaves them; what no end reads comes right after those."""
    live = _live(ends)
    entered: set[Node] = set()
    for end in (*ends, *users):
        stack = [(end, iter(end.arguments))] if end not in entered else []
        entered.add(end)
        while stack:
            node, rest = stack[-1]
            value = next((it for it in rest if it is not None and it.node not in entered), None)
            if value is None:
                stack.pop()
                yield node
                dead = (user for user, _ in users[node] if user not in live and user not in entered)
                ready = next((it for it in dead if all(value.node in entered for value in it.operands)), None)
                value = ready.output if ready else None
            if value is not None:
                entered.add(value.node)
                stack.append((value.node, iter(value.node.arguments)))


def _live(ends: Iterable[Node]) -> set[Node]:
    """The nodes that an end depends on."""
    live = set(ends)
    waiting = list(live)
    while waiting:
        above = {value.node for value in waiting.pop().operands} - live
        live |= above
        waiting += above
    return live


def _users(nodes: Iterable[Node]) -> dict[Node, list[tuple[Node, int]]]:
    users: dict[Node, list[tuple[Node, int]]] = {node: [] for node in nodes}
    for node in nodes:
        for slot, value in enumerate(node.arguments):
            if value is not None:
                users[value.node].append((node, slot))
    return users


def _tree(roots: tuple[Scope, ...], nodes: Iterable[Node]) -> tuple[dict[Scope, list[Piece]], dict[Scope, int]]:
    """The items of each scope in the order of the nodes in their middle, and how many nodes it holds."""
    places: dict[Piece, list[int]] = {root: [] for root in roots}
    for place, node in enumerate(nodes):
        if node.op.name == "input":
            continue
        places[node] = [place]
        scope: Scope | None = node.scope
        while scope is not None:
            places.setdefault(scope, []).append(place)
            scope = scope.parent
    items: dict[Scope, list[Piece]] = {piece: [] for piece in places if isinstance(piece, Scope)}
    for piece in sorted(places, key=lambda piece: places[piece][len(places[piece]) // 2] if places[piece] else 0):
        around = piece.parent if isinstance(piece, Scope) else piece.scope
        if around is not None:
            items[around].append(piece)
    return items, {scope: len(places[scope]) for scope in items}
