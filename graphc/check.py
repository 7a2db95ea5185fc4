"""What a graph needs of its inputs, whether the spec promises more, and whether its expectations are met."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice, product

from graphc.cost import macs, parameters, training_parameters
from graphc.demands import PeriodError, Relation, Rule, SizeSet, allowed, solve, under
from graphc.diagnostics import Diagnostic, Note, Span, SpecError
from graphc.dims import Size, substitute
from graphc.graph import Demand, ExpectedFigure, ExpectedShape, Figure, FreeSize, Graph, Node, Part, Value
from graphc.tensor import Shape, Tensor

SHOWN = 3
"""How many sizes an error names."""

TRIES = 1_000
"""How many promised sizes are looked at for one that fails, where sizes depend on each other."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a graph needs of one free size, and for which sizes no window leaves out a part of its input.

    `further` are demands on it alone that can't be solved: they are checked for the example and for what is promised.
    """

    size: FreeSize
    needed: SizeSet
    covered: SizeSet
    further: tuple[Demand, ...] = ()

    @property
    def declared(self) -> SizeSet:
        """The sizes that the spec promises to take."""
        return self.size.rule.sizes()


def needs(graph: Graph) -> list[Need]:
    """For each free size what all demands on it alone come to.

    Raises:
        PeriodError: the sizes repeat too late; `check` reports that.
    """
    needs = (_need(size, _about(graph.demands, size.name)) for size in graph.sizes.values())
    return [replace(need, further=_unsolved(graph, need.size.name)) for need in needs]


def _unsolved(graph: Graph, size: str) -> tuple[Demand, ...]:
    """The demands on one free size alone that can't be solved, each place once."""
    found = (d for d in graph.demands if d.strict and d.relation.names == {size} and solve(d.relation) is None)
    return tuple({demand.span: demand for demand in found}.values())


def check(graph: Graph) -> list[Diagnostic]:
    """Everything wrong with a graph whose ops are all in order, and warnings."""
    wrong = list(_sizes(graph)) or list(_together(graph)) or list(_expectations(graph))
    return [*wrong, *_unread(graph), *graph.unused]


def require(graph: Graph) -> list[Diagnostic]:
    """Checks a graph; the warnings.

    Raises:
        SpecError: something is wrong.
    """
    found = check(graph)
    if any(diagnostic.severity == "error" for diagnostic in found):
        raise SpecError(found)
    return found


# --- sizes one by one


def _demands(graph: Graph) -> list[Demand]:
    """What the graph demands, and its training and sampling."""
    parts = (graph.training, graph.sampling)
    return [*graph.demands, *(demand for part in parts if part for demand in part.demands)]


def _about(demands: Iterable[Demand], size: str) -> list[Demand]:
    """The demands on one free size alone that can be solved, in the order of the graph."""
    return [d for d in demands if d.relation.names == {size} and solve(d.relation) is not None]


def _need(size: FreeSize, demands: list[Demand]) -> Need:
    return Need(size, allowed(d.relation for d in demands if d.strict), allowed(d.relation for d in demands))


def _sizes(graph: Graph) -> Iterator[Diagnostic]:
    """What is wrong with each free size; what is the same for several is said once."""
    told: dict[tuple[object, ...], tuple[Diagnostic, list[Note]]] = {}
    for size in graph.sizes.values():
        found, broken = _size(size, [demand for demand in _about(_demands(graph), size.name) if demand.strict])
        if found is None:
            continue
        places = found.code, found.message.replace(size.name, ""), *(demand.span for demand in broken)
        if places in told:
            told[places][1].append(Note(f"the same holds for {size.name}", size.span))
        else:
            told[places] = found, []
    for diagnostic, more in told.values():
        yield replace(diagnostic, notes=(*diagnostic.notes, *more))


def _size(size: FreeSize, demands: list[Demand]) -> tuple[Diagnostic | None, list[Demand]]:
    """What is wrong with one free size, and the demands that it breaks; `demands` are those that must hold."""
    try:
        need = _need(size, demands)
        if not need.needed:
            message = f"no size of {size.name} satisfies all that the graph demands"
            return Diagnostic("E501", message, demands[-1].span, _notes(demands)), demands
        if size.example not in need.needed:
            broken = [demand for demand in demands if not demand.relation.holds({size.name: size.example})]
            return _example(need, broken), broken
        failing = _promised(size).without(need.needed, SHOWN)
    except PeriodError as error:
        message = f"what {size.name} must be can't be said: {error}"
        return Diagnostic("E305", message, size.span, _notes(demands)), demands
    broken = [d for d in demands if any(not d.relation.holds({size.name: number}) for number in failing)]
    return _promise(need, failing, broken) if failing else None, broken


