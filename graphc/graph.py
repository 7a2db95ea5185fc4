"""The checked graph: values and the ops that make them, and the tree of scopes they came from.

Every backend, `check`, and every count works on this alone. A path names a thing everywhere: `encoder.2.conv` is a
node, `encoder.2` the scope around it, `encoder` the group of copies around that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, Unpack, cast, overload

from pydantic import InstanceOf

from graphc.checkpoint.origins import Origin
from graphc.demands import Relation, Rule
from graphc.diagnostics import Diagnostic, Note, Span
from graphc.dims import Size
from graphc.distributions import Distribution
from graphc.expr import Expr
from graphc.kept import Kept, at_most, kept_by
from graphc.ops.base import Op
from graphc.ops.saved import NOTHING
from graphc.tensor import Shape, Tensor, Weight

if TYPE_CHECKING:
    from os import PathLike

    import networkx

    from graphc.diff import Diff
    from graphc.foreign import ModelProto, Module
    from graphc.made import LookOptions, OnnxOptions
    from graphc.summary import Summary
    from graphc.verify import Verification

Weights: TypeAlias = "Mapping[str, Any] | str | PathLike[str]"
"""Tensors or arrays by the paths of the weights, or the file that has them."""
Item: TypeAlias = "Node | Scope | Skipped"
Figure: TypeAlias = Literal["params", "training_params", "macs"]
Kind: TypeAlias = Literal["root", "block", "steps", "branch", "copies"]


class Input(Op):
    """The source of a value that the caller gives."""

    name = "input"


class WeightValue(Op):
    """A weight of another op as a value: `vocabulary.weight`. Its node's home is that op's."""

    name = "weight"
    each = 0
    keeps = NOTHING
    of: str
    held: InstanceOf[Weight]

    def infer(self) -> Tensor:
        return Tensor(self.held.shape, self.held.dtype)

    def weights(self) -> Mapping[str, Weight]:
        return {self.of: self.held}

    def macs(self) -> Size:
        """None are needed: 0."""
        return 0


@dataclass(eq=False, slots=True, repr=False)
class Value:
    """One output of a node; its name is empty where the node has no other."""

    node: Node
    type: Tensor
    name: str = ""

    @property
    def path(self) -> str:
        return f"{self.node.path}.{self.name}" if self.name else self.node.path

    def __repr__(self) -> str:
        return f"<value {self.path} {self.type}>"


@dataclass(eq=False, slots=True, repr=False)
class Node:
    """One op at work.

    `arguments` are the operands as the op takes them, with None where an optional one before the last is absent.
    `written` has the spec's expression of each attribute, in the names of the scope around it; `inline` says that the
    node was made by an expression inside another step. `home` is the path below which its weights live: its own, or
    one inside the shared module that it is a use of.
    """

    path: str
    op: Op
    arguments: tuple[Value | None, ...]
    type: InitVar[Tensor | Mapping[str, Tensor]]
    scope: Scope
    span: Span
    written: Mapping[str, Expr] = field(default_factory=dict)
    condition: Expr | None = None
    inline: bool = False
    home: str = ""
    outputs: tuple[Value, ...] = field(init=False)

    def __post_init__(self, type: Tensor | Mapping[str, Tensor]) -> None:
        types = {"": type} if isinstance(type, Tensor) else type
        self.outputs = tuple(Value(self, kind, name) for name, kind in types.items())
        self.home = self.path if self.home in ("", self.path) else self.home  # one string where they are equal

    @property
    def output(self) -> Value:
        """Its output, the first where it has several."""
        return self.outputs[0]

    @property
    def operands(self) -> tuple[Value, ...]:
        """The operands that are there."""
        return tuple(value for value in self.arguments if value is not None)

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]

    def __repr__(self) -> str:
        return f"<node {self.path} {self.op.name}>"

    @property
    def inputs(self) -> tuple[Tensor | None, ...]:
        """The types of the arguments."""
        return tuple(None if value is None else value.type for value in self.arguments)

    def weights(self) -> Mapping[str, Weight]:
        """The tensors that the node owns, by the last part of their path."""
        return self.op.weights(*self.inputs)

    def macs(self) -> Size | None:
        """Multiply-accumulates; None where the op has no rule."""
        return self.op.macs(*self.inputs)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A step whose `when` was false: an identity of `value`, where that is a single one."""

    name: str
    condition: Expr
    span: Span
    value: Value | None = None


