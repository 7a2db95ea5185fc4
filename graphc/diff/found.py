"""What a matching says, edit by edit: each at one place, before equal ones are told together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from graphc.diff.causes import Cause, Causes
from graphc.diff.inference import fits, is_model
from graphc.diff.matching import MOVED, SCOPE, End, Matching, alone, altered, attributes, ends
from graphc.diff.side import Piece, Side
from graphc.diff.wires import Wires
from graphc.graph import Node, Scope

Kind: TypeAlias = Literal[
    "added", "removed", "changed", "replaced", "repeated", "moved", "rewired", "wrapped", "unwrapped", "input", "output"
]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """An edit at one place: the pieces of either side, what is otherwise about them, and its part of the cost.

    Those that were added or removed may be several in a row. `changes` are by attribute, operand or count; `end` is
    the output or loss that an edit is about.
    """

    kind: Kind
    left: tuple[Piece, ...]
    right: tuple[Piece, ...]
    cost: int
    changes: Mapping[str, tuple[object, object]] = field(default_factory=dict)
    cause: Cause | None = None
    name: str = ""
    end: End | None = None


def found(matching: Matching) -> list[Found]:
    """The edits, those of the right side in its order and then what is only on the left."""
    collector = _Collector(matching, Causes(matching), Wires(matching))
    edits = [
        *collector.ends(),
        *collector.repeated(),
        *collector.only(matching.right, "added"),
        *collector.pairs(),
        *collector.only(matching.left, "removed"),
    ]
    return _exchanged(matching, [edit for edit in edits if edit.cost])


def _exchanged(matching: Matching, edits: list[Found]) -> list[Found]:
    """The edits, with one block that went and one that came at the same place as an exchange."""
    gone = {_stand(matching, edit): edit for edit in edits if edit.kind == "removed" and len(edit.left) == 1}
    told: set[int] = set()
    found: list[Found] = []
    for edit in edits:
        old = gone.get(_stand(matching, edit)) if edit.kind == "added" and len(edit.right) == 1 else None
        if old is not None and id(old) not in told:
            told.add(id(old))
            found.append(Found("replaced", old.left, edit.right, old.cost + edit.cost))
        else:
            found.append(edit)
    return [edit for edit in found if id(edit) not in told]


def _stand(matching: Matching, edit: Found) -> tuple[Scope | None, str]:
    """Where a piece stands that only one side has: in which scope of the right side, under which name."""
    if edit.right:
        return matching.right.parent(edit.right[0]), edit.right[0].name
    around = matching.left.parent(edit.left[0])
    return (matching.scope(around) if around else None), edit.left[0].name


def is_flat(side: Side) -> bool:
    """Whether it has no blocks, or none but those that the names in a model's file suggest: then they say nothing."""
    return is_model(side.graph) or all(scope in side.roots for scope in side.scopes())


