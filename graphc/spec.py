"""The typed spec: what a file says, with the place of each piece. `graphc.reader` makes it from a tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from graphc.diagnostics import Span
from graphc.expr import Expr
from graphc.graph import FreeSize, Paper
from graphc.source import Mapping, Scalar, Tree
from graphc.tensor import DType

ParameterKind: TypeAlias = Literal["int", "float", "bool", "text", "list", "step"]
Operand: TypeAlias = "Formula | Step | Branch"
Loops: TypeAlias = "dict[str, Formula | tuple[Formula, ...]]"


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """An expression and the scalar that it stands in; `offset` is where it begins in that text."""

    expression: Expr
    scalar: Scalar
    offset: int = 0

    @property
    def span(self) -> Span:
        return self.scalar.span

    def at(self, part: Expr) -> Span:
        """The place of a part of the expression."""
        return self.scalar.part(self.offset + part.start, self.offset + part.end)

    def __str__(self) -> str:
        return self.scalar.text


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """A list of steps as an operand; it starts at `x`."""

    steps: tuple[Step, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """Operands by input name or branch label."""

    operands: dict[str, Operand]
    keys: dict[str, Scalar]


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One step: an op or a block with arguments, a `do` with steps, or a `let` with names."""

    span: Span
    name: str = ""
    arguments: Tree | None = None
    body: tuple[Step, ...] | None = None
    lets: Named | None = None
    id: Scalar | None = None
    source: Formula | tuple[Operand, ...] | Named | None = None
    when: Formula | None = None
    repeat: Formula | None = None
    loops: Loops | None = None
    keys: dict[str, Scalar] | None = None
    doc: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """A parameter of a block: required and of a kind, or with a default."""

    name: str
    kind: ParameterKind | None
    default: Tree | None
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """What an input must look like; `rest` stands for a leading `...`, no dtype for any."""

    name: str
    span: Span
    sizes: tuple[Formula, ...]
    rest: bool = False
    dtype: DType | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Parameters, inputs, a graph and outputs."""

    name: str
    file: str
    span: Span
    doc: str
    params: dict[str, Parameter]
    inputs: dict[str, Pattern]
    graph: tuple[Step, ...]
    outputs: dict[str, Formula]


@dataclass(frozen=True, slots=True, eq=False)
class ExpectedOutput:
    """The shape that an output must have, and the key that names the output."""

    sizes: tuple[Formula, ...]
    key: Scalar


@dataclass(frozen=True, slots=True, eq=False)
class Expectation:
    """What a variant must come to: exact counts, MACs to the digits written, shapes of outputs."""

    params: Scalar | None
    macs: Scalar | None
    outputs: dict[str, ExpectedOutput]


@dataclass(frozen=True, slots=True, eq=False)
class Spec:
    """A file: a block with metadata, and the blocks that it defines."""

    name: str
    title: str
    paper: Paper | None
    main: Block
    blocks: dict[str, Block]
    variants: dict[str, Mapping]
    default: str | None
    sizes: dict[str, FreeSize]
    expect: dict[str, Expectation]
    span: Span
    digest: str
