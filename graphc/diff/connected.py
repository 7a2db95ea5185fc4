"""Which edits hang together: what was added and reads what was added is one edit, and so is what went.

Pieces hang together by their wires and by weights that they share; an output, a loss or an input that is new belongs to
what gives or reads it. An input that went belongs to what is read in its place now. An edit that is made at
several places is one already, so its places are not told apart.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from graphc.diff.found import Found
from graphc.diff.matching import Matching
from graphc.diff.side import Piece, Side
from graphc.graph import Node, Scope, Value

Key = Callable[[Found], Hashable]


def connected(matching: Matching, edits: Sequence[Found], key: Key) -> dict[int, int]:
    """The number of the whole that an edit belongs to, by the edit's identity; only of wholes of different edits."""
    groups = _Groups()
    work = _Connecting(matching, made_by(edits), groups)
    for one, other in work.links(edits, key):
        groups.join(one, other)
    wholes: dict[int, set[Hashable]] = {}
    for edit in edits:
        wholes.setdefault(groups.of(id(edit)), set()).add(key(edit))
    return {id(edit): whole for edit in edits if len(wholes[whole := groups.of(id(edit))]) > 1}


def nodes_of(pieces: Sequence[Piece]) -> Iterator[Node]:
    """All nodes of some pieces."""
    for piece in pieces:
        if isinstance(piece, Scope):
            yield from piece.nodes()
        else:
            yield piece


def made_by(edits: Sequence[Found]) -> dict[Node, int]:
    """The identity of the edit that a node came or went with."""
    alone = [edit for edit in edits if edit.kind in {"added", "removed"} or is_lone_input(edit)]
    return {node: id(edit) for edit in alone for node in nodes_of(edit.left or edit.right)}


def is_lone_input(edit: Found) -> bool:
    """Whether it tells of an input that came or went."""
    return edit.kind == "input" and not (edit.left and edit.right)


@dataclass(slots=True)
class _Groups:
    """Numbers that are joined to groups; a group has the number of one of them."""

    above: dict[int, int] = field(default_factory=dict)

    def of(self, number: int) -> int:
        while number in self.above:
            number = self.above[number]
        return number

    def join(self, one: int, other: int) -> None:
        one, other = self.of(one), self.of(other)
        if one != other:
            self.above[other] = one


@dataclass(slots=True)
class _Connecting:
    matching: Matching
    made: Mapping[Node, int]
    groups: _Groups

    def links(self, edits: Sequence[Found], key: Key) -> Iterator[tuple[int, int]]:
        """Pairs of edits that belong together."""
        first: dict[Hashable, int] = {}
        for edit in edits:
            if edit.kind in {"added", "removed"}:
                yield first.setdefault(key(edit), id(edit)), id(edit)
            yield from ((id(edit), other) for other in self._ends(edit))
            yield from ((id(edit), other) for other in self._read_instead(edit))
        for side in (self.matching.left, self.matching.right):
            yield from self._wires(side)

    def _wires(self, side: Side) -> Iterator[tuple[int, int]]:
        homes: dict[str, int] = {}
        for node in side.nodes:
            if node in self.made:
                mine = self.made[node]
                yield from ((mine, self.made[value.node]) for value in node.operands if value.node in self.made)
                if node.home in side.shared:
                    yield mine, homes.setdefault(node.home, mine)

    def _ends(self, edit: Found) -> Iterator[int]:
        """What gives an output or a loss now that is new or another value; else what gave it."""
        values = (edit.end.right, edit.end.left) if edit.end else ()
        known = [self.made[value.node] for value in values if value is not None and value.node in self.made]
        yield from known[:1]

    def _read_instead(self, edit: Found) -> Iterator[int]:
        """Where each operand that is otherwise was or is an input of one side: that, and what stands for it."""
        pairs = exchanged(self.matching, edit)
        if pairs and all(any(map(self._is_lone, pair)) for pair in pairs):
            yield from (self.made[value.node] for pair in pairs for value in pair if value.node in self.made)

    def _is_lone(self, value: Value) -> bool:
        return value.node.op.name == "input" and value.node in self.made


def exchanged(matching: Matching, edit: Found) -> list[tuple[Value, Value]]:
    """The operands that an edit exchanges for others, as they were and are; none where any only came or went."""
    if edit.kind != "rewired" or not all(slot.isdecimal() for slot in edit.changes):
        return []
    left, right = edit.left[0], edit.right[0]
    assert isinstance(left, Node)
    assert isinstance(right, Node)
    pairs = matching.operands(left, right)
    told = [pairs[int(slot)] for slot in edit.changes]
    found = [(mine, theirs) for mine, theirs in told if mine is not None and theirs is not None]
    return found if len(found) == len(told) else []
