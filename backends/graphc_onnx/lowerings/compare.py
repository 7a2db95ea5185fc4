"""Comparison of values, and the choice that it decides."""

from __future__ import annotations

from graphc.graph import Value
from graphc.ops.arithmetic import promoted
from graphc.ops.compare import Eq, Ge, Gt, Le, Lt, Ne, Where
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower
from graphc_onnx.lowerings.operands import alike, in_type


@lower.register
def eq(_: Eq, to: Emitter, input: Value, other: Value) -> None:
    to.emit("Equal", *alike(to, input, other))


@lower.register
def ne(_: Ne, to: Emitter, input: Value, other: Value) -> None:
    to.emit("Not", to.step("equal", "Equal", *alike(to, input, other)))


@lower.register
def lt(_: Lt, to: Emitter, input: Value, other: Value) -> None:
    to.emit("Less", *alike(to, input, other, numbers=True))


@lower.register
def le(_: Le, to: Emitter, input: Value, other: Value) -> None:
    to.emit("LessOrEqual", *alike(to, input, other, numbers=True))


@lower.register
def gt(_: Gt, to: Emitter, input: Value, other: Value) -> None:
    to.emit("Greater", *alike(to, input, other, numbers=True))


@lower.register
def ge(_: Ge, to: Emitter, input: Value, other: Value) -> None:
    to.emit("GreaterOrEqual", *alike(to, input, other, numbers=True))


@lower.register
def where(_: Where, to: Emitter, condition: Value, input: Value, other: Value) -> None:
    """Of bool, which ONNX Runtime's Where does not take: (condition and input) or (not condition and other)."""
    dtype = promoted((input.type, other.type))
    yes, no = in_type(to, "input", input, dtype), in_type(to, "other", other, dtype)
    if dtype != "bool":
        to.emit("Where", condition, yes, no)
        return
    chosen = to.step("chosen", "And", condition, yes)
    to.emit("Or", chosen, to.step("else", "And", to.step("not", "Not", condition), no))