@dataclass(slots=True)
class _Collector:
    matching: Matching
    causes: Causes
    wires: Wires
    covered: set[Piece] = field(default_factory=set)

    def ends(self) -> Iterator[Found]:
        """Inputs and outputs that came, went or are of other values."""
        for end in ends(self.matching):
            if end.left is None or end.right is None or self._retold(end):
                values = end.old_name or None, end.name if end.right else None
                yield Found("output", (), (), 1, {"value": values}, name=f"{end.kind} `{end.name}`", end=end)
        for node in self.matching.left.nodes:
            if node.op.name == "input" and node not in self.matching.there:
                yield Found("input", (node,), (), 1, name=node.path)
        for node in self.matching.right.nodes:
            if node.op.name == "input" and node not in self.matching.back:
                yield Found("input", (), (node,), 1, name=node.path)

    def _retold(self, end: End) -> bool:
        """Whether an end's other value is news; what was put before it, or taken away, says so itself."""
        return not self.wires.explained(end.left, end.right)

    def repeated(self) -> Iterator[Found]:
        """Groups with another number of copies; the copies that came or went are told with them."""
        for left, right in self.matching.scopes():
            mine, theirs = self.matching.left.items[left], self.matching.right.items[right]
            if left.kind != "copies" or len(mine) == len(theirs):
                continue
            gone = [it for it in mine if self._fresh(it, self.matching.there)]
            new = [it for it in theirs if self._fresh(it, self.matching.back)]
            self.covered.update((*gone, *new))
            cost = sum(map(_weight, (*gone, *new)))
            cause = self.causes.of_count(left, right)
            yield Found("repeated", (left,), (right,), cost, {"copies": (len(mine), len(theirs))}, cause)

    def only(self, side: Side, kind: Literal["added", "removed"]) -> Iterator[Found]:
        """What one side has alone: whole pieces, runs of nodes, and scopes around what both have."""
        paired = self.matching.back if kind == "added" else self.matching.there
        around: Kind = "wrapped" if kind == "added" else "unwrapped"
        for root in side.roots:
            yield from self._below(root, side, paired, kind)
        if not self._flat():
            for scope in side.scopes():
                if scope not in paired and not self._fresh(scope, paired):
                    yield _only(around, (scope,), SCOPE)

    def _below(
        self, scope: Scope, side: Side, paired: dict[Piece, Piece], kind: Literal["added", "removed"]
    ) -> Iterator[Found]:
        run: list[Node] = []
        for item in side.items[scope]:
            fresh = self._fresh(item, paired)
            if fresh and isinstance(item, Node):
                if run and run[-1] not in {value.node for value in item.operands}:
                    yield self._lone(kind, run)
                    run = []
                run.append(item)
            elif fresh and item not in self.covered:
                yield self._lone(kind, [item])
            elif not fresh and isinstance(item, Scope):
                yield from self._below(item, side, paired, kind)
        if run:
            yield self._lone(kind, run)

    def _lone(self, kind: Literal["added", "removed"], pieces: Iterable[Piece]) -> Found:
        held = tuple(piece for piece in pieces if piece not in self.covered)
        return _only(kind, held, sum(map(_weight, held)))

    def _fresh(self, piece: Piece, paired: dict[Piece, Piece]) -> bool:
        """Whether nothing of it is on the other side."""
        if isinstance(piece, Node):
            return piece not in paired
        return piece not in paired and not any(node in paired for node in piece.nodes())

    def pairs(self) -> Iterator[Found]:
        """What is otherwise about pieces that both sides have."""
        for nodes in self.matching.nodes():
            yield from self._pair(*nodes)
        pairs: list[tuple[Piece, Piece]] = [*self.matching.nodes(), *self.matching.scopes()]
        for left, right in pairs if not self._flat() else ():
            if self.matching.moved(left, right):
                yield Found("moved", (left,), (right,), MOVED)

    def _pair(self, left: Node, right: Node) -> Iterator[Found]:
        changes = attributes(left, right) if left.op.name == right.op.name else {}
        if left.op.name == "input":
            if changes and not self._fits(left, right):
                yield Found("input", (left,), (right,), 1, changes, name=right.path)
        elif left.op.name != right.op.name:
            yield Found("replaced", (left,), (right,), altered(left, right))
        else:
            yield from self._changed(left, right, {**changes, **self.matching.resized(left, right)})
        wires = self.wires.told(left, right)
        if wires:
            yield Found("rewired", (left,), (right,), len(wires), wires)
        if self.matching.reshared(left, right):
            yield Found("changed", (left,), (right,), 1, {"weights": self.owners(left, right)})

    def _fits(self, left: Node, right: Node) -> bool:
        """Whether an input of a model's file is one of the spec's, at some sizes."""
        models = map(is_model, (self.matching.left.graph, self.matching.right.graph))
        return any(models) and fits(left.output.type, right.output.type)

    def owners(self, left: Node, right: Node) -> tuple[object, object]:
        """The paths that the weights lie at."""
        return self.matching.left.owner(left).path, self.matching.right.owner(right).path

    def _changed(self, left: Node, right: Node, changes: Mapping[str, tuple[object, object]]) -> Iterator[Found]:
        """The attributes that were changed, by their causes; those that follow from a shape are left out."""
        by_cause: dict[Cause, dict[str, tuple[object, object]]] = {}
        for name, values in changes.items():
            cause = self.causes.of_attribute(left, right, name)
            if not cause.follows:
                by_cause.setdefault(cause, {})[name] = values
        for cause, changed in by_cause.items():
            yield Found("changed", (left,), (right,), len(changed), changed, cause)

    def _flat(self) -> bool:
        return is_flat(self.matching.left) or is_flat(self.matching.right)


def _only(kind: Kind, pieces: tuple[Piece, ...], cost: int) -> Found:
    return Found(kind, (), pieces, cost) if kind in {"added", "wrapped"} else Found(kind, pieces, (), cost)


def _weight(piece: Piece) -> int:
    """What a piece costs that is on one side only."""
    if isinstance(piece, Node):
        return 0 if piece.op.name == "input" else alone(piece)
    return sum(map(alone, piece.nodes())) + SCOPE * sum(1 for _ in piece.scopes())
