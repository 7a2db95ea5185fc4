"""The sizes at which a graph is run: the examples of the spec, and others that the checker allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from graphc.bound import bound, tied
from graphc.check import Need, needs
from graphc.diagnostics import did_you_mean, listed
from graphc.graph import Demand, Graph

SMALLER = 4
"""How much smaller than the example the other size is, where it may be."""
TRIED = 64
"""How many sizes are tried for one that fits to the others."""


class SizeError(ValueError):
    """Sizes that a graph doesn't take."""


def two(graph: Graph) -> list[dict[str, int]]:
    """The examples, and other sizes, small ones, each another than the rest; the examples alone where all is fixed."""
    examples, found = graph.examples(), other(graph)
    return [examples, found] if found != examples else [examples]


def other(graph: Graph) -> dict[str, int]:
    """Sizes that the graph takes besides the examples; one that can't be changed by itself stays."""
    found = graph.examples()
    strict = [demand for demand in graph.demands if demand.strict]
    for need in needs(graph):
        asked = [demand for demand in strict if need.size.name in demand.relation.names]
        tries = ({**found, need.size.name: size} for size in islice(_others(need, found), TRIED))
        found = next((sizes for sizes in tries if _broken(asked, sizes) is None), found)
    return graph.at(found)


def built(graph: Graph, given: Sequence[Mapping[str, int]] | None) -> tuple[Graph, Sequence[Mapping[str, int]] | None]:
    """A graph as it is built for some sizes, and what of these is free still.

    Raises:
        SizeError: the graph doesn't take one of them, or its weights can't have two of them at once.
    """
    names = tied(graph)
    if not (names and given):
        return graph.bound(), given
    whole = [complete(graph, each) for each in given]
    for name in names:
        if len(sizes := {each[name] for each in whole}) > 1:
            raise SizeError(
                f"`{name}` is a size of weights: it can't be {listed(sorted(map(str, sizes)))} in one network"
            )
    free = [{name: size for name, size in each.items() if name not in names} for each in given]
    return bound(graph, whole[0]), free


def complete(graph: Graph, given: Mapping[str, int]) -> dict[str, int]:
    """Sizes that are given, the others at their examples.

    Raises:
        SizeError: there is no such size, or the graph doesn't take it.
    """
    for name in given:
        if name not in graph.sizes:
            known = did_you_mean(name, graph.sizes, f"its free sizes are {listed(list(graph.sizes))}")
            raise SizeError(f"`{graph.name}` has no free size `{name}`; {known}")
    found = graph.at(given)
    broken = _broken([demand for demand in graph.demands if demand.strict], found)
    if broken or min(given.values(), default=1) < 1:
        at = ", ".join(f"{name} = {size}" for name, size in found.items())
        raise SizeError(f"`{graph.name}` doesn't take {at}: {broken.message if broken else 'a size is at least 1'}")
    return found


def _others(need: Need, taken: Mapping[str, int]) -> Iterator[int]:
    """Allowed sizes of one name: small, but not 1, which broadcasts; and none that another has."""
    low = max(2, need.size.example // SMALLER)
    wanted = (size for size in need.needed if size >= low and size not in taken.values())
    return wanted if need.needed.is_endless else islice(wanted, TRIED)


def _broken(demands: list[Demand], sizes: Mapping[str, int]) -> Demand | None:
    """The first demand that doesn't hold."""
    return next((demand for demand in demands if not demand.relation.holds(sizes)), None)
