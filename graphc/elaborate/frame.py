"""What names stand for while a graph is being built, and where things go in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from graphc.diagnostics import Span
from graphc.dims import Dim
from graphc.expr import Expr
from graphc.graph import Node, Scope, Value
from graphc.ops import Op
from graphc.spec import Block


class Failed(Exception):  # noqa: N818, not an error by itself: the error has been reported
    """Something went wrong and has been reported; what depends on it is left out in silence."""


class Stopped(Exception):  # noqa: N818, as above
    """A limit is passed and has been reported; nothing more is elaborated."""


class Unknown:
    """What a step gives that failed: reading it raises `Failed`."""


UNKNOWN = Unknown()

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


@dataclass(eq=False, slots=True)
class Level:
    """A scope that is being filled, and the names given in it; `kept` are those of shared modules not used yet."""

    scope: Scope
    used: set[str] = field(default_factory=set)
    last: dict[str, int] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)

    def fresh(self, name: str) -> str:
        """`name`, or `name_2`, … where it is taken."""
        unique = name
        while unique in self.used:
            self.last[name] = self.last.get(name, 1) + 1
            unique = f"{name}_{self.last[name]}"
        self.used.add(unique)
        return unique

    def keep(self, name: str) -> None:
        """Keeps a name for the first use of a shared module."""
        self.used.add(name)
        self.kept.add(name)

    def first_use(self, name: str) -> str:
        """The name of a use of a shared module: its own, where this is the first one and stands beside it."""
        if name not in self.kept:
            return self.fresh(name)
        self.kept.remove(name)
        return name

    def path(self, name: str) -> str:
        """The path of a name in this scope."""
        return f"{self.scope.path}.{name}" if self.scope.path else name

    def home(self, name: str) -> str:
        """The path below which the weights of a name in this scope live."""
        return f"{self.scope.home}.{name}" if self.scope.home else name


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item goes: a name in a level; where it was written, and the condition that let it in.

    `inline` says that an expression inside another step makes it. A use of a shared module has its weights at `shared`.
    """

    level: Level
    name: str
    span: Span
    condition: Expr | None = None
    inline: bool = False
    shared: str = ""

    @property
    def path(self) -> str:
        return self.level.path(self.name)

    @property
    def home(self) -> str:
        """The path below which its weights live."""
        return self.shared or self.level.home(self.name)


@dataclass(eq=False, slots=True)
class Frame:
    """The names that a step sees: its own, then those of the `do`, loop or branch around it, up to its block.

    `x` is what flows in: what the step before gave. `given` has the places of the arguments that the block was called
    with.
    """

    block: Block
    level: Level
    parent: Frame | None = None
    names: dict[str, Thing] = field(default_factory=dict)
    given: dict[str, Span] = field(default_factory=dict)

    @property
    def flow(self) -> Thing:
        """What the step before gave; None at the beginning of a block that takes nothing."""
        try:
            return self.find("x")
        except KeyError:
            return None

    @flow.setter
    def flow(self, thing: Thing) -> None:
        self.names["x"] = thing

    def inside(self, level: Level) -> Frame:
        """A frame for a `do`, a loop's copy or a branch in this one."""
        return Frame(self.block, level, self, given=self.given)

    def find(self, name: str) -> Thing:
        """What a name stands for.

        Raises:
            KeyError: nothing has that name.
        """
        frame: Frame | None = self
        while frame is not None:
            if name in frame.names:
                return frame.names[name]
            frame = frame.parent
        raise KeyError(name)

    def shared(self, name: str) -> Shared | None:
        """The shared module of that name, None where there is none.

        Raises:
            Failed: its declaration has failed.
        """
        try:
            found = self.find(name)
        except KeyError:
            return None
        if name in self.block.shared:
            known(found)
        return found if isinstance(found, Shared) else None

    def visible(self) -> Iterator[str]:
        """All names that can be read here."""
        frame: Frame | None = self
        while frame is not None:
            yield from frame.names
            frame = frame.parent

    def readable(self) -> dict[str, Thing]:
        """The names of this frame that may be read from outside: ids, labels, lets and sizes, not steps."""
        return {name: thing for name, thing in self.names.items() if name != "x" and not isinstance(thing, Callee)}


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
            said = f"the text '{thing}'"
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
    """The copies of a loop, or the list that a step gives; else the thing itself."""
    while isinstance(thing, Result):
        if thing.copies is not None:
            return list(thing.copies)
        if not isinstance(thing.value, (list, Result)):
            return thing
        thing = thing.value
    return thing


def value_in(thing: Thing) -> Value | None:
    """The main value of a thing, None where it has none or failed."""
    while isinstance(thing, Result):
        thing = thing.value
    return thing if isinstance(thing, Value) else None
