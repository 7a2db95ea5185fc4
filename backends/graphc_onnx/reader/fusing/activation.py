"""Activations that are written out."""

from __future__ import annotations

from collections.abc import Iterator
from math import isclose, pi, sqrt

from graphc.ops import Op
from graphc.ops.activation import Gelu, Hardsigmoid, Hardswish, Relu6, Sigmoid, Silu, Tanh
from graphc.ops.arithmetic import Add, Divide, Multiply
from graphc.ops.functions import Erf
from graphc_onnx.reader.entries import Entry
from graphc_onnx.reader.fusing.operands import CLOSE, Found, Operands, beside, made_by, number, pairs
from graphc_onnx.reader.growing import Growing


def silu(to: Growing, op: Op, operands: Operands) -> Found:
    """x · σ(x)."""
    for value, gate in pairs(operands):
        found = made_by(gate, Sigmoid)
        if found and found[1][0] is value:
            return Silu(), [value]
    return None


def hardswish(to: Growing, op: Op, operands: Operands) -> Found:
    """x · hardsigmoid(x)."""
    for value, gate in pairs(operands):
        found = made_by(gate, Hardsigmoid)
        if found and found[1][0] is value:
            return Hardswish(), [value]
    return None


def hardsigmoid(to: Growing, op: Op, operands: Operands) -> Found:
    """min(max(0, x + 3), 6) / 6."""
    value = _sixth(operands[0]) if number(operands[1]) == 6 else None
    return None if value is None else (Hardsigmoid(), [value])


def hardsigmoid_by_product(to: Growing, op: Op, operands: Operands) -> Found:
    """The same, times 1/6."""
    value = _sixth(beside(operands, 1 / 6))
    return None if value is None else (Hardsigmoid(), [value])


def hardswish_divided(to: Growing, op: Op, operands: Operands) -> Found:
    """x · min(max(0, x + 3), 6), all divided by 6."""
    product = made_by(operands[0], Multiply) if number(operands[1]) == 6 else None
    for value, gate in pairs(product[1]) if product else ():
        if value is not None and _sixth(gate) is value:
            return Hardswish(), [value]
    return None


def _sixth(entry: Entry | None) -> Entry | None:
    """x of min(max(0, x + 3), 6)."""
    found = made_by(entry, Relu6)
    shifted = made_by(found[1][0], Add) if found else None
    return beside(shifted[1], 3) if shifted else None


def gelu(to: Growing, op: Op, operands: Operands) -> Found:
    """½ · x · (1 + erf(x / √2)), or with tanh, the three factors in any order."""
    factors = list(_factors(operands))
    halves = [each for each in factors if number(each) is not None]
    rest = [each for each in factors if number(each) is None]
    if len(rest) != 2 or len(halves) != 1 or number(halves[0]) != 0.5:
        return None
    for value, gate in pairs(rest):
        plus = made_by(gate, Add)
        inner = beside(plus[1], 1) if plus else None
        if inner is not None and _erf_of(inner) is value:
            return Gelu(), [value]
        if inner is not None and _tanh_of(inner) is value:
            return Gelu(approximate="tanh"), [value]
    return None


def _factors(operands: Operands) -> Iterator[Entry | None]:
    """The factors of a product of products."""
    for each in operands:
        inner = made_by(each, Multiply)
        yield from inner[1] if inner else (each,)


def _erf_of(entry: Entry) -> Entry | None:
    """x of erf(x / √2)."""
    found = made_by(entry, Erf)
    if not found:
        return None
    quotient, product = made_by(found[1][0], Divide), made_by(found[1][0], Multiply)
    if quotient:
        is_root = isclose(number(quotient[1][1]) or 0, sqrt(2), rel_tol=CLOSE)
        return quotient[1][0] if is_root else None
    return beside(product[1], 1 / sqrt(2)) if product else None


def _tanh_of(entry: Entry) -> Entry | None:
    """x of tanh(√(2/π) · (x + 0.044715 x³))."""
    found = made_by(entry, Tanh)
    scaled = made_by(found[1][0], Multiply) if found else None
    inner = beside(scaled[1], sqrt(2 / pi)) if scaled else None
    total = made_by(inner, Add)
    for value, part in pairs(total[1]) if total else ():
        bend = made_by(part, Multiply)
        if bend and beside(bend[1], 0.044715) is not None:
            return value
    return None
