"""How ops work on arrays of numbers: those of which nothing is rounded, but for sums and products of fractions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import add, and_, eq, floordiv, ge, gt, inv, le, lt, mod, mul, ne, neg, or_, sub, xor
from typing import TYPE_CHECKING, Any, TypeAlias

from graphc.dims import Size, substitute
from graphc.layout import MOVES
from graphc.ops import Op
from graphc.ops.arithmetic import Add, FloorDivide, Multiply, Negative, Remainder, Subtract
from graphc.ops.choice import LogicalAnd, LogicalNot, LogicalOr, LogicalXor
from graphc.ops.compare import Eq, Ge, Gt, Le, Lt, Ne, Where
from graphc.ops.index import Getitem
from graphc.ops.rearrange import Rearrange
from graphc.ops.shape import Permute, Transpose
from graphc.ops.source import Arange
from graphc.tensor import Tensor

if TYPE_CHECKING:
    from graphc.initial import Array

Sizes: TypeAlias = Mapping[str, int]
Extent: TypeAlias = tuple[int, ...]
Work: TypeAlias = "Callable[[Any, list[Array], Extent, Sizes], Array]"
"""What an op makes of arrays: a result of this shape, where free sizes are these numbers."""


def worked(op: Op, arrays: list[Array], shape: Extent, sizes: Sizes) -> Array:
    """What an op of the table gives."""
    import numpy as np

    with np.errstate(all="ignore"):
        return np.asarray(WORK[type(op)](op, arrays, shape, sizes))


def single(number: float) -> Array:
    """A number as an array."""
    import numpy as np

    return np.asarray(number)


def spread(array: Array, front: Extent) -> Array:
    """An array [*, heads, T, S] as it is along these axes in front, which become one."""
    import numpy as np

    rest = array.shape[-3:]
    return np.broadcast_to(array, (*front, *rest)).reshape(-1, *rest)


def zeros(shape: Extent) -> Array:
    """Nothing but 0."""
    import numpy as np

    return np.zeros(shape)


def _of(work: Callable[..., Any]) -> Work:
    """An operator of Python, over as many arrays as it takes."""
    return lambda op, arrays, shape, sizes: work(*arrays)


def _over_all(work: Callable[[Any, Any], Any]) -> Work:
    """An operator of two, over any number of arrays."""
    return lambda op, arrays, shape, sizes: reduce(work, arrays)


def _counted(op: Arange, arrays: list[Array], shape: Extent, sizes: Sizes) -> Array:
    import numpy as np

    start, end = (each if isinstance(each, float) else substitute(each, sizes) for each in (op.start, op.end))
    return np.arange(float(str(start)), float(str(end)), op.step)


def _picked(op: Getitem, arrays: list[Array], shape: Extent, sizes: Sizes) -> Array:
    def at(place: Size | None) -> Size | None:
        return None if place is None else substitute(place, sizes)

    parts = (slice(*map(at, part)) if isinstance(part, tuple) else part for part in op.index)
    found: Array = arrays[0][tuple(parts)]
    return found


def _chosen(op: Where, arrays: Sequence[Array], shape: Extent, sizes: Sizes) -> Array:
    import numpy as np

    condition, yes, no = arrays
    return np.where(condition, yes, no)


def _shaped(op: Op, arrays: list[Array], shape: Extent, sizes: Sizes) -> Array:
    return arrays[0].reshape(shape)


def _turned(op: Permute | Transpose, arrays: list[Array], shape: Extent, sizes: Sizes) -> Array:
    return arrays[0].transpose(op.order(Tensor(arrays[0].shape)))


def _rearranged(op: Rearrange, arrays: list[Array], shape: Extent, sizes: Sizes) -> Array:
    parts = op.split(Tensor(arrays[0].shape))
    axes = [int(str(substitute(parts[name], sizes))) for name in op.parsed.names]
    return arrays[0].reshape(axes).transpose(op.parsed.order).reshape(shape)


WORK: Mapping[type[Op], Work] = {
    **dict.fromkeys(MOVES, _shaped),
    Add: _over_all(add),
    Arange: _counted,
    Eq: _of(eq),
    FloorDivide: _of(floordiv),
    Ge: _of(ge),
    Getitem: _picked,
    Gt: _of(gt),
    Le: _of(le),
    LogicalAnd: _of(and_),
    LogicalNot: _of(inv),
    LogicalOr: _of(or_),
    LogicalXor: _of(xor),
    Lt: _of(lt),
    Multiply: _over_all(mul),
    Ne: _of(ne),
    Negative: _of(neg),
    Permute: _turned,
    Rearrange: _rearranged,
    Remainder: _of(mod),
    Subtract: _of(sub),
    Transpose: _turned,
    Where: _chosen,
}
