"""Ops that keep as many things as the data says."""

from __future__ import annotations

from graphc.graph import Value
from graphc.ops.selection import Nonzero
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower


@lower.register
def nonzero(_: Nonzero, to: Emitter, input: Value) -> None:
    """Of an operand with one axis ONNX gives one row of places."""
    to.emit("Squeeze", to.step("places", "NonZero", input), to.constant("row", [0]))
