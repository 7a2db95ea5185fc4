"""Each scope as a piece of program: what comes in, its items in order with what each reads, and what goes out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from graphc.dims import Dim, symbols
from graphc.graph import Graph, Node, Scope, Skipped, Value
from graphc.kept import kept_by
from graphc_torch.program import Program
from graphc_torch.shared import Sharing, chain, is_module, modules, sharing
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
    """One item: what it reads, and the values that others read of it.

    A shared module is an item of its own ("module"), which gives the module; what uses it ("use") reads that first.
    """

    name: str
    thing: Node | Scope | Skipped
    operands: tuple[Ref, ...]
    outputs: tuple[Value, ...]
    copies: tuple[Item, ...] = ()
    role: Literal["", "module", "use"] = ""


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

    sharing: Sharing
    read: dict[Scope, dict[Value, None]] = field(default_factory=lambda: defaultdict(dict))
    given: dict[Scope, dict[Value, None]] = field(default_factory=lambda: defaultdict(dict))


def bodies(program: Program, unlike: Container[Scope] = ()) -> dict[Scope, Body]:
    """The body of every scope but the groups of copies, which are items of the body around them.

    In the groups `unlike`, no two copies are of one class.
    """
    graph, flow = program.whole, _flow(program, unlike)
    found = {scope: _body(scope, flow) for scope in graph.root.scopes() if scope.kind != "copies"}
    given = map(flow.sharing.living, graph.outputs.values())
    found[graph.root].outputs = tuple(found[graph.root].refs[value] for value in given)
    return found


def _flow(program: Program, unlike: Container[Scope]) -> Flow:
    graph = program.whole
    flow = Flow(sharing(graph))
    for scope in (graph.root, program.model):
        flow.read[scope] = dict.fromkeys(scope.inputs.values())
    for scope in graph.root.scopes():
        main = main_of(scope)
        main = main and flow.sharing.living(main)
        if main is not None and scope is not graph.root and scope in chain(main.node.scope):
            flow.given[scope][main] = None
    for scope, given in list(flow.given.items()):
        _give(flow, next(iter(given)), scope)
    _add_reads(graph, flow)
    for scope, outputs in ((program.model, program.model_outputs), (graph.root, graph.outputs)):
        values = list(map(flow.sharing.living, outputs.values()))
        for value in values:
            _cross(flow, value, scope)
        flow.given[scope] = dict.fromkeys([*values, *flow.given[scope]])
    loops = (scope for scope in graph.root.scopes() if is_loop(scope) and scope not in unlike)
    same = [[copy for copy in group.items if isinstance(copy, Scope)] for group in loops]
    same += [uses for uses in modules(graph.root).values() if len(uses) > 1]
    while sum(_even_out(scopes, flow) for scopes in same):
        pass
    return flow


def _add_reads(graph: Graph, flow: Flow) -> None:
    """Notes what the nodes read: their operands, then the values that their free sizes are read of."""
    for node in graph.nodes:
        for value in node.operands:
            _cross(flow, flow.sharing.living(value), node.scope)
    for use, module in flow.sharing.modules.items():
        _cross(flow, module, use.scope if isinstance(use, Node) else use.parent or graph.root)
    kept = {size.name: size.value for size in kept_by(graph.nodes)}
    for node in graph.nodes:
        for size in free_sizes(node.op):
            shown = [kept[name] for name in sorted(symbols(size)) if name in kept]
            for value in _shown_by(size, node.scope, flow) or shown:
                _cross(flow, value, node.scope)


def is_loop(scope: Scope) -> bool:
    """Whether a scope is a group of copies of one step, not of different branches."""
    definitions = {copy.definition for copy in scope.items if isinstance(copy, Scope)}
    return scope.kind == "copies" and len(definitions) == 1


def _even_out(copies: Sequence[Scope], flow: Flow) -> bool:
    """What is read of one copy is given by all, so that they stay one class; whether that is more than before."""
    given = [{_relative(value, copy): value for value in flow.given[copy]} for copy in copies]
    wanted = dict.fromkeys(path for paths in given for path in paths)
    more = False
    for copy, paths in zip(copies, given, strict=True):
        if list(paths) != list(wanted):
            made = {_relative(value, copy): value for node in copy.nodes() for value in node.outputs} | paths
            for path in wanted:
                if path in made:
                    _give(flow, made[path], copy)
            flow.given[copy] = {made[path]: None for path in wanted if path in made}
            more = more or len(flow.given[copy]) > len(paths)
    return more


def _give(flow: Flow, value: Value, scope: Scope) -> None:
    """Hands a value out of every scope between where it is made and `scope`, which included."""
    for inner in chain(value.node.scope):
        flow.given[inner][value] = None
        if inner is scope:
            break


def _relative(value: Value, scope: Scope) -> str:
    """The path of a value inside a scope; empty for what the scope comes to."""
    main = main_of(scope)
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


def main_of(scope: Scope) -> Value | None:
    """What a scope comes to: its first output; of a block that ends in a loop what the last copy makes."""
    found = [*scope.outputs.items()]
    return found[-1 if found[0][0] == "output_0" else 0][1] if found else None


def output_name(value: Value, scope: Scope) -> str:
    """What a scope calls a value that it gives: an output or a `let` of the block, else the step that makes it."""
    own = {
        name: value for name, value in scope.outputs.items() if name.isidentifier() and not name.startswith("output")
    }
    named = {value: name for name, value in reversed((own | scope.lets).items())}
    parts = value.path.removeprefix(f"{scope.path}.").split(".")
    inner = next((item for item in scope.items if isinstance(item, Scope) and item.name == parts[0]), None)
    if inner is not None and inner.kind != "copies" and main_of(inner) is not value:
        return named.get(value, "_".join(parts))
    numbered = max((index for index, part in enumerate(parts) if part.isdigit()), default=0)
    return named.get(value, "_".join(parts[: numbered + 1]))


def _body(scope: Scope, flow: Flow) -> Body:
    inputs = _inputs(scope, flow)
    refs: dict[Value, Ref] = {value: In(i) for i, value in enumerate(inputs)}
    items: list[Item] = []
    for thing in scope.items:
        for item in _needed(scope, thing, flow):
            refs[item.outputs[0]] = Out(len(items))
            items.append(item)
        if _lives_elsewhere(thing, flow) or (isinstance(thing, Scope) and _is_nothing(thing, flow)):
            continue
        item = _item(thing, refs, flow)
        refs.update({value: Out(len(items), o) for o, value in enumerate(item.outputs)})
        items.append(item)
    return Body(scope, inputs, tuple(items), tuple(refs[value] for value in flow.given[scope]), refs)


def _needed(scope: Scope, thing: Node | Scope | Skipped, flow: Flow) -> Iterator[Item]:
    """The shared modules and the weights that live in a scope and are used from an item of it on."""
    for value in () if isinstance(thing, Skipped) else flow.sharing.before[scope].get(thing, ()):
        made = flow.sharing.firsts[value] if is_module(value) else value.node
        name = value.node.home.rpartition(".")[2]
        yield Item(name, made, (), (value,), role="module" if is_module(value) else "")


def _lives_elsewhere(thing: Node | Scope | Skipped, flow: Flow) -> bool:
    """Whether a thing is a weight of another scope."""
    return isinstance(thing, Node) and thing.output in flow.sharing.weights


def _is_nothing(scope: Scope, flow: Flow) -> bool:
    """Whether a scope gives nothing and has no weights: all its steps are skipped, or it has none."""
    return not flow.given[scope] and not any(node.weights() for node in scope.nodes())


def _inputs(scope: Scope, flow: Flow) -> tuple[Value, ...]:
    """What a scope reads: a block's inputs as it declares them; elsewhere the flow before loop variables."""
    named = {value: None for value in scope.inputs.values() if value in flow.read[scope]}
    if scope.kind in ("block", "root"):
        found = tuple(named | flow.read[scope])
    else:
        found = tuple({value: None for value in flow.read[scope] if value not in named} | named)
    return tuple(sorted(found, key=is_module))


