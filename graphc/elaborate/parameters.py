"""The parameters of a block: their kinds, their defaults, and the arguments that are given for them."""

from __future__ import annotations

from graphc.diagnostics import Span
from graphc.elaborate.arguments import kind_of, read_argument
from graphc.elaborate.build import Build
from graphc.elaborate.frame import UNKNOWN, Argument, Arguments, Callee, Failed, Frame, Result, Thing, spoken
from graphc.graph import Binding, Value
from graphc.reader.scalars import plain
from graphc.source import Scalar
from graphc.spec import Parameter

_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "text": (str,),
    "list": (list,),
    "step": (Callee,),
}
_SPOKEN = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "text": "a text",
    "list": "a list",
    "step": "an op or a block",
}


def bind_parameters(build: Build, frame: Frame, arguments: Arguments, span: Span) -> None:
    """Gives the parameters of the frame's block their values; `span` is the place of the call."""
    for name, parameter in frame.block.params.items():
        try:
            argument, given = _argument(build, frame, parameter, arguments, span)
        except Failed:
            frame.names[name] = UNKNOWN
            continue
        frame.names[name] = argument.thing
        frame.level.scope.bindings[name] = Binding(
            argument.thing, "parameter", argument.expression, given, _plain_default(parameter)
        )


def _argument(
    build: Build, frame: Frame, parameter: Parameter, arguments: Arguments, span: Span
) -> tuple[Argument, bool]:
    """The argument for a parameter, and whether the caller gave it."""
    given = arguments.items.get(parameter.name)
    found = given or _default(build, frame, parameter, span)
    _check_kind(build, parameter.name, kind_of(build, parameter, frame.block), found)
    return found, given is not None


def _default(build: Build, frame: Frame, parameter: Parameter, span: Span) -> Argument:
    """The default of a parameter, evaluated among the block's own names."""
    if parameter.default is None:
        needed = f"`{frame.block.name}` needs `{parameter.name}`"
        if frame.level.scope.kind != "root":
            build.fail("E403", needed, span, f"- {frame.block.name}: {{{parameter.name}: …}}")
        build.fail("E403", needed, parameter.span, "give it a default, or set it in the variant")
    return read_argument(build, kind_of(build, parameter, frame.block), parameter.default, frame)


def _check_kind(build: Build, name: str, kind: str, argument: Argument) -> None:
    """The argument is what its parameter needs.

    Raises:
        Failed: it is not; reported.
    """
    thing: Thing = argument.thing
    if isinstance(thing, (Value, Result)):
        build.fail("E404", f"{name}: a parameter is a number, a text, a list or a step, never a value", argument.span)
    wrong_bool = isinstance(thing, bool) and kind in ("int", "float")
    if kind in _TYPES and (wrong_bool or not isinstance(thing, _TYPES[kind])):
        build.fail("E404", f"{name} must be {_SPOKEN[kind]}, not {spoken(thing)}", argument.span)


def _plain_default(parameter: Parameter) -> int | float | bool | None:
    """The default of a parameter where it is a number by itself."""
    value = plain(parameter.default) if isinstance(parameter.default, Scalar) else None
    return None if isinstance(value, str) else value
