"""What an edit is called: plain sentences without a full stop, names in backquotes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from graphc.diagnostics import listed
from graphc.diff.causes import shown
from graphc.diff.side import Piece
from graphc.graph import Node, Scope
from graphc.words import attributes, unnumbered

MOST_VALUES = 4


def called(piece: Piece) -> str:
    """A piece by its name, and by what it is where the name doesn't say that."""
    what, name = label(piece), unnumbered(piece.name)
    if what == name or what.startswith(f"{name} "):
        what = what.removeprefix(name).strip()
    return f"{named(piece)} ({what})" if what else named(piece)


def named(piece: Piece) -> str:
    """A piece by its name; a copy has but a number."""
    return f"copy `{piece.name}`" if piece.name.isdecimal() else f"`{piece.name}`"


def a(name: str) -> str:
    """A name with its article."""
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} `{name}`"


def counts(changes: Mapping[str, Sequence[tuple[object, object]]]) -> bool:
    """Whether all values are whole numbers."""
    return all(type(it) is int for pairs in changes.values() for pair in pairs for it in pair)


def label(piece: Piece) -> str:
    """What a piece is: its op with its attributes, or its block."""
    if isinstance(piece, Node):
        return " ".join((piece.op.name, ", ".join(attributes(piece)))).strip()
    return piece.label if piece.kind == "block" else ""


def short(piece: Piece) -> str:
    """What a piece is, without numbers."""
    return piece.op.name if isinstance(piece, Node) else label(piece)


def pieces(rows: Sequence[Sequence[Piece]]) -> str:
    """The pieces of several places, of which each has as many; attributes only where they are the same."""
    told = []
    for column in zip(*rows, strict=True):
        names = {called(piece) for piece in column}
        first = column[0]
        plain = named(first)
        if short(first) not in {"", unnumbered(first.name)}:
            plain += f" ({short(first)})"
        told.append(names.pop() if len(names) == 1 else plain)
    return listed(told) if len(told) <= MOST_VALUES else f"{told[0]} to {told[-1]} ({len(told)} ops)"


def values(pairs: Sequence[tuple[object, object]]) -> str:
    """What a number was and is: `64 → 128`, or what several have in common: `×2 (64 → 128 … 512 → 1024)`."""
    distinct = list(dict.fromkeys((value(before), value(after)) for before, after in pairs))
    told = [f"{before} → {after}" for before, after in distinct]
    ratio = _ratio(pairs)
    if len(told) == 1:
        return told[0]
    if ratio:
        return f"×{ratio} ({told[0]} … {told[-1]})"
    return ", ".join(told) if len(told) <= MOST_VALUES else f"{told[0]} … {told[-1]}"


def value(it: object) -> str:
    """An attribute's value as a person writes it."""
    if isinstance(it, tuple):
        return "×".join(map(value, it)) if it and all(isinstance(part, int) for part in it) else shown(it)
    return f"{it:g}" if isinstance(it, float) else shown(it)


def _ratio(pairs: Sequence[tuple[object, object]]) -> str:
    """By what all numbers were multiplied."""
    ratios = {
        after / before for before, after in pairs if isinstance(before, int) and isinstance(after, int) and before
    }
    plain = all(isinstance(it, int) and not isinstance(it, bool) for pair in pairs for it in pair)
    return f"{ratios.pop():g}" if plain and len(ratios) == 1 else ""


def altered(changes: Mapping[str, Sequence[tuple[object, object]]]) -> str:
    """Attributes and how they changed."""
    return ", ".join(f"{name} {values(pairs)}" for name, pairs in changes.items())


def sibling(piece: Piece, around: Scope) -> Piece | None:
    """The item of a scope that holds a piece."""
    current: Piece | None = piece
    while current is not None:
        parent = current.scope if isinstance(current, Node) else current.parent
        if parent is around:
            return current
        current = parent
    return None


def producers(piece: Piece) -> Iterator[Node]:
    """The nodes outside a piece that it reads."""
    inside = set(piece.nodes()) if isinstance(piece, Scope) else {piece}
    for node in inside:
        for operand in node.operands:
            if operand.node not in inside:
                yield operand.node


def after(piece: Piece, order: Mapping[Node, int]) -> str:
    """The name of the item in the same scope that a piece reads, the last where there are several; else nothing."""
    around = piece.scope if isinstance(piece, Node) else piece.parent
    nodes = sorted(producers(piece), key=lambda node: order[node])
    beside = [it for it in (sibling(node, around) for node in nodes) if it is not None] if around else []
    return beside[-1].name if beside else ""


def count(number: int) -> str:
    """A count in few digits: 1.23 G."""
    for size, sign in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.3g} {sign}"
    return str(number)
