"""Shared modules and weights as values: what stands for them in the scopes between where they live and are used."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import TypeAlias

from graphc.diagnostics import Diagnostic, Note, SpecError
from graphc.graph import Graph, Node, Scope, Value, WeightValue
from graphc.ops import Op
from graphc.tensor import Tensor
from graphc_torch.layer import layer_of

Use: TypeAlias = "Node | Scope"


class Module(Op):
    """A shared module as something that is handed around; its node's home is the module's."""

    name = "module"


@dataclass(eq=False, slots=True)
class Sharing:
    """What is shared in a graph.

    `modules` has, for each use, the value that stands for its module; `firsts` the use that says how the module is
    made. `weights` has, for a weight that is read in a scope in which it does not live, what it is where it does.
    `before` has what is needed in a scope from one of its items on.
    """

    modules: dict[Use, Value] = field(default_factory=dict)
    firsts: dict[Value, Use] = field(default_factory=dict)
    weights: dict[Value, Value] = field(default_factory=dict)
    before: dict[Scope, dict[Use, list[Value]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    def living(self, value: Value) -> Value:
        """The value, or for a weight what it is where it lives."""
        return self.weights.get(value, value)


def sharing(graph: Graph) -> Sharing:
    """The shared modules of a graph, and the weights that are read as values."""
    found = Sharing()
    for (scope, home), uses in _uses(graph.root).items():
        _require_one_module(home, uses)
        found.modules.update(dict.fromkeys(uses, module := _stand_in(Module(), home, scope, uses[0])))
        found.firsts[module] = uses[0]
        found.before[scope][_item_of(scope, uses[0])].append(module)
    _add_weights(graph, found)
    return found


def chain(scope: Scope) -> Iterator[Scope]:
    """The scope and those around it, outwards."""
    around: Scope | None = scope
    while around is not None:
        yield around
        around = around.parent


def is_module(value: Value) -> bool:
    """Whether a value stands for a module."""
    return isinstance(value.node.op, Module)


def weight_code(node: Node, scope: Scope) -> str:
    """A weight as the methods of a scope around it read it: `self.stage[0].conv.weight`."""
    return f"{module_code(node.home, scope.home)}.{weight_name(node)}"


def module_code(path: str, home: str) -> str:
    """The module at a path, as the methods of that at `home` read it: `self.stage[0].conv`."""
    parts = path.removeprefix(f"{home}.").split(".")
    return "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in ("self", *parts))[1:]


def lives_below(module: Value, scope: Scope) -> bool:
    """Whether a module at hand in a scope is a part of another module there, as what training shares with the model."""
    return module.node.home.rpartition(".")[0] != scope.home


def weight_name(node: Node) -> str:
    """The name of the weight that a node gives as a value."""
    if not isinstance(node.op, WeightValue):
        raise TypeError(node.path)
    return node.op.of


def is_weight(thing: object) -> bool:
    """Whether a thing is a weight read as a value."""
    return isinstance(thing, Node) and isinstance(thing.op, WeightValue)


def _uses(root: Scope) -> dict[tuple[Scope, str], list[Use]]:
    """All uses of each shared module, by the scope that declares it and the module's home."""
    items = list(_items(root))
    declared = {_declared(scope, item) for scope, item in items if item.home != _own_home(scope, item)}
    found: dict[tuple[Scope, str], list[Use]] = {}
    for scope, item in items:
        key = _declared(scope, item)
        if key in declared and _has_module(item):
            found.setdefault(key, []).append(item)
    return found


def _items(scope: Scope) -> Iterator[tuple[Scope, Use]]:
    """All items below a scope but weights as values, in the order of the source; each with the scope that it is in."""
    for item in scope.items:
        if isinstance(item, Node | Scope) and not is_weight(item):
            yield scope, item
        if isinstance(item, Scope):
            yield from _items(item)


def _own_home(scope: Scope, item: Use) -> str:
    return f"{scope.home}.{item.name}" if scope.home else item.name


def _declared(scope: Scope, item: Use) -> tuple[Scope, str]:
    """Where the module of an item is at hand, if it is shared: in the nearest block that its path leads through."""
    around = (outer for outer in chain(scope) if outer.kind in ("block", "root"))
    return next(outer for outer in around if item.home.startswith(_inside(outer))), item.home


def _has_module(item: Use) -> bool:
    """Whether an item must be a module; other ops are functions, which need no sharing."""
    if isinstance(item, Scope):
        return item.kind == "block"
    layer = layer_of(item)
    return layer.module is not None and layer.function is None


def _require_one_module(home: str, uses: list[Use]) -> None:
    """One module fits all uses of an op: batch normalisation of images is not that of vectors.

    Raises:
        SpecError: not here.
    """
    nodes = [use for use in uses if isinstance(use, Node)]
    others = [node for node in nodes if layer_of(node).module != layer_of(nodes[0]).module]
    if others:
        raise unlike(home, nodes[0], others[0])


def unlike(home: str, first: Use, other: Use) -> SpecError:
    """Two uses of a shared module that can't be one module of PyTorch."""
    message = f"the torch backend can't write `{home}`: as `{other.path}` it is not the module that it is elsewhere"
    note = Note(f"`{first.path}` uses it first", first.span)
    return SpecError([Diagnostic("E901", message, other.span, notes=(note,))])


def _stand_in(op: Op, home: str, scope: Scope, first: Use) -> Value:
    return Node(home, op, (), Tensor(()), scope, first.span, home=home).output


def _item_of(scope: Scope, thing: Use) -> Use:
    """The item of a scope that a thing is or lies in."""
    inside = thing
    for around in chain(thing.scope if isinstance(thing, Node) else thing):
        if around is scope:
            break
        inside = around
    return inside


def _add_weights(graph: Graph, found: Sharing) -> None:
    """Weights live in the nearest class that their path leads through."""
    known: dict[tuple[Scope, str], Value] = {}
    for node in filter(is_weight, graph.nodes):
        home = next(s for s in chain(node.scope) if s.kind != "copies" and f"{node.home}.".startswith(_inside(s)))
        if home is node.scope:
            continue
        key = home, f"{node.home}.{weight_name(node)}"
        if key not in known:
            made = Node(key[1], node.op, (), node.output.type, home, node.span, inline=True, home=node.home)
            known[key] = made.output
            found.before[home][_item_of(home, node)].append(made.output)
        found.weights[node.output] = known[key]


def _inside(scope: Scope) -> str:
    return f"{scope.home}." if scope.home else ""


def modules(root: Scope) -> Mapping[str, list[Scope]]:
    """The scopes that are one module, by its path."""
    scopes = sorted(root.scopes(), key=lambda scope: scope.home)
    return {home: list(same) for home, same in groupby(scopes, key=lambda scope: scope.home)}
