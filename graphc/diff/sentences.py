"""An edit at one or more places as a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from graphc.diagnostics import listed
from graphc.diff import words
from graphc.diff.found import Found, Kind
from graphc.diff.places import Place, Places, place_of
from graphc.diff.side import Piece, Side
from graphc.graph import Node, Scope, Skipped

Group: TypeAlias = Sequence[Found]
Changes: TypeAlias = Mapping[str, Sequence[tuple[object, object]]]

MOST_PLACES = 3
MOST_OPERANDS = 3
NETWORK = "the network"


@dataclass(frozen=True, slots=True)
class Wheres:
    """Says where pieces of either side are."""

    left: Places
    right: Places

    @classmethod
    def of(cls, left: Side, right: Side) -> Wheres:
        return cls(Places(left), Places(right))

    def before(self, pieces: Sequence[Piece]) -> tuple[str, str]:
        """Where pieces of the left side are, as a text; and how many places that is."""
        return _where(self.left, pieces)

    def after(self, pieces: Sequence[Piece]) -> tuple[str, str]:
        """The same of the right side."""
        return _where(self.right, pieces)

    def behind(self, piece: Piece, *, is_new: bool) -> str:
        """The name of the item that a piece stands behind."""
        return words.after(piece, (self.right if is_new else self.left).side.position)


def sentence(wheres: Wheres, group: Group, changes: Changes) -> str:
    """What is told of the same edit at some places; `changes` has the values at each."""
    return _SENTENCES[group[0].kind](wheres, group, changes)


def _where(places: Places, pieces: Sequence[Piece]) -> tuple[str, str]:
    groups: dict[tuple[str | None, ...], list[Place]] = {}
    for place in map(place_of, pieces):
        groups.setdefault(place.names, []).append(place)
    count = len({place for same in groups.values() for place in same})
    told = [places.pattern(same) for same in groups.values()]
    if told == [("", False)]:
        return NETWORK, ""
    named = [f"{'every ' * is_all}`{text}`" if text else NETWORK for text, is_all in told]
    more = len(named) - MOST_PLACES
    shown = [*named[: MOST_PLACES - 1], f"{more + 1} other places"] if more > 0 else named
    return listed(shown), f" ({count}×)" if count > 1 else ""


def _added(wheres: Wheres, group: Group, _changes: Changes) -> str:
    rows = [edit.right for edit in group]
    where, count = wheres.after([_around(row[0]) for row in rows])
    behind = wheres.behind(rows[0][0], is_new=True)
    at = f" after `{behind}`" if behind else ""
    inside = "" if where == NETWORK else f" in {where}"
    return f"{words.pieces(rows)} added{at}{inside}{count}"


def _removed(wheres: Wheres, group: Group, _changes: Changes) -> str:
    rows = [edit.left for edit in group]
    where, count = wheres.before([_around(row[0]) for row in rows])
    inside = "" if where == NETWORK else f" from {where}"
    return f"{words.pieces(rows)} removed{inside}{count}"


def _repeated(wheres: Wheres, group: Group, changes: Changes) -> str:
    groups = [edit.right[0] for edit in group]
    item = wheres.right.side.items[groups[0]][0] if isinstance(groups[0], Scope) else groups[0]
    where, _ = wheres.after(groups)
    old, new = ([str(pair[side]) for pair in changes["copies"]] for side in (0, 1))
    if len(set(old)) == len(set(new)) == 1:
        old, new = old[:1], new[:1]
    what = words.short(item)
    unit = f"`{what}` blocks" if what and isinstance(item, Scope) else f"`{what}`" if what else "copies"
    return f"{where} has {', '.join(new)} {unit} instead of {', '.join(old)}"


def _changed(wheres: Wheres, group: Group, changes: Changes) -> str:
    where, count = wheres.after([edit.right[0] for edit in group])
    piece = group[0].right[0]
    told = words.altered(changes)
    name = next(iter(changes))
    if isinstance(piece, Node) and list(changes) == [piece.op.main] and words.counts(changes):
        told = f"{words.values(changes[name])} {name.replace('_', ' ')}"
    what = "" if words.short(piece) == piece.name else f" ({words.short(piece)})"
    return f"{where}{what}: {told}{count}"


def _replaced(wheres: Wheres, group: Group, _changes: Changes) -> str:
    where, count = wheres.after([edit.right[0] for edit in group])
    old, new = words.label(group[0].left[0]), words.label(group[0].right[0])
    return f"{where}: `{new}` instead of `{old}`{count}" if old != new else f"{where}: another `{new}`{count}"


def _moved(wheres: Wheres, group: Group, _changes: Changes) -> str:
    where, count = wheres.after([edit.right[0] for edit in group])
    old, _ = wheres.before([edit.left[0] for edit in group])
    return f"{old} moved to {where}{count}"


def _rewired(wheres: Wheres, group: Group, changes: Changes) -> str:
    where, count = wheres.after([edit.right[0] for edit in group])
    told = [_read(*pairs[0]) for pairs in changes.values()]
    more = len(told) - MOST_OPERANDS
    shown = [*told[:MOST_OPERANDS], f"and {more} more operands"] if more > 1 else told
    return f"{where} {', '.join(shown)}{count}"


def _read(old: object, new: object) -> str:
    """What an operand was and is."""
    if old and new:
        return f"reads `{new}` instead of `{old}`"
    return f"reads `{new}` too" if new else f"no longer reads `{old}`"


def _wrapped(wheres: Wheres, group: Group, _changes: Changes) -> str:
    scopes = [edit.right[0] for edit in group]
    where, count = wheres.after(scopes)
    return f"{_inside(scopes[0])} put into a block, {where}{count}"


def _unwrapped(wheres: Wheres, group: Group, _changes: Changes) -> str:
    scopes = [edit.left[0] for edit in group]
    where, count = wheres.before(scopes)
    return f"{where} dissolved{count}: {_inside(scopes[0])} stand without a block"


def _input(wheres: Wheres, group: Group, changes: Changes) -> str:
    edit = group[0]
    if edit.left and edit.right:
        return f"input `{edit.name}`: {words.values(changes['type'])}"
    return f"input `{edit.name}` {'added' if edit.right else 'removed'}"


def _output(_wheres: Wheres, group: Group, changes: Changes) -> str:
    old, new = changes["value"][0]
    if old and new:
        return f"{group[0].name} is another value"
    return f"{group[0].name} {'added' if new else 'removed'}"


def _around(piece: Piece) -> Piece:
    around = piece.scope if isinstance(piece, Node) else piece.parent
    return around if around is not None else piece


def _inside(scope: Piece) -> str:
    items = scope.items if isinstance(scope, Scope) else []
    names = [f"`{item.name}`" for item in items if not isinstance(item, Skipped)]
    return ", ".join(names[:MOST_PLACES]) + (" …" if len(names) > MOST_PLACES else "")


_SENTENCES: Mapping[Kind, Callable[[Wheres, Group, Changes], str]] = {
    "added": _added,
    "removed": _removed,
    "changed": _changed,
    "replaced": _replaced,
    "repeated": _repeated,
    "moved": _moved,
    "rewired": _rewired,
    "wrapped": _wrapped,
    "unwrapped": _unwrapped,
    "input": _input,
    "output": _output,
}
