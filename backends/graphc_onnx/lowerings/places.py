"""Elements by their places."""

from __future__ import annotations

from graphc.graph import Value
from graphc.ops.places import Argsort, Gather, OneHot, Pick, Scatter, Sort, Take, TopK
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower


@lower.register
def topk(op: TopK, to: Emitter, input: Value) -> None:
    count = to.vector("k", [op.count(input.type)])
    to.emit("TopK", input, count, axis=op.dim, largest=int(op.largest))


@lower.register
def sort(op: Sort, to: Emitter, input: Value) -> None:
    """All of the axis; of equal elements ONNX Runtime takes the first first."""
    size = to.vector("size", [input.type.shape[op.dim]])
    to.emit("TopK", input, size, axis=op.dim, largest=int(op.descending))


@lower.register
def argsort(op: Argsort, to: Emitter, input: Value) -> None:
    size = to.vector("size", [input.type.shape[op.dim]])
    found = to.steps("TopK", input, size, gives=("sorted", "order"), axis=op.dim, largest=int(op.descending))
    to.emit("Identity", found[1])


@lower.register
def gather(op: Gather, to: Emitter, input: Value, index: Value) -> None:
    to.emit("GatherElements", input, index, axis=op.dim)


@lower.register
def of_each_sample(_: Pick | Take, to: Emitter, input: Value, index: Value) -> None:
    to.emit("GatherND", input, _as_places(to, index), batch_dims=1)


@lower.register
def scatter(op: Scatter, to: Emitter, index: Value, source: Value) -> None:
    """The elements put over the number repeated."""
    number = to.number("number", op.fill, source.type.dtype)
    filled = to.step("filled", "Expand", number, to.vector("shape", op.shape))
    to.emit("ScatterND", filled, _as_places(to, index), source)


@lower.register
def one_hot(op: OneHot, to: Emitter, input: Value) -> None:
    """ONNX's OneHot takes no single number."""
    classes, numbers = to.constant("classes", [op.num_classes]), to.constant("off_and_on", [0, 1])
    if input.type.rank:
        to.emit("OneHot", input, classes, numbers, axis=-1)
        return
    first = to.constant("first", [0])
    row = to.step("row", "OneHot", to.step("numbers", "Unsqueeze", input, first), classes, numbers, axis=-1)
    to.emit("Squeeze", row, first)


def _as_places(to: Emitter, index: Value) -> str:
    """Each number as a place with one coordinate."""
    return to.step("places", "Unsqueeze", index, to.constant("last", [-1]))
