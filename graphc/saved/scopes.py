"""The tree of scopes, made again: first the scopes themselves, then, when there are nodes, what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args

from graphc.diagnostics import Source
from graphc.expr import Expr
from graphc.graph import Binding, Item, Kind, Node, Scope, Skipped, Value
from graphc.saved import things
from graphc.saved.expressions import expression
from graphc.saved.names import require_keys, require_name
from graphc.saved.piece import Piece

KINDS: tuple[Kind, ...] = get_args(Kind)
SOURCES = ("parameter", "size", "let", "loop")
DEEPEST = 200


@dataclass(slots=True)
class Scopes:
    """The scopes of a part. `pieces` is where each was read, `homes` the scope that names a node among its items."""

    sources: Mapping[str, Source]
    values: Mapping[str, Value]
    pieces: dict[Scope, Piece] = field(default_factory=dict)
    homes: dict[str, Scope] = field(default_factory=dict)
    paths: set[str] = field(default_factory=set)
    root: Scope | None = None

    def tree(self, piece: Piece, parent: Scope | None = None, depth: int = 0) -> Scope:
        """A scope and those below it, without nodes yet."""
        if depth > DEEPEST:
            piece.fail(f"scopes nest at most {DEEPEST} deep")
        made = self.pieces_of(piece, parent)
        self.root = self.root or made
        self.pieces[made] = piece
        for item in piece.at("items").items():
            if isinstance(item.value, str):
                self.claim(item, made)
            elif item.may("skipped") is None:
                self.tree(item, made, depth + 1)
        return made

    def pieces_of(self, piece: Piece, parent: Scope | None) -> Scope:
        """A scope by itself."""
        name, path = require_name(piece.at("name"), piece.at("name").text()), piece.at("path").text()
        around = f"{parent.path}." if parent and parent.path else ""
        if path != (f"{around}{name}" if parent else ""):
            piece.at("path").fail("a scope's path ends in its name, behind the path of the scope around it")
        if path in self.paths:
            piece.at("path").fail(f"`{path}` stands for another scope")
        self.paths.add(path)
        home = piece.may("home")
        label = piece.at("label").text()
        return Scope(
            name=name,
            path=path,
            kind=piece.at("kind").one_of(KINDS),
            definition=piece.at("definition").text(),
            label=require_name(piece.at("label"), label) if label else label,
            span=things.read_span(piece.at("span"), self.sources),
            parent=parent,
            doc=text_or_empty(piece, "doc"),
            condition=maybe_expression(piece, "condition"),
            bindings=bindings(piece),
            home=path if home is None else home.text(),
        )

    def claim(self, piece: Piece, scope: Scope) -> None:
        """A node belongs to one scope."""
        if piece.text() in self.homes:
            piece.fail(f"`{piece.text()[:60]}` is in two scopes")
        self.homes[piece.text()] = scope

    def around(self, name: str, piece: Piece) -> Scope:
        """The scope that a node is in; inputs stand in the root."""
        found = self.homes.get(name, self.root)
        return piece.fail("there is no scope") if found is None else found

    def fill(self, nodes: Mapping[str, Node]) -> None:
        """Puts the nodes into their scopes, and gives the values their names."""
        for scope, piece in self.pieces.items():
            inner = iter([each for each in self.pieces if each.parent is scope])
            scope.items = [
                self.item(item, nodes) if isinstance(item.value, str) or item.may("skipped") else next(inner)
                for item in piece.at("items").items()
            ]
            scope.inputs = self.named(piece, "inputs")
            scope.outputs = self.named(piece, "outputs")
            scope.lets = self.named(piece, "lets")

    def item(self, piece: Piece, nodes: Mapping[str, Node]) -> Item:
        """A node, or a step that is skipped."""
        if isinstance(piece.value, str):
            found = nodes.get(piece.value)
            return piece.fail(f"there is no node `{piece.value[:60]}`") if found is None else found
        at = piece.at("skipped")
        condition = at.at("condition")
        return Skipped(
            require_name(at, at.at("name").text()),
            expression(condition),
            things.read_span(at.at("span"), self.sources),
            at.at("value").or_none(self.value),
        )

    def named(self, piece: Piece, key: str) -> dict[str, Value]:
        """The values that a scope gives names."""
        found = piece.may(key)
        return {} if found is None else {name: self.value(each) for name, each in require_keys(found).entries().items()}

    def value(self, piece: Piece) -> Value:
        found = self.values.get(piece.text())
        return piece.fail(f"there is no value `{piece.text()[:60]}`") if found is None else found


def bindings(piece: Piece) -> dict[str, Binding]:
    """The numbers that a scope gives names; that of copies has none where nothing but their number is said."""
    found = piece.may("bindings")
    entries = {} if found is None else found.entries()
    return {name and require_name(each, name): binding(each) for name, each in entries.items()}


def binding(piece: Piece) -> Binding:
    given, default = piece.may("given"), piece.may("default")
    number = None if default is None else default.value
    if not (number is None or isinstance(number, (bool, int, float))):
        piece.at("default").fail("needs a number")
    return Binding(
        things.read_listed(piece.at("value")),
        piece.at("source").one_of(("parameter", "size", "let", "loop")),
        maybe_expression(piece, "expression"),
        given is not None and given.flag(),
        number,
    )


def text_or_empty(piece: Piece, key: str) -> str:
    """The text under a key that may be left out."""
    found = piece.may(key)
    return "" if found is None else found.text()


def maybe_expression(piece: Piece, key: str) -> Expr | None:
    """The expression under a key that may be left out."""
    found = piece.may(key)
    return None if found is None else expression(found)


def expressions(piece: Piece, key: str) -> dict[str, Expr]:
    """The expressions by name under a key that may be left out."""
    found = piece.may(key)
    return {} if found is None else {name: expression(each) for name, each in found.entries().items()}
