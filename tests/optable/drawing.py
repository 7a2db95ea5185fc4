"""Random attributes and operands: nearly always those that an op takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from graphc.tensor import DType, Tensor
from optable.case import Case

sizes = st.integers(1, 9)


channels = st.integers(1, 6)


mostly: list[DType] = ["float32"] * 12


dtypes: st.SearchStrategy[DType] = st.sampled_from([*mostly, "int64", "bool"])


flags = st.booleans()


def extents(least: int, most: int, axes: int = 2) -> st.SearchStrategy[int | tuple[int, ...]]:
    """One number, one for each axis, now and then one too many."""
    number = st.integers(least, most)
    several = st.sampled_from([axes] * 9 + [axes + 1]).flatmap(lambda axes: st.tuples(*[number] * axes))
    return st.one_of(number, number, several)


@st.composite
def images(draw: st.DrawFn, ranks: Sequence[int] = (*[4] * 12, 2, 5)) -> Tensor:
    """Mostly [N, C, H, W]; not [C, H, W], which torch takes and we do not."""
    rank = draw(st.sampled_from(ranks))
    shape = [draw(st.integers(1, 2)), draw(channels), *(draw(sizes) for _ in range(rank - 2))]
    return Tensor(tuple(shape), draw(dtypes))


@st.composite
def values(draw: st.DrawFn, least: int = 0, most: int = 5) -> Tensor:
    shape = draw(st.lists(st.integers(1, 4), min_size=least, max_size=most))
    return Tensor(tuple(shape), draw(dtypes))


def one(operand: st.SearchStrategy[Tensor], **attributes: st.SearchStrategy[Any]) -> st.SearchStrategy[Case]:
    """Cases of an op with one operand; each attribute may also be left out where it has a default."""
    required = {name: value for name, value in attributes.items() if not name.endswith("_")}
    optional = {name.rstrip("_"): value for name, value in attributes.items() if name.endswith("_")}
    return st.tuples(st.fixed_dictionaries(required, optional=optional), operand.map(lambda value: (value,)))


@st.composite
def similar(draw: st.DrawFn) -> Sequence[Tensor]:
    """Values whose sizes agree, or nearly so: some are 1, some differ, some lack the first axes."""
    whole = draw(values())
    found = []
    for _ in range(draw(st.integers(2, 3))):
        shape = [draw(st.sampled_from([size] * 12 + [1, 1, size + 1])) for size in whole.shape]
        cut = draw(st.sampled_from([0] * 6 + [1]))
        found.append(Tensor(tuple(shape[cut:]), draw(dtypes)))
    return found


def pairs(most: int = 2) -> st.SearchStrategy[Sequence[Tensor]]:
    """Some values, alike or nearly so."""
    return similar().map(lambda found: found[:most]).filter(lambda found: len(found) == most)


def two(operands: st.SearchStrategy[Sequence[Tensor]]) -> st.SearchStrategy[Case]:
    """Cases of an op without attributes."""
    return st.tuples(st.just({}), operands)


dims = st.integers(-3, 3)


@st.composite
def indices(draw: st.DrawFn) -> Tensor:
    """Mostly whole numbers."""
    return Tensor(draw(values()).shape, draw(st.sampled_from([*["int64"] * 12, "float32", "bool"])))


def window_of_means(axes: int) -> dict[str, st.SearchStrategy[Any]]:
    """The settings of a window."""
    drawn = {"kernel_size": (1, 4), "stride_": (1, 3), "padding_": (0, 3)}
    return {name: extents(*bounds, axes) for name, bounds in drawn.items()}


def window(axes: int) -> dict[str, st.SearchStrategy[Any]]:
    """The settings of a window, some of whose elements can lie apart."""
    return window_of_means(axes) | {"dilation_": extents(1, 3, axes)}


def of_rank(axes: int) -> st.SearchStrategy[Tensor]:
    """Mostly [N, C, *] with so many axes behind."""
    return images([axes + 2] * 12 + [2, 6])


shapes = st.lists(st.integers(1, 4), max_size=4).map(tuple)
