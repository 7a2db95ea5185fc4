"""Arguments as they are written → what they stand for; the kind of the parameter decides how they are read."""

from __future__ import annotations

import re

from graphc.diagnostics import Span, SpecError, did_you_mean
from graphc.elaborate.build import Build
from graphc.elaborate.evaluate import evaluate
from graphc.elaborate.frame import Argument, Arguments, Callee, Failed, Frame, Thing, spoken
from graphc.elaborate.make import unknown_attribute
from graphc.reader.scalars import formula, plain
from graphc.source import Mapping, Scalar, Sequence, Tree
from graphc.source import kind_of as kind_of_tree
from graphc.spec import Block, Formula, Parameter

_PIECE = re.compile(r"\$\(([^()]*(?:\([^()]*\)[^()]*)*)\)|\$([^\W\d]\w*)")


def resolve(build: Build, name: str, frame: Frame, span: Span) -> Callee:
    """The op, block or step parameter (`$name`) that a text names.

    Raises:
        Failed: it names none; reported.
    """
    if not name.startswith("$"):
        return build.callee(name, frame.block.file, span)
    try:
        found = frame.find(name[1:])
    except KeyError:
        hint = did_you_mean(name[1:], frame.block.params)
        build.fail("E302", f"`{name[1:]}` is not a parameter here", span, hint)
    if isinstance(found, Callee):
        return found
    hint = did_you_mean(found, build.visible_steps(frame.block.file)) if isinstance(found, str) else ""
    build.fail("E404", f"`{name}` is {spoken(found)}, not an op or a block", span, hint)


def read_arguments(build: Build, callee: Callee, tree: Tree | None, frame: Frame, span: Span) -> Arguments:
    """The arguments of a step, those that the callee already has included."""
    found = Arguments({name: Argument(thing, span) for name, thing in callee.arguments.items()})
    if tree is None or (isinstance(tree, Scalar) and tree.is_empty):
        return found
    if not isinstance(tree, Mapping) or _is_step_argument(build, tree, callee):
        name = _main(callee)
        if name is None:
            build.fail("E404", f"`{callee.name}` takes no argument alone: name it", tree.span)
        _add(build, found, callee, name, tree, frame)
        return found
    for text, key in tree.keys.items():
        if _takes(build, callee, key):
            _add(build, found, callee, text, tree.values[text], frame)
        elif not callee.from_parameter:
            found.incomplete = True
    return found


def _add(build: Build, to: Arguments, callee: Callee, name: str, tree: Tree, frame: Frame) -> None:
    """Reads one argument, as its parameter's kind asks."""
    try:
        to.items[name] = read_argument(build, _kind(build, callee, name), tree, frame)
    except Failed:
        to.incomplete = True


def _main(callee: Callee) -> str | None:
    """The parameter that may be written alone."""
    if isinstance(callee.target, Block):
        return next(iter(callee.target.params), None)
    return callee.target.main


def _is_step_argument(build: Build, tree: Mapping, callee: Callee) -> bool:
    """Whether `{op: args}` is the main argument, a step, rather than named arguments."""
    main = _main(callee)
    if main is None or not isinstance(callee.target, Block) or len(tree.keys) != 1:
        return False
    (key,) = tree.keys
    return key not in callee.target.params and _kind(build, callee, main) == "step"


def _takes(build: Build, callee: Callee, key: Scalar) -> bool:
    """Whether the callee has that parameter; only a step parameter's candidates may lack one."""
    known = list(callee.target.params if isinstance(callee.target, Block) else callee.target.model_fields)
    if key.text in known:
        return True
    if not callee.from_parameter:
        what = "parameter" if isinstance(callee.target, Block) else "attribute"
        hint = unknown_attribute(key.text, known)
        build.report("E402", f"`{callee.name}` has no {what} `{key.text}`", key.span, hint)
    return False


def _kind(build: Build, callee: Callee, name: str) -> str:
    """The kind of a parameter or an attribute."""
    target = callee.target
    if isinstance(target, Block):
        return kind_of(build, target.params[name], target)
    return "text" if target.model_fields[name].annotation is str else "any"


def kind_of(build: Build, parameter: Parameter, block: Block) -> str:
    """The kind of a parameter: as declared, else that of its default ("any" where that is an expression)."""
    kind = build.kinds.get(parameter)
    if kind is None:
        kind = build.kinds[parameter] = _find_kind(build, parameter, block)
    return kind


def _find_kind(build: Build, parameter: Parameter, block: Block) -> str:
    default = parameter.default
    if parameter.kind:
        return parameter.kind
    if isinstance(default, Sequence):
        return "list"
    if isinstance(default, Mapping):
        return "step"
    if not isinstance(default, Scalar) or (default.text.startswith("$") and not default.quoted):
        return "any"
    value = plain(default)
    if isinstance(value, str):
        return "step" if build.names_step(value, block.file) else "text"
    return _KINDS.get(type(value), "any")


_KINDS: dict[type, str] = {bool: "bool", int: "int", float: "float"}


def read_argument(build: Build, kind: str, tree: Tree, frame: Frame) -> Argument:
    """What an argument of that kind stands for.

    Raises:
        Failed: it can't be read; reported.
    """
    if kind == "step":
        return Argument(_step(build, tree, frame), tree.span)
    if isinstance(tree, Sequence):
        things = [read_argument(build, "any", item, frame).thing for item in tree.items]
        return Argument(things, tree.span)
    if isinstance(tree, Mapping):
        build.fail("E404", f"an expression is needed here, not {kind_of_tree(tree)}", tree.span)
    if kind == "text":
        return Argument(_text(build, tree, frame), tree.span)
    written = _formula(build, tree)
    return Argument(evaluate(build, frame, written), tree.span, written.expression)


def _step(build: Build, tree: Tree, frame: Frame) -> Callee:
    """An op or a block, perhaps with arguments: `name`, `$name` or `{name: arguments}`."""
    if isinstance(tree, Scalar):
        callee = resolve(build, tree.text, frame, tree.span)
        return Callee(callee.name, callee.target, callee.arguments, from_parameter=True)
    if isinstance(tree, Mapping) and len(tree.keys) == 1:
        (key,) = tree.keys.values()
        callee = resolve(build, key.text, frame, key.span)
        arguments = read_arguments(build, callee, tree.values[key.text], frame, key.span)
        if arguments.incomplete:
            raise Failed
        return Callee(callee.name, callee.target, arguments.things(), from_parameter=True)
    build.fail("E404", "a step is needed here: an op or a block, with its arguments in one mapping", tree.span)


def _formula(build: Build, scalar: Scalar) -> Formula:
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


def _text(build: Build, scalar: Scalar, frame: Frame) -> str:
    """A text, with `$name` and `$(expression)` replaced by what they stand for."""

    def piece(match: re.Match[str]) -> str:
        inner = Scalar(match.group(1) or match.group(2), scalar.part(match.start(), match.end()), exact=False)
        thing: Thing = evaluate(build, frame, _formula(build, inner))
        if isinstance(thing, (int, float, str)):
            return spoken(thing) if isinstance(thing, bool) else str(thing)
        build.fail("E404", f"a number or a text is needed here, not {spoken(thing)}", inner.span)

    return _PIECE.sub(piece, scalar.text)