def _example(need: Need, broken: list[Demand]) -> Diagnostic:
    """An example that fails; a graph that works for a few sizes only is wrong itself."""
    name = need.size.name
    if need.needed.is_endless:
        message = f"{name} = {need.size.example}, the example, fails: {name} must be {need.needed}"
        return Diagnostic("E503", message, need.size.span, _notes(broken))
    first = broken[0]
    return Diagnostic("E501", f"{first.message}; this fits for {name} {need.needed} alone", first.span, first.notes)


def _promised(size: FreeSize) -> SizeSet:
    """What the spec says it takes, as far as it says so."""
    rule = _promised_rule(size)
    return rule.sizes() if rule else SizeSet.only(size.example)


def _promised_rule(size: FreeSize) -> Rule | None:
    """The rule that is promised; without `min` sizes below the example are not, without any key the example is all."""
    if not size.promises:
        return None
    return size.rule if "min" in size.promises else replace(size.rule, min=size.example)


def _promise(need: Need, failing: list[int], broken: list[Demand]) -> Diagnostic:
    name, promised = need.size.name, _promised(need.size)
    passing = list(islice(promised & need.needed, SHOWN))
    message = f"{name} must be {need.needed}; the spec promises {need.size.rule}"
    note = Note(f"passes for {_series(name, passing)}; fails for {_series(name, failing)}")
    return Diagnostic("E502", message, need.size.span, (note, *_notes(broken)), _declaration(need))


def _series(name: str, sizes: list[int]) -> str:
    more = ", …" if len(sizes) == SHOWN else ""
    return f"{name} = {', '.join(map(str, sizes))}{more}" if sizes else "no size"


def _declaration(need: Need) -> str:
    """The hint with a declaration that would be true."""
    both = (need.needed & need.declared).rule()
    if both is None:
        return f"{need.size.name} can be {need.needed & need.declared}"
    fields = {"multiple": both.multiple, "plus": both.plus, "min": both.min, "example": need.size.example}
    if both.multiple == 1:
        del fields["multiple"]
    if both.min == (both.plus or both.multiple):
        del fields["min"]
    written = ", ".join(f"{key}: {value}" for key, value in fields.items() if value)
    return f"declare {need.size.name}: {{{written}}}"


def _notes(demands: list[Demand]) -> tuple[Note, ...]:
    """The places that demand it, each once, the last few."""
    places = {demand.span: demand for demand in demands}
    return tuple(Note(f"{demand.message} ({demand.path})", demand.span) for demand in list(places.values())[-3:])


# --- sizes that depend on each other


def _together(graph: Graph) -> Iterator[Diagnostic]:
    """Demands that tie several sizes together, or one in a way that can't be solved."""
    examples = graph.examples()
    seen = set()
    for demand in _demands(graph):
        if not demand.strict or demand.span in seen or solve(demand.relation) is not None:
            continue
        found = list(_tied(demand, graph, examples))
        seen |= {demand.span} if found else set()
        yield from found


def _tied(demand: Demand, graph: Graph, examples: dict[str, int]) -> Iterator[Diagnostic]:
    if not demand.relation.holds(examples):
        at = ", ".join(f"{name} = {examples[name]}" for name in sorted(demand.relation.names))
        yield Diagnostic("E501", f"{demand.message} at {at}", demand.span, demand.notes)
        return
    promises = {name: _promised_rule(size) for name, size in graph.sizes.items()}
    rules = {name: rule or Rule(1, 0, examples[name]) for name, rule in promises.items()}
    fixed = {name: examples[name] for name, rule in promises.items() if rule is None}
    relation = Relation(
        substitute(demand.relation.left, fixed), demand.relation.kind, substitute(demand.relation.right, fixed)
    )
    if not relation.names or under(relation, rules) is True:
        return
    failing = _counterexample(relation, rules)
    if failing:
        at = ", ".join(f"{name} = {size}" for name, size in sorted(failing.items()))
        message = f"{demand.message}: this fails for {at}, which the spec promises to take"
        yield Diagnostic("E502", message, demand.span, demand.notes)
    else:
        message = f"{demand.message}: whether this holds for all sizes that the spec promises can't be decided"
        yield Diagnostic("E502", message, demand.span, demand.notes, "promise less under `dims`, or make a size fixed")


