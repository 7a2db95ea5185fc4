"""What a saved graph says of itself: sizes, demands, expectations, losses, initial values, tables of weights."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import fields
from itertools import chain
from typing import get_args

from pydantic import ValidationError

from graphc.checkpoint.origins import OPERATIONS, MisfitError, Origin
from graphc.demands import Relation, Rule, at_least
from graphc.diagnostics import Source
from graphc.dims import symbols
from graphc.distributions import DISTRIBUTIONS
from graphc.graph import (
    Demand,
    ExpectedFigure,
    ExpectedShape,
    Figure,
    FreeSize,
    Graph,
    InitRule,
    Loss,
    Value,
)
from graphc.saved import things
from graphc.saved.names import require_name
from graphc.saved.piece import Piece
from graphc.tensor import Tensor

LARGEST = 1 << 62
FIGURES: tuple[Figure, ...] = get_args(Figure)
PROMISES = ("multiple", "plus", "min")


def free_size(name: str, piece: Piece, sources: Mapping[str, Source]) -> FreeSize:
    require_name(piece, name)
    at = piece.at("rule")
    rule = Rule(number(at.at("multiple"), 1), number(at.at("plus"), 0), number(at.at("min"), 0))
    promises = frozenset(each.one_of(PROMISES) for each in piece.at("promises").items())
    example = number(piece.at("example"), 1)
    return FreeSize(name, example, rule, promises, things.read_span(piece.at("span"), sources))


def number(piece: Piece, least: int) -> int:
    """A number that can be calculated with."""
    found = piece.whole(least)
    return found if found <= LARGEST else piece.fail("the number is too large")


def require_sizes(piece: Piece, types: Iterable[Tensor], known: Container[str]) -> None:
    """All free sizes are those of the graph."""
    for name in chain.from_iterable(symbols(size) for each in types for size in each.shape):
        if name not in known:
            piece.fail(f"`{name[:60]}` is no size of the graph")


def require_positive(piece: Piece, types: Iterable[Tensor]) -> None:
    """No size of an input is certain to be less than 1."""
    for size in chain.from_iterable(each.shape for each in types):
        if at_least(size, 1) is False:
            piece.fail(f"a size of {size} is not positive")


def demand(piece: Piece, sources: Mapping[str, Source], known: Container[str]) -> Demand:
    left, kind, right = piece.at("relation").items(3)
    sizes = things.read_size(left), things.read_size(right)
    require_sizes(piece.at("relation"), [Tensor(sizes)], known)
    notes = tuple(things.read_note(each, sources) for each in piece.at("notes").items())
    return Demand(
        Relation(sizes[0], kind.one_of(("==", ">=")), sizes[1]),
        piece.at("path").text(),
        things.read_span(piece.at("span"), sources),
        piece.at("message").text(),
        notes,
        piece.at("strict").flag(),
    )


def expected(
    piece: Piece, sources: Mapping[str, Source], outputs: Mapping[str, Value]
) -> ExpectedFigure | ExpectedShape:
    span = things.read_span(piece.at("span"), sources)
    figure = piece.may("figure")
    if figure is None:
        shape = tuple(things.read_size(each) for each in piece.at("shape").items())
        return ExpectedShape(piece.at("output").one_of(list(outputs)), shape, span)
    text = piece.at("text").text()
    if not text.replace("_", "").replace(".", "").replace("e", "").replace("+", "").isdecimal() or len(text) > 40:
        piece.at("text").fail("needs a count")
    return ExpectedFigure(figure.one_of(FIGURES), text, span)


def loss(piece: Piece, values: Mapping[str, Value]) -> Loss:
    name = require_name(piece, piece.at("name").text())
    at = piece.at("value")
    value = values.get(at.text())
    if value is None:
        at.fail(f"there is no value `{at.text()[:60]}`")
    return Loss(name, value, tuple(each.text() for each in piece.at("trains").items()), texts(piece.at("trained")))


def texts(piece: Piece) -> frozenset[str]:
    return frozenset(each.text() for each in piece.items())


def rule(piece: Piece) -> InitRule:
    """A distribution for weights."""
    kind = DISTRIBUTIONS[piece.at("distribution").one_of(list(DISTRIBUTIONS))]
    at = piece.at("arguments")
    given = {name: things.read_plain(each) for name, each in at.entries().items()}
    try:
        made = kind.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        at.fail(f"{'.'.join(map(str, first['loc']))} {first['msg'].replace('Input should', 'should')}")
    paths = tuple(each.text() for each in piece.at("paths").items())
    return InitRule(piece.at("op").text(), made, paths)


def origins(piece: Piece) -> dict[str, Origin]:
    return {path: origin(each) for path, each in piece.entries().items()}


def origin(piece: Piece) -> Origin:
    """What a weight is in a file."""
    word = piece.at("operation").one_of(["", *OPERATIONS])
    kind = OPERATIONS.get(word, Origin)
    given = {each.name: things.read_plain(piece.at(each.name)) for each in fields(kind)[1:]}
    at = piece.at("names").items()
    names = tuple(origin(each) if isinstance(each.value, dict) else each.text() for each in at)
    if not names:
        piece.at("names").fail("needs names of tensors")
    for name, value in given.items():
        several = value if isinstance(value, tuple) else (value,)
        default = next(each.type for each in fields(kind) if each.name == name)
        is_fit = isinstance(value, tuple) == str(default).startswith("tuple")
        if not is_fit or not all(isinstance(each, int) and not isinstance(each, bool) for each in several):
            piece.at(name).fail("needs whole numbers")
    try:
        return kind(names, **given)
    except MisfitError as error:
        piece.fail(str(error))


def require_weights(piece: Piece, graph: Graph) -> None:
    """The weights that the file lists are those that the ops have."""
    lists = (("weights", graph.weights), ("training_weights", graph.training_weights))
    for key, found in lists:
        at = piece.at(key)
        listed = {path: things.read_weight(each) for path, each in at.entries().items()}
        own = dict(found())
        for path in [*own, *listed]:
            if own.get(path) != listed.get(path):
                at.fail(f"`{path[:60]}` is not what its op owns")
