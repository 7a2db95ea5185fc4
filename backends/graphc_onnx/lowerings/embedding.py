"""Tables of learned vectors, and tensors that are learned by themselves."""

from __future__ import annotations

from graphc.graph import Value, WeightValue
from graphc.ops.embedding import Embedding, Learned
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower


@lower.register
def embedding(_: Embedding, to: Emitter, input: Value) -> None:
    to.emit("Gather", to.weight("weight"), input)


@lower.register
def parameter(_: Learned, to: Emitter) -> None:
    to.emit("Identity", to.weight("weight"))


@lower.register
def weight(op: WeightValue, to: Emitter) -> None:
    to.emit("Identity", to.weight(op.of))
