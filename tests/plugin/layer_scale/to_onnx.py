"""`layer_scale` in ONNX: a product."""

from __future__ import annotations

from graphc.graph import Value
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings import lower
from layer_scale.op import LayerScale


@lower.register
def _(op: LayerScale, to: Emitter, input: Value) -> None:
    factors = to.step("factors", "Reshape", to.weight("weight"), to.constant("shape", [-1, 1, 1]))
    to.emit("Mul", input, factors)
