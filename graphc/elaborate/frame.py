"""The names that a step sees, and where things go in the graph."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from graphc.diagnostics import Span
from graphc.elaborate.things import Callee, Shared, Thing, known
from graphc.expr import Expr
from graphc.graph import Scope
from graphc.spec import Block


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
            found = known(self.find(name))
        except KeyError:
            return None
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
