"""Other sizes of the space that a value covers: interpolation, padding, and channels that become space."""

from __future__ import annotations

import numpy as np

from graphc.dims import Size
from graphc.graph import Value
from graphc.ops.rearrange import Rearrange
from graphc.ops.resize import Interpolate, Pad, PixelShuffle, PixelUnshuffle
from graphc_onnx.draft import Operand
from graphc_onnx.emitter import Attribute, Emitter
from graphc_onnx.lowerings.base import lower
from graphc_onnx.lowerings.nearest import Axis, gathered
from graphc_onnx.lowerings.rearrange import write

MODES: dict[str, dict[str, Attribute]] = {
    "nearest": {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
    "nearest-exact": {
        "mode": "nearest",
        "coordinate_transformation_mode": "half_pixel",
        "nearest_mode": "round_prefer_ceil",
    },
    "bicubic": {"mode": "cubic", "coordinate_transformation_mode": "half_pixel", "cubic_coeff_a": -0.75},
}
"""Resize's attributes for a mode; for one that is not here, those of linear interpolation."""
LINEAR: dict[str, Attribute] = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}


@lower.register
def interpolate(op: Interpolate, to: Emitter, input: Value, like: Value | None = None) -> None:
    axes = _nearest(op, input, like)
    if axes:
        _gather(to, axes, input)
        return
    settings = MODES.get(op.mode, LINEAR)
    if op.align_corners:
        settings = settings | {"coordinate_transformation_mode": "align_corners"}
    factors = op.factors(input.type)
    if factors is not None:
        scales = to.exactly().constant("scales", np.asarray([1, 1, *factors], np.float32))
        to.emit("Resize", input, "", scales, **settings)
    else:
        to.emit("Resize", input, "", "", _sizes(op, to, input, like), **settings)


def _nearest(op: Interpolate, input: Value, like: Value | None) -> list[Axis]:
    """The axes along which nearest elements are taken, where Resize would take others."""
    if not op.mode.startswith("nearest"):
        return []
    space = op.space(input.type, like.type if like else None)
    factors = op.factors(input.type) or (None,) * len(space)
    axes = [
        Axis(number, size, wanted, factor, op.mode == "nearest-exact")
        for number, (size, wanted, factor) in enumerate(zip(input.type.space, space, factors, strict=True), 2)
    ]
    return [] if all(axis.is_safe for axis in axes) else axes


def _gather(to: Emitter, axes: list[Axis], input: Value) -> None:
    value: Operand = input
    for axis in axes:
        value = gathered(to, axis, value)
    to.emit("Identity", value)


def _sizes(op: Interpolate, to: Emitter, input: Value, like: Value | None) -> str:
    """All sizes of the output, the first two being the input's."""
    front = to.step("front", "Shape", input, end=2)
    if like is not None:
        return to.step("sizes", "Concat", front, to.step("space", "Shape", like, start=2), axis=0)
    return to.step("sizes", "Concat", front, to.vector("space", op.space(input.type)), axis=0)


@lower.register
def pad(op: Pad, to: Emitter, input: Value) -> None:
    pairs = op.pairs(input.type)
    sizes: list[Size] = [*(before for before, _ in pairs), *(behind for _, behind in pairs)]
    number = [to.number("value", op.value, input.type.dtype)] if op.value != 0 else []
    mode = {"replicate": "edge"}.get(op.mode, op.mode)
    to.emit("Pad", input, to.vector("pads", sizes), *number, mode=mode)


@lower.register
def pixel_shuffle(op: PixelShuffle, to: Emitter, input: Value) -> None:
    to.emit("DepthToSpace", input, blocksize=op.upscale_factor, mode="CRD")


@lower.register
def pixel_unshuffle(op: PixelUnshuffle, to: Emitter, input: Value) -> None:
    """ONNX's SpaceToDepth has the channels in another order."""
    r = op.downscale_factor
    write(Rearrange(pattern="N C (h r) (w s) -> N (C r s) h w", r=r, s=r), to, input)
