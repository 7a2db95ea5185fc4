"""Values that no operand holds: of one number, counted, or random."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from graphc.dims import Dim
from graphc.graph import Value
from graphc.ops.source import Arange, Filled, Full, Given, NormalLike, Ones, OnesLike, Zeros, ZerosLike
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower


@lower.register
def arange(op: Arange, to: Emitter) -> None:
    """Stored where it is fixed, as numpy has it, which adds as PyTorch does; else a Range."""
    parts = op.start, op.end, op.step
    if any(isinstance(part, Dim) for part in parts):
        to.emit(
            "Range", *(to.number(n, part, "int64") for n, part in zip(("start", "end", "step"), parts, strict=True))
        )
        return
    numbers = float(str(op.start)) + np.arange(int(str(op.length))) * op.step
    to.emit("Identity", to.constant("numbers", np.asarray(numbers, op.held)))


@lower.register
def full(op: Full, to: Emitter) -> None:
    _filled(op, to)


@lower.register
def given(op: Given, to: Emitter) -> None:
    to.emit("Identity", to.constant("numbers", np.asarray(op.data, op.held)))


@lower.register
def normal_like(_: NormalLike, to: Emitter, input: Value) -> None:
    to.emit("RandomNormalLike", input, dtype=TensorProto.FLOAT)


@lower.register
def ones(op: Ones, to: Emitter) -> None:
    _filled(op, to)


@lower.register
def ones_like(_: OnesLike, to: Emitter, input: Value) -> None:
    to.emit("Expand", to.number("one", 1, input.type.dtype), to.step("shape", "Shape", input))


@lower.register
def zeros(op: Zeros, to: Emitter) -> None:
    _filled(op, to)


@lower.register
def zeros_like(_: ZerosLike, to: Emitter, input: Value) -> None:
    to.emit("Expand", to.number("zero", 0, input.type.dtype), to.step("shape", "Shape", input))


def _filled(op: Filled, to: Emitter) -> None:
    """One number, repeated."""
    number = to.number("number", op.number, op.held)
    if op.shape:
        to.emit("Expand", number, to.vector("shape", op.shape))
    else:
        to.emit("Identity", number)
