"""Several elements become one."""

from __future__ import annotations

from graphc.graph import Value
from graphc.ops import activation, arithmetic, reduce
from graphc_onnx.reader.entries import Entry, UnreadError
from graphc_onnx.reader.readers.pool import ALL_MEAN, all_of
from graphc_onnx.reader.site import Site, reads

KINDS = {"ReduceMax": reduce.Amax, "ReduceMean": reduce.Mean, "ReduceMin": reduce.Amin, "ReduceSum": reduce.Sum}
SQUARED = ("ReduceL2", "ReduceSumSquare")


@reads(*KINDS)
def reduction(site: Site) -> Entry:
    """Along axes that are an operand, in older opsets an attribute; the mean of all of a map is a pooling."""
    if _is_idle(site):
        return site.entry(0)
    axes, keep = _axes(site), bool(site.whole("keepdims", 1))
    if site.operator == "ReduceMean" and keep and site.type(0).rank > 3 and axes == tuple(range(2, site.type(0).rank)):
        return site.give(all_of(site, ALL_MEAN), site.value(0))
    return site.give(KINDS[site.operator](dim=_dim(site), keepdim=keep), site.value(0))


@reads("ReduceL1", *SQUARED)
def length(site: Site) -> Value:
    """The sum of sizes or of squares, or the root of that."""
    if _is_idle(site):
        raise UnreadError(f"{site.operator}: along no axis")
    value = site.value(0)
    of_each = arithmetic.Multiply() if site.operator in SQUARED else activation.Abs()
    each = site.give(of_each, *(value,) * (2 if site.operator in SQUARED else 1))
    total = site.give(reduce.Sum(dim=_dim(site), keepdim=bool(site.whole("keepdims", 1))), each)
    return site.give(activation.Sqrt(), total) if site.operator == "ReduceL2" else total


def _axes(site: Site) -> tuple[int, ...]:
    """The axes that go, in their order; without a word all."""
    rank = site.type(0).rank
    return tuple(sorted(axis % rank for axis in site.numbers(1, "axes") or range(rank)))


def _dim(site: Site) -> int | tuple[int, ...] | None:
    """The same as our ops have it."""
    axes = _axes(site)
    return None if not site.numbers(1, "axes") else axes[0] if len(axes) == 1 else axes


def _is_idle(site: Site) -> bool:
    """Whether no axis means none."""
    return not site.numbers(1, "axes") and bool(site.whole("noop_with_empty_axes", 0))


@reads("ArgMax")
def argmax(site: Site) -> Value:
    if site.whole("select_last_index", 0):
        raise UnreadError("ArgMax: the last of several")
    return site.give(reduce.Argmax(dim=site.whole("axis", 0), keepdim=bool(site.whole("keepdims", 1))), site.value(0))
