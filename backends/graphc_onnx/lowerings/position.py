"""Position codes made of sines and cosines."""

from __future__ import annotations

from math import pi

import numpy as np
from onnx import TensorProto

from graphc.dims import Size
from graphc.graph import Value
from graphc.ops.position import SinePosition2d, Sinusoid
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.activation import scalar
from graphc_onnx.lowerings.base import lower


@lower.register
def sinusoid(op: Sinusoid, to: Emitter) -> None:
    to.emit("Identity", _waves(to, _numbers(to, 0, op.length), op.dim))


@lower.register
def sine_position_2d(op: SinePosition2d, to: Emitter, input: Value) -> None:
    """The codes of the rows [half, H, 1] and of the columns [half, 1, W], repeated over the image."""
    half, repeated = op.channels // 2, []
    n, _, *space = input.type.shape
    for name, size, axis in zip(("row", "column"), space, (2, 1), strict=True):
        at = to.below(name)
        share = at.step("share", "Div", _numbers(at, 1, size), at.number("size", size, "float32"))
        waves = _waves(at, at.step("angle", "Mul", share, scalar(at, "circle", 2 * pi)), half)
        channels = at.step("channels", "Transpose", waves, perm=[1, 0])
        plane = at.step("plane", "Unsqueeze", channels, at.constant("axis", [axis]))
        repeated.append(at.step("repeated", "Expand", plane, at.vector("shape", [n, half, *space])))
    to.emit("Concat", *repeated, axis=1)


def _numbers(to: Emitter, first: int, count: Size) -> str:
    """So many numbers, as float32."""
    end = to.number("end", count + first, "int64")
    numbers = to.step("numbers", "Range", to.constant("first", first), end, to.constant("one", 1))
    return to.step("places", "Cast", numbers, to=TensorProto.FLOAT)


def _waves(to: Emitter, places: str, count: int) -> str:
    """A sine and a cosine of each place for each rate: [places, count]."""
    rates = np.asarray([10000 ** (i / count) for i in range(0, count, 2)], np.float32)
    column = to.step("column", "Unsqueeze", places, to.constant("last", [1]))
    angles = to.step("angles", "Div", column, to.constant("rates", rates))
    pair = to.constant("pair", [2])
    both = [to.step(name.lower(), "Unsqueeze", to.step(f"all_{name}", name, angles), pair) for name in ("Sin", "Cos")]
    stacked = to.step("stacked", "Concat", *both, axis=2)
    return to.step("waves", "Reshape", stacked, to.constant("waves_shape", [-1, count]))
