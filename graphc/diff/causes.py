"""Why a number is another one: it was written otherwise, a parameter was set, or it follows from a shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import TypeAlias

from graphc.diff.matching import Matching
from graphc.dims import Dim, Size
from graphc.expr import Expr, Name
from graphc.graph import Binding, Node, Scope

Leaves: TypeAlias = dict[tuple[int, str], Binding]

DEEPEST = 64


@dataclass(frozen=True, slots=True)
class Cause:
    """What a change goes back to: a name of the spec and its values as texts, or nothing but the step itself.

    `follows` says that it had to change, for what it is applied to has another shape.
    """

    name: str = ""
    before: str = ""
    after: str = ""
    follows: bool = False

    def __str__(self) -> str:
        return f"{self.name}: {self.before} → {self.after}" if self.name else ""


OWN = Cause()
SHAPE = Cause(follows=True)


@dataclass(frozen=True, slots=True)
class Causes:
    """Finds causes in the names that expressions of the spec use, from the step out to the spec's own parameters."""

    matching: Matching

    def of_attribute(self, left: Node, right: Node, name: str) -> Cause:
        """The cause of an attribute's change."""
        before, after = left.written.get(name), right.written.get(name)
        if before is not None and after is not None:
            return self._between(_leaves(left.scope, before), _leaves(right.scope, after))
        return SHAPE if self._shaped(left, right, name) else OWN

    def of_count(self, left: Scope, right: Scope) -> Cause:
        """The cause of another number of copies."""
        cause = self._between(_of_group(left), _of_group(right))
        return OWN if cause.follows else cause

    def _between(self, before: Leaves, after: Leaves) -> Cause:
        """The outermost name that both have with other values; a shape where only sizes of inputs are others."""
        both = [key for key in before if key in after]
        changed = [key for key in both if shown(before[key].value) != shown(after[key].value)]
        named = [key for key in changed if before[key].source != "size"]
        if named:
            key = named[0]
            return Cause(key[1], shown(before[key].value), shown(after[key].value))
        return SHAPE if changed and before.keys() == after.keys() else OWN

    def _shaped(self, left: Node, right: Node, name: str) -> bool:
        """Whether each number that is another one went with a size of the operands, or of the block's inputs."""
        if name == left.op.main and isinstance(getattr(left.op, name), int):
            return False
        before, after = (_numbers(getattr(node.op, name, None)) for node in (left, right))
        moves = {pair for pair in _shapes(left, right) if pair[0] != pair[1]}
        if len(before) != len(after) or not moves:
            return False
        return all(_along(pair, moves) for pair in zip(before, after, strict=True) if pair[0] != pair[1])


def shown(value: object) -> str:
    """A value of a parameter as the spec would write it."""
    named = getattr(value, "name", None)
    if isinstance(named, str):
        return named
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(shown, value))}]"
    return str(value)


def _along(pair: tuple[object, object], moves: set[tuple[Size, Size]]) -> bool:
    """Whether two numbers are as far apart, or in the same ratio, as the sizes of something that changed."""
    before, after = pair
    if not isinstance(before, int) or not isinstance(after, int):
        return pair in moves
    plain = ((old, new) for old, new in moves if isinstance(old, int) and isinstance(new, int))
    return any(after - before == new - old or after * old == before * new for old, new in plain)


def _shapes(left: Node, right: Node) -> Iterator[tuple[Size, Size]]:
    """Sizes that belong together: of the operands, and those that the blocks around give names."""
    for mine, theirs in zip(left.operands, right.operands, strict=False):
        yield from zip(mine.type.shape, theirs.type.shape, strict=False)
    before, after = _around(left.scope), _around(right.scope)
    for name, bound in before.items():
        if bound.source == "size" and name in after:
            old, new = bound.value, after[name].value
            if isinstance(old, int | Dim) and isinstance(new, int | Dim):
                yield old, new


def _around(scope: Scope) -> dict[str, Binding]:
    """The names that are known at a place: those of the block, and of what is in it around the place."""
    found: dict[str, Binding] = {}
    around: Scope | None = scope
    while around is not None:
        found = around.bindings | found
        if around.kind in {"block", "root"}:
            break
        around = around.parent
    return found


def _leaves(scope: Scope, expression: Expr, depth: int = 0) -> Leaves:
    """The names that an expression goes back to, by how far out they are; the outermost come first."""
    found: Leaves = {}
    for name in _names(expression):
        place = _home(scope, name)
        if place is not None and depth < DEEPEST:
            found |= {key: bound for key, bound in _bound(place, name, depth).items() if key not in found}
    return found


def _bound(place: Scope, name: str, depth: int) -> Leaves:
    """What the value of a name goes back to, or the name itself. That of a loop is an item of its group's list."""
    bound = place.bindings[name]
    group = place.parent
    if bound.source == "loop" and group is not None and group.kind == "copies" and name in group.bindings:
        return _bound(group, name, depth + 1)
    outer = place.parent if bound.given or bound.source == "loop" else place
    if bound.expression is None or outer is None:
        return {(depth, name): bound}
    return _leaves(outer, bound.expression, depth + 1) or {(depth, name): bound}


def _of_group(group: Scope) -> Leaves:
    found: Leaves = {}
    for name, bound in group.bindings.items():
        if bound.expression is not None and group.parent is not None:
            found |= _leaves(group.parent, bound.expression)
        if name:
            found[-1, name] = bound
    return found


def _home(scope: Scope, name: str) -> Scope | None:
    """The scope that gives a name its value."""
    around: Scope | None = scope
    while around is not None:
        if name in around.bindings:
            return around
        around = None if around.kind == "block" else around.parent
    return None


def _names(expression: object) -> Iterator[str]:
    """The names in an expression."""
    if isinstance(expression, Name):
        yield expression.id
    elif isinstance(expression, tuple):
        for part in expression:
            yield from _names(part)
    elif is_dataclass(expression):
        for part in fields(expression):
            yield from _names(getattr(expression, part.name))


def _numbers(value: object) -> list[object]:
    if isinstance(value, tuple | list):
        return [number for part in value for number in _numbers(part)]
    return [value]
