"""What names stand for while a graph is being built."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from graphc.dims import Dim
from graphc.graph import Scope, Value
from graphc.ops import Op
from graphc.spec import Block


class Failed(Exception):
    """Something went wrong and has been reported; what depends on it is left out in silence."""


class Unknown:
    """What a step gives that failed: reading it raises `Failed`."""


UNKNOWN = Unknown()

Plain: TypeAlias = "int | float | bool | str | Dim | list[Thing] | None"
Thing: TypeAlias = "Plain | Value | Result | Callee | Unknown"


@dataclass(eq=False, slots=True)
class Result:
    """What an id or a label refers to: a value, named outputs, the names inside, and for a loop its copies."""

    value: Thing
    outputs: dict[str, Thing] = field(default_factory=dict)
    names: dict[str, Thing] = field(default_factory=dict)
    copies: list[Result] | None = None

    def member(self, name: str) -> Thing:
        """An output or an inner name.

        Raises:
            KeyError: there is none of that name.
        """
        return self.outputs[name] if name in self.outputs else self.names[name]


@dataclass(frozen=True, slots=True, eq=False)
class Callee:
    """An op or a block, with arguments: what a parameter of kind `step` holds."""

    name: str
    target: type[Op] | Block
    arguments: dict[str, Thing] = field(default_factory=dict)
    from_parameter: bool = False


@dataclass(eq=False, slots=True)
class Level:
    """A scope that is being filled, and the names already given in it."""

    scope: Scope
    used: Counter[str] = field(default_factory=Counter)

    def fresh(self, name: str) -> str:
        """`name`, or `name_2`, … where it is taken."""
        self.used[name] += 1
        return name if self.used[name] == 1 else f"{name}_{self.used[name]}"

    def path(self, name: str) -> str:
        """The path of a name in this scope."""
        return f"{self.scope.path}.{name}" if self.scope.path else name


@dataclass(eq=False, slots=True)
class Frame:
    """The names that a step sees: its own, then those of the `do`, loop or branch around it, up to its block."""

    block: Block
    level: Level
    parent: Frame | None = None
    names: dict[str, Thing] = field(default_factory=dict)

    def inside(self, level: Level) -> Frame:
        """A frame for a `do`, a loop's copy or a branch in this one."""
        return Frame(self.block, level, self)

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

    def visible(self) -> Iterator[str]:
        """All names that can be read here."""
        frame: Frame | None = self
        while frame is not None:
            yield from frame.names
            frame = frame.parent


def spoken(thing: Thing) -> str:
    """A thing as an error calls it."""
    match thing:
        case Value():
            return f"the value `{thing.path}` {thing.type}"
        case Result():
            return "the result of a step"
        case Callee():
            return f"the step `{thing.name}`"
        case list():
            return f"a list of {len(thing)}"
        case str():
            return f"the text '{thing}'"
        case None:
            return "none"
        case bool():
            return str(thing).lower()
    return str(thing)


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
