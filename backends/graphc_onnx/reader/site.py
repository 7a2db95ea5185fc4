"""One node of an ONNX graph as a reader sees it, and the registry of readers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from onnx import AttributeProto, NodeProto, TensorProto, helper

from graphc.dims import Size
from graphc.graph import Value
from graphc.ops import Op
from graphc.tensor import Tensor
from graphc_onnx.reader.entries import Entry, Known, Stored, UnreadError, known, of_tensor, stored

if TYPE_CHECKING:
    from graphc_onnx.reader.growing import Growing

Reader: TypeAlias = "Callable[[Site], Entry | Sequence[Entry]]"
READERS: dict[str, Reader] = {}
"""What each operator of ONNX becomes: its one output, or all of them."""


def reads(*operators: str) -> Callable[[Reader], Reader]:
    """Registers the reader of some operators."""

    def register(reader: Reader) -> Reader:
        READERS.update(dict.fromkeys(operators, reader))
        return reader

    return register


@dataclass(slots=True)
class Site:
    """A node, what its inputs stand for, and the graph that grows."""

    node: NodeProto
    inputs: Sequence[Entry | None]
    to: Growing
    opset: int
    attributes: dict[str, AttributeProto] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.attributes = {each.name: each for each in self.node.attribute}

    @property
    def operator(self) -> str:
        return self.node.op_type

    # --- inputs

    def has(self, index: int) -> bool:
        """Whether there is such an input."""
        return index < len(self.inputs) and self.inputs[index] is not None

    def entry(self, index: int) -> Entry:
        """What an input stands for."""
        found = self.inputs[index] if index < len(self.inputs) else None
        if found is None:
            raise UnreadError(f"{self.operator} has no input {index}")
        return found

    def value(self, index: int) -> Value:
        """An input as a value of the graph."""
        return self.to.value(self.entry(index))

    def type(self, index: int) -> Tensor:
        """The type of an input."""
        return self.value(index).type

    def known(self, index: int) -> Known:
        """An input that must be known."""
        found = known(self.entry(index))
        if found is None:
            raise UnreadError(f"{self.operator}: input {index} is not known before the model runs")
        return found

    def sizes(self, index: int, attribute: str = "") -> tuple[Size, ...] | None:
        """Whole numbers that are an input, or in older opsets an attribute; None where they are left out."""
        if self.has(index):
            return self.known(index).sizes
        return self.ints(attribute) if attribute in self.attributes else None

    def numbers(self, index: int, attribute: str = "") -> tuple[int, ...] | None:
        """The same, none of them free."""
        found = self.sizes(index, attribute)
        if found is None:
            return None
        return tuple(each if isinstance(each, int) else self.unread("a size is free") for each in found)

    def stored(self, index: int) -> Stored:
        """An input that is a tensor of the file."""
        found = self.entry(index)
        if not isinstance(found, Stored):
            raise UnreadError(f"{self.operator}: input {index} is computed")
        return found

    # --- attributes

    def whole(self, name: str, default: int) -> int:
        return self.attributes[name].i if name in self.attributes else default

    def real(self, name: str, default: float) -> float:
        """A number as it was before it was rounded to float32."""
        return short(self.attributes[name].f) if name in self.attributes else default

    def ints(self, name: str) -> tuple[int, ...]:
        return tuple(self.attributes[name].ints) if name in self.attributes else ()

    def text(self, name: str, default: str) -> str:
        return self.attributes[name].s.decode(errors="replace") if name in self.attributes else default

    def tensor(self, name: str) -> TensorProto:
        if name not in self.attributes:
            raise UnreadError(f"{self.operator} has no `{name}`")
        return self.attributes[name].t

    def plain(self, name: str) -> object:
        """An attribute as data."""
        return helper.get_attribute_value(self.attributes[name])

    # --- what comes of it

    def give(self, op: Op, *operands: Entry | None, weights: Sequence[Stored] = ()) -> Value:
        """The value that an op makes of these."""
        return self.to.give(op, operands, self.node, weights)

    def give_all(self, op: Op, *operands: Entry | None) -> tuple[Value, ...]:
        """The values that it makes."""
        return self.to.add(op, operands, self.node).outputs

    def unread(self, why: str) -> int:
        raise UnreadError(f"{self.operator}: {why}")


def constant_of(tensor: TensorProto, name: str) -> Entry:
    """A tensor that stands in a node."""
    found = stored(tensor, name)
    is_weight = found.dtype == "float32" and found.count > 1
    return found if is_weight or known(found) is None else of_tensor(tensor)


def short(number: float) -> float:
    """The shortest number that float32 rounds to this one: 1e-5, not 9.999999747378752e-06."""
    return float(f"{number:.7g}")
