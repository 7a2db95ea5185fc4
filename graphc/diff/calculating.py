"""What depends on no input is its numbers, and what a learned table gives there is learned: rules of the normal form.

Exporters fold constants. A mask that a spec calculates is in their files what comes of it, and a bias that is looked up
in a table at places that are known is a tensor of the shape that it has then.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from graphc.diff.arrays import single, worked
from graphc.dims import substitute
from graphc.graph import Value
from graphc.opaque import Calculated
from graphc.ops import Op
from graphc.ops.embedding import Embedding, Learned
from graphc.ops.index import Constant
from graphc.remaking import Arguments, Made

if TYPE_CHECKING:
    from graphc.diff.normal import Normal
    from graphc.initial import Array

MOST = 1 << 20
"""Elements of what is calculated."""


def calculated(at: Normal, op: Op, arguments: Arguments, output: Value) -> Made | None:
    """The numbers that an op gives whose operands are numbers."""
    arrays: list[Array] = []
    for value in arguments:
        array = known(at, value)
        if array is None:
            return None
        arrays.append(array)
    type_ = at.type(output)
    shape = tuple(size for size in type_.shape if isinstance(size, int))
    if len(shape) < type_.rank or prod(shape) > MOST:
        return None
    made = worked(op, arrays, shape, at.sizes).astype(type_.dtype if type_.dtype != "float32" else "float64")
    return (at.numbers(made, type_.dtype) if shape else Constant(value=made.item())), ()


def known(at: Normal, value: Value | None) -> Array | None:
    """The numbers that a value is; None where they are not known."""
    op = value.node.op if value is not None else None
    if not isinstance(op, Constant):
        return at.arrays.get(op) if isinstance(op, Calculated) else None
    number = op.value if isinstance(op.value, float) else substitute(op.value, at.sizes)
    return single(number) if isinstance(number, (bool, int, float)) else None


def looked_up(at: Normal, op: Embedding, arguments: Arguments, output: Value) -> Made | None:
    """A table that is read at places that are always the same is a parameter of the shape that comes of it."""
    places, shape, node = arguments[0], at.type(output).shape, output.node
    is_known = places is not None and isinstance(places.node.op, Calculated)
    if not is_known or node.home != node.path or not all(isinstance(size, int) for size in shape):
        return None
    return Learned.model_validate({"shape": shape}), ()


def is_own(at: Normal, value: Value) -> bool:
    """Whether it is a parameter that nothing else reads: one of another shape can stand for it."""
    node = value.node
    return isinstance(node.op, Learned) and node.home == node.path and at.read.get(node.path) == 1