def _counterexample(relation: Relation, rules: dict[str, Rule]) -> dict[str, int] | None:
    """Promised sizes for which a statement fails, among the first few."""
    names = sorted(relation.names)
    each = max(2, int(TRIES ** (1 / len(names))))
    first = [list(islice(rules[name].sizes(), each)) for name in names]
    combinations = (dict(zip(names, sizes, strict=True)) for sizes in product(*first))
    return next((sizes for sizes in combinations if not relation.holds(sizes)), None)


# --- expectations


def _expectations(graph: Graph) -> Iterator[Diagnostic]:
    """Counts and shapes that `expect` states, at the examples."""
    for expected in graph.expected:
        found = _shape(graph, expected) if isinstance(expected, ExpectedShape) else _figure(graph, expected)
        if found:
            yield Diagnostic("E601", found, expected.span)


def _shape(graph: Graph, expected: ExpectedShape) -> str | None:
    found, wanted = (_at(shape, graph) for shape in (graph.outputs[expected.output].type.shape, expected.shape))
    return None if found == wanted else f"`{expected.output}` is {Tensor(found)}, expected {Tensor(wanted)}"


def _figure(graph: Graph, expected: ExpectedFigure) -> str | None:
    size = _FIGURES[expected.figure](graph)
    if size is None:
        return f"{expected.figure} can't be counted: an op has no rule"
    count = _number(size, graph)
    return None if agrees(count, expected.text) else f"{expected.figure} is {count:_}, expected {expected.text}"


_FIGURES: dict[Figure, Callable[[Graph], Size | None]] = {
    "macs": macs,
    "params": parameters,
    "training_params": training_parameters,
}


def _at(shape: Shape, graph: Graph) -> Shape:
    return tuple(_number(size, graph) for size in shape)


def _number(size: Size, graph: Graph) -> int:
    """A size at the examples."""
    number = substitute(size, graph.examples())
    if not isinstance(number, int):
        raise AssertionError(f"{size} has a size that is not one of the graph's")
    return number


def agrees(count: int, text: str) -> bool:
    """Whether a count is what a text says, to the digits that it has: 4.09e9 is 4.085e9 up to 4.095e9."""
    wanted = Decimal(text.replace("_", ""))
    exponent = int(wanted.as_tuple().exponent)
    return abs(Decimal(count) - wanted) * 2 <= (Decimal(10) ** exponent if exponent > 0 else 0)


# --- what nobody reads


def _unread(graph: Graph) -> Iterator[Diagnostic]:
    """Steps and inputs whose value reaches no output, and no loss."""
    parts: list[Graph | Part] = [part for part in (graph, graph.training, graph.sampling) if part]
    nodes = [node for part in parts for node in part.nodes]
    read = {value.node for part in parts for value in _results(part)}
    for node in reversed(nodes):
        if node in read:
            read.update(value.node for value in node.operands)
    yield from _untold(graph.file, [node for node in nodes if node not in read])
    for name, value in ((name, value) for part in parts for name, value in part.inputs.items()):
        if value.node not in read:
            yield Diagnostic("W101", f"the input `{name}` reaches no output", value.node.span, severity="warning")


def _results(part: Graph | Part) -> Iterator[Value]:
    """What is wanted of a graph or a part of it."""
    yield from part.outputs.values()
    if isinstance(part, Part):
        yield from (loss.value for loss in part.losses)


def _untold(file: str, unread: list[Node]) -> Iterator[Diagnostic]:
    """Of steps that nothing reads, the last of each chain: the others are read by it alone."""
    inner = {value.node for node in unread for value in node.operands}
    last = (node for node in reversed(unread) if node not in inner and not _is_spare(node))
    told = {_place(file, node): node for node in last}
    for span, node in reversed(told.items()):
        yield Diagnostic("W101", f"`{node.path}` reaches no output", span, severity="warning")


def _is_spare(node: Node) -> bool:
    """Whether a node is made by what a block gives, which not everyone who uses the block reads."""
    return node.inline and node.scope.kind == "block"


def _place(file: str, node: Node) -> Span:
    """Where a node is due to in a file: its own place, or that of the call that leads to it."""
    span, scope = node.span, node.scope
    while span.file != file and scope.parent is not None:
        span, scope = scope.span, scope.parent
    return span
