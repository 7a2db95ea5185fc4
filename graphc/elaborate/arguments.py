"""Arguments as they are written → what they stand for; the kind of the parameter decides how they are read."""

from __future__ import annotations

import re
from collections.abc import Mapping as Map
from dataclasses import dataclass, field

from graphc.diagnostics import Span, SpecError, did_you_mean, listed
from graphc.elaborate.build import Build
from graphc.elaborate.evaluate import evaluate
from graphc.elaborate.frame import Callee, Failed, Frame, Result, Thing, spoken
from graphc.expr import Expr
from graphc.graph import Value
from graphc.ops import Op
from graphc.reader import formula, plain
from graphc.source import KINDS, Mapping, Scalar, Sequence, Tree
from graphc.spec import Block, Formula, Parameter

_TYPES = {"int": int, "float": (int, float), "bool": bool, "text": str, "list": list, "step": Callee}
_PIECE = re.compile(r"\$\(([^()]*(?:\([^()]*\)[^()]*)*)\)|\$([^\W\d]\w*)")


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument: what it stands for, where it was written, and its expression where it is one."""

    thing: Thing
    span: Span
    expression: Expr | None = None


@dataclass(slots=True)
class Arguments:
    """The arguments of one step, by name."""

    items: dict[str, Argument] = field(default_factory=dict)

    def things(self) -> dict[str, Thing]:
        """What each stands for."""
        return {name: argument.thing for name, argument in self.items.items()}

    def spans(self) -> dict[str, Span]:
        """Where each was written."""
        return {name: argument.span for name, argument in self.items.items()}

    def written(self) -> dict[str, Expr]:
        """The expression of each that is one."""
        return {name: argument.expression for name, argument in self.items.items() if argument.expression}


def resolve(build: Build, name: Scalar | str, frame: Frame, span: Span) -> Callee:
    """The op, block or step parameter (`$name`) that a text names."""
    text = name.text if isinstance(name, Scalar) else name
    if not text.startswith("$"):
        return build.callee(text, frame.block.file, span)
    try:
        found = frame.find(text[1:])
    except KeyError:
        hint = did_you_mean(text[1:], frame.block.params)
        build.fail("E302", f"`{text[1:]}` is not a parameter here", span, hint)
    if not isinstance(found, Callee):
        build.fail("E404", f"`{text}` is {spoken(found)}, not an op or a block", span)
    return found


def read_arguments(build: Build, callee: Callee, tree: Tree | None, frame: Frame, span: Span) -> Arguments:
    """The arguments of a step, those that the callee already has included."""
    held = {name: Argument(thing, span) for name, thing in callee.arguments.items()}
    return Arguments(held | _written(build, callee, tree, frame, span))


def _written(build: Build, callee: Callee, tree: Tree | None, frame: Frame, span: Span) -> dict[str, Argument]:
    if tree is None:
        return {}
    if isinstance(tree, Scalar) and tree.text == "" and not tree.quoted:
        return {}
    if not isinstance(tree, Mapping) or _is_callee(build, tree, callee, frame):
        name = main_of(callee)
        if name is None:
            build.fail("E404", f"`{callee.name}` takes no argument alone: name it", tree.span)
        return {name: argument(build, callee, name, tree, frame)}
    keys = [key for key in tree.keys.values() if _takes(build, callee, key)]
    return {key.text: argument(build, callee, key.text, tree.values[key.text], frame) for key in keys}


def main_of(callee: Callee) -> str | None:
    """The parameter that may be written alone."""
    if isinstance(callee.target, Block):
        return next(iter(callee.target.params), None)
    return callee.target.main


def _is_callee(build: Build, tree: Mapping, callee: Callee, frame: Frame) -> bool:
    """Whether `{op: args}` stands for the main argument, a step, rather than for named arguments."""
    main = main_of(callee)
    if not isinstance(callee.target, Block) or main is None or len(tree.keys) != 1:
        return False
    (key,) = tree.keys
    return key not in callee.target.params and kind_of(build, callee.target.params[main], callee.target) == "step"


def _takes(build: Build, callee: Callee, key: Scalar) -> bool:
    """Whether the callee has that parameter; only a step parameter's candidates may lack one."""
    known = _known(callee.target)
    if key.text in known:
        return True
    if not callee.from_parameter and isinstance(callee.target, Block):
        listed_ = f"it has {listed([f'`{k}`' for k in known])}" if known else "it has no parameters"
        build.report("E402", f"`{callee.name}` has no parameter `{key.text}`", key.span, did_you_mean(key.text, known, listed_))
        return False
    return not callee.from_parameter