@dataclass(frozen=True, slots=True)
class Binding:
    """A number (or text, list, …) that a scope gives a name, and the expression it came from.

    A parameter that the caller set has an expression in the caller's names (`given`), else one in the scope's own.
    `default` is a parameter's own default where that is a plain number.
    """

    value: object
    source: Literal["parameter", "size", "let", "loop"]
    expression: Expr | None = None
    given: bool = False
    default: int | float | bool | None = None


@dataclass(eq=False, slots=True, repr=False)
class Scope:
    """A level of the tree: the root, a block at work, a `do`, a branch that is a list, or a group of copies.

    The items of a group of copies ("copies") are the copies, named 0, 1, …; each is a scope, or a node where the
    repeated step is a single op. `definition` says where it was written. `home` is the path below which the weights
    live: its own, or that of the shared module that it is a use of. `lets` are the values that `let` names.
    """

    name: str
    path: str
    kind: Kind
    definition: str
    label: str
    span: Span
    parent: Scope | None = None
    doc: str = ""
    condition: Expr | None = None
    bindings: dict[str, Binding] = field(default_factory=dict)
    inputs: dict[str, Value] = field(default_factory=dict)
    outputs: dict[str, Value] = field(default_factory=dict)
    lets: dict[str, Value] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    home: str = ""

    def __repr__(self) -> str:
        return f"<{self.kind} {self.path or self.name}>"

    def nodes(self) -> Iterator[Node]:
        """All nodes below, in the order of the source."""
        for item in self.items:
            if isinstance(item, Node):
                yield item
            elif isinstance(item, Scope):
                yield from item.nodes()

    def scopes(self) -> Iterator[Scope]:
        """This scope and all below it."""
        yield self
        for item in self.items:
            if isinstance(item, Scope):
                yield from item.scopes()


@dataclass(frozen=True, slots=True)
class Demand:
    """A statement about the free sizes that must hold at a path (or only should: `strict` is false)."""

    relation: Relation
    path: str
    span: Span
    message: str
    notes: tuple[Note, ...] = ()
    strict: bool = True


@dataclass(frozen=True, slots=True)
class FreeSize:
    """A free size of the inputs: its example, and the rule that the spec declares for it.

    `promises` has the keys that the spec wrote ("multiple", "plus", "min"); what is not written is not promised.
    """

    name: str
    example: int
    rule: Rule
    promises: frozenset[str]
    span: Span


@dataclass(frozen=True, slots=True)
class Paper:
    """Where the architecture was published."""

    title: str
    authors: str = ""
    year: int | None = None
    arxiv: str = ""


@dataclass(frozen=True, slots=True)
class ExpectedFigure:
    """A count that the spec states, as it is written: its digits say how exact it is."""

    figure: Figure
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class ExpectedShape:
    """The shape of an output that the spec states."""

    output: str
    shape: Shape
    span: Span


@dataclass(frozen=True, slots=True)
class Loss:
    """A number to make small, and what it trains: the parts as they are written, and their weights; none for all."""

    name: str
    value: Value
    trains: tuple[str, ...] = ()
    trained: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class InitRule:
    """A distribution that the spec gives to weights: those of an op, or else those at a path; a later rule wins."""

    op: str
    distribution: Distribution
    paths: tuple[str, ...]


@dataclass(eq=False, repr=False)
class Part:
    """What a spec has beside its main graph, for training or for sampling; its values may come from the main graph.

    Its inputs, nodes, demands and the scope that they stand in are as in a `Graph`. `frozen` are the paths of the
    weights that are not trained.
    """

    root: Scope
    inputs: dict[str, Value]
    outputs: dict[str, Value]
    nodes: list[Node]
    demands: list[Demand]
    losses: list[Loss]
    frozen: frozenset[str] = frozenset()


