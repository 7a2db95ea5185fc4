"""Values as signals: turned round, and their spectra."""

from __future__ import annotations

from graphc.dims import product
from graphc.graph import Value
from graphc.ops.fourier import Fft2, Flip
from graphc_onnx.draft import Operand
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower
from graphc_onnx.lowerings.index import LAST

AXIS_IS_AN_OPERAND = 20
"""The opset from which on DFT takes its axis as an operand."""


@lower.register
def flip(op: Flip, to: Emitter, input: Value) -> None:
    count = len(op.axes)
    start, end = to.constant("start", [-1] * count), to.constant("end", [-LAST] * count)
    to.emit("Slice", input, start, end, to.constant("axes", list(op.axes)), to.constant("steps", [-1] * count))


@lower.register
def fft2(op: Fft2, to: Emitter, input: Value) -> None:
    """One axis after the other; ONNX keeps the two parts of a complex number along one more axis."""
    to.needs_opset(17)
    to = to.exactly()
    rank, space = input.type.rank, op.space(input.type)
    spectrum = to.step("signal", "Unsqueeze", _fitted(op, to, input), to.constant("last", [-1]))
    for name, axis in (("rows", rank - 1), ("columns", rank - 2)):
        spectrum = _transform(to, name, spectrum, axis)
    if op.norm != "backward":
        places = to.number("places", product(space), "float32")
        whole = places if op.norm == "forward" else to.step("root", "Sqrt", places)
        spectrum = to.step("normal", "Div", spectrum, whole)
    for part, name in enumerate(("real", "imag")):
        to.emit_output(name, "Gather", spectrum, to.constant(f"part_{part}", part), axis=-1)


def _fitted(op: Fft2, to: Emitter, input: Value) -> Operand:
    """The signal with the wanted sizes. DFT has a length too, but with a free one ONNX Runtime takes the old size."""
    added = [wanted - size for wanted, size in zip(op.s or (), input.type.shape[-2:], strict=False)]
    if all(size == 0 for size in added):
        return input
    others = [0] * (input.type.rank - 2)
    return to.step("fitted", "Pad", input, to.vector("pads", [*others, 0, 0, *others, *added]))


def _transform(to: Emitter, name: str, signal: str, axis: int) -> str:
    if to.opset >= AXIS_IS_AN_OPERAND:
        return to.step(name, "DFT", signal, "", to.constant(f"{name}_axis", axis))
    return to.step(name, "DFT", signal, axis=axis)
