"""Which regions Fast R-CNN learns from: those on a thing, and background that is near one (Girshick 2015, 2.3)."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import graphc
from graphc.graph import Graph
from optable.running import session
from yolo_formulas import iou

TEXT = """\
graphc: 1
name: net
use: {rcnn: blocks/rcnn.yaml}
params: {size: 512, least: 0.0}
dims: {N: 1, H: 8, W: 8, R: 5, G: 3}
inputs:
  boxes: [R, 4]
  picture: {shape: [R], dtype: int64}
  gt_boxes: [G, 4]
  gt_labels: {shape: [G], dtype: int64}
  gt_picture: {shape: [G], dtype: int64}
  image: [N, 3, H, W]
  seed: {shape: [], dtype: int64}
graph:
  - rcnn.sample_regions: {size: size, least: least}
    from:
      boxes: boxes
      picture: picture
      gt_boxes: gt_boxes
      gt_labels: gt_labels
      gt_picture: gt_picture
      image: image
      seed: seed
    id: sample
outputs: {b: sample.boxes, p: sample.picture, l: sample.labels, m: sample.matched, w: sample.wanted}
"""
ALL = 10**6
pytestmark = pytest.mark.filterwarnings("ignore:.*`image` reaches no output")  # only how many pictures there are


@cache
def sampling(size: int, least: float) -> Graph:
    return graphc.compile(text=TEXT, set={"size": size, "least": least})


def given(seed: int, things: int = 4) -> dict[str, Tensor]:
    """Boxes about the things of three pictures, of which the last has none; and a tenth and a half of the first one."""
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(things, 2, generator=generator) * 60
    gt_boxes = torch.cat([corner, corner + 20 + 20 * torch.rand(things, 2, generator=generator)], 1)
    gt_boxes[:1], gt_picture = torch.tensor([0.0, 0, 40, 40]), torch.arange(things) % 2
    near = gt_boxes.repeat(15, 1) + 14 * torch.randn(15 * things, 4, generator=generator)
    near = torch.cat([torch.minimum(near[:, :2], near[:, 2:]), torch.maximum(near[:, :2], near[:, 2:]) + 1], 1)
    edges = torch.tensor([[0.0, 0, 40, 4], [0, 0, 40, 20], [0, 0, 40, 3.9], [0, 0, 40, 19.9], [70, 70, 90, 90]])
    boxes = torch.cat([edges, near, edges])
    picture = torch.cat([torch.zeros(5), torch.randint(0, 3, (len(near),), generator=generator), torch.full((5,), 2)])
    return {
        "boxes": boxes,
        "picture": picture.long(),
        "gt_boxes": gt_boxes,
        "gt_labels": 1 + torch.randint(0, 5, (things,), generator=generator),
        "gt_picture": gt_picture,
        "image": torch.zeros(3, 3, 8, 8),
        "seed": torch.tensor(seed),
    }


def sampled(graph: Graph, inputs: dict[str, Tensor]) -> list[Tensor]:
    """What the module draws; ONNX Runtime draws the same."""
    module = graph.module()
    assert isinstance(module, nn.Module)
    with torch.inference_mode():
        found = list(module(**inputs))
    run = session(graph.onnx())
    read = {value.name for value in run.get_inputs()}
    fed = {name: value.numpy() for name, value in inputs.items() if name in read}
    for ours, theirs in zip(run.run(None, fed), found, strict=True):
        assert np.array_equal(ours, theirs.numpy())
    return found


def overlaps(box: Tensor, picture: int, inputs: dict[str, Tensor]) -> list[float]:
    """The IoU of a box with each thing, 0 with those of other pictures."""
    return [
        iou(box.tolist(), thing.tolist()) if of == picture else 0.0
        for thing, of in zip(inputs["gt_boxes"], inputs["gt_picture"].tolist(), strict=True)
    ]


def kinds(inputs: dict[str, Tensor], least: float) -> list[tuple[tuple[float, ...], int, int]]:
    """Box by box, the things last: what may be drawn, its picture, and its label, 0 for background."""
    found = []
    boxes, pictures = (torch.cat([inputs[key], inputs[f"gt_{key}"]]) for key in ("boxes", "picture"))
    for box, picture in zip(boxes, pictures.tolist(), strict=True):
        shared = overlaps(box, picture, inputs)
        best = max(shared, default=0.0)
        label = int(inputs["gt_labels"][shared.index(best)]) if best >= 0.5 - 1e-9 else 0
        if label or best >= least - 1e-9:
            found.append((tuple(box.tolist()), picture, label))
    return found


@pytest.mark.parametrize("things", [4, 1, 0])
@pytest.mark.parametrize("least", [0.0, 0.1, 0.3])
def test_all_that_may_be_drawn(least: float, things: int) -> None:
    """A picture without a thing has background only where none is asked to be near one."""
    for seed in range(2):
        inputs = given(seed, things)
        boxes, picture, labels, matched, wanted = sampled(sampling(ALL, least), inputs)
        found = list(zip(map(tuple, boxes.tolist()), picture.tolist(), labels.tolist(), strict=True))
        assert found == kinds(inputs, least)
        for row in labels.nonzero()[:, 0].tolist():
            assert int(inputs["gt_labels"][matched[row]]) == int(labels[row])
            assert torch.equal(wanted[row], inputs["gt_boxes"][matched[row]])
        assert least > 0 or (picture == 2).any()


@pytest.mark.parametrize("least", [0.0, 0.1])
def test_a_quarter_of_a_sample_lies_on_things(least: float) -> None:
    """As far as there are so many; the rest is background, and a picture has no more than `size`."""
    drawn = set()
    for seed in range(3):
        inputs = given(seed)
        boxes, picture, labels, *_ = sampled(sampling(16, least), inputs)
        allowed = kinds(inputs, least)
        rows = list(zip(map(tuple, boxes.tolist()), picture.tolist(), labels.tolist(), strict=True))
        assert set(rows) <= set(allowed)
        for number in range(3):
            on, off = (sum(of == number and bool(k) is thing for _, of, k in allowed) for thing in (True, False))
            mine = labels[picture == number]
            positive = min(on, 4)
            assert [int((mine > 0).sum()), int((mine == 0).sum())] == [positive, min(off, 16 - positive)]
        drawn.add(tuple(rows))
    assert len(drawn) == 3


def test_fast_rcnn_asks_for_a_tenth() -> None:
    """The paper's variants; torchvision's heads take any background."""
    for variant, least in (("fast_rcnn_vgg16", 0.1), ("fast_rcnn_vgg16_align", 0.1), ("fast_rcnn_resnet50_fpn", 0.0)):
        graph = graphc.compile(f"fast_rcnn:{variant}")
        assert graph.training is not None
        (sample,) = (scope for scope in graph.training.root.scopes() if scope.name == "sample")
        assert sample.bindings["least"].value == least
