"""Arguments as they are written → what they stand for; the kind of the parameter decides how they are read."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from itertools import takewhile
from typing import Literal, get_args, get_origin

from graphc.diagnostics import Span, SpecError, did_you_mean, listed
from graphc.elaborate.build import Build
from graphc.elaborate.evaluate import evaluate
from graphc.elaborate.frame import Frame, Level
from graphc.elaborate.make import unknown_attribute
from graphc.elaborate.things import Argument, Arguments, Callee, Failed, Thing, known, spoken
from graphc.graph import Scope
from graphc.ops import Op
from graphc.reader.scalars import formula, is_name, plain
from graphc.source import Mapping, Scalar, Sequence, Tree
from graphc.source import kind_of as kind_of_tree
from graphc.spec import Block, Formula, Parameter, Spec

LONGEST_TEXT = 10_000
_PIECE = re.compile(r"\$\(([^()]*(?:\([^()]*\)[^()]*)*)\)|\$([^\W\d]\w*)")


def resolve(build: Build, name: str, frame: Frame, span: Span) -> Callee:
    """The op, block, file, shared module or step parameter (`$name`) that a text names.

    Raises:
        Failed: it names none; reported.
    """
    if name.startswith("$"):
        return _parameter(build, name, frame, span)
    shared = frame.shared(name)
    if shared is not None:
        return shared.callee
    alias, dot, inside = name.partition(".")
    used = build.files[frame.block.file].uses.get(alias)
    if used is not None and (dot or used.main.graph or not build.is_step(name, frame.block.file)):
        return _of_file(build, used, inside, name, span)
    if dot:
        hint = did_you_mean(name, build.visible_steps(frame.block.file), f"name the file first: use: {{{alias}: …}}")
        build.fail("E401", f"no file `{alias}` is used here", span, hint)
    return build.callee(name, frame.block.file, span)


def _parameter(build: Build, name: str, frame: Frame, span: Span) -> Callee:
    """What a step parameter holds."""
    try:
        found = frame.find(name[1:])
    except KeyError:
        hint = did_you_mean(name[1:], frame.block.params)
        build.fail("E302", f"`{name[1:]}` is not a parameter here", span, hint)
    if isinstance(known(found), Callee):
        assert isinstance(found, Callee)
        return found
    hint = did_you_mean(found, build.visible_steps(frame.block.file)) if isinstance(found, str) else ""
    build.fail("E404", f"`{name}` is {spoken(found)}, not an op or a block", span, hint)


def _of_file(build: Build, used: Spec, inside: str, name: str, span: Span) -> Callee:
    """A block of a file, or the file as a block: in its default variant, or in the one named."""
    if inside in used.blocks:
        return Callee(name, used.blocks[inside])
    variant = inside or used.default or ""
    if (variant and variant not in used.variants) or not used.main.graph:
        known = [*used.blocks, *used.variants]
        what = f"has no block or variant `{inside}`" if inside else "has blocks only: name one of them"
        build.fail("E401", f"{used.main.file} {what}", span, did_you_mean(inside, known, f"it has {listed(known)}"))
    set_by_variant = used.variants.get(variant)
    return Callee(name, used.main, variant_arguments(build, used, set_by_variant) if set_by_variant else {})


def variant_arguments(build: Build, spec: Spec, variant: Mapping) -> dict[str, Thing]:
    """What a variant of a file that is used sets, read among that file's own names."""
    frame = Frame(spec.main, Level(Scope("", "", "root", "", "", spec.span)))
    found = {}
    for name, parameter in spec.main.params.items():
        if name in variant.values:
            found[name] = read_argument(build, kind_of(build, parameter, spec.main), variant.values[name], frame).thing
    return found


def read_arguments(build: Build, callee: Callee, tree: Tree | None, frame: Frame, span: Span) -> Arguments:
    """The arguments of a step, those that the callee already has included."""
    found = Arguments({name: Argument(thing, span) for name, thing in callee.arguments.items()})
    if tree is None or (isinstance(tree, Scalar) and tree.is_empty) or (isinstance(tree, Mapping) and not tree.keys):
        return found
    if callee.shared:
        build.fail("E402", f"`{callee.name}` has its arguments where it is declared, under `shared`", tree.span)
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
    if key.text in known or _takes_any(callee.target):
        return True
    if not callee.from_parameter:
        what = "parameter" if isinstance(callee.target, Block) else "attribute"
        hint = unknown_attribute(key.text, known)
        build.report("E402", f"`{callee.name}` has no {what} `{key.text}`", key.span, hint)
    return False


