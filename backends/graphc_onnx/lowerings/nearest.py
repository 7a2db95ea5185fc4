"""Interpolation that takes the nearest element: which one PyTorch takes, and where ONNX's Resize takes the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from graphc.demands import at_least
from graphc.dims import Size
from graphc_onnx.draft import Array, Operand
from graphc_onnx.emitter import Emitter

HALF = np.float32(0.5)


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis of `size` elements that gets `wanted`; `factor` is what the spec gives, `middle` where it counts from.

    For i PyTorch takes the element ⌊(i + middle)·step⌋, with the float32 step 1/factor or size/wanted. Resize divides
    by 1/step, which is rounded otherwise: for one in 25 pairs of sizes it takes another element somewhere.
    """

    number: int
    size: Size
    wanted: Size
    factor: float | None
    middle: bool

    @property
    def is_safe(self) -> bool:
        """Whether Resize takes the same elements: compared for these sizes, or one of the forms that tests try."""
        if isinstance(self.size, int) and isinstance(self.wanted, int):
            return bool((self.taken(self.size, self.wanted) == self.resized(self.size, self.wanted)).all())
        if self.factor is not None:
            return self.factor <= 8 and self.factor % 0.25 == 0
        doubled = self.size * 2
        if self.middle:
            return self.wanted in (self.size, doubled)
        near = at_least(self.wanted, doubled - 1) is True and at_least(doubled + 1, self.wanted) is True
        return near or self.wanted == self.size

    def taken(self, size: int, wanted: int) -> Array:
        """The elements that PyTorch takes."""
        step = np.float32(size) / np.float32(wanted) if self.factor is None else np.float32(1 / self.factor)
        places = np.arange(wanted, dtype=np.float32) + (HALF if self.middle else 0)
        found: Array = np.minimum(np.floor(places * step).astype(np.int64), size - 1)
        return found

    def resized(self, size: int, wanted: int) -> Array:
        """The elements that ONNX Runtime's Resize takes."""
        scale = np.float32(wanted) / np.float32(size) if self.factor is None else np.float32(self.factor)
        places = np.arange(wanted, dtype=np.float32)
        real = (places + HALF) / scale - HALF + HALF if self.middle else places / scale
        found: Array = np.clip(np.floor(real).astype(np.int64), 0, size - 1)
        return found


def gathered(to: Emitter, axis: Axis, value: Operand) -> str:
    """The elements that PyTorch takes, along one axis."""
    at = to.below(f"axis_{axis.number}")
    return at.step("taken", "Gather", value, _index(at.exactly(), axis), axis=axis.number)


def _index(to: Emitter, axis: Axis) -> str:
    if isinstance(axis.size, int) and isinstance(axis.wanted, int):
        return to.constant("index", axis.taken(axis.size, axis.wanted))
    zero, one = to.constant("zero", 0), to.constant("one", 1)
    size, wanted = to.number("size", axis.size, "int64"), to.number("wanted", axis.wanted, "int64")
    places = _real(to, "places", to.step("numbers", "Range", zero, wanted, one))
    if axis.middle:
        places = to.step("middles", "Add", places, to.constant("half", HALF))
    if axis.factor is None:
        step = to.step("step", "Div", _real(to, "real_size", size), _real(to, "real_wanted", wanted))
    else:
        step = to.constant("step", np.float32(1 / axis.factor))
    whole = to.step("whole", "Floor", to.step("found", "Mul", places, step))
    index = to.step("index", "Cast", whole, to=TensorProto.INT64)
    return to.step("inside", "Min", index, to.step("last", "Sub", size, one))


def _real(to: Emitter, name: str, value: str) -> str:
    return to.step(name, "Cast", value, to=TensorProto.FLOAT)
