"""Arithmetic on values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphc.graph import Value
from graphc.ops.arithmetic import (
    Add,
    Divide,
    FloorDivide,
    Matmul,
    Multiply,
    Negative,
    Pow,
    Remainder,
    Subtract,
    promoted,
)
from graphc.tensor import Tensor
from graphc_onnx.draft import Operand
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower
from graphc_onnx.lowerings.operands import alike, cast, in_type


@lower.register
def add(_: Add, to: Emitter, *inputs: Value) -> None:
    """Sum takes any number, but only of floating point; the sum of bool is Or."""
    _fold(to, inputs, "sum", "Add", "Or")


@lower.register
def multiply(_: Multiply, to: Emitter, *inputs: Value) -> None:
    _fold(to, inputs, "product", "Mul", "And")


@lower.register
def subtract(_: Subtract, to: Emitter, input: Value, other: Value) -> None:
    to.emit("Sub", *alike(to, input, other))


@lower.register
def divide(_: Divide, to: Emitter, input: Value, other: Value) -> None:
    to.emit("Div", in_type(to, "input", input, "float32"), in_type(to, "other", other, "float32"))


@lower.register
def pow_(_: Pow, to: Emitter, input: Value, other: Value) -> None:
    to.emit("Pow", *alike(to, input, other))


@lower.register
def floor_divide(_: FloorDivide, to: Emitter, input: Value, other: Value) -> None:
    """(a - remainder) / b: exact, where ONNX's Div of integers drops the fraction and a / b of float32 is rounded."""
    a, b = alike(to, input, other)
    if promoted((input.type, other.type)) == "int64":
        to.emit("Div", to.step("multiple", "Sub", a, to.step("rest", "Mod", a, b)), b)
        return
    multiple = to.step("multiple", "Sub", a, _float_remainder(to, a, b))
    whole = to.step("whole", "Round", to.step("quotient", "Div", multiple, b))
    by_zero = to.step("by_zero", "Equal", b, to.constant("no_divisor", np.float32(0)))
    to.emit("Where", by_zero, to.step("infinite", "Div", a, b), whole)


@lower.register
def remainder(_: Remainder, to: Emitter, input: Value, other: Value) -> None:
    a, b = alike(to, input, other)
    if promoted((input.type, other.type)) == "int64":
        to.emit("Mod", a, b)
    else:
        to.emit("Identity", _float_remainder(to, a, b))


@lower.register
def negative(_: Negative, to: Emitter, input: Value) -> None:
    to.emit("Neg", input)


@lower.register
def matmul(_: Matmul, to: Emitter, input: Value, other: Value) -> None:
    to.emit("MatMul", input, other)


def _fold(to: Emitter, inputs: Sequence[Value], step: str, operator: str, of_bool: str) -> None:
    """From left to right, two at a time, each pair in the element type that can hold both."""
    total: Operand = inputs[0]
    held = inputs[0].type.dtype
    for index, value in enumerate(inputs[1:]):
        dtype = promoted((Tensor((), held), value.type))
        first = cast(to, f"{step}_{index}_left", total, held, dtype) if index else in_type(to, "left", inputs[0], dtype)
        pair = first, in_type(to, f"right_{index}", value, dtype)
        chosen, held = of_bool if dtype == "bool" else operator, dtype
        if index == len(inputs) - 2:
            to.emit(chosen, *pair)
        else:
            total = to.step(f"{step}_{index}", chosen, *pair)


def _float_remainder(to: Emitter, a: Operand, b: Operand) -> str:
    """Mod of float32 has the sign of a, as C's fmod; where that is not b's, one b more is the remainder."""
    rest = to.step("rest", "Mod", a, b, fmod=1)
    signs = to.step("signs", "Mul", to.step("sign_of_rest", "Sign", rest), to.step("sign_of_divisor", "Sign", b))
    differ = to.step("differ", "Less", signs, to.constant("zero", np.float32(0)))
    return to.step("remainder", "Where", differ, to.step("next", "Add", rest, b), rest)
