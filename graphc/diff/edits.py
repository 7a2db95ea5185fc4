"""The edits as they are told: the same at several places once, and what has one cause together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from graphc.diff import words
from graphc.diff.connected import connected
from graphc.diff.found import Found, Kind, is_flat
from graphc.diff.matching import Matching
from graphc.diff.places import place_of
from graphc.diff.sentences import Wheres, sentence
from graphc.diff.side import Piece
from graphc.diff.wholes import Whole
from graphc.graph import Scope

SIGNS = {"added": "+", "removed": "-", "moved": ">", "wrapped": ">", "unwrapped": ">", "rewired": ">"}
Key = tuple[object, ...]
MOST_VALUES = 80
"""So many characters of what a setting was and is."""


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit as a person would tell it.

    `before` and `after` are the paths that it is about on either side, `changes` what was and is, by attribute.
    `cause` says which setting of the spec it goes back to. `ops` have other shapes for it, `weights` of them too.
    `brief` is the text for a sentence, where that is another one.
    """

    kind: Kind | str
    text: str
    cost: int
    before: tuple[str, ...]
    after: tuple[str, ...]
    changes: Mapping[str, tuple[tuple[object, object], ...]] = field(default_factory=dict)
    cause: str = ""
    details: tuple[Edit, ...] = ()
    ops: int = 0
    weights: int = 0
    brief: str = ""

    @property
    def sentence(self) -> str:
        """The edit in the words of a sentence: of several details the weightiest."""
        if self.details and self.kind == "repeated":
            return max(self.details, key=lambda edit: edit.cost).text
        return self.brief or self.text

    @property
    def sign(self) -> str:
        """+ added, - removed, ~ changed, > moved."""
        return SIGNS.get(self.kind, "~")


