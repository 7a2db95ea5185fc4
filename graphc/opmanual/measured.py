"""What an op comes to in its example: shapes, weights and cost, with the free sizes as they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from graphc.graph import Node, Value
from graphc.tensor import Bilinear, Constant, Gaussian, Initial, Normal, Tensor, Uniform


@dataclass(frozen=True, slots=True)
class Held:
    """A weight: its name, its shape in the example, what it begins with, and whether it is a buffer."""

    name: str
    shape: str
    initial: str
    buffer: bool


def shapes(node: Node) -> str:
    """The types of the operands and of what comes of them: "input [N, 8, H, W] → [N, 16, H, W]"."""
    given = ", ".join(f"{name} {_type(kind)}" for name, kind in _operands(node))
    return f"{given} → {', '.join(map(_output, node.outputs))}".lstrip()


def held(node: Node) -> Iterator[Held]:
    """The weights."""
    for name, weight in node.weights().items():
        shape = _type(Tensor(weight.shape, weight.dtype))
        yield Held(name, shape, initial(weight.initial), weight.buffer)


def cost(node: Node) -> str:
    """The multiply-accumulates, with the free sizes: "1152*H*N*W MACs"; "free" where none are needed."""
    macs = node.macs()
    if macs is None:
        return "not counted"
    return f"{macs} MACs" if macs != 0 else "free"


def initial(drawn: Initial) -> str:
    """What a weight begins with, in words."""
    match drawn:
        case Constant(value):
            return f"{value:g}"
        case Uniform(bound, middle):
            around = f"{middle:g} " if middle else ""
            return f"uniform within {around}±{_root(bound)}"
        case Normal(mean, std, row, _):
            padding = "" if row is None else f", row {row} is 0"
            return f"normal, mean {mean:g}, standard deviation {std:g}{padding}"
        case Bilinear():
            return "triangles that interpolate"
        case Gaussian(std, mean):
            return f"a Gaussian over each kernel, standard deviation {std:g}, mean {mean:g}"


def _root(bound: float) -> str:
    """A bound as one divided by the root of a whole number, where it is that: 1/√27."""
    square = round(bound**-2) if bound > 0 else 0
    return f"1/√{square}" if square and abs(square**-0.5 - bound) < 1e-12 else f"{bound:g}"


def _operands(node: Node) -> Iterator[tuple[str, Tensor]]:
    slots = node.op.slots()
    for number, kind in enumerate(node.inputs):
        if kind is not None:
            slot = slots[min(number, len(slots) - 1)]
            yield f"{slot.name}.{number}" if slot.variadic else slot.name, kind


def _output(value: Value) -> str:
    return f"{value.name} {_type(value.type)}".lstrip()


def _type(kind: Tensor) -> str:
    """A type as the example has it: the element type is said where it is none of real numbers."""
    return str(kind) if kind.dtype == "float32" else f"{kind.dtype} {kind}"
