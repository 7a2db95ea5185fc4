"""Which numbers an input may hold: labels of classes there are, rows that a table has, probabilities.

The ops say what they take of an operand (`taken`); it holds for an input where the input's elements arrive there as
they are, or only moved (`MOVING`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import singledispatch

from graphc.dims import Size, substitute
from graphc.graph import Graph, Value
from graphc.ops import index, shape
from graphc.ops.activation import Detach, Float, Identity, Log, Log2, Sqrt
from graphc.ops.arithmetic import FloorDivide, Remainder
from graphc.ops.base import Op
from graphc.ops.embedding import Embedding
from graphc.ops.functions import Reciprocal, Rsqrt
from graphc.ops.join import CenterCrop, Concat
from graphc.ops.loss import BinaryCrossEntropy, BinaryCrossEntropyWithLogits, KlDiv, OfLabels, class_axis
from graphc.ops.places import Gather, OneHot, Pick, Scatter, Take
from graphc.ops.rearrange import Rearrange
from graphc.ops.region import OfRegions
from graphc.ops.repeat import RepeatInterleave, Tile, Unflatten
from graphc.ops.resize import PixelShuffle, PixelUnshuffle
from graphc.tensor import Tensor


@dataclass(frozen=True, slots=True)
class Range:
    """The numbers from `low` to `high`, both included; a bound can depend on the free sizes.

    `distinct`: none twice, as far as there are enough.
    """

    low: Size | float
    high: Size | float
    distinct: bool = False

    def at(self, sizes: Mapping[str, int]) -> tuple[float, float]:
        """The bounds at these sizes."""
        low, high = (bound if isinstance(bound, float) else substitute(bound, sizes) for bound in (self.low, self.high))
        return float(str(low)), float(str(high))


Ranges = Mapping[int, Range]
"""What an op takes, by the operand's place; of an operand that is not there it takes anything."""

PROBABILITY = Range(0, 1)
POSITIVE = Range(0.1, 3.0)

MOVING: tuple[type[Op], ...] = (
    CenterCrop,
    Concat,
    Detach,
    Float,
    Gather,
    Identity,
    Pick,
    PixelShuffle,
    PixelUnshuffle,
    Rearrange,
    RepeatInterleave,
    Take,
    Tile,
    Unflatten,
    index.Chunk,
    index.Getitem,
    index.IndexSelect,
    index.Roll,
    index.Split,
    shape.Expand,
    shape.Flatten,
    shape.Permute,
    shape.Reshape,
    shape.Squeeze,
    shape.Stack,
    shape.Transpose,
    shape.Unsqueeze,
)
"""Ops whose result has elements of their first operand, or of all where they take any number, and no other."""


@singledispatch
def taken(op: Op, *operands: Tensor) -> Ranges:
    """The numbers that an op takes of its operands, where it doesn't take all; `register` says it of a stranger's."""
    return {}


@taken.register
def _(op: Embedding, input: Tensor) -> Ranges:
    return {0: Range(0, op.num_embeddings - 1)}


@taken.register
def _(op: index.IndexSelect, input: Tensor, index: Tensor) -> Ranges:
    return {1: Range(0, input.shape[op.dim] - 1)}


@taken.register
def _(op: Gather, input: Tensor, index: Tensor) -> Ranges:
    return {1: Range(0, input.shape[op.dim] - 1)}


@taken.register
def _(op: OfRegions, input: Tensor, boxes: Tensor, picture: Tensor) -> Ranges:
    return {2: Range(0, input.shape[0] - 1)}


@taken.register(Pick)
@taken.register(Take)
def _(op: Op, input: Tensor, index: Tensor) -> Ranges:
    return {1: Range(0, input.shape[1] - 1)}


@taken.register
def _(op: Scatter, index: Tensor, source: Tensor) -> Ranges:
    return {0: Range(0, op.shape[0] - 1, distinct=True)}


@taken.register
def _(op: OneHot, input: Tensor) -> Ranges:
    return {0: Range(0, op.num_classes - 1)}


@taken.register
def _(op: OfLabels, input: Tensor, target: Tensor) -> Ranges:
    is_label = target.dtype == "int64"
    return {1: Range(0, input.shape[class_axis(input)] - 1) if is_label else PROBABILITY}


@taken.register
def _(op: BinaryCrossEntropy, input: Tensor, target: Tensor) -> Ranges:
    return {0: PROBABILITY, 1: PROBABILITY}


@taken.register
def _(op: BinaryCrossEntropyWithLogits, input: Tensor, target: Tensor) -> Ranges:
    return {1: PROBABILITY}


@taken.register
def _(op: KlDiv, input: Tensor, target: Tensor) -> Ranges:
    return {} if op.log_target else {1: PROBABILITY}


@taken.register(Log)
@taken.register(Log2)
@taken.register(Reciprocal)
@taken.register(Rsqrt)
@taken.register(Sqrt)
def _(op: Op, input: Tensor) -> Ranges:
    return {0: POSITIVE}


@taken.register(FloorDivide)
@taken.register(Remainder)
def _(op: Op, input: Tensor, other: Tensor) -> Ranges:
    return {1: Range(1, 3)}


def ranges(graph: Graph) -> dict[Value, list[Range]]:
    """For values whose numbers may not be just any, all that is asked of them by what reads them."""
    found: dict[Value, list[Range]] = {}
    for node in reversed(graph.nodes):
        operands = [operand for operand in node.arguments if operand is not None]
        if len(operands) == len(node.arguments):
            for place, wanted in taken(node.op, *(operand.type for operand in operands)).items():
                found.setdefault(operands[place], []).append(wanted)
        if isinstance(node.op, MOVING):
            passed = [wanted for output in node.outputs for wanted in found.get(output, ())]
            for operand in operands if node.op.slots()[0].variadic else operands[:1]:
                found.setdefault(operand, []).extend(passed)
    return found
