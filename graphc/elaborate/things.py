"""What names and expressions stand for while a graph is being built."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from graphc.diagnostics import Span
from graphc.dims import Dim
from graphc.expr import Expr
from graphc.graph import Node, Value
from graphc.ops import Op
from graphc.spec import Block

if TYPE_CHECKING:
    from graphc.elaborate.frame import Level


class Failed(Exception):  # noqa: N818, not an error by itself: the error has been reported
    """Something went wrong and has been reported; what depends on it is left out in silence."""


class Stopped(Exception):  # noqa: N818, as above
    """A limit is passed and has been reported; nothing more is elaborated."""


class Unknown:
    """What a step gives that failed: reading it raises `Failed`."""


UNKNOWN = Unknown()
SHOWN = 60
"""How much of a text an error shows."""

Plain: TypeAlias = "int | float | bool | str | Dim | list[Thing] | None"
Thing: TypeAlias = "Plain | Value | Result | Callee | Shared | Unknown"


@dataclass(eq=False, slots=True)
class Result:
    """What an id or a label refers to: a value, named outputs, the names inside, and for a loop its copies.

    `node` is the op that gives it, where it is one.
    """

    value: Thing
    outputs: dict[str, Thing] = field(default_factory=dict)
    names: dict[str, Thing] = field(default_factory=dict)
    copies: list[Result] | None = None
    node: Node | None = None

    def member(self, name: str) -> Thing:
        """An output or an inner name.

        Raises:
            KeyError: there is none of that name.
        """
        return self.outputs[name] if name in self.outputs else self.names[name]


def result_of(node: Node) -> Result:
    """What an op gives."""
    several = {value.name: value for value in node.outputs if value.name}
    return Result(node.output, outputs=dict(several), node=node)


@dataclass(frozen=True, slots=True, eq=False)
class Callee:
    """An op or a block, with arguments: what a parameter of kind `step` holds."""

    name: str
    target: type[Op] | Block
    arguments: dict[str, Thing] = field(default_factory=dict)
    from_parameter: bool = False
    shared: Shared | None = None


@dataclass(eq=False, slots=True)
class Shared:
    """A module that is used in several places: its weights live at `home`. `results` has what each use gave."""

    name: str
    home: str
    callee: Callee
    level: Level
    results: list[Result] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument: what it stands for, where it was written, and its expression where it is one."""

    thing: Thing
    span: Span
    expression: Expr | None = None


@dataclass(slots=True)
class Arguments:
    """The arguments of one step, by name. `incomplete` says that some could not be read; that has been reported."""

    items: dict[str, Argument] = field(default_factory=dict)
    incomplete: bool = False

    def things(self) -> dict[str, Thing]:
        """What each stands for."""
        return {name: argument.thing for name, argument in self.items.items()}

    def written(self) -> dict[str, Expr]:
        """The expression of each that is one."""
        return {name: argument.expression for name, argument in self.items.items() if argument.expression}


def spoken(thing: Thing) -> str:
    """A thing as an error calls it."""
    match thing:
        case Value():
            said = f"the value `{thing.path}` {thing.type}"
        case Result():
            said = "the result of a step"
        case Callee() | Shared():
            said = f"the step `{thing.name}`"
        case list():
            said = f"a list of {len(thing)}"
        case str():
            said = f"the text '{thing if len(thing) <= SHOWN else thing[:SHOWN] + '…'}'"
        case bool() | None:
            said = str(thing).lower()
        case _:
            said = str(thing)
    return said


def known(thing: Thing) -> Thing:
    """The thing, unless it failed.

    Raises:
        Failed: the cause has already been reported.
    """
    if isinstance(thing, Unknown) or (isinstance(thing, Result) and isinstance(thing.value, Unknown)):
        raise Failed
    return thing


def main_value(thing: Thing) -> Thing:
    """What a result is where a value is wanted: its main output.

    Raises:
        Failed: the cause has already failed.
    """
    while isinstance(thing, Result):
        thing = thing.value
    return known(thing)


def listing(thing: Thing) -> Thing:
    """The copies of a loop, the parts that `split` gives, or the list that a step gives; else the thing itself."""
    while isinstance(thing, Result):
        if thing.copies is not None:
            return list(thing.copies)
        if "0" in thing.outputs:
            return list(thing.outputs.values())
        if not isinstance(thing.value, (list, Result)):
            return thing
        thing = thing.value
    return thing


def value_in(thing: Thing) -> Value | None:
    """The main value of a thing, None where it has none or failed."""
    while isinstance(thing, Result):
        thing = thing.value
    return thing if isinstance(thing, Value) else None
