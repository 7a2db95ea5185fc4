"""An ONNX graph as it grows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from onnx import GraphProto, NodeProto

from graphc.backends import BackendError
from graphc.distributions import Distribution
from graphc.graph import Scope, Value
from graphc.tensor import Weight
from graphc_onnx.elements import Array, overflows, stored, within
from graphc_onnx.form import Real
from graphc_onnx.storage import Storage, inside

__all__ = ["Array", "Draft", "Operand", "Source"]

Source: TypeAlias = Callable[[str, Weight], Array]
"""Gives the values of the weight at a path."""
Operand: TypeAlias = Value | str
"""A value of the graph, or the ONNX name of what a step, constant or weight gave."""


@dataclass(slots=True)
class Draft:
    """What has been written so far, and the lowest opset that can run it.

    `real` is the type of real numbers, `store` where weights go. `initial` has the distributions that the spec gives to
    weights, `held` are the weights that are stored, `put_off` what writes the values that are written only if something
    reads them. `scopes` has for each node the scope of its op; None where it may stand before all ops. `whole` are the
    names of what is known not to be real numbers.
    """

    body: GraphProto
    names: dict[Value, str]
    source: Source
    opset: int
    initial: Mapping[str, Distribution] = field(default_factory=dict)
    real: Real = "float32"
    store: Storage = inside
    held: set[str] = field(default_factory=set)
    put_off: dict[Value, Callable[[], None]] = field(default_factory=dict)
    scopes: list[Scope | None] = field(default_factory=list)
    whole: set[str] = field(default_factory=set)

    def write(
        self, path: str, operator: str, inputs: Iterable[Operand], outputs: Iterable[str], scope: Scope | None = None
    ) -> NodeProto:
        """Appends a node that is named by a path."""
        names = [self.name_of(operand) for operand in inputs]
        node: NodeProto = self.body.node.add(name=path, op_type=operator, input=names, output=outputs)
        self.scopes.append(scope)
        return node

    def name_of(self, operand: Operand) -> str:
        """The name of what is about to be read."""
        if not isinstance(operand, Value):
            return operand
        if operand in self.put_off:
            self.put_off.pop(operand)()
        return self.names[operand]

    def hold(self, name: str, value: Array, real: Real = "float32") -> str:
        """Stores a constant, right in the graph; returns its name. Of float32 it is held in the type `real`."""
        kind, array = stored(within(value, real), real)
        if value.dtype.kind != "f":
            self.whole.add(name)
        self.body.initializer.add(name=name, data_type=kind, dims=value.shape, raw_data=array.tobytes())
        return name

    def hold_weight(self, path: str, weight: Weight) -> str:
        """Stores the values of a weight, once where several nodes share it; returns its path.

        Raises:
            BackendError: a value is too large for the type of real numbers.
        """
        if path in self.held:
            return path
        self.held.add(path)
        if path in self.initial:
            weight = self.initial[path].given_to(weight)
        value = self.source(path, weight)
        if overflows(value, self.real):
            raise BackendError(f"{path} has values that {self.real} can't hold; bfloat16 and float32 can")
        kind, array = stored(value, self.real)
        self.store(self.body.initializer.add(name=path, data_type=kind, dims=value.shape), array)
        return path
