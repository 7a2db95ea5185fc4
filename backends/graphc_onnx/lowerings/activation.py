"""Element-wise functions of one value."""

from __future__ import annotations

from graphc.graph import Value
from graphc.ops.activation import Dropout, Identity, Relu
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower


@lower.register
def identity(_: Identity, to: Emitter, input: Value) -> None:
    to.emit("Identity", input)


@lower.register
def relu(_: Relu, to: Emitter, input: Value) -> None:
    to.emit("Relu", input)


@lower.register
def dropout(_: Dropout, to: Emitter, input: Value) -> None:
    """A model for inference drops nothing."""
    to.emit("Identity", input)
