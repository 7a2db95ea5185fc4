"""How an op is written in PyTorch: as a module with arguments, as a function call, or both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import Literal, TypeAlias

from graphc.diagnostics import Diagnostic, SpecError
from graphc.graph import Node
from graphc.ops import Op
from graphc.tensor import DType, Tensor

Style: TypeAlias = Literal["call", "operator", "list", "index", "methods", "number", "weight"]


class _Required:
    """The default of an argument that has none."""


REQUIRED = _Required()


@dataclass(frozen=True, slots=True)
class Kind:
    """An element type, which is written as torch has it."""

    name: DType

    def __repr__(self) -> str:
        return f"torch.{self.name}"


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: left out where it equals the default. `attribute` is the op's field that it comes from, if any.

    Where the value is a tuple, `parts` can be the attributes that its numbers come from.
    """

    name: str
    value: object
    default: object = REQUIRED
    positional: bool = False
    attribute: str = ""
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A callable and its arguments.

    A function's operands come first: in a list for the style "list", joined by the name for the style "operator", which
    stands in front of a single one. The name of the style "index" is what stands between brackets behind the operand,
    with `{}` for each argument; that of the style "methods" the calls behind the operand, a line each. A call of the
    style "number" is written only where its argument, a Python number, will not do; `numbers` are the places of
    operands that can be one, in an operator all. The style "weight" is an attribute of the module whose weight the name
    is. `like` are the arguments ("dtype", "device") that it gets from a tensor at hand: what is made of nothing follows
    the precision and the place of what is there.
    """

    name: str
    arguments: tuple[Argument, ...] = ()
    style: Style = "call"
    numbers: tuple[int, ...] = ()
    like: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layer:
    """An op in PyTorch.

    What has weights, or behaves differently in training, has a module alone; what has neither form is the identity.
    """

    module: Call | None = None
    function: Call | None = None
    helper: bool = False

    @property
    def is_identity(self) -> bool:
        return self.module is None and self.function is None


@singledispatch
def lower(op: Op, *inputs: Tensor | None) -> Layer:
    """The layer of an op on inputs of these types, None for an optional one that is absent."""
    raise NotImplementedError(op.name)


def layer_of(node: Node) -> Layer:
    """The layer of a node.

    Raises:
        SpecError: this backend has no lowering for its op; located.
    """
    try:
        return lower(node.op, *node.inputs)
    except NotImplementedError as error:
        message = f"the torch backend can't express `{node.op.name}`"
        raise SpecError([Diagnostic("E901", message, node.span)]) from error


def inferred(name: str, value: object, parts: tuple[str, ...] = ()) -> Argument:
    """A positional argument that follows from the input."""
    return Argument(name, value, positional=True, parts=parts)


def positional(op: Op, name: str, default: object = REQUIRED) -> Argument:
    """An attribute of the op as a positional argument."""
    return Argument(name, getattr(op, name), default, positional=True, attribute=name)


def keywords(op: Op, *names: str) -> tuple[Argument, ...]:
    """Attributes of the op as keyword arguments; their defaults are PyTorch's."""
    fields = type(op).model_fields
    defaults = ((name, REQUIRED if fields[name].is_required() else fields[name].default) for name in names)
    return tuple(Argument(name, getattr(op, name), default, attribute=name) for name, default in defaults)