def _item(thing: Node | Scope | Skipped, refs: Mapping[Value, Ref], flow: Flow) -> Item:
    item = _plain_item(thing, refs, flow)
    if not isinstance(thing, Skipped) and thing in flow.sharing.modules:
        item.role, item.operands = "use", (refs[flow.sharing.modules[thing]], *item.operands)
    return item


def _plain_item(thing: Node | Scope | Skipped, refs: Mapping[Value, Ref], flow: Flow) -> Item:
    if isinstance(thing, Node):
        operands = tuple(refs[flow.sharing.living(value)] for value in thing.operands)
        return Item(thing.name, thing, operands, thing.outputs)
    if isinstance(thing, Skipped):
        value = thing.value and flow.sharing.living(thing.value)
        known = (refs[value],) if value and value in refs else ()
        return Item(thing.name, thing, known, ())
    if thing.kind == "copies":
        return _group(thing, refs, flow)
    return Item(thing.name, thing, tuple(refs[value] for value in _inputs(thing, flow)), tuple(flow.given[thing]))


def _group(group: Scope, around: Mapping[Value, Ref], flow: Flow) -> Item:
    refs, copies = dict(around), list[Item]()
    for thing in group.items:
        if _lives_elsewhere(thing, flow):
            continue
        copy = _item(thing, refs, flow)
        refs.update({value: Copy(len(copies), o) for o, value in enumerate(copy.outputs)})
        copies.append(copy)
    operands = tuple(around[value] for value in _inputs(group, flow))
    return Item(group.name, group, operands, tuple(flow.given[group]), tuple(copies))


def scope_of(item: Item) -> Scope:
    """The scope of an item that is one."""
    if not isinstance(item.thing, Scope):
        raise TypeError(f"{item.name} is no scope")
    return item.thing
