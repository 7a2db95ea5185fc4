"""Blocks kept: the nodes of each become a function of the model, and a node that calls it.

Only a block whose nodes stand together and give something is kept; the nodes of another stay where they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

from onnx import ModelProto, NodeProto, TensorProto, helper

from graphc.graph import Graph, Scope
from graphc_onnx.draft import Draft
from graphc_onnx.functions import DOMAIN, Functions
from graphc_onnx.sizes import PREFIX

Placed: TypeAlias = tuple[NodeProto, Sequence[Scope]]
"""A node and the blocks that it stands in, from the outermost on."""


def fold(graph: Graph, draft: Draft, made: ModelProto) -> None:
    """Turns the blocks of a model into its functions; equal ones become one."""
    body = made.graph
    nodes = _placed(zip(body.node, draft.scopes, strict=True))
    constants = {t.name: t for t in body.initializer if t.name not in draft.held and not t.name.startswith(PREFIX)}
    functions = Functions(draft.names, {name: value.path for value, name in draft.names.items()}, draft.opset)
    kept = _Folding(nodes, functions, constants, _last_readings(nodes, graph.outputs)).folded(0, len(nodes), 0)
    del body.node[:]
    body.node.extend(kept)
    made.functions.extend(functions.made)
    if functions.made:
        made.opset_import.append(helper.make_opsetid(DOMAIN, 1))
    _forget(made)


def _placed(nodes: Iterable[tuple[NodeProto, Scope | None]]) -> list[Placed]:
    """The nodes with those blocks around them whose nodes stand together; what may stand before all others does."""
    ordered = sorted(nodes, key=lambda item: item[1] is not None)
    chains = [_blocks(scope) for _, scope in ordered]
    places: dict[Scope, list[int]] = defaultdict(list)
    for place, chain in enumerate(chains):
        for block in chain:
            places[block].append(place)
    together = {block for block, at in places.items() if at[-1] - at[0] + 1 == len(at)}
    return [(node, [b for b in chain if b in together]) for (node, _), chain in zip(ordered, chains, strict=True)]


def _blocks(scope: Scope | None) -> list[Scope]:
    """The blocks that a scope is or stands in, from the outermost on."""
    if scope is None:
        return []
    return _blocks(scope.parent) + [scope] * (scope.kind == "block")


def _last_readings(nodes: Sequence[Placed], outputs: Iterable[str]) -> dict[str, int]:
    """Where each name is read last; what the model gives is read behind its end."""
    found = {name: place for place, (node, _) in enumerate(nodes) for name in node.input}
    return found | dict.fromkeys(outputs, len(nodes))


@dataclass(frozen=True, slots=True)
class _Folding:
    """The nodes of a model on their way into functions, and where each name is read last."""

    nodes: Sequence[Placed]
    functions: Functions
    constants: Mapping[str, TensorProto]
    last: Mapping[str, int]

    def folded(self, start: int, end: int, depth: int) -> list[NodeProto]:
        """The nodes of a range, all inside `depth` blocks, with a call in place of each block in there."""
        found: list[NodeProto] = []
        for block, places in groupby(range(start, end), lambda place: self._block(place, depth)):
            first, *others = places
            behind = (others or [first])[-1] + 1
            if block is None:
                found += (self.nodes[place][0] for place in (first, *others))
            else:
                found += self._called(block, self.folded(first, behind, depth + 1), behind)
        return found

    def _block(self, place: int, depth: int) -> Scope | None:
        chain = self.nodes[place][1]
        return chain[depth] if depth < len(chain) else None

    def _called(self, block: Scope, nodes: list[NodeProto], behind: int) -> list[NodeProto]:
        """A call in place of a block's nodes; the nodes themselves where nothing reads what they give."""
        given = [name for node in nodes for name in node.output if self.last.get(name, -1) >= behind]
        if not given:
            return nodes
        read = dict.fromkeys(name for node in nodes for name in node.input if name)
        constants = [self.constants[name] for name in read if name in self.constants]
        return [self.functions.call(block, nodes, constants, given)]


def _forget(made: ModelProto) -> None:
    """Drops what has moved into functions: constants, and the types of values."""
    body = made.graph
    known = {name for node in body.node for name in (*node.input, *node.output)}
    for items in (body.initializer, body.value_info):
        for place in reversed(range(len(items))):
            if items[place].name not in known:
                del items[place]
