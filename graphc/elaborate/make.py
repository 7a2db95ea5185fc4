"""Makes ops from evaluated attributes; what is wrong with an attribute is reported at its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from graphc.diagnostics import Span, did_you_mean, listed
from graphc.dims import Dim
from graphc.distributions import Distribution
from graphc.elaborate.build import Build
from graphc.elaborate.things import Arguments, Failed, Thing, spoken
from graphc.ops import Op

Kind: TypeAlias = type[Op] | type[Distribution]
_Made = TypeVar("_Made", Op, Distribution)


def make(build: Build, kind: type[_Made], arguments: Arguments, span: Span) -> _Made:
    """The op or the distribution with these attributes; `span` is its place.

    Raises:
        Failed: an attribute is missing or wrong; reported.
    """
    data = {name: _attribute(build, name, item.thing, item.span) for name, item in arguments.items.items()}
    try:
        made = kind.model_validate(data)
    except ValidationError as error:
        for details in _one_each(error.errors()):
            _report(build, kind, details, arguments, span)
        raise Failed from error
    if arguments.incomplete:
        raise Failed
    return made


def require_operands(build: Build, op: Op, operands: Sequence[object], span: Span) -> None:
    """The op takes so many operands, and those that it needs are not none.

    Raises:
        Failed: it does not; reported.
    """
    slots, given = op.slots(), len(operands)
    least = sum(not (slot.optional or slot.variadic) for slot in slots)
    most = given if any(slot.variadic for slot in slots) else len(slots)
    if not least <= given <= most:
        wanted = ", ".join(f"`{slot.name}`" for slot in slots)
        build.fail("E405", f"`{op.name}` takes {wanted}, got {given} operands", span)
    for index, operand in enumerate(operands):
        slot = slots[min(index, len(slots) - 1)]
        if operand is None and not slot.optional:
            build.fail("E405", f"`{op.name}` needs `{slot.name}`, which is none here", span)


def _attribute(build: Build, name: str, thing: Thing, span: Span) -> object:
    if isinstance(thing, list):
        return tuple(_attribute(build, name, item, span) for item in thing)
    if not isinstance(thing, (int, float, str, Dim)) and thing is not None:
        build.fail("E404", f"{name}: an attribute is a number or a text, not {spoken(thing)}", span)
    return thing


def _one_each(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """One error an attribute: a union reports one for each of its members, the one furthest inside says most."""
    best: dict[int | str, ErrorDetails] = {}
    for error in errors:
        name = error["loc"][0]
        if name not in best or len(error["loc"]) > len(best[name]["loc"]):
            best[name] = error
    return list(best.values())


def _report(
    build: Build, kind: type[Op] | type[Distribution], error: ErrorDetails, arguments: Arguments, span: Span
) -> None:
    name = str(error["loc"][0])
    if error["type"] == "missing" and len(error["loc"]) == 1:
        if not arguments.incomplete:
            build.report("E403", f"`{kind.name}` needs `{name}`", span, f"- {kind.name}: {{{name}: …}}")
        return
    given = arguments.items[name]
    if isinstance(error["input"], Dim):
        build.report("E404", f"{name}: the size {error['input']} is free; an attribute must be fixed", given.span)
        return
    message = error["msg"].replace("Input should", "should")
    build.report("E404", f"{name} {message}, got {_said(error['input'])}", given.span, _hint(given.thing))


def unknown_attribute(name: str, known: list[str]) -> str:
    """The hint for an attribute or a parameter that there is not."""
    if name in _BESIDE:
        return f"`{name}` stands beside the op, in the same column"
    if name in _ELSEWHERE:
        instead = _ELSEWHERE[name]
        return f"here it is `{instead}`" if instead in known else "it follows from the input and is not written"
    return did_you_mean(name, known, f"it has {listed([f'`{k}`' for k in known])}" if known else "it takes none")


_BESIDE = ("id", "from", "for", "repeat", "when")
_ELSEWHERE = {
    "filters": "out_channels",
    "units": "out_features",
    "strides": "stride",
    "pool_size": "kernel_size",
    "in_channels": "",
    "in_features": "",
    "num_features": "",
}
"""Attributes of other tools, and what they are here; nothing where the size follows from the input."""


def _hint(thing: Thing) -> str:
    if isinstance(thing, float) and thing.is_integer():
        return f"write {int(thing)}, and `//` where whole numbers are divided"
    return ""


def _said(value: object) -> str:
    """An attribute's value as an error shows it."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_said, value))}]"
    return spoken(value) if isinstance(value, (bool, str)) or value is None else str(value)
