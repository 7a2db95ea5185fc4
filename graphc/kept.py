"""Sizes that only the data knows: how many things an op keeps, as `nms` or `nonzero` do.

Each such node makes a size of its own, with its path as the name. It is equal only to itself, and at most what the op
says; counts are those at the most.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphc.dims import Size, substitute
from graphc.ops.base import KEPT
from graphc.tensor import Tensor

if TYPE_CHECKING:
    from graphc.graph import Node, Value


@dataclass(frozen=True, slots=True)
class Kept:
    """A size that only the data knows: the axis of the value that shows it, and the most that it can be."""

    name: str
    value: Value
    axis: int
    most: Size


def kept_by(nodes: Iterable[Node]) -> Iterator[Kept]:
    """The sizes that nodes make, in their order."""
    for node in nodes:
        most = node.op.most(*node.inputs)
        if most is not None:
            number, axis = _shown(node)
            value = node.outputs[number]
            yield Kept(str(value.type.shape[axis]), value, axis, most)


def untaken(path: str, taken: Container[str]) -> str:
    """The name of the size that the node at a path makes; a path can be one of the network and one of its training."""
    return path if path not in taken else untaken(f"{path}.2", taken)


def _shown(node: Node) -> tuple[int, int]:
    """The output, and its axis, that is as large as what is kept."""
    output = node.op.infer(*node.inputs)
    types = [output] if isinstance(output, Tensor) else list(output.values())
    return next((n, axis) for n, one in enumerate(types) for axis, size in enumerate(one.shape) if size == KEPT)


def at_most(kept: Iterable[Kept], sizes: Mapping[str, int]) -> dict[str, int]:
    """Free sizes, and with them the sizes that only the data knows, as large as they can be."""
    found = dict(sizes)
    for each in kept:
        most = substitute(each.most, found)
        if not isinstance(most, int):
            raise KeyError(str(most))
        found[each.name] = most
    return found
