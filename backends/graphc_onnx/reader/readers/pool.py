"""Pooling."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import TypeVar

from graphc.graph import Value
from graphc.ops import Op, pool
from graphc_onnx.reader.entries import Entry, UnreadError
from graphc_onnx.reader.readers.conv import padded
from graphc_onnx.reader.readers.window import even, window
from graphc_onnx.reader.site import Site, reads

_Op = TypeVar("_Op", bound=Op)
MAX: dict[int, type[pool.MaxPool]] = {1: pool.MaxPool1d, 2: pool.MaxPool2d, 3: pool.MaxPool3d}
MEAN: dict[int, type[pool.AvgPool]] = {1: pool.AvgPool1d, 2: pool.AvgPool2d, 3: pool.AvgPool3d}
ALL_MEAN: Mapping[int, type[Op]] = {
    1: pool.AdaptiveAvgPool1d,
    2: pool.AdaptiveAvgPool2d,
    3: pool.AdaptiveAvgPool3d,
}
ALL_MAX: Mapping[int, type[Op]] = {
    1: pool.AdaptiveMaxPool1d,
    2: pool.AdaptiveMaxPool2d,
    3: pool.AdaptiveMaxPool3d,
}


@reads("MaxPool")
def max_pool(site: Site) -> Entry:
    if len(site.node.output) > 1 and site.node.output[1]:
        raise UnreadError("MaxPool: with indices, which ONNX counts otherwise")
    found = window(site, site.type(0).space, site.ints("kernel_shape"))
    input, found = padded(site, site.value(0), found, -inf)
    op = _of(site, MAX, len(found.kernel))(
        kernel_size=even(found.kernel),
        stride=even(found.stride),
        padding=even(found.before),
        dilation=even(found.dilation),
        ceil_mode=bool(site.whole("ceil_mode", 0)),
    )
    return site.give(op, input)


@reads("AveragePool")
def avg_pool(site: Site) -> Value:
    found = window(site, site.type(0).space, site.ints("kernel_shape"))
    counted = bool(site.whole("count_include_pad", 0)) or set(found.before + found.behind) == {0}
    if set(found.dilation) != {1} or not (found.is_even or counted):
        raise UnreadError("AveragePool: dilated, or with an uneven padding that does not count")
    input, found = padded(site, site.value(0), found)
    op = _of(site, MEAN, len(found.kernel))(
        kernel_size=even(found.kernel),
        stride=even(found.stride),
        padding=even(found.before),
        ceil_mode=bool(site.whole("ceil_mode", 0)),
        count_include_pad=counted,
    )
    return site.give(op, input)


@reads("GlobalAveragePool")
def global_average_pool(site: Site) -> Value:
    return site.give(all_of(site, ALL_MEAN), site.value(0))


@reads("GlobalMaxPool")
def global_max_pool(site: Site) -> Value:
    return site.give(all_of(site, ALL_MAX), site.value(0))


def all_of(site: Site, kinds: Mapping[int, type[Op]]) -> Op:
    """One part along each axis."""
    return _of(site, kinds, site.type(0).rank - 2).model_validate({"output_size": 1})


def _of(site: Site, kinds: Mapping[int, type[_Op]], axes: int) -> type[_Op]:
    if axes not in kinds:
        raise UnreadError(f"{site.operator}: over {axes} axes")
    return kinds[axes]
