"""Which piece of one graph is which of the other, and what that costs.

The cost of a matching is the only measure of an edit: 1 for each attribute and operand that a node has otherwise, and
for each node that only one side has, and each of its operands; 2 for each scope that only one side has, and for an op
in place of another; 3 for each piece that stands in another scope. The search in `graphc.diff.match` and the benchmark
of edits that are known both count with `cost`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from graphc.diff.sequence import common
from graphc.diff.side import Piece, Side
from graphc.diff.sizes import fields, named_in, nameless, renamed
from graphc.dims import Size, symbol
from graphc.graph import Node, Scope, Value
from graphc.ops.arithmetic import Add, Multiply
from graphc.tensor import Tensor

Read: TypeAlias = tuple[Node, str] | None

COMMUTATIVE = (Add, Multiply)
"""What the order of the operands means nothing to."""
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
        return self.there.get(left)  # type: ignore[return-value]  # nodes are paired with nodes

    def scope(self, left: Scope) -> Scope | None:
        """The scope that a scope became."""
        return self.there.get(left)  # type: ignore[return-value]  # and scopes with scopes

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
            return sum(self.read(a) != read(b) for a, b in self.operands(left, right))
        numbers: dict[Read, int] = {}
        ids = [[numbers.setdefault(it, len(numbers)) for it in reads] for reads in (mine, theirs)]
        return len(mine) + len(theirs) - 2 * len(common(*ids))

    def operands(self, left: Node, right: Node) -> list[tuple[Value | None, Value | None]]:
        """The operands of two nodes that have as many, in pairs; of sums and products equal ones in whatever order."""
        mine, theirs = list(left.arguments), list(right.arguments)
        for value in left.arguments if isinstance(left.op, COMMUTATIVE) else ():
            same = next((it for it in theirs if read(it) == self.read(value)), None)
            if same is not None:
                mine.remove(value)
                theirs.remove(same)
        return list(zip(mine, theirs, strict=True))

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

    def resized(self, left: Node, right: Node) -> Mapping[str, tuple[object, object]]:
        """The attributes that are equal but for what their sizes come from."""
        if left not in self.left.sized or right not in self.right.sized or left.op.name != right.op.name:
            return {}
        mine, theirs = fields(left.op), fields(right.op)
        alike = ((name, mine[name], theirs.get(name)) for name in mine if not _differ(mine[name], theirs.get(name)))
        return {name: (a, b) for name, a, b in alike if renamed(a, self._sizes(a)) != b}

    def _sizes(self, value: object) -> Mapping[str, Size]:
        """What sizes with a name on the left are on the right; none where what they come from has gone."""
        found: dict[str, Size] = {}
        for name in named_in(value):
            node, output, axis = self.left.origins.get(name, (None, 0, 0))
            other = None if node is None else self.node(node)
            if other is not None:
                found[name] = other.outputs[output].type.shape[axis]
            elif node is None:
                found[name] = symbol(name)
        return found


def read(value: Value | None) -> Read:
    """What an operand on the right is."""
    return None if value is None else (value.node, value.name)


def cost(matching: Matching) -> int:
    """What the edit costs that a matching tells."""
    nodes = sum(of_left(matching, node) for node in matching.left.nodes)
    nodes += sum(alone(node) for node in matching.right.nodes if node not in matching.back)
    return nodes + _scopes(matching) + len(ends(matching))


def of_left(matching: Matching, left: Node) -> int:
    """What a node on the left adds to the cost."""
    right = matching.node(left)
    return alone(left) if right is None else of_pair(matching, left, right)


def of_pair(matching: Matching, left: Node, right: Node) -> int:
    """What a pair of nodes costs."""
    changed = matching.rewired(left, right) + MOVED * matching.moved(left, right) + matching.reshared(left, right)
    return changed + altered(left, right) + len(matching.resized(left, right))


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
        return {} if before == after or _renamed(before, after) else {"type": (before, after)}
    if left.op.canonical == right.op.canonical:
        return {}
    mine, theirs = fields(left.op), fields(right.op)
    names = dict.fromkeys([*mine, *theirs])
    return {name: (mine.get(name), theirs.get(name)) for name in names if _differ(mine.get(name), theirs.get(name))}


def _renamed(before: Tensor, after: Tensor) -> bool:
    """Whether two types differ in nothing but the names of free sizes."""
    pairs = set(zip(before.shape, after.shape, strict=False))
    names = [(old, new) for old, new in pairs if not isinstance(old, int) and not isinstance(new, int)]
    free = all(str(size).isidentifier() for pair in names for size in pair)
    one_to_one = len({old for old, _ in names}) == len({new for _, new in names}) == len(names)
    numbers = all(old == new for old, new in pairs if (old, new) not in names)
    return before.dtype == after.dtype and before.rank == after.rank and free and one_to_one and numbers


@dataclass(frozen=True, slots=True)
class End:
    """An output, or a loss, that is otherwise: its name and its value on either side, None where there is none."""

    kind: str
    name: str
    left: Value | None
    right: Value | None
    old_name: str = ""


def ends(matching: Matching) -> list[End]:
    """The outputs and losses that are of other values, those that have gone, and those that are new."""
    pairs = zip(_ends(matching.left), _ends(matching.right), strict=True)
    return [end for (kind, before), (_, after) in pairs for end in _ended(matching, kind, before, after)]


def _ended(matching: Matching, kind: str, before: Mapping[str, Value], after: Mapping[str, Value]) -> Iterator[End]:
    """The ends of a kind that are otherwise; as many under other names are paired in their order."""
    names = {name: name for name in before if name in after}
    if not names or (len(before) == len(after) and before.keys() != after.keys()):
        names = dict(zip(before, after, strict=False))
    for old, new in names.items():
        if matching.read(before[old]) != read(after[new]):
            yield End(kind, new, before[old], after[new], old)
    yield from (End(kind, name, before[name], None, name) for name in before if name not in names)
    yield from (End(kind, name, None, after[name]) for name in after if name not in names.values())


def _ends(side: Side) -> list[tuple[str, Mapping[str, Value]]]:
    """The outputs, and those of training and the losses where training is compared."""
    part = side.graph.training if len(side.roots) > 1 else None
    losses = {loss.name: loss.value for loss in part.losses} if part else {}
    return [("output", side.graph.outputs), ("output", part.outputs if part else {}), ("loss", losses)]


def _scopes(matching: Matching) -> int:
    """What is otherwise about scopes: those on one side only, and those that moved."""
    lonely = sum(scope not in matching.there for scope in matching.left.scopes())
    lonely += sum(scope not in matching.back for scope in matching.right.scopes())
    return SCOPE * lonely + sum(MOVED for pair in matching.scopes() if matching.moved(*pair))


def _differ(left: object, right: object) -> bool:
    """Whether two values are otherwise, whatever the names of sizes in them."""
    return type(left) is not type(right) or (left != right and nameless(left) != nameless(right))
