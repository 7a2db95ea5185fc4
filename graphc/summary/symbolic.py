"""A network's counts as formulas in its free sizes, and in parameters of its spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import lcm

from graphc import cost
from graphc.compiler import compile
from graphc.cost.fit import Counts, Fit, FitError, fit
from graphc.cost.formula import Formula, Told, simplified, steps_told
from graphc.diagnostics import SpecError
from graphc.graph import Graph
from graphc.pretty import rules_of
from graphc.settings import Settings


@dataclass(frozen=True, slots=True)
class Symbolic:
    """Formulas by what they count; those that an op without a rule hinders are None.

    `values` are the example sizes and the parameters' own values, `order` the symbols as they are written. `holds` says
    for which sizes a formula holds, `checked` at which values of the parameters it was.
    """

    heading: str
    counts: Mapping[str, Formula | None]
    values: Mapping[str, int]
    order: Sequence[str]
    batch: Sequence[str]
    parameters: Sequence[str]
    holds: str
    checked: Sequence[str]

    def formula(self, name: str) -> str:
        """A formula as it is written."""
        found = self.counts[name]
        return "not counted" if found is None else found.text(self.order, self.batch, self.parameters)

    def number(self, name: str) -> int | None:
        """What a formula comes to at the examples."""
        found = self.counts[name]
        return None if found is None else int(found.at(self.values))

    def lines(self) -> Iterator[str]:
        """Name and title, the formulas, what they come to, and where they hold."""
        width = max(map(len, self.counts))
        yield from (self.heading, "")
        yield from (f"{name:{width}}  {self.formula(name)}" for name in self.counts)
        numbers = [(name, number) for name in self.counts if (number := self.number(name)) is not None]
        at = ", ".join(f"{name} = {value}" for name, value in self.values.items())
        yield from ("", f"At {at}:" if at else "That is:")
        longest = max((len(f"{number:,}") for _, number in numbers), default=0)
        yield from (f"{name:{width}}  {number:>{longest},}" for name, number in numbers)
        yield from filter(None, ("", f"For {self.holds}." if self.holds else "", *self.checked))

    def data(self) -> dict[str, object]:
        """The same, as JSON can have it."""
        counts = {name: {"formula": self.formula(name), "at_examples": self.number(name)} for name in self.counts}
        return {"values": dict(self.values), "counts": counts, "holds": self.holds, "checked": list(self.checked)}


def symbolic(address: str, settings: Settings, parameters: Sequence[str] = ()) -> Symbolic:
    """The counts of the spec at an address as formulas; `parameters` of it stay symbols.

    Raises:
        SpecError: the spec is wrong.
        FitError: a parameter is none that is a number, or the counts are no polynomial in it.
    """
    graph = compile(address, settings)
    told = _told(graph)
    counts: Mapping[str, Formula | None] = {name: one.formula if one else None for name, one in told.items()}
    checked: list[str] = []
    defaults = {name: _default(graph, name) for name in parameters}
    if defaults:
        found = fit(lambda values: _at(address, settings, values), defaults)
        counts = {name: found.counts.get(name) for name in counts}
        checked = list(_checked(found))
    sizes = [*graph.sizes, *parameters]
    batch = {str(value.type.shape[0]) for value in graph.inputs.values() if value.type.rank} & set(sizes)
    return Symbolic(
        heading=f"{graph.name}: {graph.title}" if graph.title else graph.name,
        counts=counts,
        values={**graph.examples(), **defaults},
        order=sizes,
        batch=tuple(batch) if len(batch) == 1 else (),
        parameters=parameters,
        holds=_holds(graph, [one for one in told.values() if one]),
        checked=checked,
    )


def _holds(graph: Graph, told: Sequence[Told]) -> str:
    """The sizes at which all formulas hold, in words."""
    multiples = {name: lcm(*(one.only[name][0] for one in told if name in one.only)) for name in graph.sizes}
    examples = graph.examples()
    return steps_told({name: (by, examples[name] % by) for name, by in multiples.items() if by > 1})


def _told(graph: Graph) -> dict[str, Told | None]:
    """The counts of a graph in its free sizes; for all the same sizes are left out."""
    sizes = {
        "parameters": cost.parameters(graph),
        "MACs": cost.macs(graph),
        "FLOPs": cost.flops(graph),
        "activation bytes": cost.activations(graph),
    }
    rules, examples = rules_of(graph), graph.examples()
    return {name: None if size is None else simplified(size, rules, examples) for name, size in sizes.items()}


def _at(address: str, settings: Settings, values: Mapping[str, int]) -> Counts | None:
    """The counts for some values of the parameters; None where the spec can't have them."""
    try:
        told = _told(compile(address, settings.with_parameters(values)))
    except SpecError:
        return None
    return {name: one.formula for name, one in told.items() if one is not None}


def _default(graph: Graph, name: str) -> int:
    """The value that a parameter has.

    Raises:
        FitError: there is no such parameter, or it is no positive whole number.
    """
    binding = graph.root.bindings.get(name)
    value = binding.value if binding and binding.source == "parameter" else None
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    names = [key for key, own in graph.root.bindings.items() if own.source == "parameter" and type(own.value) is int]
    known = f"it has {', '.join(names)}" if names else "it has none"
    raise FitError(f"`{name}` is no parameter of {graph.name} that is a positive whole number; {known}")


def _checked(found: Fit) -> Iterator[str]:
    for name, values in found.found.items():
        at, further = (", ".join(map(str, some)) for some in (values, found.checked[name]))
        only = f"; they hold for multiples of {values[0]}" if name in found.stepped else ""
        yield f"In {name} the formulas are those through {name} = {at}; they were checked at {further}{only}."
