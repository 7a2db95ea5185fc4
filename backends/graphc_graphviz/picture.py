"""What is drawn, whatever draws it: leaves in nested boxes, and arrows between the leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from graphc.graph import Value
from graphc.marks import Mark

Role: TypeAlias = Literal["op", "block", "input", "output", "fork", "frame"]


@dataclass(frozen=True, slots=True)
class About:
    """What an SVG tells of a part under the pointer, line by line, and where the spec has it: `unet.yaml#L20`."""

    tip: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One strip of a leaf: an op, or a block that is not opened."""

    path: str
    name: str
    words: str
    family: str
    about: About = About()
    mark: Mark | None = None


@dataclass(eq=False, slots=True)
class Sheet:
    """A picture of a value, drawn beside what makes it; it is named where that makes others, too."""

    value: Value
    name: str = ""
    png: bytes = b""


@dataclass(eq=False, slots=True)
class Leaf:
    """What is drawn as one piece.

    An op with the small ops that follow it, a closed block, an input, an output, a fork, or a frame around a `stack` of
    ops and closed blocks. `shapes` are those that leave it, where they tell something new. `count` equal copies are
    drawn once. `digest` says what a closed `do` is made of, `figures` what was asked for of parameters and MACs.
    What is for training alone is `dashed`; `sheets` are pictures of its values.
    """

    role: Role
    box: Box
    lines: list[Line]
    shapes: tuple[str, ...] = ()
    count: int = 1
    stack: list[Leaf] = field(default_factory=list)
    digest: tuple[str, ...] = ()
    figures: str = ""
    dashed: bool = False
    sheets: list[Sheet] = field(default_factory=list)

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
    about: About = About()
    count: int = 1
    parent: Box | None = None
    parts: list[Leaf | Box] = field(default_factory=list)
    figures: str = ""
    dashed: bool = False
    mark: Mark | None = None

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

    @property
    def dashed(self) -> bool:
        """Whether it is for training alone."""
        return self.tail.dashed or self.head.dashed


@dataclass(eq=False, slots=True)
class Picture:
    """A graph as it is drawn. Arrows are in the order in which their heads read them; the caption has the `remark`."""

    name: str
    title: str
    reference: str
    root: Box
    arrows: list[Arrow]
    remark: str = ""

    def lines(self) -> Iterator[Line]:
        """The strips of all leaves."""
        for leaf in self.root.leaves():
            for part in (leaf, *leaf.stack):
                yield from part.lines

    def sheets(self) -> list[Sheet]:
        """The pictures of values."""
        return [sheet for leaf in self.root.leaves() for part in (leaf, *leaf.stack) for sheet in part.sheets]

    def families(self) -> frozenset[str]:
        """The kinds of op that occur."""
        return frozenset(line.family for line in self.lines())

    def marks(self) -> frozenset[str]:
        """The kinds of marks that occur."""
        found = [*(line.mark for line in self.lines()), *(box.mark for box in self.root.boxes())]
        return frozenset(mark.kind for mark in found if mark)
