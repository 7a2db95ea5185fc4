"""Operands brought to one element type, which ONNX wants where PyTorch takes several."""

from __future__ import annotations

from graphc.graph import Value
from graphc.ops.arithmetic import promoted
from graphc.ops.index import Constant
from graphc.tensor import DType
from graphc_onnx.draft import Operand
from graphc_onnx.elements import ELEMENTS
from graphc_onnx.emitter import Emitter


def in_type(to: Emitter, name: str, value: Value, dtype: DType) -> Operand:
    """A value in an element type: a number is written in it, what has another is cast."""
    op = value.node.op
    if isinstance(op, Constant):
        return to.number(name, op.value, dtype)
    return cast(to, name, value, value.type.dtype, dtype)


def cast(to: Emitter, name: str, operand: Operand, held: DType, dtype: DType) -> Operand:
    """An operand of one element type in another."""
    return operand if held == dtype else to.step(name, "Cast", operand, to=ELEMENTS[dtype])


def alike(to: Emitter, input: Value, other: Value, *, numbers: bool = False) -> tuple[Operand, Operand]:
    """Two operands in the element type that can hold both; with `numbers` in int64 where they are of bool."""
    dtype = promoted((input.type, other.type))
    wanted = "int64" if numbers and dtype == "bool" else dtype
    return in_type(to, "input", input, wanted), in_type(to, "other", other, wanted)
