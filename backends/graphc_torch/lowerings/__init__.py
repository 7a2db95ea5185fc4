"""How each op is written in PyTorch, one file a family as in `graphc.ops`. Importing these registers them."""

from __future__ import annotations

from graphc.ops import Op
from graphc.packages import load_lowering
from graphc.tensor import Tensor
from graphc_torch.layer import Layer, lower
from graphc_torch.lowerings import (
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

__all__ = ["FAMILIES"]

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


def of_package(op: Op, *inputs: Tensor | None) -> Layer:
    """The layer of an op that none of the families has: as the package that brings its lowering says."""
    load_lowering("torch", op.name, lower.registry)
    found = lower.dispatch(type(op))
    return (unknown if found is of_package else found)(op, *inputs)


lower.register(object, of_package)
