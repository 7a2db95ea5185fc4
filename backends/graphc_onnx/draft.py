"""An ONNX graph as it grows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, helper

from graphc.graph import Value
from graphc.tensor import Initial, Weight

Array: TypeAlias = NDArray[Any]
Source: TypeAlias = Callable[[str, Weight], Array]
"""Gives the values of the weight at a path."""
Operand: TypeAlias = Value | str
"""A value of the graph, or the ONNX name of what a step, constant or weight gave."""


@dataclass(slots=True)
class Draft:
    """What has been written so far, and the lowest opset that can run it.

    `initial` has the distributions that the spec gives to weights, `held` are the weights that are stored, `put_off`
    what writes the values that are written only if something reads them.
    """

    body: GraphProto
    names: dict[Value, str]
    source: Source
    opset: int
    initial: Mapping[str, Initial] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    put_off: dict[Value, Callable[[], None]] = field(default_factory=dict)

    def write(self, path: str, operator: str, inputs: Iterable[Operand], outputs: Iterable[str]) -> NodeProto:
        """Appends a node that is named by a path."""
        names = [self.name_of(operand) for operand in inputs]
        node: NodeProto = self.body.node.add(name=path, op_type=operator, input=names, output=outputs)
        return node

    def name_of(self, operand: Operand) -> str:
        """The name of what is about to be read."""
        if not isinstance(operand, Value):
            return operand
        if operand in self.put_off:
            self.put_off.pop(operand)()
        return self.names[operand]

    def hold(self, name: str, value: Array) -> str:
        """Stores a tensor, right in the graph since weights are large; returns its name."""
        kind = helper.np_dtype_to_tensor_dtype(value.dtype)
        little = np.asarray(value, value.dtype.newbyteorder("<"))
        self.body.initializer.add(name=name, data_type=kind, dims=value.shape, raw_data=little.tobytes())
        return name

    def hold_weight(self, path: str, weight: Weight) -> str:
        """Stores the values of a weight, once where several nodes share it; returns its path."""
        if path in self.held:
            return path
        self.held.add(path)
        if path in self.initial:
            weight = replace(weight, initial=self.initial[path])
        return self.hold(path, self.source(path, weight))
