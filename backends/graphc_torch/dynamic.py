"""What `torch.export` is told of the free sizes: what `graphc check` knows of them, as far as it can be said there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch.export import Dim

from graphc.check import Need, needs
from graphc.demands import PeriodError, Relation, SizeSet, allowed
from graphc.dims import Size, substitute, symbol, symbols
from graphc.graph import Graph


@dataclass(frozen=True, slots=True)
class Steps:
    """The sizes first, first + step and so on, up to `last` where there is a last one."""

    first: int
    step: int = 1
    last: int | None = None

    def __contains__(self, size: int) -> bool:
        return size >= self.first and (size - self.first) % self.step == 0 and (self.last is None or size <= self.last)


class Axes:
    """How torch.export is told of one free size: the dims of the axes that depend on it."""

    def __init__(self, name: str, steps: Steps, exact: bool, plain: bool) -> None:
        self.name = name
        self.steps = steps
        self.exact = exact
        self.offset = steps.first % steps.step
        self.plain = plain and steps.step == 1
        self.root = self._root() if exact else None

    def _root(self) -> Dim:
        """The size itself, or the k of step·k + offset; torch reads a derived dim's name as a formula."""
        name = self.name if self.plain else f"_{self.name}"
        low, high = ((end - self.offset) // self.steps.step for end in (self.steps.first, self.steps.last or 0))
        return Dim(name, min=low, max=high if self.steps.last else None)

    def dim(self, size: Size) -> object:
        """The dim of an axis of that size."""
        line = _line(size, self.name)
        if line is None or line[0] < 1:
            return Dim.DYNAMIC
        slope, start = line
        if self.root is None:
            last = None if self.steps.last is None else slope * self.steps.last + start
            return Dim.DYNAMIC(min=slope * self.steps.first + start, max=last)
        return _derived(self.root, slope * self.steps.step, slope * self.offset + start)


def shapes(graph: Graph) -> tuple[dict[int, object], ...]:
    """For each input its free axes with their dims."""
    axes = {need.size.name: found for need in needs(graph) if (found := _axes(graph, need))}
    return tuple(
        {axis: dim for axis, size in enumerate(value.type.shape) if (dim := _dim(size, axes)) is not None}
        for value in graph.inputs.values()
    )


def _dim(size: Size, axes: dict[str, Axes]) -> object:
    """The dim of an input's axis; None where it is fixed."""
    free = symbols(size) & axes.keys()
    if not free:
        return None
    return axes[next(iter(free))].dim(size) if len(free) == 1 else Dim.DYNAMIC


def _axes(graph: Graph, need: Need) -> Axes | None:
    """What is told of a free size; None where it has one value alone."""
    name = need.size.name
    steps = _widest(_without_ones(graph, need), need.size.example)
    if steps is None or steps.first == steps.last:
        return None
    step = symbol(name) * steps.step + steps.first
    exact = all(_line(substitute(size, {name: step}), name) for size in _sizes(graph, name))
    plain = all(size == symbol(name) for value in graph.inputs.values() for size in _of(value.type.shape, name))
    return Axes(name, steps, exact, plain)


def _without_ones(graph: Graph, need: Need) -> SizeSet:
    """The needed sizes at which no value inside has an axis of 1, where these can be solved for."""
    name = need.size.name
    inside = {size for size in _sizes(graph, name) if symbols(size) == {name} and size != symbol(name)}
    try:
        found = need.needed & allowed(Relation(size, ">=", 2) for size in inside)
    except PeriodError:
        return need.needed
    return found or need.needed


def _sizes(graph: Graph, name: str) -> Iterator[Size]:
    """The sizes of the axes, of all values, that depend on a free size."""
    values = (*graph.inputs.values(), *(value for node in graph.nodes for value in node.outputs))
    for value in values:
        yield from _of(value.type.shape, name)


def _of(shape: tuple[Size, ...], name: str) -> Iterator[Size]:
    return (size for size in shape if name in symbols(size))


def _widest(sizes: SizeSet, example: int) -> Steps | None:
    """The widest rule inside a set: endless before ended, with the example before without, then the most sizes."""
    found = [steps for step in range(1, sizes.period + 1) if sizes.period % step == 0 for steps in _rules(sizes, step)]
    return min(
        found, key=lambda s: (s.last is not None, example not in s, s.step, s.first - (s.last or 0)), default=None
    )


def _rules(sizes: SizeSet, step: int) -> Iterator[Steps]:
    """The rules with a step, one for each offset of which all residues have sizes."""
    for offset in range(1, step + 1):
        ranges = [sizes.ranges[residue - 1] for residue in range(offset, sizes.period + 1, step)]
        found = [r for r in ranges if r is not None]
        if len(found) < len(ranges):
            continue
        first = max(r[0] for r in found) - sizes.period + step
        last = min((r[1] for r in found if r[1] is not None), default=None)
        end = None if last is None else last + sizes.period - step
        if end is None or first <= end:
            yield Steps(first, step, end)


def _line(size: Size, name: str) -> tuple[int, int] | None:
    """The slope and the start of a size that is linear in a free size, and depends on no other."""
    start, after = (substitute(size, {name: number}) for number in (0, 1))
    if not (isinstance(start, int) and isinstance(after, int)) or symbol(name) * (after - start) + start != size:
        return None
    return after - start, start


def _derived(root: Dim, slope: int, start: int) -> Dim:
    """slope·root + start."""
    steep = root if slope == 1 else slope * root
    return steep + start if start else steep
