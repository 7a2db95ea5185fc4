"""Memory of activations in bytes: all of them, and the most that lives at once, at inference and in training.

Values come in the order of the graph. One lives from the node that makes it to its last reader, an output to the end.
A view (a reshaped value, a slice) has no memory of its own and keeps alive what it is a view of; nothing works in
place. What an operator needs while it works is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from graphc.cost.examples import Examples
from graphc.dims import Size, product
from graphc.graph import Graph, Node, Value
from graphc.ops.saved import Saved
from graphc.tensor import Tensor

BYTES = {"float32": 4, "int64": 8, "bool": 1}


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes, for one set of sizes.

    `weights` are parameters and buffers, `activations` all values that are made, one after the other. `peak_inference`
    is the most of them that lives at once, inputs included. `saved` is what autograd keeps for the backward pass when
    the forward pass ends, `peak_training` the most that lives at once in both, gradients of values included, those of
    weights not; both are None where an op, one of `unknown`, has no rule.
    """

    weights: int
    activations: int
    peak_inference: int
    saved: int | None
    peak_training: int | None
    unknown: tuple[str, ...] = ()


def memory(graph: Graph, sizes: Mapping[str, int] | None = None) -> Memory:
    """The memory that a graph takes at these sizes, or at its examples."""
    examples = Examples(graph.at(sizes or {}))
    run = _Run(graph, examples, training=True)
    kept = run.kept()
    unknown = tuple(sorted({node.op.name for node, saved in kept.items() if saved is None}))
    known = {node: saved for node, saved in kept.items() if saved is not None}
    return Memory(
        weights=sum(examples.count(weight.count) * BYTES[weight.dtype] for _, weight in graph.weights()),
        activations=examples.count(activations(graph)),
        peak_inference=max(_Run(graph, examples, training=False).forward({})),
        saved=None if unknown else run.saved(known),
        peak_training=None if unknown else max([*run.forward(known), *run.backward(known)]),
        unknown=unknown,
    )


def activations(graph: Graph) -> Size:
    """Bytes of all values that are made at inference; views have none, weights as values neither."""
    made = (value for node in graph.nodes if not _is_free(node, training=False) for value in node.outputs)
    return sum(map(bytes_of, made), start=0)


def bytes_of(value: Value) -> Size:
    """Bytes of a value's elements."""
    return product(value.type.shape) * BYTES[value.type.dtype]


def own_bytes(node: Node) -> Size:
    """Bytes of what a node makes at inference: 0 for a view."""
    return 0 if _is_free(node, training=False) else sum(map(bytes_of, node.outputs), start=0)


def _is_free(node: Node, *, training: bool) -> bool:
    """Whether what it gives lies in the memory of another value, or is a weight."""
    return (bool(node.operands) and node.op.shares(training)) or (not node.operands and bool(node.weights()))


@dataclass(slots=True)
class _Run:
    """One pass through a graph; `base` has for each value the one in whose memory it lies."""

    graph: Graph
    examples: Examples
    training: bool
    base: dict[Value, Value] = field(default_factory=dict)
    sizes: dict[Value, int] = field(default_factory=dict)
    last: dict[Value, int] = field(default_factory=dict)
    learning: set[Value] = field(default_factory=set)

    def __post_init__(self) -> None:
        for value in self.graph.inputs.values():
            self._own(value, -1)
        for number, node in enumerate(self.graph.nodes):
            for value in node.operands:
                self.last[self.base[value]] = number
            for value in node.outputs:
                if node.operands and node.op.shares(self.training):
                    self.base[value] = self.base[node.operands[0]]
                else:
                    self._own(value, number)
                    if _is_free(node, training=self.training):
                        self.sizes[value] = 0
            self.learning.update(self._trained(node))
        for value in self.graph.outputs.values():
            self.last[self.base[value]] = len(self.graph.nodes)

    def _own(self, value: Value, number: int) -> None:
        """Gives a value memory of its own, from a node on."""
        self.base[value], self.last[value] = value, number
        self.sizes[value] = self.bytes(self.examples.type(value.type))

    def _trained(self, node: Node) -> Iterator[Value]:
        """The outputs that a gradient flows back to."""
        own = any(not weight.buffer for weight in node.weights().values())
        if not node.op.detaches and (own or any(value in self.learning for value in node.operands)):
            yield from (value for value in node.outputs if value.type.dtype == "float32")

    def bytes(self, tensor: Tensor) -> int:
        """Bytes of a type with numbers for its sizes."""
        return self.examples.count(product(tensor.shape)) * BYTES[tensor.dtype]

    def forward(self, kept: Mapping[Node, Saved]) -> Iterator[int]:
        """The bytes that live while each node works, with what is kept so far."""
        gone: dict[int, list[Value]] = {}
        for value, number in self.last.items():
            gone.setdefault(number, []).append(value)
        alive = {self.base[value] for value in self.graph.inputs.values()}
        total, extra, held = sum(map(self.sizes.__getitem__, alive)), 0, set[Value]()
        yield total
        for number, node in enumerate(self.graph.nodes):
            new = {self.base[value] for value in node.outputs} - alive
            alive |= new
            total += sum(map(self.sizes.__getitem__, new))
            if node in kept:
                held |= self.values(node, kept[node])
                extra += self.examples.count(kept[node].extra)
            yield total + extra
            for value in gone.get(number, ()):
                if value not in held and value in alive:
                    alive.remove(value)
                    total -= self.sizes[value]

    def kept(self) -> dict[Node, Saved | None]:
        """What is kept of each node through which gradients flow."""
        trained = (node for node in self.graph.nodes if self.learning.intersection(node.outputs))
        return {node: node.op.saved(*self.examples.inputs(node)) for node in trained}

    def values(self, node: Node, saved: Saved) -> set[Value]:
        """The values whose memory is kept for a node."""
        found = {node.arguments[number] for number in saved.operands if number < len(node.arguments)}
        if saved.factors:
            learning = [value for value in node.operands if value in self.learning]
            found |= {value for value in node.operands if learning not in ([], [value])}
        if saved.outputs:
            found |= set(node.outputs)
        return {self.base[value] for value in found if value is not None}

    def saved(self, kept: Mapping[Node, Saved]) -> int:
        """Bytes of all that is kept when the forward pass ends."""
        values = {value for node, saved in kept.items() for value in self.values(node, saved)}
        extra = sum(self.examples.count(saved.extra) for saved in kept.values())
        return sum(map(self.sizes.__getitem__, values)) + extra

    def backward(self, kept: Mapping[Node, Saved]) -> Iterator[int]:
        """The bytes that live while each node's gradient is calculated: what is still kept, outputs and gradients."""
        readers: dict[Value, int] = {}
        for node, saved in kept.items():
            for value in self.values(node, saved):
                readers[value] = readers.get(value, 0) + 1
        extra = sum(self.examples.count(saved.extra) for saved in kept.values())
        outputs = {self.base[value] for value in self.graph.outputs.values()}
        gradients = {self.base[value] for value in self.graph.outputs.values() if value in self.learning}
        for node in reversed([*kept]):
            own = {self.base[value] for value in node.outputs}
            read = {self.base[value] for value in node.operands if value in self.learning}
            gradients |= read
            alive = {value for value, count in readers.items() if count} | outputs
            yield sum(self.sizes[value] for value in alive) + sum(self.sizes[value] for value in gradients) + extra
            gradients -= own - read
            extra -= self.examples.count(kept[node].extra)
            for value in self.values(node, kept[node]):
                readers[value] -= 1
