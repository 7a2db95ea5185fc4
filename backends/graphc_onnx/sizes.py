"""Sizes that are known only when a model runs: computed from the shapes of its inputs, each once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import singledispatchmethod

import numpy as np
from onnx import helper

from graphc.axes import Reading
from graphc.demands import at_least
from graphc.dims import Atom, Dim, Extreme, Floor, Size, Symbol, terms_of
from graphc_onnx.draft import Draft, Operand
from graphc_onnx.elements import ELEMENTS, Element

PREFIX = "size:"
"""Of the names of sizes."""


class UnshownError(LookupError):
    """A free size that no axis of an input shows by itself."""


@dataclass(slots=True)
class Sizes:
    """Writes sizes into a draft, as int64 of shape [] that are called by their formula: `size:H//2`.

    `readings` says where each free size is read.
    """

    draft: Draft
    readings: Mapping[str, Reading]
    written: set[str] = field(default_factory=set)

    def scalar(self, size: Size, dtype: Element = "int64") -> str:
        """The name of a size, in an element type."""
        name = f"{PREFIX}{size}"
        if self._is_new(name):
            self._write(name, size)
        return name if dtype == "int64" else self._cast(name, dtype)

    def vector(self, size: Size) -> str:
        """The name of a size in the shape [1]."""
        name = f"{PREFIX}[{size}]"
        if self._is_new(name):
            self._step(name, "Unsqueeze", self.scalar(size), self._number(f"{PREFIX}first", [0]))
        return name

    def _write(self, name: str, size: Size) -> None:
        (monomial, coefficient), *others = terms_of(size) or (((), 0),)
        if not (monomial or others):
            self.draft.hold(name, np.asarray(coefficient, np.int64))
        elif others:
            first = Dim(((monomial, coefficient),))
            self._step(name, "Add", self.scalar(first), self.scalar(size - first))
        elif coefficient != 1:
            self._step(name, "Mul", self.scalar(coefficient), self.scalar(Dim(((monomial, 1),))))
        elif len(monomial) > 1:
            left, right = Dim(((monomial[:1], 1),)), Dim(((monomial[1:], 1),))
            self._step(name, "Mul", self.scalar(left), self.scalar(right))
        else:
            self._atom(monomial[0], name)

    @singledispatchmethod
    def _atom(self, atom: Atom, name: str) -> None:
        raise TypeError(name)

    @_atom.register
    def _(self, atom: Symbol, name: str) -> None:
        """Read from an axis; what that is beyond the free size is taken off it."""
        if atom.name not in self.readings:
            raise UnshownError(atom.name)
        reading = self.readings[atom.name]
        shape = f"{PREFIX}all/{reading.value.path}"
        if self._is_new(shape):
            self._step(shape, "Shape", reading.value)
        axis = self.scalar(reading.axis)
        if (reading.factor, reading.plus) == (1, 0):
            self._step(name, "Gather", shape, axis)
            return
        found = self._step(f"{name}/axis", "Gather", shape, axis)
        multiple = self._step(f"{name}/multiple", "Sub", found, self.scalar(reading.plus))
        self._step(name, "Div", multiple, self.scalar(reading.factor))

    @_atom.register
    def _(self, atom: Floor, name: str) -> None:
        """ONNX's Div drops the fraction, which is the floor where nothing is negative."""
        above, below = self.scalar(atom.numerator), self.scalar(atom.divisor)
        if at_least(atom.numerator, 0) is not True:
            above = self._step(f"{name}/whole", "Sub", above, self._step(f"{name}/rest", "Mod", above, below))
        self._step(name, "Div", above, below)

    @_atom.register
    def _(self, atom: Extreme, name: str) -> None:
        self._step(name, atom.kind.capitalize(), self.scalar(atom.left), self.scalar(atom.right))

    def _cast(self, name: str, dtype: Element) -> str:
        cast = f"{name}/{dtype}"
        if self._is_new(cast):
            self.draft.write(cast, "Cast", [name], [cast]).attribute.append(
                helper.make_attribute("to", ELEMENTS[dtype])
            )
        return cast

    def _number(self, name: str, value: list[int]) -> str:
        return self.draft.hold(name, np.asarray(value, np.int64)) if self._is_new(name) else name

    def _step(self, name: str, operator: str, *inputs: Operand) -> str:
        self.draft.write(name, operator, inputs, [name])
        self.draft.whole.add(name)
        return name

    def _is_new(self, name: str) -> bool:
        """Whether nothing has that name yet; from now on something does."""
        if name in self.written:
            return False
        self.written.add(name)
        return True
