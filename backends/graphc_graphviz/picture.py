"""What is drawn, whatever draws it: leaves in nested boxes, and arrows between the leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Role: TypeAlias = Literal["op", "block", "input", "output", "fork", "frame"]


@dataclass(frozen=True, slots=True)
class Line:
    """One strip of a leaf: an op, or a block that is not opened."""

    path: str
    name: str
    words: str
    family: str


@dataclass(eq=False, slots=True)
class Leaf:
    """What is drawn as one piece.

    An op with the small ops that follow it, a closed block, an input, an output, a fork, or a frame around a `stack` of
    ops and closed blocks. `shapes` are those that leave it, where they tell something new. `count` equal copies are
    drawn once.
    """

    role: Role
    box: Box
    lines: list[Line]
    shapes: tuple[str, ...] = ()
    count: int = 1
    stack: list[Leaf] = field(default_factory=list)

    @property
    def path(self) -> str:
        return self.lines[0].path if self.lines else ""


@dataclass(eq=False, slots=True)
class Box:
    """An opened block or `do`, with what is in it; the root's box is the whole picture and has no border."""

    path: str
    is_block: bool = False
    name: str = ""
    words: str = ""
    doc: str = ""
    count: int = 1
    parent: Box | None = None
    parts: list[Leaf | Box] = field(default_factory=list)

    def leaves(self) -> Iterator[Leaf]:
        """All leaves in it, in reading order."""
        for part in self.parts:
            if isinstance(part, Leaf):
                yield part
            else:
                yield from part.leaves()

    def boxes(self) -> Iterator[Box]:
        """This box and all in it, from the outside in."""
        yield self
        for part in self.parts:
            if isinstance(part, Box):
                yield from part.boxes()


@dataclass(frozen=True, slots=True)
class Arrow:
    """A value on its way; `value` is the path of what made it."""

    tail: Leaf
    head: Leaf
    value: str


@dataclass(eq=False, slots=True)
class Picture:
    """A graph as it is drawn. Arrows are in the order in which their heads read them."""

    name: str
    title: str
    reference: str
    root: Box
    arrows: list[Arrow]
