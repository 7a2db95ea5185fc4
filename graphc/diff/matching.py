"""Which piece of one graph is which of the other, and what that costs.

The cost of a matching is the only measure of an edit: 1 for each attribute and operand that a node has otherwise, and
for each node that only one side has, and each of its operands; 2 for each scope that only one side has, and for an op
in place of another; 3 for each piece that stands in another scope. The search in `graphc.diff.match` and the benchmark
of edits that are known both count with `cost`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, cast

from graphc.diff.sequence import common
from graphc.diff.side import Piece, Side
from graphc.graph import Graph, Node, Scope, Value

Read: TypeAlias = tuple[Node, str] | None

REPLACED = 2
"""What an op costs that stands where another stood."""
MOVED = 3
"""What a piece costs that stands in another scope."""
SCOPE = 2
"""What a scope costs that only one side has."""


@dataclass(eq=False, slots=True)
class Matching:
    """Pairs of nodes and of scopes, `there` from left to right and `back` again."""

    left: Side
    right: Side
    there: dict[Piece, Piece] = field(default_factory=dict)
    back: dict[Piece, Piece] = field(default_factory=dict)

    def pair(self, left: Piece, right: Piece) -> None:
        """Pairs two pieces, of which neither is paired."""
        self.there[left] = right
        self.back[right] = left

    def part(self, left: Piece) -> None:
        """Undoes a pair."""
        del self.back[self.there.pop(left)]

    def free(self, left: Piece, right: Piece) -> bool:
        """Whether neither is paired."""
        return left not in self.there and right not in self.back

    def node(self, left: Node) -> Node | None:
        """The node that a node became."""
        return cast("Node | None", self.there.get(left))

    def scope(self, left: Scope) -> Scope | None:
        """The scope that a scope became."""
        return cast("Scope | None", self.there.get(left))

    def nodes(self) -> Iterator[tuple[Node, Node]]:
        """The pairs of nodes, in the left order."""
        for left in self.left.nodes:
            right = self.node(left)
            if right is not None:
                yield left, right

    def scopes(self) -> Iterator[tuple[Scope, Scope]]:
        """The pairs of scopes, in the left order."""
        for left in self.left.scopes():
            right = self.scope(left)
            if right is not None:
                yield left, right

    def read(self, value: Value | None) -> Read:
        """What an operand on the left is on the right; itself where that has gone."""
        return None if value is None else (self.node(value.node) or value.node, value.name)

    def rewired(self, left: Node, right: Node) -> int:
        """How many operands are otherwise."""
        if self._reads_alike(left, right):
            return 0
        mine = [self.read(value) for value in left.arguments]
        theirs = [read(value) for value in right.arguments]
        if len(mine) == len(theirs):
            return sum(a != b for a, b in zip(mine, theirs, strict=True))
        numbers: dict[Read, int] = {}
        ids = [[numbers.setdefault(it, len(numbers)) for it in reads] for reads in (mine, theirs)]
        return len(mine) + len(theirs) - 2 * len(common(*ids))

    def _reads_alike(self, left: Node, right: Node) -> bool:
        if len(left.arguments) != len(right.arguments):
            return False
        there = self.there
        for mine, theirs in zip(left.arguments, right.arguments, strict=True):
            if mine is None or theirs is None:
                if mine is not theirs:
                    return False
            elif there.get(mine.node) is not theirs.node or mine.name != theirs.name:
                return False
        return True

    def moved(self, left: Piece, right: Piece) -> bool:
        """Whether the innermost scopes around them that are paired are not each other's."""
        around, other = self.left.parent(left), self.right.parent(right)
        while around is not None and around not in self.there:
            around = around.parent
        while other is not None and other not in self.back:
            other = other.parent
        return (around and self.there[around]) is not other

    def reshared(self, left: Node, right: Node) -> bool:
        """Whether it uses the weights of another node than before."""
        if left.home not in self.left.shared and right.home not in self.right.shared:
            return False
        mine, theirs = self.left.owner(left), self.right.owner(right)
        return (mine is not left or theirs is not right) and self.there.get(mine) is not theirs


def read(value: Value | None) -> Read:
    """What an operand on the right is."""
    return None if value is None else (value.node, value.name)


def cost(matching: Matching) -> int:
    """What the edit costs that a matching tells."""
    nodes = sum(of_left(matching, node) for node in matching.left.nodes)
    nodes += sum(alone(node) for node in matching.right.nodes if node not in matching.back)
    changed, gone, new = ends(matching)
    return nodes + _scopes(matching) + len(changed) + len(gone) + len(new)


def of_left(matching: Matching, left: Node) -> int:
    """What a node on the left adds to the cost."""
    right = matching.node(left)
    return alone(left) if right is None else of_pair(matching, left, right)


def of_pair(matching: Matching, left: Node, right: Node) -> int:
    """What a pair of nodes costs."""
    changed = matching.rewired(left, right) + MOVED * matching.moved(left, right) + matching.reshared(left, right)
    return changed + altered(left, right)


def alone(node: Node) -> int:
    """What a node costs that is on one side only."""
    return 1 + len(node.operands)


def altered(left: Node, right: Node) -> int:
    """How many attributes are otherwise."""
    if left.op is right.op and left.op.name != "input":
        return 0
    return REPLACED if left.op.name != right.op.name else len(attributes(left, right))


def attributes(left: Node, right: Node) -> Mapping[str, tuple[object, object]]:
    """The attributes that two nodes of the same op have otherwise; of an input, the type."""
    if left.op.name == "input":
        before, after = left.output.type, right.output.type
        return {} if before == after else {"type": (before, after)}
    if left.op == right.op:
        return {}
    mine, theirs = _fields(left), _fields(right)
    names = dict.fromkeys([*mine, *theirs])
    return {name: (mine.get(name), theirs.get(name)) for name in names if _differ(mine.get(name), theirs.get(name))}


def _fields(node: Node) -> Mapping[str, object]:
    """The attributes of an op, those included that its class doesn't know."""
    known = {name: getattr(node.op, name) for name in type(node.op).model_fields}
    return known | (node.op.model_extra or {})


def ends(matching: Matching) -> tuple[list[tuple[str, str]], list[str], list[str]]:
    """The outputs that are of other values, as pairs of names; those that have gone; those that are new."""
    before, after = _ends(matching.left.graph), _ends(matching.right.graph)
    if not before.keys() & after.keys() or len(before) == len(after):
        names = list(zip(before, after, strict=False))
    else:
        names = [(name, name) for name in before if name in after]
    if before.keys() == after.keys():
        names = [(name, name) for name in before]
    gone = [name for name in before if name not in {old for old, _ in names}]
    new = [name for name in after if name not in {now for _, now in names}]
    return [(a, b) for a, b in names if matching.read(before[a]) != read(after[b])], gone, new


def _ends(graph: Graph) -> Mapping[str, Value]:
    return graph.outputs


def _scopes(matching: Matching) -> int:
    """What is otherwise about scopes: those on one side only, and those that moved."""
    lonely = sum(scope not in matching.there for scope in matching.left.scopes())
    lonely += sum(scope not in matching.back for scope in matching.right.scopes())
    return SCOPE * lonely + sum(MOVED for pair in matching.scopes() if matching.moved(*pair))


def _differ(left: object, right: object) -> bool:
    return type(left) is not type(right) or left != right