def _known(target: type[Op] | Block) -> list[str]:
    return list(target.params if isinstance(target, Block) else target.model_fields)


def argument(build: Build, callee: Callee, name: str, tree: Tree, frame: Frame) -> Argument:
    """One argument, read as its parameter's kind asks."""
    target = callee.target
    if isinstance(target, Block):
        parameter = target.params[name]
        kind = kind_of(build, parameter, target)
    else:
        text = name in target.model_fields and target.model_fields[name].annotation is str
        kind = "text" if text else "number"
    return read_argument(build, kind, tree, frame)


def read_argument(build: Build, kind: str, tree: Tree, frame: Frame) -> Argument:
    """What an argument of that kind stands for."""
    if kind == "step":
        return Argument(read_callee(build, tree, frame), tree.span)
    if isinstance(tree, Sequence):
        things = [read_argument(build, "number", item, frame).thing for item in tree.items]
        return Argument(things, tree.span)
    if isinstance(tree, Mapping):
        build.fail("E404", f"an expression is needed here, not {KINDS[Mapping]}", tree.span)
    if kind == "text":
        return Argument(read_text(build, tree, frame), tree.span)
    written = read_formula(build, tree)
    return Argument(evaluate(build, frame, written), tree.span, written.expression)


def read_callee(build: Build, tree: Tree, frame: Frame) -> Callee:
    """An op or a block, perhaps with arguments: `name`, `$name` or `{name: arguments}`."""
    if isinstance(tree, Scalar):
        return _held(resolve(build, tree, frame, tree.span))
    if isinstance(tree, Mapping) and len(tree.keys) == 1:
        (key,) = tree.keys.values()
        callee = resolve(build, key, frame, key.span)
        arguments = read_arguments(build, callee, tree.values[key.text], frame, key.span)
        return _held(Callee(callee.name, callee.target, arguments.things()))
    build.fail("E404", "a step is needed here: an op or a block, with its arguments in one mapping", tree.span)


def _held(callee: Callee) -> Callee:
    return Callee(callee.name, callee.target, callee.arguments, from_parameter=True)


def read_formula(build: Build, scalar: Scalar) -> Formula:
    """The expression of an argument.

    Raises:
        Failed: it is none; reported.
    """
    try:
        return formula(scalar)
    except SpecError as error:
        for found in error.diagnostics:
            build.report(found.code, found.message, found.span, found.hint)
        raise Failed from error


def read_text(build: Build, scalar: Scalar, frame: Frame) -> str:
    """A text, with `$name` and `$(expression)` replaced by what they stand for."""

    def piece(match: re.Match[str]) -> str:
        inner = Scalar(match.group(1) or match.group(2), scalar.part(match.start(), match.end()), exact=False)
        return str(evaluate(build, frame, read_formula(build, inner)))

    return _PIECE.sub(piece, scalar.text)


# --- parameters


def kind_of(build: Build, parameter: Parameter, block: Block) -> str:
    """The kind of a parameter: as declared, else that of its default."""
    if parameter.kind:
        return parameter.kind
    default = parameter.default
    if isinstance(default, Sequence):
        return "list"
    if isinstance(default, Mapping):
        return "step"
    if not isinstance(default, Scalar) or default.text.startswith("$("):
        return "number"
    return _kind_of_default(build, plain(default), block)


def _kind_of_default(build: Build, value: object, block: Block) -> str:
    if isinstance(value, str):
        return "step" if build.names_step(value, block.file) else "text"
    return {bool: "bool", int: "int", float: "float"}.get(type(value), "number")


def check_kind(build: Build, name: str, kind: str, thing: Thing, span: Span) -> None:
    """The argument is what its parameter needs.

    Raises:
        Failed: it is not; reported.
    """
    if isinstance(thing, (Value, Result)):
        build.fail("E404", f"{name}: a parameter is a number, a text, a list or a step, never a value", span)
    wanted = _TYPES.get(kind)
    if wanted is None:
        return
    wrong_bool = isinstance(thing, bool) and kind != "bool"
    if wrong_bool or not isinstance(thing, wanted):
        build.fail("E404", f"{name} must be {SPOKEN[kind]}, not {spoken(thing)}", span)


def default_argument(build: Build, parameter: Parameter, block: Block, frame: Frame) -> Argument:
    """The default of a parameter, evaluated among the block's own names."""
    if parameter.default is None:
        raise KeyError(parameter.name)
    kind = kind_of(build, parameter, block)
    found = read_argument(build, kind, parameter.default, frame)
    check_kind(build, parameter.name, kind, found.thing, parameter.span)
    return found


SPOKEN: Map[str, str] = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "text": "a text",
    "list": "a list",
    "step": "an op or a block",
}
