"""Each scope as a piece of program: what comes in, its items in order with what each reads, and what goes out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeAlias

from graphc.dims import Dim
from graphc.graph import Graph, Node, Scope, Skipped, Value
from graphc_torch.sizes import Sizes, axes_of, free_sizes
from graphc_torch.term import UnresolvedError


@dataclass(frozen=True, slots=True)
class In:
    """Input number `index` of the body."""

    index: int


@dataclass(frozen=True, slots=True)
class Out:
    """Output number `output` of the body's item number `item`."""

    item: int
    output: int = 0


@dataclass(frozen=True, slots=True)
class Copy:
    """Output number `output` of copy number `copy`, inside a group of copies."""

    copy: int
    output: int


Ref: TypeAlias = In | Out | Copy


@dataclass(eq=False, slots=True)
class Item:
    """One item: what it reads, and the values that others read of it."""

    name: str
    thing: Node | Scope | Skipped
    operands: tuple[Ref, ...]
    outputs: tuple[Value, ...]
    copies: tuple[Item, ...] = ()


@dataclass(eq=False, slots=True)
class Body:
    """A scope as a piece of program."""

    scope: Scope
    inputs: tuple[Value, ...]
    items: tuple[Item, ...]
    outputs: tuple[Ref, ...]
    refs: dict[Value, Ref] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Flow:
    """Which values cross the border of each scope, inwards and outwards; in order, each once."""

    read: dict[Scope, dict[Value, None]] = field(default_factory=lambda: defaultdict(dict))
    given: dict[Scope, dict[Value, None]] = field(default_factory=lambda: defaultdict(dict))


def bodies(graph: Graph) -> dict[Scope, Body]:
    """The body of every scope but the groups of copies, which are items of the body around them."""
    flow = _flow(graph)
    found = {scope: _body(scope, flow) for scope in graph.root.scopes() if scope.kind != "copies"}
    found[graph.root].outputs = tuple(found[graph.root].refs[value] for value in graph.outputs.values())
    return found


def chain(scope: Scope) -> Iterator[Scope]:
    """The scope and those around it, outwards."""
    around: Scope | None = scope
    while around is not None:
        yield around
        around = around.parent


def _flow(graph: Graph) -> Flow:
    flow = Flow()
    flow.read[graph.root] = dict.fromkeys(graph.root.inputs.values())
    for scope in graph.root.scopes():
        main = next(iter(scope.outputs.values()), None)
        if main is not None and scope is not graph.root and scope in chain(main.node.scope):
            flow.given[scope][main] = None
    for scope, given in list(flow.given.items()):
        _give(flow, next(iter(given)), scope)
    _add_reads(graph, flow)
    for value in graph.outputs.values():
        _cross(flow, value, graph.root)
    flow.given[graph.root] = dict.fromkeys(graph.outputs.values())
    for group in filter(_is_loop, graph.root.scopes()):
        _even_out(group, flow)
    return flow


def _add_reads(graph: Graph, flow: Flow) -> None:
    """Notes what the nodes read: their operands, then the values that their free sizes are read of."""
    for node in graph.nodes:
        for value in node.operands:
            _cross(flow, value, node.scope)
    for node in graph.nodes:
        for size in free_sizes(node.op):
            for value in _shown_by(size, node.scope, flow):
                _cross(flow, value, node.scope)


def _is_loop(scope: Scope) -> bool:
    """Whether a scope is a group of copies of one step, not of different branches."""
    definitions = {copy.definition for copy in scope.items if isinstance(copy, Scope)}
    return scope.kind == "copies" and len(definitions) == 1


def _even_out(group: Scope, flow: Flow) -> None:
    """What is read of one copy is given by all copies, so that they stay one class."""
    copies = [copy for copy in group.items if isinstance(copy, Scope)]
    given = [{_relative(value, copy): value for value in flow.given[copy]} for copy in copies]
    wanted = dict.fromkeys(path for paths in given for path in paths)
    for copy, paths in zip(copies, given, strict=True):
        if len(paths) < len(wanted):
            made = {_relative(value, copy): value for node in copy.nodes() for value in node.outputs} | paths
            for path in wanted:
                if path in made:
                    _give(flow, made[path], copy)
            flow.given[copy] = {made[path]: None for path in wanted if path in made}


