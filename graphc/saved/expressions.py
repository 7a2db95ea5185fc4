"""Expressions as lists: the kind, where it begins and ends in its text, and its parts."""

from __future__ import annotations

from dataclasses import fields

from graphc import expr
from graphc.expr import Expr
from graphc.saved.layout import Json
from graphc.saved.piece import Piece

KINDS: dict[str, type[Expr]] = {
    kind.__name__.lower(): kind
    for kind in (
        expr.Binary,
        expr.Broken,
        expr.Call,
        expr.Choice,
        expr.Comprehension,
        expr.Items,
        expr.Literal,
        expr.Member,
        expr.Name,
        expr.Slice,
        expr.Subscript,
        expr.Unary,
    )
}
DEEPEST = 200


def written(tree: Expr) -> Json:
    """`["name", 0, 5, "width"]`; a part that is an expression is a list as this, and several are a list of such."""
    return [_word(type(tree)), *(_part(getattr(tree, name)) for name in _names(type(tree)))]


def expression(piece: Piece, depth: int = 0) -> Expr:
    """The expression that was written so."""
    if depth > DEEPEST:
        piece.fail(f"an expression nests at most {DEEPEST} deep")
    parts = piece.items()
    if not parts:
        piece.fail("an expression has a kind")
    kind = KINDS[parts[0].one_of(list(KINDS))]
    names = _names(kind)
    _, *values = piece.items(len(names) + 1)
    made = {name: _read(kind, name, value, depth + 1) for name, value in zip(names, values, strict=True)}
    return kind(**made)  # type: ignore[arg-type]  # each is read as its field is declared


def _names(kind: type[Expr]) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind))


def _word(kind: type[Expr]) -> str:
    return kind.__name__.lower()


def _part(value: object) -> Json:
    if isinstance(value, Expr):
        return written(value)
    if isinstance(value, tuple):
        return [_part(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{value!r} is no part of an expression")


def _read(kind: type[Expr], name: str, piece: Piece, depth: int) -> object:
    """A part of an expression: of the kind that its name says."""
    said = str(kind.__annotations__.get(name, "int"))
    return _READERS[said](piece, depth) if said in _READERS else piece.fail("is no part of an expression")


def _whole(piece: Piece, depth: int) -> int:
    return piece.whole(0)


def _text(piece: Piece, depth: int) -> str:
    return piece.text()


def _literal(piece: Piece, depth: int) -> object:
    if isinstance(piece.value, (list, dict)):
        piece.fail("needs a number or a text")
    return piece.value


def _maybe(piece: Piece, depth: int) -> Expr | None:
    return None if piece.value is None else expression(piece, depth)


def _several(piece: Piece, depth: int) -> tuple[Expr, ...]:
    return tuple(expression(item, depth) for item in piece.items())


def _keywords(piece: Piece, depth: int) -> tuple[tuple[str, Expr], ...]:
    pairs = (item.items(2) for item in piece.items())
    return tuple((name.text(), expression(value, depth)) for name, value in pairs)


def _member(piece: Piece, depth: int) -> object:
    if isinstance(piece.value, list):
        return expression(piece, depth)
    return piece.whole() if isinstance(piece.value, int) else piece.text()


_READERS = {
    "int": _whole,
    "str": _text,
    "Literalish": _literal,
    "Expr": expression,
    "Expr | None": _maybe,
    "tuple[Expr, ...]": _several,
    "tuple[tuple[str, Expr], ...]": _keywords,
    "str | int | Expr": _member,
}
"""How a part is read, by its type as `graphc.expr` declares it."""
