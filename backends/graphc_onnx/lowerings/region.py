"""What lies in a box of a feature map."""

from __future__ import annotations

from onnx import TensorProto

from graphc.graph import Value
from graphc.ops.region import RoiAlign, RoiPool
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings.base import lower


@lower.register
def roi_align(op: RoiAlign, to: Emitter, input: Value, boxes: Value, picture: Value) -> None:
    to.needs_opset(16)  # before it there is no choice of `aligned`
    rows, columns = op.grid
    to.emit(
        "RoiAlign",
        input,
        _proper(to, boxes) if op.aligned and op.sampling_ratio <= 0 else boxes,
        picture,
        output_height=rows,
        output_width=columns,
        spatial_scale=op.spatial_scale,
        sampling_ratio=max(op.sampling_ratio, 0),
        coordinate_transformation_mode="half_pixel" if op.aligned else "output_half_pixel",
    )


def _proper(to: Emitter, boxes: Value) -> str:
    """The boxes, those of a negative size made ones without: ONNX Runtime ends at a number of samples below 0."""
    corner, other = to.steps("Split", boxes, to.constant("sizes", [2, 2]), gives=("corner", "other"), axis=1)
    return to.step("boxes", "Concat", corner, to.step("behind", "Max", corner, other), axis=1)


@lower.register
def roi_pool(op: RoiPool, to: Emitter, input: Value, boxes: Value, picture: Value) -> None:
    """A box of five numbers: its picture, and where it lies. ONNX Runtime rounds as torchvision does."""
    last = to.constant("last", [-1])
    number = to.step("number", "Cast", to.step("column", "Unsqueeze", picture, last), to=TensorProto.FLOAT)
    rois = to.step("rois", "Concat", number, boxes, axis=1)
    to.emit("MaxRoiPool", input, rois, pooled_shape=op.grid, spatial_scale=op.spatial_scale)
