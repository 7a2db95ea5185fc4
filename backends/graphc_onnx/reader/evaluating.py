"""What is known before a model runs: numbers of the file and sizes of values, and what is calculated from them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from graphc.dims import Size, floor_divide, larger, product, smaller
from graphc.graph import Value
from graphc.tensor import DType
from graphc_onnx.elements import Array
from graphc_onnx.reader.entries import (
    MOST_CALCULATED,
    Entry,
    Known,
    Stored,
    UnreadError,
    kind_of,
    known,
    of_tensor,
)
from graphc_onnx.reader.site import Site

LOOKING = frozenset({"ScatterND"})
"""The operators whose real numbers are looked into as well: masks are written so, weights are not."""
Evaluator: TypeAlias = Callable[[Site, Sequence[Known]], "Known | Sequence[Known]"]


def evaluated(site: Site) -> Sequence[Known] | None:
    """The outputs of a node that are known; None where they are not."""
    if site.operator in SHAPES:
        return [SHAPES[site.operator](site, _shape(site.entry(0)))]
    work = EVALUATORS.get(site.operator)
    if work is None or not site.inputs:
        return None
    given = [_looked_into(site, each) for each in site.inputs if each is not None]
    found = [each for each in given if each is not None]
    if len(found) < len(given) or len(given) < len(site.inputs):
        return None
    try:
        made = work(site, found)
    except (ValueError, IndexError, TypeError, ArithmeticError) as error:
        raise UnreadError(f"{site.operator}: {error}") from error
    results = [made] if isinstance(made, Known) else list(made)
    return results if all(each.array.size <= MOST_CALCULATED for each in results) else None


def _looked_into(site: Site, entry: Entry) -> Known | None:
    if site.operator in LOOKING:
        return known(entry, MOST_CALCULATED)
    return None if is_weight(entry) else known(entry)


def is_weight(entry: Entry) -> bool:
    """Whether an entry may be one: several real numbers of the file are kept as they are."""
    return isinstance(entry, Stored) and entry.dtype == "float32" and entry.count > 1


def _shape(entry: Entry) -> tuple[Size, ...]:
    if isinstance(entry, Value):
        return entry.type.shape
    return entry.shape if isinstance(entry, Stored) else tuple(entry.array.shape)


def listed(sizes: Sequence[Size]) -> Known:
    """Sizes as an array [n]."""
    made = np.empty(len(sizes), object)
    made[:] = list(sizes)
    return Known(made, "int64")


def _sized(site: Site, shape: tuple[Size, ...]) -> Known:
    return listed(shape[slice(site.whole("start", 0), site.whole("end", len(shape)))])


def _counted(site: Site, shape: tuple[Size, ...]) -> Known:
    return Known(np.asarray(product(shape), object), "int64")


SHAPES: dict[str, Callable[[Site, tuple[Size, ...]], Known]] = {"Shape": _sized, "Size": _counted}
"""What is known of a value without its elements."""


def _two(work: Callable[[Array, Array], Array], kind: DType | None = None) -> Evaluator:
    def evaluate(site: Site, given: Sequence[Known]) -> Known:
        left, right = given
        return Known(np.asarray(work(left.array, right.array)), kind or left.dtype)

    return evaluate


def _one(work: Callable[[Array], Array], kind: DType | None = None) -> Evaluator:
    def evaluate(site: Site, given: Sequence[Known]) -> Known:
        return Known(np.asarray(work(given[0].array)), kind or given[0].dtype)

    return evaluate


def _divided(site: Site, given: Sequence[Known]) -> Known:
    left, right = given
    if left.dtype == "float32":
        return Known(np.asarray(left.array / right.array), "float32")
    quotient = np.frompyfunc(floor_divide, 2, 1)
    return Known(np.asarray(quotient(left.array, right.array), object), "int64")


def _extreme(work: Callable[[Size, Size], Size]) -> Evaluator:
    def evaluate(site: Site, given: Sequence[Known]) -> Known:
        if given[0].dtype != "int64":
            raise UnreadError(f"{site.operator}: of real numbers")
        function, total = np.frompyfunc(work, 2, 1), given[0].array
        for each in given[1:]:
            total = np.asarray(function(total, each.array), object)
        return Known(total, "int64")

    return evaluate


def _cast(site: Site, given: Sequence[Known]) -> Known:
    kind, before = kind_of(site.whole("to", 1)), given[0]
    if kind == before.dtype:
        return before
    kinds = {"int64": int, "float32": float, "bool": bool}
    made = [kinds[kind](each) for each in before.array.reshape(-1).tolist()]
    held = {"int64": object, "float32": np.float64, "bool": bool}[kind]
    return Known(np.asarray(made, held).reshape(before.array.shape), kind)


def _gathered(site: Site, given: Sequence[Known]) -> Known:
    places = given[1].array.astype(np.int64)
    return Known(np.asarray(np.take(given[0].array, places, axis=site.whole("axis", 0))), given[0].dtype)


def _joined(site: Site, given: Sequence[Known]) -> Known:
    return Known(np.concatenate([each.array for each in given], axis=site.whole("axis", 0)), given[0].dtype)


def _cut(site: Site, given: Sequence[Known]) -> Known:
    starts, ends = site.numbers(1, "starts") or (), site.numbers(2, "ends") or ()
    axes = site.numbers(3, "axes") or tuple(range(len(starts)))
    steps = site.numbers(4) or (1,) * len(starts)
    ranges = [slice(None)] * given[0].array.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        ranges[axis] = slice(start, None if step < 0 and end < -given[0].array.shape[axis] else end, step)
    return Known(given[0].array[tuple(ranges)], given[0].dtype)


def _unsqueezed(site: Site, given: Sequence[Known]) -> Known:
    axes = site.numbers(1, "axes") or ()
    return Known(np.expand_dims(given[0].array, axes), given[0].dtype)


def _squeezed(site: Site, given: Sequence[Known]) -> Known:
    return Known(np.squeeze(given[0].array, site.numbers(1, "axes")), given[0].dtype)


def _reshaped(site: Site, given: Sequence[Known]) -> Known:
    return Known(given[0].array.reshape(site.numbers(1) or ()), given[0].dtype)


def _permuted(site: Site, given: Sequence[Known]) -> Known:
    return Known(given[0].array.transpose(site.ints("perm") or None), given[0].dtype)


def _expanded(site: Site, given: Sequence[Known]) -> Known:
    shape = site.numbers(1) or ()
    if np.prod(shape, dtype=object) > MOST_CALCULATED:
        raise UnreadError("Expand: to more than is looked into")
    wanted = np.broadcast_shapes(given[0].array.shape, shape)
    return Known(np.broadcast_to(given[0].array, wanted), given[0].dtype)


def _counted_up(site: Site, given: Sequence[Known]) -> Known:
    start, end, step = (each.one() for each in given)
    if not all(isinstance(each, (int, float)) for each in (start, end, step)):
        raise UnreadError("Range: to a free size")
    count = (float(str(end)) - float(str(start))) / float(str(step))
    if count > MOST_CALCULATED:
        raise UnreadError("Range: of more than is looked into")
    return Known(np.arange(start, end, step).astype(object), given[0].dtype)  # type: ignore[arg-type]  # checked above


def _filled(site: Site, given: Sequence[Known]) -> Known:
    shape = tuple(each for each in given[0].sizes if isinstance(each, int))
    if len(shape) < given[0].array.size or np.prod(shape, dtype=object) > MOST_CALCULATED:
        raise UnreadError("ConstantOfShape: of a free size, or more than is looked into")
    one = of_tensor(site.tensor("value")) if "value" in site.attributes else Known(np.zeros(1), "float32")
    return Known(np.full(shape, one.array.reshape(-1)[0], one.array.dtype), one.dtype)


def _chosen(site: Site, given: Sequence[Known]) -> Known:
    condition, yes, no = given
    return Known(np.where(condition.array.astype(bool), yes.array, no.array), yes.dtype)


def _raised(site: Site, given: Sequence[Known]) -> Known:
    base, exponent = given
    if base.dtype != "float32":
        raise UnreadError("Pow: of whole numbers")
    return Known(np.asarray(np.power(base.array, exponent.array.astype(np.float64))), "float32")


def _scattered(site: Site, given: Sequence[Known]) -> Known:
    """The data, with updates at the places that the last axis of the second input tells."""
    data, places, updates = given
    if site.text("reduction", "none") != "none":
        raise UnreadError("ScatterND: what is there is not replaced")
    made = data.array.copy()
    made[tuple(np.moveaxis(places.array.astype(np.int64), -1, 0))] = updates.array
    return Known(made, data.dtype)


def _split(site: Site, given: Sequence[Known]) -> Sequence[Known]:
    array, axis, count = given[0].array, site.whole("axis", 0), len(site.node.output)
    sizes = site.numbers(1, "split")
    parts = np.split(array, count if sizes is None else np.cumsum(sizes)[:-1].tolist(), axis)
    return [Known(part, given[0].dtype) for part in parts]


EVALUATORS: dict[str, Evaluator] = {
    "Add": _two(operator.add),
    "And": _two(np.logical_and, "bool"),
    "Cast": _cast,
    "Ceil": _one(np.ceil),
    "Concat": _joined,
    "ConstantOfShape": _filled,
    "Div": _divided,
    "Equal": _two(operator.eq, "bool"),
    "Expand": _expanded,
    "Floor": _one(np.floor),
    "Gather": _gathered,
    "Greater": _two(operator.gt, "bool"),
    "Less": _two(operator.lt, "bool"),
    "Max": _extreme(larger),
    "Min": _extreme(smaller),
    "Mod": _two(operator.mod),
    "Mul": _two(operator.mul),
    "Neg": _one(operator.neg),
    "Not": _one(np.logical_not, "bool"),
    "Pow": _raised,
    "Range": _counted_up,
    "Reciprocal": _one(np.reciprocal),
    "Reshape": _reshaped,
    "ScatterND": _scattered,
    "Slice": _cut,
    "Split": _split,
    "Sqrt": _one(np.sqrt),
    "Squeeze": _squeezed,
    "Sub": _two(operator.sub),
    "Transpose": _permuted,
    "Unsqueeze": _unsqueezed,
    "Where": _chosen,
}
"""How operators work on what is known."""
