"""Which ops stay in float32 inside a model whose real numbers have 16 bits."""

from __future__ import annotations

from functools import singledispatch

from graphc.ops.base import Op
from graphc.ops.loss import Loss
from graphc.ops.norm import BatchNorm, GroupNorm, LocalResponseNorm, RMSNorm
from graphc.ops.region import OfRegions
from graphc.ops.selection import Nms
from graphc.ops.source import NormalLike
from graphc.ops.statistic import CosineSimilarity, Cumsum, Normalize, Spread


@singledispatch
def is_exact(op: Op) -> bool:
    """Whether an op is computed in float32 in every model.

    So are those that are written as sums of squares and the like, which leave float16's range. One operator of ONNX's
    own is not: how it sums is its runtime's, and they do it in float32.
    """
    return False


@is_exact.register
def _sums(_: Loss | CosineSimilarity | Cumsum | GroupNorm | LocalResponseNorm | Normalize | RMSNorm | Spread) -> bool:
    return True


@is_exact.register
def _batch_norm(op: BatchNorm) -> bool:
    """With the statistics of the batch; with those that it has counted it is one operator."""
    return not op.track_running_stats


@is_exact.register
def _places(_: OfRegions) -> bool:
    """ONNX Runtime has no kernel in 16 bits, in which a pixel of a large picture has no number either."""
    return True


@is_exact.register
def _suppression(_: Nms) -> bool:
    """ONNX's operator is for float32 alone."""
    return True


@is_exact.register
def _random(_: NormalLike) -> bool:
    """ONNX Runtime draws in float32 and more alone."""
    return True
