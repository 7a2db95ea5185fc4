"""What a graph needs of its inputs, whether the spec promises more, and whether its expectations are met."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from decimal import Decimal

from graphc.cost import macs, parameters
from graphc.demands import SizeSet, allowed, solve
from graphc.diagnostics import Diagnostic, Note, SpecError
from graphc.dims import substitute, symbols
from graphc.graph import Demand, ExpectedShape, FreeSize, Graph
from graphc.tensor import Shape, Tensor


@dataclass(frozen=True, slots=True)
class Need:
    """What a graph needs of one free size, and for which sizes no window leaves out a part of its input."""

    size: FreeSize
    needed: SizeSet
    covered: SizeSet

    @property
    def declared(self) -> SizeSet:
        """The sizes that the spec promises to take."""
        return self.size.rule.sizes()


def needs(graph: Graph) -> list[Need]:
    """For each free size what all demands together come to."""
    return [
        Need(size, allowed(d.relation for d in _about(graph, name, strict=True)), allowed(d.relation for d in _about(graph, name)))
        for name, size in graph.sizes.items()
    ]


def check(graph: Graph) -> list[Diagnostic]:
    """Everything wrong with a graph whose ops are all in order, and warnings."""
    return [*_sizes(graph), *_undecided(graph), *_expectations(graph), *_unread(graph)]


def require(graph: Graph) -> list[Diagnostic]:
    """Checks a graph; the warnings.

    Raises:
        SpecError: something is wrong.
    """
    found = check(graph)
    if any(diagnostic.severity == "error" for diagnostic in found):
        raise SpecError(found)
    return found


def _about(graph: Graph, size: str, strict: bool = False) -> list[Demand]:
    """The demands on one free size alone; with `strict` without those that only should hold."""
    return [d for d in graph.demands if _names(d) == {size} and (d.strict or not strict)]


def _names(demand: Demand) -> set[str]:
    return symbols(demand.relation.left) | symbols(demand.relation.right)


def _sizes(graph: Graph) -> Iterator[Diagnostic]:
    for need in needs(graph):
        demands = _about(graph, need.size.name, strict=True)
        if not need.needed:
            yield _contradiction(need, demands)
        elif need.size.example not in need.needed:
            yield _example(need, demands)
        elif not _promised(need.size) <= need.needed:
            yield _promise(need, demands)


def _promised(size: FreeSize) -> SizeSet:
    """What the spec says it takes, as far as it says so: without `min` the smallest size is not promised."""
    sizes = size.rule.sizes()
    if "min" in size.promises:
        return sizes
    if size.promises:
        return SizeSet(tuple((size.example + (r[0] - size.example) % sizes.period, None) if r else None for r in sizes.ranges))
    return SizeSet.only(size.example)


def _contradiction(need: Need, demands: list[Demand]) -> Diagnostic:
    name = need.size.name
    message = f"no size of {name} satisfies all that the graph demands"
    return Diagnostic("E501", message, demands[-1].span, tuple(_notes(demands)))


def _example(need: Need, demands: list[Demand]) -> Diagnostic:
    name, example = need.size.name, need.size.example
    broken = [d for d in demands if not d.relation.holds(**{name: example})]
    message = f"{name} = {example}, the example, fails: {name} must be {need.needed}"
    return Diagnostic("E503", message, need.size.span, tuple(_notes(broken)))


def _promise(need: Need, demands: list[Demand]) -> Diagnostic:
    name, promised = need.size.name, _promised(need.size)
    failing = promised.without(need.needed, 3)
    passing = [size for size, _ in zip(promised & need.needed, range(3), strict=False)]
    broken = [d for d in demands if any(not d.relation.holds(**{name: size}) for size in failing)]
    message = f"{name} must be {need.needed}; the spec promises {need.size.rule}"
    notes = (Note(f"passes for {_series(name, passing)}; fails for {_series(name, failing)}"), *_notes(broken))
    return Diagnostic("E502", message, need.size.span, notes, hint=f"declare {name}: {_rule(need)}")


def _series(name: str, sizes: list[int]) -> str:
    return f"{name} = {', '.join(map(str, sizes))}, …" if sizes else "no size"


def _rule(need: Need) -> str:
    """The declaration that would be true."""
    both = (need.needed & need.declared).rule()
    if both is None:
        return f"sizes that are {need.needed}"
    fields = {"multiple": both.multiple, "plus": both.plus, "min": both.min, "example": need.size.example}
    if both.multiple == 1:
        del fields["multiple"]
    return "{" + ", ".join(f"{key}: {value}" for key, value in fields.items() if value) + "}"


def _notes(demands: list[Demand]) -> Iterator[Note]:
    """The places that demand it, each once, the last few."""
    places = {demand.span: demand for demand in demands}
    for demand in list(places.values())[-3:]:
        yield Note(f"{demand.message} ({demand.path})", demand.span)


def _undecided(graph: Graph) -> Iterator[Diagnostic]:
    """Demands that tie several sizes together: they must hold at the examples."""
    examples = graph.examples()
    for demand in graph.demands:
        if demand.strict and solve(demand.relation) is None and not demand.relation.holds(**examples):
            yield Diagnostic("E501", demand.message, demand.span, demand.notes)


def _unread(graph: Graph) -> Iterator[Diagnostic]:
    """Steps whose value reaches no output."""
    from networkx import ancestors

    network = graph.network
    read = {value.path for value in graph.outputs.values()}
    read |= {path for output in list(read) for path in ancestors(network, output)}
    seen = set()
    for node in graph.nodes:
        if node.path not in read and node.span not in seen:
            seen.add(node.span)
            yield Diagnostic("W101", f"`{node.path}` reaches no output", node.span, severity="warning")
    for name, value in graph.inputs.items():
        if value.path not in read:
            yield Diagnostic("W101", f"the input `{name}` reaches no output", value.node.span, severity="warning")


def _expectations(graph: Graph) -> Iterator[Diagnostic]:
    """Counts and shapes that `expect` states, at the examples."""
    examples = graph.examples()
    figures = {"params": parameters(graph), "macs": macs(graph)}
    for expected in graph.expected:
        if isinstance(expected, ExpectedShape):
            found = graph.outputs[expected.output].type.shape
            if _at(found, examples) != _at(expected.shape, examples):
                message = f"`{expected.output}` is {Tensor(_at(found, examples))}, expected {Tensor(_at(expected.shape, examples))}"
                yield Diagnostic("E601", message, expected.span)
        elif (size := figures[expected.figure]) is None:
            yield Diagnostic("E601", f"{expected.figure} can't be counted: an op has no rule", expected.span)
        elif not agrees(count := int(str(substitute(size, examples))), expected.text):
            yield Diagnostic("E601", f"{expected.figure} is {count:_}, expected {expected.text}", expected.span)


def _at(shape: Shape, examples: dict[str, int]) -> Shape:
    return tuple(substitute(size, examples) for size in shape)


def agrees(count: int, text: str) -> bool:
    """Whether a count is what a text says, to the digits that it has: 4.09e9 is 4.085e9 up to 4.095e9."""
    wanted = Decimal(text.replace("_", ""))
    exponent = int(wanted.as_tuple().exponent)
    return abs(Decimal(count) - wanted) * 2 <= (Decimal(10) ** exponent if exponent > 0 else 0)
