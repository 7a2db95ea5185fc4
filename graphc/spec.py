"""The typed spec: what a file says, with the place of each piece. `graphc.reader` makes it from a tree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from graphc.diagnostics import Diagnostic, Span
from graphc.expr import Expr
from graphc.graph import Figure, FreeSize, Paper
from graphc.source import Mapping, Scalar, Tree
from graphc.tensor import DType

ParameterKind: TypeAlias = Literal["int", "size", "float", "bool", "text", "list", "step"]
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
    """One step: an op or a block with arguments, a `do` with steps, or a `let` with names.

    A broken one stands for a step that is wrong and reported.
    """

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
    broken: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """A parameter of a block: required and of a kind, or with a default."""

    name: str
    kind: ParameterKind | None
    default: Tree | None
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """What an input must look like: a value of a shape, a list of values, or a value that may be absent.

    `rest` stands for a leading `...`, no dtype for any.
    """

    name: str
    span: Span
    sizes: tuple[Formula, ...] = ()
    rest: bool = False
    dtype: DType | None = None
    kind: Literal["value", "list", "optional"] = "value"


@dataclass(frozen=True, slots=True, eq=False)
class Module:
    """A module that is declared under `shared`: an op or a block with its arguments, as it is written."""

    name: Scalar
    step: Tree


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Parameters, inputs, shared modules, a graph and outputs; `inputs` is None where none are declared."""

    name: str
    file: str
    span: Span
    doc: str
    params: dict[str, Parameter]
    inputs: dict[str, Pattern] | None
    shared: dict[str, Module]
    graph: tuple[Step, ...]
    outputs: dict[str, Formula]

    @property
    def takes(self) -> dict[str, Pattern | None]:
        """The inputs; a block that declares none takes one value, `input`, as it comes."""
        return {"input": None} if self.inputs is None else dict(self.inputs)


@dataclass(frozen=True, slots=True, eq=False)
class Objective:
    """A loss, and the paths of what it trains where it says so."""

    name: Scalar
    loss: Formula
    trains: tuple[Formula, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What is written beside the main graph, for training or for sampling: it sees the main graph's names."""

    span: Span
    inputs: dict[str, Pattern]
    shared: dict[str, Module]
    graph: tuple[Step, ...]
    outputs: dict[str, Formula]
    losses: dict[str, Objective]
    frozen: tuple[Formula, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ExpectedOutput:
    """The shape that an output must have, and the key that names the output."""

    sizes: tuple[Formula, ...]
    key: Scalar


@dataclass(frozen=True, slots=True, eq=False)
class Expectation:
    """What a variant must come to: exact counts, MACs to the digits written, shapes of outputs."""

    figures: dict[Figure, Scalar]
    outputs: dict[str, ExpectedOutput]


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """A part of a path between two dots: a text, perhaps with `{name}` or `{name, place}` in it."""

    before: str
    name: str = ""
    place: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A text with `{expression}` in it: texts and expressions, one after the other."""

    parts: tuple[str | Formula, ...]
    scalar: Scalar


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """What is done with tensors of somebody else's file: one of `graphc.checkpoint.origins`, with its options."""

    word: str
    operands: tuple[Template | Operation, ...]
    options: dict[str, Formula | tuple[Formula, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Renaming:
    """A rule of a table: what the weights at a path are in somebody else's file.

    Without a path, `theirs` are the names of what no weight is there; with one they are one.
    """

    key: Scalar
    path: tuple[Segment, ...]
    theirs: tuple[Template | Operation, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Spec:
    """A file: a block with metadata, the blocks that it defines, and the files that it uses.

    `used` are their paths as they are written; `uses` the same files, read. `installed` says that it comes with graphc.
    `unused` are the names in it that nothing reads; `wrong` is what is wrong with its form, where the rest can be
    elaborated all the same. `tree` is what the file was read from, with what it extends.
    """

    name: str
    title: str
    paper: Paper | None
    main: Block
    blocks: dict[str, Block]
    variants: dict[str, Mapping]
    default: str | None
    sizes: dict[str, FreeSize]
    expect: dict[str, Expectation]
    training: Part | None
    sampling: Part | None
    init: Mapping | None
    weights: dict[str, tuple[Renaming, ...]]
    used: dict[str, Scalar]
    span: Span
    digest: str
    tree: Mapping
    unused: tuple[Diagnostic, ...] = ()
    wrong: tuple[Diagnostic, ...] = ()
    uses: dict[str, Spec] = field(default_factory=dict)
    installed: bool = False
