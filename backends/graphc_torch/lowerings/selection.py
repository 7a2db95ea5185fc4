"""Ops that keep as many things as the data says."""

from __future__ import annotations

from graphc.ops.selection import Nms, Nonzero
from graphc.tensor import Tensor
from graphc_torch.layer import Call, Layer, keywords, lower


@lower.register
def _(_: Nonzero, input: Tensor) -> Layer:
    return Layer(function=Call("nonzero().squeeze(1)", style="methods"))


@lower.register
def _(op: Nms, boxes: Tensor, scores: Tensor, picture: Tensor, group: Tensor | None = None) -> Layer:
    return Layer(
        function=Call("batched_nms", keywords(op, "iou_threshold", "score_threshold", "max_per_picture")), helper=True
    )
