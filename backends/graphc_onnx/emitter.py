"""What a lowering writes with: the ONNX nodes and constants of one op, named under the op's path."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from onnx import helper

from graphc.dims import Dim, Size
from graphc.graph import Node
from graphc.tensor import DType
from graphc_onnx.draft import Draft, Operand
from graphc_onnx.sizes import Sizes

Attribute: TypeAlias = int | float | str | Sequence[int]


@dataclass(frozen=True, slots=True)
class Emitter:
    """Writes one op of the graph into a draft.

    `emit`, called once, writes the node that has the op's path and gives its value. What is needed on the way, steps
    and constants, is named `path/name`; the op's weights are `path.name`.
    """

    node: Node
    draft: Draft
    sizes: Sizes
    group: str = ""

    def emit(self, operator: str, /, *inputs: Operand, **attributes: Attribute) -> None:
        """Writes the node that gives the op's value, or its values in their order."""
        names = [self.draft.names[value] for value in self.node.outputs]
        self._write(self.node.path, operator, inputs, names, attributes)

    def step(self, name: str, operator: str, /, *inputs: Operand, **attributes: Attribute) -> str:
        """Writes a node on the way; returns the name of what it gives, which is that of the node."""
        path = self._path(name)
        self._write(path, operator, inputs, [path], attributes)
        return path

    def constant(self, name: str, value: ArrayLike) -> str:
        """Stores a constant; returns its name. Python's integers become int64."""
        array = np.asarray(value)
        return self.draft.hold(self._path(name), array.astype(np.int64) if array.dtype.kind == "i" else array)

    def number(self, name: str, value: float | Dim, dtype: DType) -> str:
        """A number in an element type; one that is free is computed from the inputs' shapes."""
        if isinstance(value, Dim):
            return self.sizes.scalar(value, dtype)
        return self.constant(name, np.asarray(value, dtype))

    def vector(self, name: str, sizes: Sequence[Size]) -> str:
        """Several sizes as int64 [n], computed where one of them is free."""
        fixed = [size for size in sizes if isinstance(size, int)]
        if len(fixed) == len(sizes):
            return self.constant(name, fixed)
        return self.step(name, "Concat", *map(self.sizes.vector, sizes), axis=0)

    def put_off(self, write: Callable[[], None]) -> None:
        """Has the op written only if something reads its value."""
        self.draft.put_off[self.node.output] = write

    def weights(self, *names: str) -> list[str]:
        """Stores weights of the op, all where none is named; returns their paths."""
        owned = self.node.weights()
        return [self.draft.hold_weight(f"{self.node.home}.{name}", owned[name]) for name in names or owned]

    def weight(self, name: str) -> str:
        """Stores one weight of the op; returns its path."""
        return self.weights(name)[0]

    def below(self, group: str) -> Emitter:
        """The same, with steps and constants named `path/group/name`."""
        return replace(self, group=f"{self.group}{group}/")

    def needs_opset(self, opset: int) -> None:
        """Raises the model's opset where it is lower."""
        self.draft.opset = max(self.draft.opset, opset)

    def _write(
        self,
        path: str,
        operator: str,
        inputs: Iterable[Operand],
        outputs: Iterable[str],
        attributes: Mapping[str, Attribute],
    ) -> None:
        written = self.draft.write(path, operator, inputs, outputs)
        written.doc_string = str(self.node.span)
        written.attribute.extend(helper.make_attribute(name, value) for name, value in attributes.items())

    def _path(self, name: str) -> str:
        return f"{self.node.path}/{self.group}{name}"