def _takes_any(target: type[Op] | Block) -> bool:
    """Whether an op has attributes that the spec names, as `rearrange` has the sizes of axes."""
    return not isinstance(target, Block) and target.model_config.get("extra") == "allow"


def _kind(build: Build, callee: Callee, name: str) -> str:
    """The kind of a parameter or an attribute."""
    target = callee.target
    if isinstance(target, Block):
        return kind_of(build, target.params[name], target)
    return "text" if _is_text(target, name) else "any"


@cache
def _is_text(kind: type[Op], name: str) -> bool:
    """Whether an attribute is a text, perhaps one of a few."""
    annotation = kind.model_fields[name].annotation if name in kind.model_fields else None
    choices = get_args(annotation) if get_origin(annotation) is Literal else ()
    return annotation is str or (bool(choices) and all(isinstance(choice, str) for choice in choices))


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
    return _kind_of_text(build, default, parameter, block) if isinstance(default, Scalar) else "any"


def _kind_of_text(build: Build, default: Scalar, parameter: Parameter, block: Block) -> str:
    """The kind of a parameter whose default is a text; one that is a parameter before it has that one's kind."""
    if default.text.startswith("$"):
        before = dict(takewhile(lambda pair: pair[1] is not parameter, block.params.items()))
        named = before.get(default.text[1:])
        return kind_of(build, named, block) if named else "any"
    value = plain(default)
    if isinstance(value, str):
        return "step" if not default.quoted and build.names_step(value, block.file) else "text"
    return _KINDS.get(type(value), "any")


_KINDS: dict[type, str] = {bool: "bool", int: "int", float: "float"}


def read_argument(build: Build, kind: str, tree: Tree, frame: Frame) -> Argument:
    """What an argument of that kind stands for.

    Raises:
        Failed: it can't be read; reported.
    """
    if kind == "step":
        return Argument(read_step(build, tree, frame), tree.span)
    if isinstance(tree, Sequence):
        things = [read_argument(build, "any", item, frame).thing for item in tree.items]
        return Argument(things, tree.span)
    if isinstance(tree, Mapping):
        build.fail("E404", f"an expression is needed here, not {kind_of_tree(tree)}", tree.span)
    if kind == "text":
        return Argument(_text(build, tree, frame), tree.span)
    written = read_formula(build, tree)
    thing = evaluate(build, frame, written)
    return Argument(thing, _due(build, frame, tree.span, is_name(written)), written.expression)


def _due(build: Build, frame: Frame, span: Span, name: str | None) -> Span:
    """The place that an argument is due to: in an installed block, what the caller gave where it is handed on."""
    return frame.given.get(name or "", span) if frame.block.file in build.foreign else span


def read_step(build: Build, tree: Tree, frame: Frame) -> Callee:
    """An op or a block, perhaps with arguments: `name`, `$name` or `{name: arguments}`."""
    if isinstance(tree, Scalar):
        callee = resolve(build, tree.text, frame, tree.span)
        return replace(callee, from_parameter=True)
    if isinstance(tree, Mapping) and len(tree.keys) == 1:
        (key,) = tree.keys.values()
        callee = resolve(build, key.text, frame, key.span)
        arguments = read_arguments(build, callee, tree.values[key.text], frame, key.span)
        if arguments.incomplete:
            raise Failed
        return replace(callee, arguments=arguments.things(), from_parameter=True)
    build.fail("E404", "a step is needed here: an op or a block, with its arguments in one mapping", tree.span)


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


def _text(build: Build, scalar: Scalar, frame: Frame) -> str:
    """A text, with `$name` and `$(expression)` replaced by what they stand for."""

    def piece(match: re.Match[str]) -> str:
        inner = Scalar(match.group(1) or match.group(2), scalar.part(match.start(), match.end()), exact=False)
        thing: Thing = evaluate(build, frame, read_formula(build, inner))
        if isinstance(thing, (int, float, str)):
            return spoken(thing) if isinstance(thing, bool) else str(thing)
        build.fail("E404", f"a number or a text is needed here, not {spoken(thing)}", inner.span)

    text = _PIECE.sub(piece, scalar.text)
    if len(text) > LONGEST_TEXT:
        build.fail("E305", f"the text is longer than {LONGEST_TEXT} characters", scalar.span)
    return text
