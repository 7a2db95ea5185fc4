"""Several elements become one."""

from __future__ import annotations

from graphc.graph import Value
from graphc.ops import reduce
from graphc_onnx.reader.entries import Entry, UnreadError
from graphc_onnx.reader.readers.pool import ALL_MEAN, all_of
from graphc_onnx.reader.site import Site, reads

KINDS = {"ReduceMax": reduce.Amax, "ReduceMean": reduce.Mean, "ReduceMin": reduce.Amin, "ReduceSum": reduce.Sum}


@reads(*KINDS)
def reduction(site: Site) -> Entry:
    """Along axes that are an operand, in older opsets an attribute; the mean of all of a map is a pooling."""
    axes, rank = site.numbers(1, "axes"), site.type(0).rank
    if not axes and site.whole("noop_with_empty_axes", 0):
        return site.entry(0)
    keep = bool(site.whole("keepdims", 1))
    along = tuple(sorted(axis % rank for axis in axes)) if axes else tuple(range(rank))
    if site.operator == "ReduceMean" and keep and rank > 3 and along == tuple(range(2, rank)):
        return site.give(all_of(site, ALL_MEAN), site.value(0))
    dim = None if not axes else along[0] if len(axes) == 1 else along
    return site.give(KINDS[site.operator](dim=dim, keepdim=keep), site.value(0))


@reads("ArgMax")
def argmax(site: Site) -> Value:
    if site.whole("select_last_index", 0):
        raise UnreadError("ArgMax: the last of several")
    return site.give(reduce.Argmax(dim=site.whole("axis", 0), keepdim=bool(site.whole("keepdims", 1))), site.value(0))