@dataclass(slots=True)
class Teller:
    """Puts edits together; `grouped` says which edit tells a find, by its identity.

    `wholes` has the number of the whole that a find is part of, where finds that hang together are told as one
    (`is_whole`).
    """

    matching: Matching
    wheres: Wheres
    is_whole: bool = True
    grouped: dict[int, int] = field(default_factory=dict)
    wholes: dict[int, int] = field(default_factory=dict)

    def edits(self, found: Sequence[Found]) -> list[Edit]:
        """The edits in their order, by what they have in common."""
        groups: dict[Key, list[Found]] = {}
        if self.is_whole:
            self.wholes = connected(self.matching, [it for it in found if self._block(it) is None], self._key)
        for edit in found:
            groups.setdefault(self._headline(edit), []).append(edit)
        groups = self._alike(groups)
        for number, group in enumerate(groups.values()):
            self.grouped.update((id(edit), number) for edit in group)
        return [self._told(key, group) for key, group in groups.items()]

    def _alike(self, groups: Mapping[Key, list[Found]]) -> dict[Key, list[Found]]:
        """Groups put together that say the same of places with other names."""
        found: dict[Key, list[Found]] = {}
        for key, group in groups.items():
            values = tuple(sorted({str(dict(edit.changes)) for edit in group}))
            same = (key[0], key[2:], values) if key[0] in {"added", "removed", "changed", "replaced"} else key
            found.setdefault(same, []).extend(group)
        return found

    def _headline(self, edit: Found) -> Key:
        """What an edit is told under: a block that is another one, a whole, a cause, or itself."""
        block = self._block(edit)
        if block is not None:
            return "block", None, block[0].label, block[1].label
        if id(edit) in self.wholes:
            return "whole", self.wholes[id(edit)]
        if edit.cause and edit.cause.name and edit.kind in {"changed", "repeated"}:
            return "cause", edit.cause
        return self._key(edit)

    def _block(self, edit: Found) -> tuple[Scope, Scope] | None:
        """The outermost block around an edit that is another one on the other side."""
        if is_flat(self.matching.left) or is_flat(self.matching.right):
            return None
        found = None
        side, pieces = (self.matching.right, edit.right) if edit.right else (self.matching.left, edit.left)
        around = side.parent(pieces[0]) if pieces else None
        while around is not None and around.parent is not None:
            pair = self._pair(around)
            if pair and pair[0].kind == pair[1].kind == "block" and pair[0].label != pair[1].label:
                found = pair
            around = around.parent
        return found

    def _pair(self, scope: Scope) -> tuple[Scope, Scope] | None:
        other = self.matching.back.get(scope)
        if isinstance(other, Scope):
            return other, scope
        there = self.matching.scope(scope)
        return (scope, there) if there else None

    def _key(self, edit: Found) -> Key:
        """What makes two edits the same but for the copy that they are in."""
        pieces = edit.right or edit.left
        names = place_of(pieces[0]).names if pieces else ()
        if edit.kind in {"added", "removed"}:
            what = tuple((piece.name, words.short(piece)) for piece in pieces)
            return edit.kind, names, what, self._after(edit) if edit.right else ""
        if edit.kind == "replaced":
            return edit.kind, names, words.short(edit.left[0]), words.short(edit.right[0])
        if edit.kind in {"moved", "wrapped", "unwrapped"}:
            return edit.kind, names, place_of(edit.left[0]).names if edit.left else ()
        if edit.kind in {"input", "output"}:
            return edit.kind, edit.name, edit.left, edit.right
        return edit.kind, names, words.short(pieces[0]), tuple(edit.changes)

    def _after(self, edit: Found) -> str:
        return self.wheres.behind((edit.right or edit.left)[0], is_new=bool(edit.right))

    def _told(self, key: Key, group: Sequence[Found]) -> Edit:
        if key[0] == "block":
            return self._as_block(key, group)
        if key[0] == "whole":
            return self._as_whole(group)
        if key[0] == "cause":
            return self._as_cause(group)
        return self._one(group)

    def _as_block(self, key: Key, group: Sequence[Found]) -> Edit:
        pairs = {pair[1]: pair[0] for pair in map(self._block, group) if pair}
        where, count = self.wheres.after(list(pairs))
        verb = " is" if len({place_of(scope).names for scope in pairs}) == 1 else ":"
        text = f"{where}{verb} {words.a(str(key[3]))} instead of {words.a(str(key[2]))}{count}"
        return self._with_details("changed", text, group, list(pairs.values()), list(pairs))

    def _as_whole(self, group: Sequence[Found]) -> Edit:
        whole = Whole(self.matching, self.wheres, group, self._key)
        return replace(self._with_details(whole.kind, whole.text, group, [], []), brief=whole.brief)

    def _as_cause(self, group: Sequence[Found]) -> Edit:
        cause = group[0].cause
        details = self._details(group)
        if len(details) == 1:
            return details[0] if all(map(_says, group)) else replace(details[0], cause=str(cause))
        kind = "repeated" if all(edit.kind == "repeated" for edit in group) else "changed"
        name, _, values = str(cause).partition(": ")
        text = f"`{name}`: {values}" if len(values) <= MOST_VALUES else f"`{name}` has other values"
        return replace(self._with_details(kind, text, group, [], []), cause=str(cause))

    def _with_details(
        self, kind: str, text: str, group: Sequence[Found], before: Sequence[Piece], after: Sequence[Piece]
    ) -> Edit:
        details = self._details(group)
        mine = _paths(before) or tuple(path for detail in details for path in detail.before)
        theirs = _paths(after) or tuple(path for detail in details for path in detail.after)
        return Edit(kind, text, sum(it.cost for it in group), mine, theirs, details=tuple(details))

    def _details(self, group: Sequence[Found]) -> list[Edit]:
        groups: dict[Key, list[Found]] = {}
        for edit in group:
            groups.setdefault(self._key(edit), []).append(edit)
        return sorted(map(self._one, self._alike(groups).values()), key=lambda edit: -edit.cost)

    def _one(self, group: Sequence[Found]) -> Edit:
        """The same edit at one or more places."""
        first = group[0]
        changes = {name: tuple(edit.changes[name] for edit in group) for name in first.changes}
        before, after = [edit.left for edit in group], [edit.right for edit in group]
        text = sentence(self.wheres, group, changes)
        paths = _paths([it for row in before for it in row]), _paths([it for row in after for it in row])
        causes = {str(edit.cause) for edit in group if edit.cause and not _says(edit)}
        cause = causes.pop() if len(causes) == 1 else ""
        return Edit(first.kind, text, sum(it.cost for it in group), *paths, changes, cause)


def _says(edit: Found) -> bool:
    """Whether the change itself says its cause."""
    cause = edit.cause
    values = edit.changes.get(cause.name) if cause else None
    return values is not None and cause is not None and (str(values[0]), str(values[1])) == (cause.before, cause.after)


def _paths(pieces: Sequence[Piece]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(piece.path for piece in pieces))
