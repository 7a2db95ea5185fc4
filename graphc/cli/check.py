"""`graphc check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.cli.arguments import Form, Format, SetOption, SizeOption, Spec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphc.check import Need
    from graphc.demands import SizeSet
    from graphc.dims import Size
    from graphc.graph import Graph, Part, Value


def check(spec: Spec, set_: SetOption = None, size: SizeOption = None, form: Format = Form.HUMAN) -> None:
    """Say what a spec comes to and what its inputs must be.

    Example: graphc check resnet:resnet18
    """
    from graphc.cli.graphs import compiled
    from graphc.cli.terminal import tell
    from graphc.diagnostics import visible

    graph = compiled(spec, set_, size)
    tell(*(visible(line) for line in report(graph)))
    if set_ or size:
        tell("", "Under --set and --size what the spec expects is not checked.")


def report(graph: Graph) -> Iterator[str]:
    """Name, counts, inputs and outputs, then what each free size must be."""
    from graphc.check import needs

    rows = dict(_rows(graph))
    width = max(map(len, rows))
    yield f"{graph.name}: {graph.title}" if graph.title else graph.name
    yield ""
    yield from (f"{label:{width}}  {text}" for label, text in rows.items())
    yield ""
    yield from _sizes(needs(graph))
    yield from _bound(graph)


def _rows(graph: Graph) -> Iterator[tuple[str, str]]:
    from graphc.cost import macs, parameters

    yield "parameters", _figure(parameters(graph), graph)
    yield "MACs", _figure(macs(graph), graph)
    yield from (_row("input", name, value, graph) for name, value in graph.inputs.items())
    yield from (_row("output", name, value, graph) for name, value in graph.outputs.items())
    if graph.training:
        yield from _training(graph, graph.training)


def _training(graph: Graph, part: Part) -> Iterator[tuple[str, str]]:
    """What is there in training alone."""
    from graphc.cost import frozen_parameters, training_parameters

    frozen = frozen_parameters(graph)
    said = f", {_figure(frozen, graph)} of them frozen" if frozen else ""
    yield "in training", f"{_figure(training_parameters(graph), graph, ' parameters')}{said}"
    yield from (_row("  input", name, value, graph) for name, value in part.inputs.items())
    for loss in part.losses:
        yield f"  loss {loss.name}", f"trains {', '.join(loss.trains)}" if loss.trains else "trains all"


def _figure(count: Size | None, graph: Graph, unit: str = "") -> str:
    """A count with its digits in groups, at the examples if free sizes are in it."""
    from graphc.dims import substitute, symbols

    if count is None:
        return "not counted: an op has no rule for them"
    examples = graph.examples()
    at = ", ".join(f"{name} = {examples[name]}" for name in examples if name in symbols(count))
    return f"{int(str(substitute(count, examples))):,}{unit}" + (f" for {at}" if at else "")


def _row(what: str, name: str, value: Value, graph: Graph) -> tuple[str, str]:
    """The shape of an input or output, and what it is at the examples."""
    from graphc.dims import substitute
    from graphc.pretty import pretty_shape, rules_of

    examples = graph.examples()
    shape = pretty_shape(value.type, rules_of(graph))
    example = str(value.type.with_shape(tuple(substitute(size, examples) for size in value.type.shape)))
    return f"{what} {name}", shape if shape == example else f"{shape}, for example {example}"


def _sizes(needs: list[Need]) -> Iterator[str]:
    """What each free size must be; those of which the same holds together."""
    told: dict[tuple[str, ...], str] = {}
    for need in needs:
        key = tuple(_about("size", need))
        if key in told:
            yield f"What holds for {told[key]} holds for {need.size.name}."
            continue
        told[key] = need.size.name
        yield from _about(need.size.name, need)


def _bound(graph: Graph) -> Iterator[str]:
    """The sizes at which weights are made."""
    from graphc.bound import tied
    from graphc.diagnostics import listed

    names = tied(graph)
    found = {name: size.example for name, size in graph.sizes.items() if name in names}
    if found:
        at = ", ".join(f"{name} = {example}" for name, example in found.items())
        are = "are sizes" if len(found) > 1 else "is a size"
        yield f"{listed(list(found))} {are} of weights: what is built is for {at}."


def _about(name: str, need: Need) -> Iterator[str]:
    from graphc.demands import EVERY_SIZE

    yield f"{name} may be any size." if _same(need.needed, EVERY_SIZE) else f"{name} must be {need.needed}."
    for demand in need.further:
        yield f"  More is demanded at {demand.span}: {demand.message}."
    if not _same(need.covered, need.needed):
        yield f"  No pooling drops a row if {name} is {need.covered}."
    if need.size.promises:
        yield f"  The spec declares {_declared(need)}."


def _declared(need: Need) -> str:
    """The rule that the spec declares, beside what the graph needs."""
    if _same(need.declared, need.needed):
        return "the same"
    rule = "just that" if _same(need.declared, need.covered) else str(need.size.rule)
    return f"{rule}; the graph needs less" if need.declared <= need.needed else rule


def _same(left: SizeSet, right: SizeSet) -> bool:
    return left <= right <= left
