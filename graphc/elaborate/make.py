"""Makes ops from evaluated attributes; what is wrong with an attribute is reported at its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from graphc.diagnostics import Span, did_you_mean, listed
from graphc.dims import Dim
from graphc.elaborate.build import Build
from graphc.elaborate.frame import Failed, Result, Thing, spoken
from graphc.graph import Value
from graphc.ops import Op

ELSEWHERE = {
    "filters": "out_channels",
    "units": "out_features",
    "strides": "stride",
    "pool_size": "kernel_size",
    "in_channels": "",
    "in_features": "",
    "num_features": "",
}
"""Attributes of other tools, and what they are here; nothing where the size follows from the input."""


def make_op(
    build: Build, kind: type[Op], attributes: Mapping[str, Thing], span: Span, spans: Mapping[str, Span]
) -> Op:
    """The op with these attributes. `span` is the op's place, `spans` those of the attributes.

    Raises:
        Failed: an attribute is missing, unknown or wrong; reported.
    """
    data = {name: _attribute(build, name, thing, spans[name]) for name, thing in attributes.items()}
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        for details in _one_each(error.errors()):
            _report(build, kind, details, span, spans)
        raise Failed from error


def require_operands(build: Build, op: Op, given: int, span: Span) -> None:
    """The op takes so many operands.

    Raises:
        Failed: it does not; reported.
    """
    slots = op.slots()
    if any(slot.variadic for slot in slots):
        return
    least, most = sum(not slot.optional for slot in slots), len(slots)
    if not least <= given <= most:
        wanted = listed([f"`{slot.name}`" for slot in slots])
        hint = f"from: [{', '.join(slot.name for slot in slots)}]"
        build.fail("E405", f"`{op.name}` takes {wanted}, got {given} operands", span, hint)


def _attribute(build: Build, name: str, thing: Thing, span: Span) -> Any:
    if isinstance(thing, (Value, Result)):
        build.fail("E404", f"{name}: an attribute is a number or a text, never a value", span)
    if isinstance(thing, Dim):
        build.fail("E404", f"{name}: the size {thing} is free; an attribute must be fixed", span)
    return tuple(_attribute(build, name, item, span) for item in thing) if isinstance(thing, list) else thing


def _one_each(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """One error an attribute: a union reports one for each of its members."""
    return list({error["loc"][0]: error for error in reversed(errors)}.values())[::-1]


def _report(build: Build, kind: type[Op], error: ErrorDetails, span: Span, spans: Mapping[str, Span]) -> None:
    name = str(error["loc"][0])
    known = list(kind.model_fields)
    if error["type"] == "missing":
        hint = f"- {kind.name}: {{{name}: …}}"
        build.report("E403", f"`{kind.name}` needs `{name}`", span, hint)
    elif error["type"] == "extra_forbidden":
        build.report("E402", f"`{kind.name}` has no attribute `{name}`", spans[name], _attribute_hint(name, known))
    else:
        message = error["msg"].replace("Input should", "should").replace("Value error, ", "")
        build.report("E404", f"{name} {message}, got {spoken_input(error['input'])}", spans[name])


def _attribute_hint(name: str, known: list[str]) -> str:
    if name in ELSEWHERE:
        instead = ELSEWHERE[name]
        return f"here it is `{instead}`" if instead in known else "it follows from the input and is not written"
    return did_you_mean(name, known, f"it has {listed([f'`{k}`' for k in known])}" if known else "it has no attributes")


def spoken_input(value: Any) -> str:
    """An attribute's value as an error shows it."""
    return str(list(value)) if isinstance(value, tuple) else spoken(value)
