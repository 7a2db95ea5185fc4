"""Opens scopes, and gives names."""

from __future__ import annotations

from typing import TypeAlias

from graphc.diagnostics import Span
from graphc.dims import Dim
from graphc.elaborate.build import Build
from graphc.elaborate.frame import Frame, Level, Place
from graphc.elaborate.things import Thing, value_in
from graphc.graph import Binding, Kind, Scope
from graphc.source import Scalar
from graphc.spec import Block

Label: TypeAlias = Scalar | str
"""A name for an operand: one that the spec gives and nothing else may have, or one that is numbered where taken."""


def open_scope(place: Place, kind: Kind, definition: str, doc: str = "", block: Block | None = None) -> Level:
    """A new scope at a place, to be filled."""
    around = place.level.scope
    label = block.name if block else around.label if around.kind == "copies" else place.name
    doc = (block.doc if block else "") or doc
    scope = Scope(place.name, place.path, kind, definition, label, place.span, around, doc, place.condition)
    scope.home = place.home if place.home != scope.path else scope.path  # one string where they are equal
    around.items.append(scope)
    return Level(scope)


def definition(span: Span, what: str = "") -> str:
    """Where a scope that is no block is written: the same for all its copies."""
    return ":".join(filter(None, (span.file, str(span.line), str(span.column), what)))


def claim(build: Build, level: Level, label: Label) -> str:
    """A name for an item of a level.

    Raises:
        Failed: the spec gives a name that is taken; reported.
    """
    if isinstance(label, str):
        return level.fresh(label)
    if label.text in level.used:
        build.fail("E205", f"`{label.text}` is already the name of a step, label or input here", label.span)
    return level.fresh(label.text)


def define(build: Build, frame: Frame, name: Scalar, thing: Thing) -> None:
    """Lets a name stand for something from here on.

    Parameters, sizes, inputs, ids, labels and lets are one namespace.
    """
    if name.text in frame.names:
        build.fail("E205", f"`{name.text}` already has a meaning here", name.span, "choose another name")
    frame.names[name.text] = thing


def is_plain(thing: Thing) -> bool:
    """Whether a thing is a number, a text or a list of such."""
    if isinstance(thing, list):
        return all(map(is_plain, thing))
    return isinstance(thing, (int, float, str, Dim)) or thing is None


def bind_variables(scope: Scope, variables: dict[str, Thing]) -> None:
    """Notes a copy's loop variables: numbers as bindings, values as inputs."""
    for name, thing in variables.items():
        value = value_in(thing)
        if name != "x" and is_plain(thing):
            scope.bindings[name] = Binding(thing, "loop")
        elif name != "x" and value is not None:
            scope.inputs[name] = value
