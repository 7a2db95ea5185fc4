"""The graph as it grows from an ONNX file: each op is checked as it is made, as in a spec."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from onnx import NodeProto

from graphc.demands import PeriodError, Relation
from graphc.diagnostics import Span
from graphc.dims import Dim
from graphc.elaborate.build import Judgement, is_bounded, judge, trimmed
from graphc.graph import Demand, Input, Node, Scope, Value
from graphc.opaque import Calculated
from graphc.ops import Op
from graphc.ops.embedding import Learned
from graphc.ops.index import Constant
from graphc.tensor import Tensor
from graphc_onnx.reader.entries import MOST_CALCULATED, Entry, Known, Stored, UnreadError, known

Fusion = Callable[["Growing", Op, Sequence[Entry | None]], "tuple[Op, Sequence[Entry | None]] | None"]
Shortcut = Callable[["Growing", Op, Sequence[Entry | None]], "Value | None"]
MOST_NODES = 100_000


@dataclass(slots=True)
class Origin:
    """Where a node of the graph comes from: a node of the file, and the tensors that it owns."""

    node: NodeProto | None
    weights: tuple[Stored, ...] = ()


@dataclass(slots=True)
class Growing:
    """The nodes so far. Paths are given at the end (`paths`), so that a node that is in the way loses nothing.

    `fusions` are tried on each op as it is made: what an op of ours is, written with several of ONNX's. Before that
    `shortcuts` may say which value it gives, with no op of its own. `calculated` has the numbers behind such ops.
    """

    root: Scope
    span: Span
    fusions: Mapping[type[Op], Sequence[Fusion]]
    shortcuts: Mapping[type[Op], Sequence[Shortcut]]
    nodes: list[Node] = field(default_factory=list)
    origins: dict[Node, Origin] = field(default_factory=dict)
    demands: dict[Node, list[Demand]] = field(default_factory=dict)
    made: dict[Entry, Value] = field(default_factory=dict)
    calculated: dict[Op, Known] = field(default_factory=dict)

    def input(self, name: str, type_: Tensor) -> Value:
        """An input of the graph."""
        return Node(name, Input(), (), type_, self.root, self.span).output

    def value(self, entry: Entry) -> Value:
        """An entry as a value: a number becomes a constant, a tensor of the file a parameter."""
        if isinstance(entry, Value):
            return entry
        if entry not in self.made:
            self.made[entry] = self.number(entry) if isinstance(entry, Known) else self.parameter(entry)
        return self.made[entry]

    def number(self, entry: Known) -> Value:
        """A known number as a constant, several as what was calculated."""
        if entry.array.size != 1:
            return self.numbers(entry)
        number = entry.one()
        if isinstance(number, float):
            number = float(f"{number:.7g}")
        return self.add(Constant(value=number), (), None).output

    def numbers(self, entry: Known) -> Value:
        """Known numbers; sizes that are free have no place in a graph."""
        if not entry.array.size or any(isinstance(each, Dim) for each in entry.array.flat):
            raise UnreadError("an array of sizes stands beside values")
        op = Calculated.of(entry.array, entry.dtype)
        self.calculated[op] = entry
        return self.add(op, (), None).output

    def parameter(self, entry: Stored) -> Value:
        """A tensor of the file as a learned one; whole numbers, or a single number, as what they are."""
        is_number = entry.count == 1 or entry.dtype != "float32"
        found = known(entry, MOST_CALCULATED) if is_number else None
        if found is not None:
            return self.number(found)
        if entry.dtype != "float32" or 0 in entry.shape:
            raise UnreadError("a tensor of whole numbers stands beside values")
        return self.add(Learned(shape=entry.shape), (), None, [entry]).output

    def give(
        self, op: Op, operands: Sequence[Entry | None], origin: NodeProto | None, weights: Sequence[Stored] = ()
    ) -> Value:
        """The value that an op makes, by a shortcut if there is one.

        Raises:
            UnreadError: the op can't take the operands.
        """
        for shortcut in self.shortcuts.get(type(op), ()):
            found = shortcut(self, op, operands)
            if found is not None:
                return found
        return self.add(op, operands, origin, weights).output

    def add(
        self, op: Op, operands: Sequence[Entry | None], origin: NodeProto | None, weights: Sequence[Stored] = ()
    ) -> Node:
        """A node for an op, or for what it is a part of.

        Raises:
            UnreadError: the op can't take the operands.
        """
        op, operands, weights = self.fused(op, operands, weights)
        arguments = trimmed([None if each is None else self.value(each) for each in operands])
        judged = self.judged(op, arguments)
        if len(self.nodes) >= MOST_NODES:
            raise UnreadError(f"a graph has at most {MOST_NODES} nodes")
        made = Node("", op, arguments, judged.output, self.root, self.span)
        self.require_bounded(made)
        _require_weights(made, weights)
        self.nodes.append(made)
        self.origins[made] = Origin(origin, tuple(weights))
        self.demands[made] = [
            Demand(each.condition, "", self.span, f"{op.name}: {each.message}")
            for each in judged.requirements
            if isinstance(each.condition, Relation)
        ]
        return made

    def fused(
        self, op: Op, operands: Sequence[Entry | None], weights: Sequence[Stored]
    ) -> tuple[Op, Sequence[Entry | None], Sequence[Stored]]:
        """What an op is together with those that it reads; weights of theirs are kept."""
        while True:
            for fusion in self.fusions.get(type(op), ()):
                found = fusion(self, op, operands)
                if found is not None:
                    break
            else:
                return op, operands, weights
            op, operands = found
            kept = [each for each in operands if isinstance(each, Stored)]
            weights = [*weights, *kept] or weights
            operands = tuple(each for each in operands if not isinstance(each, Stored))

    def judged(self, op: Op, arguments: Sequence[Value | None]) -> Judgement:
        """What the op says of its operands."""
        slots = op.slots()
        least = sum(not (slot.optional or slot.variadic) for slot in slots)
        if len(arguments) < least:
            raise UnreadError(f"{op.name} has too few operands")
        try:
            judged = judge(op, tuple(None if value is None else value.type for value in arguments))
        except (ArithmeticError, PeriodError) as error:
            raise UnreadError(f"{op.name}: {error}") from error
        wrong = next((each.message for each in judged.requirements if each.condition is False), None)
        if wrong is not None:
            raise UnreadError(f"{op.name}: {wrong}")
        return judged

    def require_bounded(self, node: Node) -> None:
        if not all(is_bounded(size) for value in node.outputs for size in value.type.shape):
            raise UnreadError("a size is larger than 2**62, or has too many parts")

    def weights_of(self, value: Value) -> tuple[Stored, ...]:
        """The tensors of the file that a value's node owns."""
        origin = self.origins.get(value.node)
        return () if origin is None else origin.weights


def _require_weights(node: Node, weights: Sequence[Stored]) -> None:
    """The tensors of the file are as large as those that the op owns."""
    owned = [weight.count for weight in node.weights().values() if weight.dtype == "float32"]
    if owned != [each.count for each in weights]:
        raise UnreadError(f"{node.op.name} has tensors of another shape")
