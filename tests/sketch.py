"""Graphs made step by step, without a spec."""

from __future__ import annotations

from collections.abc import Mapping

from graphc.diagnostics import Source, Span
from graphc.dims import Size, symbol
from graphc.graph import Graph, Input, Node, Scope, Value
from graphc.ops import Op
from graphc.tensor import DType, Tensor


def place(line: int) -> Span:
    return Span("sketch.yaml", line, 3, 7, Source("sketch.yaml", ""))


class Sketch:
    """A graph made step by step, without a spec."""

    def __init__(self, **inputs: Tensor) -> None:
        self.root = Scope("", "", "root", "", "sketch", place(1))
        values = {name: self._value(name, Input(), (), kind) for name, kind in inputs.items()}
        self.root.inputs.update(values)
        self.graph = Graph(
            name="sketch",
            title="A sketch",
            doc="",
            paper=None,
            file="sketch.yaml",
            digest="00",
            sizes={},
            inputs=values,
            outputs={},
            root=self.root,
            nodes=[],
            demands=[],
            expected=[],
        )

    def __getitem__(self, name: str) -> Value:
        return self.graph.inputs[name]

    def add(self, path: str, op: Op, *operands: Value, inline: bool = False) -> Value:
        value = self._value(path, op, operands, op.infer(*(operand.type for operand in operands)))
        value.node.inline = inline
        self.graph.nodes.append(value.node)
        self.root.items.append(value.node)
        return value

    def give(self, **outputs: Value) -> Graph:
        self.graph.outputs.update(outputs)
        return self.graph

    def _value(self, path: str, op: Op, operands: tuple[Value, ...], kind: Tensor | Mapping[str, Tensor]) -> Value:
        return Node(path, op, operands, kind, self.root, place(len(self.root.items) + 2)).output


def tensor(*shape: Size | str, dtype: DType = "float32") -> Tensor:
    return Tensor(tuple(symbol(size) if isinstance(size, str) else size for size in shape), dtype)


def graph_of(op: Op, *operands: Tensor) -> Graph:
    """A graph of one op, `block.op`."""
    sketch = Sketch(**{f"input_{index}": operand for index, operand in enumerate(operands)})
    return sketch.give(output=sketch.add("block.op", op, *sketch.graph.inputs.values()))
