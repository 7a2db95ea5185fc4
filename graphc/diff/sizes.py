"""Sizes that stand in attributes: their names say nothing, where they come from does.

A free size is known by the first axis of an input that has it, one that only the data knows (`graphc.kept`) by the
axis of the value that shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from graphc.dims import Dim, Size, substitute, symbol, symbols
from graphc.graph import Node, Value
from graphc.kept import kept_by
from graphc.ops.base import KEPT, Op

Place: TypeAlias = tuple[Node, int, int]
"""A node, the number of one of its outputs, and an axis of that."""


def nameless(value: object) -> object:
    """A value in which all sizes with a name have the same one."""
    return renamed(value, {})


def renamed(value: object, names: Mapping[str, Size]) -> object:
    """A value with other sizes for those with a name; what is not given is `KEPT`."""
    if isinstance(value, tuple):
        return tuple(renamed(part, names) for part in value)
    if isinstance(value, Dim):
        return substitute(value, {name: names.get(name, KEPT) for name in symbols(value)})
    return value


def named_in(value: object) -> Iterator[str]:
    """The names of sizes in a value."""
    if isinstance(value, tuple):
        for part in value:
            yield from named_in(part)
    elif isinstance(value, Dim):
        yield from symbols(value)


def fields(op: Op) -> Mapping[str, object]:
    """The attributes of an op, those included that its class doesn't know."""
    return {**op.settled, **op.model_extra} if op.model_extra else op.settled


def sized(nodes: Iterable[Node]) -> frozenset[Node]:
    """The nodes with sizes that have a name in their attributes."""
    known: dict[int, bool] = {}
    found = set()
    for node in nodes:
        number = id(node.op)
        if number not in known:
            known[number] = any(True for value in fields(node.op).values() for _ in named_in(value))
        if known[number]:
            found.add(node)
    return frozenset(found)


def origins(inputs: Iterable[Value], nodes: Iterable[Node]) -> dict[str, Place]:
    """Where each size with a name comes from."""
    found: dict[str, Place] = {}
    for value in inputs:
        for axis, size in enumerate(value.type.shape):
            name = str(size)
            if isinstance(size, Dim) and size == symbol(name):
                found.setdefault(name, (value.node, 0, axis))
    for kept in kept_by(nodes):
        found[kept.name] = kept.value.node, kept.value.node.outputs.index(kept.value), kept.axis
    return found
