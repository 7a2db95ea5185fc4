"""The parameters of a block: their kinds, their defaults, and the arguments that are given for them."""

from __future__ import annotations

from graphc.diagnostics import Span
from graphc.dims import Dim
from graphc.elaborate.arguments import kind_of, read_argument
from graphc.elaborate.build import Build
from graphc.elaborate.frame import Frame
from graphc.elaborate.things import UNKNOWN, Argument, Arguments, Callee, Failed, Result, spoken
from graphc.graph import Binding, Value
from graphc.reader.scalars import plain
from graphc.source import Scalar
from graphc.spec import Block, Parameter

_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "size": (int, Dim),
    "float": (int, float),
    "bool": (bool,),
    "text": (str,),
    "list": (list,),
    "step": (Callee,),
}
_SPOKEN = {
    "int": "a whole number",
    "size": "a whole number or a free size",
    "float": "a number",
    "bool": "true or false",
    "text": "a text",
    "list": "a list",
    "step": "an op or a block",
}


def require_arguments(build: Build, block: Block, arguments: Arguments, span: Span | None = None) -> None:
    """Every parameter without a default is given, and what is given is of the right kind.

    `span` is the place of the call; a file, which nobody calls, has none.

    Raises:
        Failed: it is not so; reported.
    """
    incomplete = arguments.incomplete
    for name, parameter in block.params.items():
        given = arguments.items.get(name)
        if given:
            incomplete |= not _is_of_kind(build, parameter, block, given)
        elif parameter.default is None and not arguments.incomplete:
            hint = (
                f"- {block.name}: {{{name}: …}}"
                if span
                else f"give it a default, set it in the variant, or --set {name}=…"
            )
            build.report("E403", f"`{block.name}` needs `{name}`", span or parameter.span, hint)
            incomplete = True
    if incomplete:
        raise Failed


def bind_parameters(build: Build, frame: Frame, arguments: Arguments) -> None:
    """Gives the parameters of the frame's block their values."""
    for name, parameter in frame.block.params.items():
        given = arguments.items.get(name)
        try:
            argument = given or _default(build, frame, parameter)
        except Failed:
            frame.names[name] = UNKNOWN
            continue
        frame.names[name] = argument.thing
        if given:
            frame.given[name] = given.span
        frame.level.scope.bindings[name] = Binding(
            argument.thing, "parameter", argument.expression, given is not None, _plain_default(parameter)
        )


def _default(build: Build, frame: Frame, parameter: Parameter) -> Argument:
    """The default of a parameter, evaluated among the block's own names."""
    if parameter.default is None:
        raise Failed
    found = read_argument(build, kind_of(build, parameter, frame.block), parameter.default, frame)
    if not _is_of_kind(build, parameter, frame.block, found):
        raise Failed
    return found


def _is_of_kind(build: Build, parameter: Parameter, block: Block, argument: Argument) -> bool:
    """Whether an argument is what its parameter needs; reported where it is not."""
    name, kind, thing = parameter.name, kind_of(build, parameter, block), argument.thing
    wrong_bool = isinstance(thing, bool) and kind in ("int", "size", "float")
    if isinstance(thing, (Value, Result)):
        message = f"{name}: a parameter is a number, a text, a list or a step, never a value"
    elif kind in _TYPES and (wrong_bool or not isinstance(thing, _TYPES[kind])):
        message = f"{name} must be {_SPOKEN[kind]}, not {spoken(thing)}"
    else:
        return True
    build.report("E404", message, argument.span)
    return False


def _plain_default(parameter: Parameter) -> int | float | bool | None:
    """The default of a parameter where it is a number by itself."""
    value = plain(parameter.default) if isinstance(parameter.default, Scalar) else None
    return None if isinstance(value, str) else value
