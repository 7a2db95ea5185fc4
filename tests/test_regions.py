"""RoI align and RoI pooling as files have them, and in ONNX Runtime, cell by cell and against torchvision's rules."""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch
from torch import Tensor

import graphc_onnx
import graphc_torch
from graphc.ops.region import OfRegions, RoiAlign, RoiPool
from graphc_torch.region_helpers import adaptive_roi_align, roi_align, roi_pool
from interpreter import numbered
from optable.running import assert_close, graph_of, session
from oracle import torchvision
from sketch import tensor

HEIGHT, WIDTH = 13, 17


def drawn(count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Boxes about a map of 13 × 17, and pictures: also without extent, turned round, over the edges, far outside."""
    generator = torch.Generator().manual_seed(seed)
    boxes = (torch.rand(count, 4, generator=generator) * 1.6 - 0.3) * torch.tensor([WIDTH, HEIGHT, WIDTH, HEIGHT])
    odd: list[list[float]] = [
        [3, 4, 3, 4],
        [3, 4, 3, 9],
        [0, 0, WIDTH, HEIGHT],
        [-99, -99, -50, -50],
        [99, 3, 120, 9],
        [-9, -9, 40, 40],
    ]
    odd += [[16.5, 12.5, 16.9, 12.9], [-1, -1, 0.5, 0.5], [2.5, 0.5, 7.5, 3.5], [-0.5, -1.5, 2.5, 3.5], [9, 8, 2, 1]]
    boxes = torch.cat([boxes, torch.tensor(odd, dtype=torch.float32)])[: count + len(odd) if count else 0]
    return boxes, torch.randint(0, 2, (len(boxes),), generator=generator)


def mean_of(features: Tensor, box: Tensor, op: RoiAlign) -> Tensor:
    """Sample by sample, pixel by pixel (He et al. 2017, 3, and what torchvision does at the edges), in float64."""
    x0, y0, x1, y1 = (float(side) * op.spatial_scale - op.aligned / 2 for side in box)
    wide, tall = (extent if op.aligned else max(extent, 1.0) for extent in (x1 - x0, y1 - y0))
    rows, columns = op.grid
    down, across = (
        op.sampling_ratio if op.sampling_ratio > 0 else max(math.ceil(extent / cells), 0)
        for extent, cells in ((tall, rows), (wide, columns))
    )
    found = features.new_zeros(features.shape[0], rows, columns)
    for row, column, i, j in product(range(rows), range(columns), range(down), range(across)):
        y = y0 + (row + (i + 0.5) / down) * tall / rows
        x = x0 + (column + (j + 0.5) / across) * wide / columns
        found[:, row, column] += between(features, y, x) / (down * across)
    return found


def between(features: Tensor, y: float, x: float) -> Tensor:
    height, width = features.shape[1:]
    if not (-1 <= y <= height and -1 <= x <= width):
        return features.new_zeros(features.shape[0])
    y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
    top, left = min(int(y), height - 2), min(int(x), width - 2)
    upper, lower = (
        features[:, row, left] * (left + 1 - x) + features[:, row, left + 1] * (x - left) for row in (top, top + 1)
    )
    return upper * (top + 1 - y) + lower * (y - top)


ALIGN = [
    RoiAlign(output_size=size, spatial_scale=scale, sampling_ratio=ratio, aligned=aligned)
    for (size, scale), ratio, aligned in product([(2, 1.0), ((3, 5), 0.5)], [-1, 1, 2], [False, True])
]
POOL = [RoiPool(output_size=size, spatial_scale=scale) for size, scale in product([1, 2, (3, 5)], [1.0, 0.5, 0.3])]
OPS = ALIGN + POOL


def said(op: OfRegions) -> str:
    return f"{op.name} {op.model_dump(exclude_defaults=True)}"


def of_torchvision(op: OfRegions, features: Tensor, boxes: Tensor, picture: Tensor) -> Tensor:
    given = features, numbered(boxes, picture), op.grid, op.spatial_scale
    further = (op.sampling_ratio, op.aligned) if isinstance(op, RoiAlign) else ()
    found: Tensor = getattr(torchvision().ops, op.name)(*given, *further)
    return found


def ours(op: OfRegions, features: Tensor, boxes: Tensor, picture: Tensor) -> Tensor:
    size, scale = op.output_size, op.spatial_scale
    if not isinstance(op, RoiAlign):
        return roi_pool(features, boxes, picture, size, scale)
    if op.sampling_ratio > 0:
        return roi_align(features, boxes, picture, size, op.sampling_ratio, scale, op.aligned)
    return adaptive_roi_align(features, boxes, picture, size, scale, op.aligned)


@pytest.mark.parametrize("op", ALIGN, ids=said)
def test_means_sample_by_sample(op: RoiAlign) -> None:
    features, (boxes, picture) = torch.randn(2, 3, HEIGHT, WIDTH), drawn(20)
    wanted = [mean_of(features[of].double(), box, op) for of, box in zip(picture, boxes, strict=True)]
    assert_close(ours(op, features, boxes, picture).numpy(), torch.stack(wanted).float().numpy())


@pytest.mark.parametrize("count", [40, 0])
@pytest.mark.parametrize("op", OPS, ids=said)
def test_files_and_onnx_runtime_have_what_torchvision_has(op: OfRegions, count: int) -> None:
    features, (boxes, picture) = torch.randn(2, 3, HEIGHT, WIDTH), drawn(count, seed=1)
    wanted = of_torchvision(op, features, boxes, picture)
    assert_close(ours(op, features, boxes, picture).numpy(), wanted.numpy())
    graph = graph_of(op, tensor("N", 3, "H", "W"), tensor("R", 4), tensor("R", dtype="int64"))
    assert_close(graphc_torch.module(graph)(features, boxes, picture).numpy(), wanted.numpy())
    fed = dict(zip(graph.inputs, (value.numpy() for value in (features, boxes, picture)), strict=True))
    assert_close(session(graphc_onnx.model(graph)).run(None, fed)[0], wanted.numpy())


@pytest.mark.parametrize("op", OPS, ids=said)
def test_gradients_reach_the_map_and_not_the_boxes(op: OfRegions) -> None:
    boxes, picture = drawn(12, seed=2)
    maps = [torch.randn(2, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0)) for _ in range(2)]
    boxes.requires_grad_()
    for features, pooled in zip(maps, (ours, of_torchvision), strict=True):
        features.requires_grad_()
        found = pooled(op, features, boxes, picture)
        (found * torch.linspace(-1, 1, found.numel()).view_as(found)).sum().backward()
        if pooled is ours:
            assert boxes.grad is None
    mine, theirs = (features.grad for features in maps)
    assert mine is not None
    assert theirs is not None
    assert_close(mine.numpy(), theirs.numpy())


def test_many_pixels_are_taken_in_parts() -> None:
    """A picture's masks: more pixels than are looked at together."""
    masks, boxes = torch.rand(3, 1, 900, 1100).round(), torch.tensor([[5.0, 9, 1090, 880], [0, 0, 1100, 900]])
    boxes = torch.cat([boxes, boxes / 2, boxes, boxes / 3, boxes])
    op, picture = RoiAlign(output_size=28), torch.arange(10) % 3
    assert_close(ours(op, masks, boxes, picture).numpy(), of_torchvision(op, masks, boxes, picture).numpy())


@pytest.mark.parametrize("op", [ALIGN[0], ALIGN[2], POOL[0]], ids=said)
def test_a_box_of_no_numbers_gives_zeros_or_little(op: OfRegions) -> None:
    boxes = torch.tensor([[torch.nan] * 4, [0.0, 0, 5, 5]])
    found = ours(op, torch.ones(1, 2, HEIGHT, WIDTH), boxes, torch.zeros(2, dtype=torch.int64))
    assert found.isfinite().all()
    assert_close(found[1].numpy(), torch.ones_like(found[1]).numpy())


def test_a_half_is_rounded_away_from_zero() -> None:
    """0.5, 1.5, 2.5, -0.5 and what lies just before 0.5."""
    features = torch.arange(8.0).expand(1, 1, 8, 8) + 1
    place = torch.tensor([0.5, 1.5, 2.5, 0.49999997, -0.5])
    boxes = torch.stack([place, torch.zeros(5), place, torch.zeros(5)], dim=1)
    found = roi_pool(features, boxes, torch.zeros(5, dtype=torch.int64), 1)
    assert found.flatten().tolist() == [2, 3, 4, 1, 0]
