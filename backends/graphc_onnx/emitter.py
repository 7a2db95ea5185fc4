"""What a lowering writes with: the ONNX nodes and constants of one op, named under the op's path."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from onnx import NodeProto, helper

from graphc.dims import Dim, Size
from graphc.graph import Node, Scope, Value
from graphc.tensor import DType
from graphc_onnx.draft import Draft, Operand
from graphc_onnx.elements import ELEMENTS, REALS, held
from graphc_onnx.form import Real
from graphc_onnx.opsets import gives_real, lowest_with
from graphc_onnx.origin import trace
from graphc_onnx.sizes import Sizes

Attribute: TypeAlias = int | float | str | Sequence[int]
TYPES = frozenset({"dtype", "to"})
"""The attributes of ONNX's operators that are element types."""


@dataclass(frozen=True, slots=True)
class Emitter:
    """Writes one op of the graph into a draft.

    `emit`, called once, writes the node that has the op's path and gives its value. What is needed on the way, steps
    and constants, is named `path/name`; the op's weights are `path.name`.

    Lowerings write in float32; it becomes the model's type of real numbers here. One that is `exact` stays in float32:
    what it reads of the graph's values is cast to that, and what it gives is cast back.
    """

    node: Node
    draft: Draft
    sizes: Sizes
    group: str = ""
    exact: bool = False
    loose: bool = False
    wide: dict[str, str] = field(default_factory=dict)
    """The names of what was cast to float32, by what it had before."""

    def emit(self, operator: str, /, *inputs: Operand, **attributes: Attribute) -> None:
        """Writes the node that gives the op's value, or its values in their order."""
        self._give(self.node.path, operator, inputs, self.node.outputs, attributes)

    def step(self, name: str, operator: str, /, *inputs: Operand, **attributes: Attribute) -> str:
        """Writes a node on the way; returns the name of what it gives, which is that of the node."""
        path = self._path(name)
        self._write(path, operator, inputs, [path], attributes)
        return path

    def steps(self, operator: str, /, *inputs: Operand, gives: Sequence[str], **attributes: Attribute) -> list[str]:
        """Writes a node on the way that gives several things, by whose first it is named; returns their names."""
        paths = [self._path(name) for name in gives]
        self._write(paths[0], operator, inputs, paths, attributes)
        return paths

    def emit_output(self, name: str, operator: str, /, *inputs: Operand, **attributes: Attribute) -> None:
        """Writes the node that gives one of the op's several values; that of the first has the op's path."""
        number, value = next((n, value) for n, value in enumerate(self.node.outputs) if value.name == name)
        path = self._path(name) if number else self.node.path
        self._give(path, operator, inputs, [value], attributes)

    def constant(self, name: str, value: ArrayLike) -> str:
        """Stores a constant; returns its name. Python's integers become int64."""
        array = np.asarray(value)
        array = array.astype(np.int64) if array.dtype.kind == "i" else array
        return self.draft.hold(self._path(name), array, self.real)

    def number(self, name: str, value: float | Dim, dtype: DType) -> str:
        """A number in an element type; one that is free is computed from the inputs' shapes."""
        if isinstance(value, Dim):
            return self.sizes.scalar(value, held(dtype, self.real))
        with np.errstate(over="ignore"):  # what is too large for float32 is infinite, as in torch.tensor
            return self.constant(name, np.asarray(value, dtype))

    def vector(self, name: str, sizes: Sequence[Size]) -> str:
        """Several sizes as int64 [n], computed where one of them is free."""
        fixed = [size for size in sizes if isinstance(size, int)]
        if len(fixed) == len(sizes):
            return self.constant(name, fixed)
        return self.step(name, "Concat", *map(self.sizes.vector, sizes), axis=0)

    def put_off(self, write: Callable[[Emitter], None]) -> None:
        """Has the op written only if something reads its value; it must read nothing of the graph itself."""
        self.draft.put_off[self.node.output] = partial(write, replace(self, loose=True))

    def weights(self, *names: str) -> list[str]:
        """Stores weights of the op, all where none is named; returns their paths."""
        owned = self.node.weights()
        paths = [self.draft.hold_weight(f"{self.node.home}.{name}", owned[name]) for name in names or owned]
        return [self._widened(path, owned[name].dtype) for path, name in zip(paths, names or owned, strict=True)]

    def weight(self, name: str) -> str:
        """Stores one weight of the op; returns its path."""
        return self.weights(name)[0]

    def below(self, group: str) -> Emitter:
        """The same, with steps and constants named `path/group/name`."""
        return replace(self, group=f"{self.group}{group}/")

    def exactly(self) -> Emitter:
        """The same, for what must be float32 in every model."""
        return replace(self, exact=True)

    @property
    def real(self) -> Real:
        """The type of real numbers that is written."""
        return "float32" if self.exact else self.draft.real

    @property
    def opset(self) -> int:
        """The opset that the model has so far; it may grow."""
        return self.draft.opset

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
        names = [self._name(operand) for operand in inputs]
        written = self.draft.write(path, operator, names, outputs, self._scope)
        trace(self.node, written, self.draft.names)
        written.attribute.extend(helper.make_attribute(*self._typed(*item)) for item in attributes.items())
        if self.draft.real != "float32":
            self._note_types(operator, names, outputs, written)

    def _note_types(self, operator: str, inputs: Sequence[str], outputs: Iterable[str], written: NodeProto) -> None:
        """Raises the opset to one in which the operator takes the type of real numbers, where it works on them."""
        whole = self.draft.whole
        is_real = not inputs or any(name and name not in whole for name in inputs)
        if is_real:
            self.needs_opset(lowest_with(operator, self.real))
        chosen = [attribute.i in REALS for attribute in written.attribute if attribute.name in TYPES]
        if not all(chosen or [is_real, gives_real(operator)]):
            whole.update(outputs)

    @property
    def _scope(self) -> Scope | None:
        return None if self.loose else self.node.scope

    def _typed(self, name: str, value: Attribute) -> tuple[str, Attribute]:
        """An attribute; one that is the element type float32 is the type of real numbers."""
        is_real = name in TYPES and value == ELEMENTS["float32"]
        return name, ELEMENTS[self.real] if is_real else value

    def _give(
        self,
        path: str,
        operator: str,
        inputs: Iterable[Operand],
        values: Sequence[Value],
        attributes: Mapping[str, Attribute],
    ) -> None:
        """Writes the node that gives values of the graph; they are cast where they are in a wider type."""
        names = [self.draft.names[value] for value in values]
        narrow = [self.real != held("float32", self.draft.real) and v.type.dtype == "float32" for v in values]
        if not any(narrow):
            self._write(path, operator, inputs, names, attributes)
            return
        wide = [f"{name}/{self.real}" if cast else name for name, cast in zip(names, narrow, strict=True)]
        self._write(f"{path}/{self.real}", operator, inputs, wide, attributes)
        for value, name, given in zip(values, names, wide, strict=True):
            if name != given:
                own = path if value is values[0] else value.path
                self._write(own, "Cast", [given], [name], {"to": ELEMENTS[self.draft.real]})

    def _name(self, operand: Operand) -> str:
        """The name of what is about to be read, in the type of real numbers that is written."""
        name = self.draft.name_of(operand)
        if not isinstance(operand, Value):
            return name
        if operand.type.dtype != "float32":
            self.draft.whole.add(name)
        return self._widened(name, operand.type.dtype)

    def _widened(self, name: str, dtype: DType) -> str:
        """What has a name, in the type of real numbers that is written."""
        if dtype != "float32" or self.real == self.draft.real:
            return name
        if name not in self.wide:
            path = self.wide[name] = f"{self.node.path}/{self.real}/{len(self.wide)}"
            cast = self.draft.write(path, "Cast", [name], [path], self._scope)
            cast.attribute.append(helper.make_attribute("to", ELEMENTS[self.real]))
            trace(self.node, cast, self.draft.names)
        return self.wide[name]

    def _path(self, name: str) -> str:
        return f"{self.node.path}/{self.group}{name}"
