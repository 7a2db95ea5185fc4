"""A graph's ops and types at its example sizes, where all sizes are numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphc.dims import Dim, Size, substitute
from graphc.graph import Node
from graphc.ops import Op
from graphc.tensor import Tensor


@dataclass(slots=True)
class Examples:
    """Reads sizes as numbers; an op or a type that comes again is calculated once."""

    sizes: Mapping[str, int]
    types: dict[Tensor, Tensor] = field(default_factory=dict)
    ops: dict[Op, Op] = field(default_factory=dict)

    def count(self, size: Size) -> int:
        """A size as a number."""
        found = substitute(size, self.sizes)
        if not isinstance(found, int):
            raise KeyError(str(found))
        return found

    def type(self, tensor: Tensor) -> Tensor:
        """A type with numbers for its sizes."""
        if tensor not in self.types:
            self.types[tensor] = tensor.with_shape(tuple(map(self.count, tensor.shape)))
        return self.types[tensor]

    def op(self, op: Op) -> Op:
        """An op with numbers for the sizes among its attributes."""
        if op not in self.ops:
            names = (*type(op).model_fields, *(op.model_extra or ()))
            free = {name: self._plain(getattr(op, name)) for name in names if _has_size(getattr(op, name))}
            self.ops[op] = op.model_copy(update=free) if free else op
        return self.ops[op]

    def inputs(self, node: Node) -> tuple[Tensor | None, ...]:
        """The types of a node's arguments."""
        return tuple(None if value is None else self.type(value.type) for value in node.arguments)

    def _plain(self, value: object) -> object:
        if isinstance(value, tuple):
            return tuple(map(self._plain, value))
        return self.count(value) if isinstance(value, Dim) else value


def _has_size(value: object) -> bool:
    return any(map(_has_size, value)) if isinstance(value, tuple) else isinstance(value, Dim)