@dataclass(eq=False, repr=False)
class Graph:
    """An architecture, elaborated: everything that a backend needs.

    `nodes` are in an order in which each comes after what it reads; inputs are not among them.
    `digest` is the SHA-256 of the text that it was made from. `init` has what the spec says of initial values,
    `checkpoints` by table and path what a weight is in somebody else's files; what is not in there has its own name.
    `unused` are the names of the spec that nothing reads.
    """

    name: str
    title: str
    doc: str
    paper: Paper | None
    file: str
    digest: str
    sizes: dict[str, FreeSize]
    inputs: dict[str, Value]
    outputs: dict[str, Value]
    root: Scope
    nodes: list[Node]
    demands: list[Demand]
    expected: list[ExpectedFigure | ExpectedShape]
    training: Part | None = None
    sampling: Part | None = None
    init: tuple[InitRule, ...] = ()
    checkpoints: Mapping[str, Mapping[str, Origin]] = field(default_factory=dict)
    unused: tuple[Diagnostic, ...] = ()

    @property
    def initial(self) -> dict[str, Distribution]:
        """The distributions that the spec gives to weights, by their paths."""
        return {path: rule.distribution for rule in self.init for path in rule.paths}

    @cached_property
    def network(self) -> networkx.MultiDiGraph[str]:
        """The nodes by path, with `node`; an edge for each operand, with its `slot`."""
        from networkx import MultiDiGraph

        network: MultiDiGraph[str] = MultiDiGraph()
        for node in (*(value.node for value in self.inputs.values()), *self.nodes):
            network.add_node(node.path, node=node)
            for slot, value in enumerate(node.operands):
                network.add_edge(value.node.path, node.path, slot=slot)
        return network

    def weights(self) -> Iterator[tuple[str, Weight]]:
        """Every weight with its path, in the order of the state dict; one of a shared module comes once."""
        yield from self.drawn(weights_of(self.root))

    def training_weights(self) -> Iterator[tuple[str, Weight]]:
        """The weights that exist in training alone."""
        own = {path for path, _ in weights_of(self.root)}
        found = weights_of(self.training.root) if self.training else ()
        yield from self.drawn((path, weight) for path, weight in found if path not in own)

    def drawn(self, weights: Iterable[tuple[str, Weight]]) -> Iterator[tuple[str, Weight]]:
        """Weights with the initial values that the spec gives them."""
        given = self.initial
        for path, weight in weights:
            yield path, given[path].given_to(weight) if path in given else weight

    @cached_property
    def kept(self) -> tuple[Kept, ...]:
        """The sizes that only the data knows."""
        parts = [part.nodes for part in (self.training, self.sampling) if part]
        return tuple(kept_by(chain(self.nodes, *parts)))

    def examples(self) -> dict[str, int]:
        """The free sizes at their examples; what only the data knows is as large as it can be."""
        return self.at({})

    def at(self, given: Mapping[str, int]) -> dict[str, int]:
        """As `examples`, with some of the free sizes given."""
        return at_most(self.kept, {name: given.get(name, size.example) for name, size in self.sizes.items()})

    def bound(self) -> Graph:
        """The graph as it is built: free sizes that weights have are fixed at their examples.

        It is the graph itself where weights have none.
        """
        from graphc.bound import bound

        return bound(self)

    def module(
        self,
        *,
        seed: int = 0,
        weights: Weights | None = None,
        training: bool = False,
        torchvision_ops: bool = False,
    ) -> Module:
        """A PyTorch module, in training mode, with the weights given or else the initial values for the seed.

        It takes the inputs by their names or in their order, and gives the output, or a tuple of the outputs. That
        for `training` holds the network as `model`, takes the inputs of both, and gives the losses by their names. With
        `torchvision_ops` it is that of the source with these.

        Raises:
            SpecError: PyTorch can't express an op; located.
            ValueError: the spec has no losses to train with.
        """
        from graphc.made import made

        asked = {"training": training or None, "torchvision_ops": torchvision_ops or None}
        return cast("Module", made(self, ".py", "module", seed=seed, weights=weights, **asked))

    def source(self, *, torchvision_ops: bool = False) -> str:
        """The PyTorch source, one file that needs torch alone.

        With `torchvision_ops` it calls torchvision's compiled ops for RoI align, RoI pooling and suppression; where the
        spec has none of these, it is the same.

        Raises:
            SpecError: PyTorch can't express an op; located.
        """
        from graphc.made import made

        return str(made(self, ".py", "source", torchvision_ops=torchvision_ops or None))

    @overload
    def onnx(self, **options: Unpack[OnnxOptions]) -> ModelProto: ...

    @overload
    def onnx(
        self, path: str | PathLike[str], *, external_data: bool = False, **options: Unpack[OnnxOptions]
    ) -> None: ...

    def onnx(
        self,
        path: str | PathLike[str] | None = None,
        *,
        external_data: bool = False,
        **options: Unpack[OnnxOptions],
    ) -> ModelProto | None:
        """The ONNX model, with the weights given or else the initial values for the seed; or writes it to `path`.

        Options are `seed`, `weights`, `opset` (18, or what the ops need if that is more), `dtype` ("float32",
        "float16" or "bfloat16", of weights, inputs and outputs) and `functions` (blocks stay as functions of the
        model). Weights of more than 2 GB, and with `external_data` any, are in a file beside: `path` and `.data`.

        Raises:
            SpecError: ONNX can't express an op; located.
            graphc.backends.BackendError, graphc.output.OutputError: it can't be made so, or the file not be written.
            TypeError: `external_data` without a path.
        """
        from graphc.made import made, write_onnx

        if path is not None:
            write_onnx(self, path, external_data=external_data, **options)
            return None
        if external_data:
            raise TypeError("external data lies beside a file: give a path")
        return cast("ModelProto", made(self, ".onnx", "model", **options))

    @overload
    def draw(self, **options: Unpack[LookOptions]) -> str: ...

    @overload
    def draw(self, path: str | PathLike[str], **options: Unpack[LookOptions]) -> None: ...

    def draw(self, path: str | PathLike[str] | None = None, **options: Unpack[LookOptions]) -> str | None:
        """The diagram as the text of an SVG; or writes it to `path`: .svg, .png, .pdf, .dot, or .mmd for Mermaid.

        Blocks are opened `depth` levels deep (1: none is), without it as deep as stays readable; those at the paths
        `expand` and `collapse` in any case. Only what is at `focus` is drawn. `show` adds "params" and "macs", and
        `training` the part for training; `marks` tells parts as added, removed, changed or moved. Values flow
        in `direction` ("down", "right"); `theme` is "light", "dark" or "print". With an `image` (a file or an array)
        and `weights`, the first `channels` of each map stand beside what makes it, or of those at the paths
        `activations`. `graphc.made.LookOptions` has all.

        Raises:
            graphc.backends.BackendError, graphc.output.OutputError: it can't be drawn, or not be written.
        """
        from graphc.made import draw, drawn

        if path is None:
            return drawn(self, **options)
        draw(self, path, **options)
        return None

    def summary(self, *, depth: int | None = None, columns: Sequence[str] | None = None) -> Summary:
        """A table of the layers with their shapes, parameters and MACs, and the totals; without torch.

        Blocks are opened `depth` levels deep (1: none is), without it as deep as some 40 rows allow. Columns are `op`,
        `input`, `output`, `example` (the output at the example sizes), `params`, `share`, `frozen`, `buffers`, `macs`
        and `macs_share`.

        Raises:
            ValueError: there is no such column, or the depth is less than 1.
        """
        from graphc.summary import summary

        return summary(self, depth=depth, columns=columns)

    def diff(self, other: Graph) -> Diff:
        """How this graph becomes another: `same`, `edits`, and as a report `text()`, `markdown()`, `data()`, `draw()`.

        Parts are recognised by their structure, not by their names. What it gives is true where something differs.
        Beside the graph of a model's file, batch norms are folded and steps of training left out if the file has none.
        """
        from graphc.diff import diff

        return diff(self, other)

    def verify(
        self,
        *,
        all: bool = False,
        training: bool = False,
        sizes: Sequence[Mapping[str, int]] | None = None,
        tolerance: float = 1e-5,
        seed: int = 0,
    ) -> Verification:
        """Whether the PyTorch module and the ONNX file give the same: true if so, and as a text the report.

        Both run with the same random weights and inputs, at `sizes` or else at the examples and others. With `all`
        every value is compared, up to the first that differs; with `training` also the losses, where there are some.
        `tolerance` is relative to the largest number of a value; `graphc.verify.judge` says what is let pass.

        Raises:
            SpecError: a backend can't express an op; located.
            graphc.backends.BackendError: ONNX Runtime is not installed.
            ValueError: the graph doesn't take one of the sizes.
        """
        from graphc.verify import Asked, verify

        return verify(self, Asked(all, training, sizes, tolerance, seed))

    def __repr__(self) -> str:
        from graphc.pretty import pretty_shape, rules_of

        rules = rules_of(self)
        inputs, outputs = (
            ", ".join(f"{name} {pretty_shape(value.type, rules)}" for name, value in values.items())
            for values in (self.inputs, self.outputs)
        )
        return f"<graph {self.name}: {inputs} → {outputs}>"

    def _repr_svg_(self) -> str | None:
        """The diagram for a notebook; None, so that the notebook shows the text, where it can't be drawn."""
        from graphc.backends import BackendError

        try:
            return self.draw()
        except BackendError:
            return None


def weights_of(root: Scope) -> Iterator[tuple[str, Weight]]:
    """The weights below a scope with their paths, each once."""
    told = set()
    for node in root.nodes():
        for name, weight in node.weights().items():
            path = f"{node.home}.{name}"
            if path not in told:
                told.add(path)
                yield path, weight
