"""The parts of a graph that are data alone: types, weights, attributes, places; each written, and beside it read.

A number, a text, true, false, null and a list are written as they are; all else is a mapping with one key, its kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import get_args

from graphc.diagnostics import Diagnostic, Note, Source, Span
from graphc.dims import ComplexityError, Dim, Size
from graphc.elaborate.build import is_bounded
from graphc.graph import Value
from graphc.saved.layout import Json
from graphc.saved.piece import Piece
from graphc.saved.sizes import SizeError, size_of
from graphc.tensor import Bilinear, Constant, DType, Gaussian, Initial, Normal, Tensor, Uniform, Weight

DTYPES: tuple[DType, ...] = get_args(DType)
INITIALS: dict[str, type[Initial]] = {
    "bilinear": Bilinear,
    "constant": Constant,
    "gaussian": Gaussian,
    "normal": Normal,
    "uniform": Uniform,
}


@dataclass(frozen=True, slots=True)
class Other:
    """What a name stands for that is no number, text or list: a step, or what one gave."""

    said: str

    def __str__(self) -> str:
        return self.said


# --- sizes and types


def size(value: Size) -> Json:
    """A number, or the text of a formula."""
    return value if isinstance(value, int) else str(value)


def read_size(piece: Piece) -> Size:
    if not isinstance(piece.value, str):
        found: Size = piece.whole()
    else:
        try:
            found = size_of(piece.value)
        except (SizeError, ComplexityError) as error:
            piece.fail(str(error))
    if not is_bounded(found):
        piece.fail("the size is larger than 2**62, or has too many parts")
    return found


def tensor(value: Tensor) -> Json:
    return {"shape": [size(each) for each in value.shape], "dtype": value.dtype}


def read_tensor(piece: Piece) -> Tensor:
    shape = tuple(read_size(each) for each in piece.at("shape").items())
    return Tensor(shape, piece.at("dtype").one_of(DTYPES))


def weight(value: Weight) -> Json:
    return {
        "shape": [size(each) for each in value.shape],
        "dtype": value.dtype,
        "buffer": value.buffer,
        "initial": initial(value.initial),
    }


def read_weight(piece: Piece) -> Weight:
    made = read_tensor(piece)
    return Weight(made.shape, read_initial(piece.at("initial")), made.dtype, piece.at("buffer").flag())


def initial(value: Initial) -> Json:
    kind = next(word for word, each in INITIALS.items() if isinstance(value, each))
    return {kind: {each.name: plain(getattr(value, each.name)) for each in fields(value)}}


def read_initial(piece: Piece) -> Initial:
    kind, values = _one(piece)
    if kind not in READ:
        piece.fail(f"no initial values `{kind}`")
    return READ[kind](values)


def _normal(values: Piece) -> Normal:
    row, limits = values.at("zero_row").or_none(Piece.whole), values.at("limits").or_none(_pair)
    return Normal(values.at("mean").real(), values.at("std").real(), row, limits)


READ: dict[str, Callable[[Piece], Initial]] = {
    "bilinear": lambda _: Bilinear(),
    "constant": lambda values: Constant(values.at("value").real()),
    "gaussian": lambda values: Gaussian(values.at("std").real(), values.at("mean").real()),
    "normal": _normal,
    "uniform": lambda values: Uniform(values.at("bound").real(), values.at("middle").real()),
}
"""How the initial values of a weight are read, by their kind."""


def _pair(piece: Piece) -> tuple[float, float]:
    low, high = piece.items(2)
    return low.real(), high.real()


# --- attributes and what names stand for


def plain(value: object) -> Json:
    """An attribute, or what a name stands for."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if abs(value) < float("inf") else {"float": str(value)}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    for kind, (type_, write, _) in _KINDS.items():
        if isinstance(value, type_):
            return {kind: write(value)}
    return {"other": _said(value)}


def read_plain(piece: Piece) -> object:
    """The same, with tuples for lists."""
    if isinstance(piece.value, list):
        return tuple(read_plain(item) for item in piece.items())
    if not isinstance(piece.value, dict):
        return piece.value
    kind, value = _one(piece)
    if kind == "float":
        return float(value.one_of(("inf", "-inf", "nan")))
    if kind == "other":
        return Other(value.text())
    return _KINDS[kind][2](value) if kind in _KINDS else piece.fail(f"there is no kind `{kind}`")


def read_listed(piece: Piece) -> object:
    """What a name stands for: lists stay lists."""
    return _as_lists(read_plain(piece))


def _as_lists(value: object) -> object:
    return [_as_lists(item) for item in value] if isinstance(value, tuple) else value


_KINDS: dict[str, tuple[type, Callable[..., Json], Callable[[Piece], object]]] = {
    "size": (Dim, size, read_size),
    "tensor": (Tensor, tensor, read_tensor),
    "weight": (Weight, weight, read_weight),
}
"""How what is no plain number is written and read."""


def _said(value: object) -> str:
    """What stands for a step or a value, which no backend reads."""
    if isinstance(value, Value):
        return value.path
    return str(getattr(value, "name", None) or (value if isinstance(value, Other) else type(value).__name__.lower()))


def _one(piece: Piece) -> tuple[str, Piece]:
    """The one key of a mapping, and what it has."""
    found = piece.entries()
    if len(found) != 1:
        piece.fail("needs one key")
    return next(iter(found.items()))


# --- places


def span(value: Span) -> Json:
    """`file:line:column-end`."""
    return f"{value.file}:{value.line}:{value.column}-{value.end}"


def read_span(piece: Piece, sources: Mapping[str, Source]) -> Span:
    place, _, end = piece.text().rpartition("-")
    file, line, column = (["", "", "", *place.rsplit(":", 2)])[-3:]
    if not all(number.isdecimal() and len(number) < 10 for number in (line, column, end)):
        piece.fail("a place is file:line:column-end")
    return Span(file, int(line), int(column), int(end), sources.get(file) or Source(file, ""))


def note(value: Note) -> Json:
    return {"message": value.message, "span": None if value.span is None else span(value.span)}


def read_note(piece: Piece, sources: Mapping[str, Source]) -> Note:
    place = piece.at("span").or_none(lambda each: read_span(each, sources))
    return Note(piece.at("message").text(), place)


def diagnostic(value: Diagnostic) -> Json:
    return {
        "code": value.code,
        "severity": value.severity,
        "message": value.message,
        "span": span(value.span),
        "notes": [note(each) for each in value.notes],
        "hint": value.hint,
    }


def read_diagnostic(piece: Piece, sources: Mapping[str, Source]) -> Diagnostic:
    return Diagnostic(
        piece.at("code").text(),
        piece.at("message").text(),
        read_span(piece.at("span"), sources),
        tuple(read_note(each, sources) for each in piece.at("notes").items()),
        piece.at("hint").text(),
        piece.at("severity").one_of(("error", "warning")),
    )