def _give(flow: Flow, value: Value, scope: Scope) -> None:
    """Hands a value out of every scope between where it is made and `scope`, which included."""
    for inner in chain(value.node.scope):
        flow.given[inner][value] = None
        if inner is scope:
            break


def _relative(value: Value, scope: Scope) -> str:
    """The path of a value inside a scope; empty for what the scope comes to."""
    main = next(iter(scope.outputs.values()), None)
    return "" if value is main else value.path.removeprefix(f"{scope.path}.")


def _cross(flow: Flow, value: Value, reader: Scope) -> None:
    """Notes the borders between where a value is made and where it is read."""
    makers = list(chain(value.node.scope))
    around = set(makers)
    for scope in chain(reader):
        if scope in around:
            break
        flow.read[scope][value] = None
    readers = set(chain(reader))
    for scope in makers:
        if scope in readers:
            break
        flow.given[scope][value] = None


def _shown_by(size: Dim, scope: Scope, flow: Flow) -> list[Value]:
    """The values that a free size is read of: what the scope reads anyway, or else inputs of the blocks around it."""
    known = list(flow.read[scope])
    for around in chain(scope):
        known = list(dict.fromkeys([*known, *around.inputs.values()]))
        sizes = Sizes(axes_of([(value.path, [value.type.shape]) for value in known]))
        with suppress(UnresolvedError):
            sizes.code((size,))
            return [known[number] for number in sorted(sizes.used)]
    return []


def _body(scope: Scope, flow: Flow) -> Body:
    inputs = _inputs(scope, flow)
    refs: dict[Value, Ref] = {value: In(i) for i, value in enumerate(inputs)}
    items: list[Item] = []
    for thing in scope.items:
        if isinstance(thing, Scope) and _is_nothing(thing, flow):
            continue
        item = _item(thing, refs, flow)
        refs.update({value: Out(len(items), o) for o, value in enumerate(item.outputs)})
        items.append(item)
    return Body(scope, inputs, tuple(items), tuple(refs[value] for value in flow.given[scope]), refs)


def _is_nothing(scope: Scope, flow: Flow) -> bool:
    """Whether a scope gives nothing and has no weights: all its steps are skipped, or it has none."""
    return not flow.given[scope] and not any(node.weights() for node in scope.nodes())


def _inputs(scope: Scope, flow: Flow) -> tuple[Value, ...]:
    """What a scope reads: a block's inputs as it declares them; elsewhere the flow before loop variables."""
    named = {value: None for value in scope.inputs.values() if value in flow.read[scope]}
    if scope.kind in ("block", "root"):
        return tuple(named | flow.read[scope])
    return tuple({value: None for value in flow.read[scope] if value not in named} | named)


def _item(thing: Node | Scope | Skipped, refs: dict[Value, Ref], flow: Flow) -> Item:
    if isinstance(thing, Node):
        return Item(thing.name, thing, tuple(refs[value] for value in thing.operands), thing.outputs)
    if isinstance(thing, Skipped):
        known = (refs[thing.value],) if thing.value in refs else ()
        return Item(thing.name, thing, known, ())
    if thing.kind == "copies":
        return _group(thing, refs, flow)
    return Item(thing.name, thing, tuple(refs[value] for value in _inputs(thing, flow)), tuple(flow.given[thing]))


def _group(group: Scope, around: dict[Value, Ref], flow: Flow) -> Item:
    refs, copies = dict(around), list[Item]()
    for thing in group.items:
        copy = _item(thing, refs, flow)
        refs.update({value: Copy(len(copies), o) for o, value in enumerate(copy.outputs)})
        copies.append(copy)
    operands = tuple(around[value] for value in _inputs(group, flow))
    return Item(group.name, group, operands, tuple(flow.given[group]), tuple(copies))
