"""The helpers that torchvision has compiled ops for, under the same names, to be copied in their place."""

from __future__ import annotations

import torch
import torchvision
from torch import Tensor


def in_pictures(boxes: Tensor, picture: Tensor, x: Tensor) -> Tensor:
    """Boxes behind the numbers of their pictures, [R, 5], in the type of the map."""
    rows = [picture[:, None].to(x.dtype), boxes.detach().nan_to_num().to(x.dtype)]
    return torch.cat(rows, dim=1)


def roi_align(
    x: Tensor,
    boxes: Tensor,
    picture: Tensor,
    output_size: int | tuple[int, int],
    sampling_ratio: int,
    spatial_scale: float = 1.0,
    aligned: bool = False,
) -> Tensor:
    """The mean of samples in each cell of boxes [R, 4]: [R, C, *output_size]."""
    found: Tensor = torchvision.ops.roi_align(
        x,
        in_pictures(boxes, picture, x),
        output_size,
        spatial_scale,
        sampling_ratio,
        aligned,
    )
    return found


def adaptive_roi_align(
    x: Tensor,
    boxes: Tensor,
    picture: Tensor,
    output_size: int | tuple[int, int],
    spatial_scale: float = 1.0,
    aligned: bool = False,
) -> Tensor:
    """The mean of samples in each cell of boxes [R, 4]: [R, C, *output_size].

    They are as many as the cell has pixels, rounded up.
    """
    return roi_align(x, boxes, picture, output_size, -1, spatial_scale, aligned)


def roi_pool(
    x: Tensor,
    boxes: Tensor,
    picture: Tensor,
    output_size: int | tuple[int, int],
    spatial_scale: float = 1.0,
) -> Tensor:
    """The largest in each cell of boxes [R, 4] of whole pixels: [R, C, *output_size]."""
    found: Tensor = torchvision.ops.roi_pool(
        x,
        in_pictures(boxes, picture, x),
        output_size,
        spatial_scale,
    )
    return found


def nms(
    boxes: Tensor,
    scores: Tensor,
    iou_threshold: float,
    group: Tensor | None = None,
) -> Tensor:
    """The boxes [M, 4] that are kept, best first: [K].

    Each goes if one that is kept, better and of its group [M], has a larger IoU with it.
    Of equal scores the first is better; one of NaN or -inf is never kept.
    """
    likely = (scores > -torch.inf).nonzero()[:, 0]
    if group is None:
        return likely[torchvision.ops.nms(boxes[likely], scores[likely], iou_threshold)]
    likely = likely[group[likely].argsort(stable=True)]
    sizes = torch.unique_consecutive(group[likely], return_counts=True)[1].tolist()
    parts = [likely[:0]]
    for rows in likely.split(sizes):
        best = torchvision.ops.nms(boxes[rows], scores[rows], iou_threshold)
        parts.append(rows[best])
    kept = torch.cat(parts).sort()[0]
    return kept[scores[kept].argsort(descending=True, stable=True)]
