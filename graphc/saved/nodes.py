"""Nodes that were saved, made again: each op checks its operands as when it was new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from graphc.diagnostics import did_you_mean
from graphc.dims import ComplexityError
from graphc.elaborate.build import Judgement, judge
from graphc.graph import Input, Value, WeightValue
from graphc.opaque import Calculated, Foreign
from graphc.ops import OPS, Op
from graphc.packages import PackageError
from graphc.saved import things
from graphc.saved.piece import Piece
from graphc.tensor import Tensor

INNER: dict[str, type[Op]] = {kind.name: kind for kind in (Calculated, Foreign, Input, WeightValue)}
"""The ops that no spec can name."""


def operation(piece: Piece) -> Op:
    """The op of a node, with its attributes."""
    kind = _kind(piece.at("op"))
    at = piece.at("attributes")
    given = {name: things.read_plain(each) for name, each in at.entries().items()}
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        at.fail(f"{'.'.join(map(str, first['loc']))} {first['msg'].replace('Input should', 'should')}")


def types(piece: Piece) -> Mapping[str, Tensor]:
    """What a node gives, by output."""
    found = {name: things.read_tensor(each) for name, each in piece.at("types").entries().items()}
    return found or piece.fail("a node gives something")


def require_fit(
    piece: Piece, op: Op, arguments: Sequence[Value | None], size: str, given: Mapping[str, Tensor]
) -> None:
    """The op takes these operands, and what it gives is what the file says; `size` names what only the data knows."""
    _require_operands(piece, op, arguments)
    judged = _judged(piece, op, tuple(None if value is None else value.type for value in arguments))
    for requirement in judged.requirements:
        if requirement.condition is False:
            piece.fail(f"{op.name}: {requirement.message}")
    found = judged.outputs(size)
    if found != given:
        said = ", ".join(f"{name} {each} of {each.dtype}".strip() for name, each in found.items())
        piece.at("types").fail(f"`{op.name}` gives {said}")


def _kind(piece: Piece) -> type[Op]:
    name = piece.text()
    try:
        return INNER.get(name) or OPS[name]
    except PackageError as error:
        piece.fail(str(error))
    except KeyError:
        piece.fail(f"no op `{name[:60]}`", did_you_mean(name, OPS))


def _require_operands(piece: Piece, op: Op, arguments: Sequence[Value | None]) -> None:
    """There are as many as the op takes, and those that it needs."""
    slots = op.slots() if not isinstance(op, Input) else ()
    is_open = any(slot.variadic for slot in slots)
    if len(arguments) > len(slots) and not is_open:
        piece.at("operands").fail(f"`{op.name}` takes {len(slots)} at most")
    given = dict(enumerate(arguments))
    for index, slot in enumerate(slots):
        if not (slot.variadic or slot.optional) and given.get(index) is None:
            piece.at("operands").fail(f"`{op.name}` needs `{slot.name}`")
    if is_open and None in arguments:
        piece.at("operands").fail(f"`{op.name}` takes no null")


def _judged(piece: Piece, op: Op, operands: tuple[Tensor | None, ...]) -> Judgement:
    try:
        return judge(op, operands)
    except (ComplexityError, ZeroDivisionError) as error:
        piece.fail(f"{op.name}: {error}")
