"""Model files beside specs: what exporters do to a network is no difference of architecture.

An exporter writes what runs at inference. It folds batch norms into convolutions, leaves out what works in training
alone, and fixes sizes that a spec leaves free. So the other side is brought into the same form before it is compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from graphc.diff.normal import normal
from graphc.dims import Dim, Size, symbol
from graphc.folding import at_inference, folded, idle
from graphc.graph import Graph
from graphc.ops.embedding import Embedding, Learned
from graphc.tensor import Tensor

FOLDED = "batch norms folded"
LEFT_OUT = "steps of training left out"
ALIKE = "equivalent forms as one"
LOOKED_UP = "learned tables looked up"


@dataclass(frozen=True, slots=True)
class Sides:
    """Two graphs as they are compared, and what was done to one of them so that they can be."""

    before: Graph
    after: Graph
    done: tuple[str, ...] = ()


def is_model(graph: Graph) -> bool:
    """Whether it was read from a model's file that says nothing of a spec."""
    return "#" not in graph.root.definition


def pinned(before: Graph, after: Graph) -> Sides:
    """Two graphs, with the sizes that a model's file fixes as examples of the other side, where it takes them."""
    return Sides(_pinned(before, after), _pinned(after, before))


def forms(before: Graph, after: Graph) -> Iterator[Sides]:
    """The forms in which two graphs can be compared, the first as they are."""
    plain = pinned(before, after)
    yield plain
    inference = inferring(plain)
    if inference.done:
        yield inference
    if is_model(before) or is_model(after):
        yield alike(inference)


def alike(sides: Sides) -> Sides:
    """The two with equivalent forms as one, at the sizes that the other side fixes."""
    before = normal(sides.before, dict(_fixed(sides.before, sides.after)))
    after = normal(sides.after, dict(_fixed(sides.after, sides.before)))
    tables = _looked_up(sides.before, before) or _looked_up(sides.after, after)
    return Sides(before, after, (*sides.done, ALIKE, *([LOOKED_UP] if tables else [])))


def _looked_up(graph: Graph, made: Graph) -> bool:
    """Whether a parameter stands for a table that was looked up: it has as many elements as come of it."""
    parameters = {node.path for node in made.nodes if isinstance(node.op, Learned)}
    return any(isinstance(node.op, Embedding) and node.path in parameters for node in graph.nodes)


def inferring(sides: Sides) -> Sides:
    """The two with that in inference form whose other side is a file in that form; the same where there is none."""
    before, first = _inferring(sides.before, sides.after)
    after, second = _inferring(sides.after, sides.before)
    done = first or second
    return Sides(before, after, done) if done else sides


def fixed(narrow: Graph, wide: Graph) -> Iterator[str]:
    """The inputs of which a graph takes one size and another graph many: `image: [N, 3, 64, 64]`."""
    for (name, mine), theirs in zip(narrow.inputs.items(), wide.inputs.values(), strict=False):
        pairs = list(zip(mine.type.shape, theirs.type.shape, strict=False))
        if fits(mine.type, theirs.type) and any(isinstance(a, int) and isinstance(b, Dim) for a, b in pairs):
            yield f"{name}: {mine.type}"


def fits(left: Tensor, right: Tensor) -> bool:
    """Whether two types are one, with free sizes at some numbers, or under other names."""
    if left.dtype != right.dtype or left.rank != right.rank:
        return False
    return all(a == b or Dim in (type(a), type(b)) for a, b in zip(left.shape, right.shape, strict=True))


def _inferring(graph: Graph, other: Graph) -> tuple[Graph, tuple[str, ...]]:
    """A graph in the form that a file on the other side has, and what that is called."""
    if not is_model(other):
        return graph, ()
    norms = {} if folded(other) else folded(graph)
    steps = set() if idle(other) else idle(graph)
    done = [FOLDED] * bool(norms) + [LEFT_OUT] * bool(steps)
    return (at_inference(graph, norms, steps) if done else graph), tuple(done)


def _pinned(graph: Graph, other: Graph) -> Graph:
    sizes = {name: replace(graph.sizes[name], example=number) for name, number in _fixed(graph, other)}
    return replace(graph, sizes=graph.sizes | sizes) if sizes else graph


def _fixed(graph: Graph, other: Graph) -> Iterator[tuple[str, int]]:
    """The free sizes of a graph of which a model's file on the other side takes one number that the graph takes too."""
    for mine, theirs in zip(graph.inputs.values(), other.inputs.values(), strict=False) if is_model(other) else ():
        for size, number in zip(mine.type.shape, theirs.type.shape, strict=False):
            name = _name(size, graph.sizes)
            if name and isinstance(number, int) and number in graph.sizes[name].rule:
                yield name, number


def _name(size: Size, names: Iterable[str]) -> str:
    """Which free size it is, if it stands alone."""
    return next((name for name in names if size == symbol(name)), "")
