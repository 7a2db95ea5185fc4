"""How each op is written in ONNX, one file a family as in `graphc.ops`. Importing these registers them with `lower`."""

from __future__ import annotations

from graphc.graph import Value
from graphc.ops import Op
from graphc.packages import load_lowering
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings import (
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
from graphc_onnx.lowerings.base import lower

__all__ = ["FAMILIES", "lower"]

FAMILIES = (
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
"""The modules with lowerings."""

unknown = lower.dispatch(object)


def of_package(op: Op, to: Emitter, *operands: Value | None) -> None:
    """Writes an op that none of the families has: as the package that brings its lowering says."""
    load_lowering("onnx", op.name, lower.registry)
    found = lower.dispatch(type(op))
    (unknown if found is of_package else found)(op, to, *operands)


lower.register(object, of_package)
