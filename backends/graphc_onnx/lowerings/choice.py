"""One of two values, element by element."""

from __future__ import annotations

from graphc.graph import Value
from graphc.ops.arithmetic import promoted
from graphc.ops.choice import LogicalAnd, LogicalNot, LogicalOr, LogicalXor, MaskedFill, Maximum, Minimum
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower
from graphc_onnx.lowerings.operands import alike, in_type

OPERATORS = {"logical_and": "And", "logical_or": "Or", "logical_xor": "Xor", "maximum": "Max", "minimum": "Min"}


@lower.register
def logical(op: LogicalAnd | LogicalOr | LogicalXor, to: Emitter, input: Value, other: Value) -> None:
    to.emit(OPERATORS[op.name], in_type(to, "input", input, "bool"), in_type(to, "other", other, "bool"))


@lower.register
def logical_not(_: LogicalNot, to: Emitter, input: Value) -> None:
    to.emit("Not", in_type(to, "input", input, "bool"))


@lower.register
def extreme(op: Maximum | Minimum, to: Emitter, input: Value, other: Value) -> None:
    """The larger of two truth values is whether one is true, the smaller whether both are."""
    of_bool = {"maximum": "Or", "minimum": "And"}[op.name]
    is_bool = promoted((input.type, other.type)) == "bool"
    to.emit(of_bool if is_bool else OPERATORS[op.name], *alike(to, input, other))


@lower.register
def masked_fill(op: MaskedFill, to: Emitter, input: Value, mask: Value) -> None:
    """Of bool, which ONNX Runtime's Where does not take: true is or'ed, false and'ed."""
    if input.type.dtype != "bool":
        to.emit("Where", mask, to.number("value", op.value, input.type.dtype), input)
    elif op.value:
        to.emit("Or", input, mask)
    else:
        to.emit("And", input, to.step("not", "Not", mask))
