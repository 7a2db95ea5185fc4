"""What an operand of an op is: a number, or what another op gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isclose
from typing import TypeAlias, TypeVar

from graphc.graph import Value
from graphc.ops import Op
from graphc.ops.arithmetic import Multiply, Pow
from graphc.ops.index import Constant
from graphc_onnx.reader.entries import Entry, known

Found: TypeAlias = "tuple[Op, Sequence[Entry | None]] | None"
"""The op that was found, and what it reads; tensors of the file among that are its weights."""
Operands: TypeAlias = "Sequence[Entry | None]"
_Op = TypeVar("_Op", bound=Op)
CLOSE = 1e-4
"""How far a number may be from the one that is meant, relatively."""


def number(entry: Entry | None) -> float | None:
    """The number that an operand is; None where it is none."""
    if isinstance(entry, Value):
        value = entry.node.op.value if isinstance(entry.node.op, Constant) else None
        return float(value) if isinstance(value, (int, float)) else None
    found = known(entry) if entry is not None else None
    if found is None or found.array.size != 1:
        return None
    one = found.one()
    return float(one) if isinstance(one, (int, float)) else None


def made_by(entry: Entry | None, kind: type[_Op]) -> tuple[_Op, tuple[Value, ...]] | None:
    """The op of a kind that gives an operand, and what it reads."""
    if isinstance(entry, Value) and isinstance(entry.node.op, kind):
        return entry.node.op, entry.node.operands
    return None


def beside(operands: Operands, wanted: float) -> Entry | None:
    """The other of two operands, where one is a number."""
    for one, other in pairs(operands):
        found = number(one)
        if found is not None and isclose(found, wanted, rel_tol=CLOSE):
            return other
    return None


def with_number(operands: Operands) -> tuple[float, Entry] | None:
    """The number and the other of two operands."""
    for one, other in pairs(operands):
        found = number(one)
        if found is not None and other is not None:
            return found, other
    return None


def is_square(entry: Entry, of: Entry | None) -> bool:
    """Whether an operand is the square of another."""
    power, product = made_by(entry, Pow), made_by(entry, Multiply)
    if power:
        return power[1][0] is of and number(power[1][1]) == 2
    return product is not None and all(each is of for each in product[1])


def pairs(operands: Operands) -> Iterator[tuple[Entry | None, Entry | None]]:
    if len(operands) == 2:
        yield operands[0], operands[1]
        yield operands[1], operands[0]
