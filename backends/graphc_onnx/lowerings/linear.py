"""Fully connected layers."""

from __future__ import annotations

from graphc.graph import Value
from graphc.ops.linear import Linear
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower


@lower.register
def linear(op: Linear, to: Emitter, input: Value) -> None:
    """One Gemm for a matrix; else a product with the transposed weight, whose initializer keeps PyTorch's layout."""
    if input.type.rank == 2:
        to.emit("Gemm", input, *to.weights(), transB=1)
        return
    columns = to.step("columns", "Transpose", to.weight("weight"), perm=[1, 0])
    if not op.bias:
        to.emit("MatMul", input, columns)
        return
    to.emit("Add", to.step("product", "MatMul", input, columns), to.weight("bias"))
