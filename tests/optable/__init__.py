"""The table of ops: a row each, from which all tests of an op are made. Families as in `graphc.ops`."""

from __future__ import annotations

from types import ModuleType

from graphc.ops import OPS, Op
from graphc.tensor import Tensor
from optable import (
    activation,
    arithmetic,
    attention,
    choice,
    compare,
    conv,
    embedding,
    fourier,
    functions,
    index,
    join,
    linear,
    loss,
    masked,
    norm,
    patches,
    places,
    pool,
    position,
    rearrange,
    reduce,
    region,
    repeat,
    resize,
    selection,
    shape,
    source,
    statistic,
)
from optable.row import Row

__all__ = ["CASES", "FAMILIES", "ROWS"]

FAMILIES: tuple[ModuleType, ...] = (
    activation,
    arithmetic,
    attention,
    choice,
    compare,
    conv,
    embedding,
    fourier,
    functions,
    index,
    join,
    linear,
    loss,
    masked,
    norm,
    patches,
    places,
    pool,
    position,
    rearrange,
    reduce,
    region,
    repeat,
    resize,
    selection,
    shape,
    source,
    statistic,
)
ROWS: dict[str, Row] = {name: row for family in FAMILIES for name, row in family.ROWS.items()}
CASES: list[tuple[Op, tuple[Tensor, ...]]] = [
    (OPS[name].model_validate(attributes), tuple(operands))
    for name, row in ROWS.items()
    for attributes, operands in row.settled
]
"""The settled cases of all ops."""
