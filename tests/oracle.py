"""torchvision as an oracle, also where its wheel can't load its compiled ops (a CPU build of torch)."""

import importlib
import math
from functools import cache
from types import ModuleType

import torch
from torch import Tensor

# torchvision/csrc/ops/*.cpp
POOLED = "float spatial_scale, SymInt pooled_height, SymInt pooled_width"
SIZES = "SymInt batch_size, SymInt channels, SymInt height, SymInt width"
STEPS = "SymInt stride_h, SymInt stride_w, SymInt pad_h, SymInt pad_w, SymInt dilation_h, SymInt dilation_w"
DEFORM = f"Tensor weight, Tensor offset, Tensor mask, Tensor bias, {STEPS}, SymInt groups, SymInt offset_groups"
GRADIENTS = "(Tensor, Tensor, Tensor, Tensor, Tensor)"
SCHEMAS = [
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    f"roi_align(Tensor input, Tensor rois, {POOLED}, int sampling_ratio, bool aligned) -> Tensor",
    f"_roi_align_backward(Tensor grad, Tensor rois, {POOLED}, {SIZES}, int sampling_ratio, bool aligned) -> Tensor",
    f"roi_pool(Tensor input, Tensor rois, {POOLED}) -> (Tensor, Tensor)",
    f"_roi_pool_backward(Tensor grad, Tensor rois, Tensor argmax, {POOLED}, {SIZES}) -> Tensor",
    f"ps_roi_align(Tensor input, Tensor rois, {POOLED}, int sampling_ratio) -> (Tensor, Tensor)",
    f"_ps_roi_align_backward(Tensor grad, Tensor rois, Tensor map, {POOLED}, int sampling_ratio, {SIZES}) -> Tensor",
    f"ps_roi_pool(Tensor input, Tensor rois, {POOLED}) -> (Tensor, Tensor)",
    f"_ps_roi_pool_backward(Tensor grad, Tensor rois, Tensor map, {POOLED}, {SIZES}) -> Tensor",
    f"deform_conv2d(Tensor input, {DEFORM}, bool use_mask) -> Tensor",
    f"_deform_conv2d_backward(Tensor grad, Tensor input, {DEFORM}, bool use_mask) -> {GRADIENTS}",
]
OPS_MODULES = ["boxes", "deform_conv", "ps_roi_align", "ps_roi_pool", "roi_align", "roi_pool"]
LIBRARY = torch.library.Library("torchvision", "FRAGMENT")


@cache
def torchvision() -> ModuleType:
    """torchvision, with `nms`, `roi_align` and `roi_pool` at least."""
    try:
        return importlib.import_module("torchvision")
    except RuntimeError:  # operator torchvision::nms does not exist
        define_ops()
    module = importlib.import_module("torchvision")
    for name in OPS_MODULES:
        vars(importlib.import_module(f"torchvision.ops.{name}")).update(_assert_has_ops=bool, _has_ops=lambda: True)
    return module


def define_ops() -> None:
    for schema in SCHEMAS:
        LIBRARY.define(schema)
    LIBRARY.impl("nms", nms, "CPU")
    LIBRARY.impl("roi_align", roi_align, "CompositeImplicitAutograd")
    LIBRARY.impl("roi_pool", roi_pool, "CompositeImplicitAutograd")


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """The boxes that are kept, best first: csrc/ops/cpu/nms_kernel.cpp."""
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    waiting = scores.argsort(descending=True, stable=True)
    kept = []
    while len(waiting):
        best, waiting = waiting[0], waiting[1:]
        kept.append(best)
        corner = torch.maximum(boxes[best, :2], boxes[waiting, :2])
        overlap = (torch.minimum(boxes[best, 2:], boxes[waiting, 2:]) - corner).clamp(min=0).prod(1)
        iou = overlap / (area[best] + area[waiting] - overlap)
        waiting = waiting[~(iou.double() > iou_threshold)]
    return torch.stack(kept) if kept else scores.new_empty(0, dtype=torch.int64)


def roi_align(
    features: Tensor,
    rois: Tensor,
    spatial_scale: float,
    pooled_height: int,
    pooled_width: int,
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    """[N, C, H, W], [R, 5] → [R, C, pooled_height, pooled_width]: csrc/ops/cpu/roi_align_kernel.cpp."""
    height, width = features.shape[2:]
    pooled = []
    for roi in rois:
        x0, y0, x1, y1 = (roi[1:] * spatial_scale - (0.5 if aligned else 0.0)).unbind()
        down = sampling(y0, y1, height, pooled_height, sampling_ratio, aligned)
        across = sampling(x0, x1, width, pooled_width, sampling_ratio, aligned)
        pooled.append(down @ features[int(roi[0])] @ across.T)
    return torch.stack(pooled) if pooled else features.new_empty(0, features.shape[1], pooled_height, pooled_width)


def sampling(start: Tensor, end: Tensor, size: int, bins: int, ratio: int, aligned: bool) -> Tensor:
    """The weight of every pixel in every bin, [bins, size]: the mean of samples that interpolate linearly.

    A sample counts as 0 beyond −1 and beyond the size; between there and the picture it takes the border's value.
    """
    extent = end - start if aligned else (end - start).clamp(min=1)
    samples = ratio if ratio > 0 else max(int((extent / bins).ceil()), 0)
    places = start + torch.arange(bins)[:, None] * (extent / bins)
    places = places + (torch.arange(samples) + 0.5) * (extent / bins / max(samples, 1))
    inside = (places >= -1) & (places <= size)
    distance = places.clamp(0, size - 1)[..., None] - torch.arange(size)
    weight = (1 - distance.abs()).clamp(min=0) * inside[..., None]
    return weight.sum(1) / max(samples, 1)


def roi_pool(
    features: Tensor, rois: Tensor, spatial_scale: float, pooled_height: int, pooled_width: int
) -> tuple[Tensor, Tensor]:
    """[N, C, H, W], [R, 5] → [R, C, pooled_height, pooled_width], cell by cell: csrc/ops/cpu/roi_pool_kernel.cpp.

    The second value there, where each largest one is, nobody reads here.
    """
    pooled = features.new_zeros(len(rois), features.shape[1], pooled_height, pooled_width)
    for number, roi in enumerate(rois.detach()):
        x0, y0, x1, y1 = (round_away(float(side)) for side in roi[1:] * spatial_scale)
        down = [cell(y0, y1, features.shape[2], pooled_height, place) for place in range(pooled_height)]
        across = [cell(x0, x1, features.shape[3], pooled_width, place) for place in range(pooled_width)]
        for row, rows in enumerate(down):
            for column, columns in enumerate(across):
                inside = features[int(roi[0]), :, rows, columns]
                if inside.numel():
                    pooled[number, :, row, column] = inside.amax((1, 2))
    return pooled, torch.empty(0)


def round_away(number: float) -> int:
    """The nearest whole number, of two the one farther from 0: C's `round`."""
    below = math.floor(abs(number))
    return int(math.copysign(below + (abs(number) - below >= 0.5), number))


def cell(start: int, end: int, size: int, cells: int, number: int) -> slice:
    """The pixels of a cell of a box, both of whose ends are in it, as far as they are on the map; in float32."""
    extent = torch.tensor(max(end - start + 1, 1)) / cells
    first, behind = int((number * extent).floor()), int(((number + 1) * extent).ceil())
    return slice(min(max(start + first, 0), size), min(max(start + behind, 0), size))
