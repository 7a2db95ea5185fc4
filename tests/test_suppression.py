"""Non-maximum suppression, the function that files get and the ONNX nodes, against brute force and torchvision."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor

import graphc_onnx
from graphc.graph import Value
from graphc.ops.base import Free
from graphc.tensor import Tensor as Kind
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings import lower
from graphc_onnx.lowerings.suppression import of_each_picture, suppressed
from graphc_torch.region_helpers import batched_nms, nms
from optable.running import session
from sketch import Sketch, tensor

NAN, INF = torch.nan, torch.inf
THRESHOLDS = [0.0, 0.3, 0.7, 1.0]


def by_hand(
    boxes: Tensor, scores: Tensor, iou_threshold: float, group: Tensor, score_threshold: float = -INF
) -> list[int]:
    """Box by box, best first; IoU in float32 as the library's C++ has it, compared with a double."""
    order = [i for i in scores.argsort(descending=True, stable=True).tolist() if scores[i] > score_threshold]
    kept: list[int] = []
    for i in order:
        better = torch.tensor(kept, dtype=torch.int64)
        better = better[group[better] == group[i]]
        if not (ious(boxes[i], boxes[better]).double() > iou_threshold).any():
            kept.append(i)
    return kept


def ious(box: Tensor, others: Tensor) -> Tensor:
    sides = (torch.minimum(box[2:], others[:, 2:]) - torch.maximum(box[:2], others[:, :2])).clamp(min=0)
    area, areas = ((b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1]) for b in (box, others))
    common = sides[:, 0] * sides[:, 1]
    return common / (area + areas - common)


def drawn(count: int, seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Boxes, scores, pictures and groups: some boxes without extent, some turned round, scores equal now and then."""
    generator = torch.Generator().manual_seed(seed)
    corner = torch.randint(-5, 20, (count, 2), generator=generator) / 2
    boxes = torch.cat([corner, corner + torch.randint(0, 14, (count, 2), generator=generator) / 2], 1)
    boxes[torch.rand(count, generator=generator) < 0.1] = torch.tensor([9.0, 4.0, 3.0, 8.0])
    boxes[torch.rand(count, generator=generator) < 0.1] = torch.tensor([9.0, 8.0, 3.0, 2.0])
    scores = torch.randint(0, 2 * count, (count,), generator=generator) / (2.0 * count)
    scores[torch.rand(count, generator=generator) < 0.1] = NAN
    picture, group = (torch.randint(0, n, (count,), generator=generator) for n in (3, 4))
    return boxes, scores, picture, group


ODD: dict[str, tuple[Tensor, Tensor]] = {
    "none": (torch.zeros(0, 4), torch.zeros(0)),
    "one": (torch.tensor([[1.0, 2, 3, 4]]), torch.tensor([0.5])),
    "the same": (torch.tensor([[1.0, 2, 3, 4]]).expand(600, 4), torch.linspace(0, 1, 600)),
    "the same, as good": (torch.tensor([[1.0, 2, 3, 4]]).expand(600, 4), torch.ones(600)),
    "no extent": (torch.tensor([[1.0, 2, 1, 4]]).expand(5, 4), torch.ones(5)),
    "far outside": (torch.tensor([[-1e6, -1e6, -9e5, -9e5]]).expand(5, 4), torch.linspace(0, 1, 5)),
    "no number": (torch.tensor([[1.0, 2, 3, 4]]).expand(3, 4), torch.tensor([NAN, NAN, NAN])),
    "one number": (torch.tensor([[1.0, 2, 3, 4]]).expand(3, 4), torch.tensor([NAN, 0.1, NAN])),
    "infinite scores": (torch.eye(3, 4).cumsum(1), torch.tensor([-INF, INF, 0.0])),
    "a chain": (torch.arange(700.0)[:, None] / 4 + torch.tensor([0.0, 0, 1, 1]), -torch.arange(700.0)),
}


def cases() -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    for boxes, scores in ODD.values():
        yield boxes, scores, torch.zeros(len(boxes), dtype=torch.int64), torch.arange(len(boxes)) % 2
    for seed, count in enumerate([2, 5, 20, 60, 300]):
        yield drawn(count, seed)


CASES = pytest.mark.parametrize("case", list(cases()), ids=[*ODD, "2", "5", "20", "60", "300"])
Case = tuple[Tensor, Tensor, Tensor, Tensor]


@pytest.mark.parametrize("threshold", THRESHOLDS)
@CASES
def test_the_function_keeps_what_is_kept_one_by_one(case: Case, threshold: float) -> None:
    boxes, scores, _, group = case
    together = torch.zeros_like(group)
    assert nms(boxes, scores, threshold).tolist() == by_hand(boxes, scores, threshold, together)
    assert nms(boxes, scores, threshold, group).tolist() == by_hand(boxes, scores, threshold, group)


@CASES
def test_torchvision_keeps_the_same(case: Case, torchvision: ModuleType) -> None:
    """But for scores that are no number, which it calls the best."""
    boxes, scores, _, group = case
    boxes, scores, group = (value[scores > -INF] for value in (boxes, scores, group))
    assert nms(boxes, scores, 0.5).tolist() == torchvision.ops.nms(boxes, scores, 0.5).tolist()
    together = torchvision.ops.boxes._batched_nms_vanilla(boxes, scores, group, 0.5)
    found = nms(boxes, scores, 0.5, group)
    assert set(found.tolist()) == set(together.tolist())
    assert scores[found].tolist() == scores[together].tolist()


@CASES
@pytest.mark.parametrize(("least", "most"), [(-INF, None), (0.3, None), (-INF, 2), (0.3, 7)])
def test_pictures_are_told_apart(case: Case, least: float, most: int | None) -> None:
    boxes, scores, picture, group = case
    found = batched_nms(boxes, scores, picture, group, 0.4, least, most)
    assert found.dtype == torch.int64
    assert found.tolist() == in_pictures(case, least, most)


def in_pictures(case: Case, least: float, most: int | None) -> list[int]:
    """Picture by picture."""
    boxes, scores, picture, group = case
    kept = []
    for number in range(3):
        inside = (picture == number).nonzero()[:, 0]
        best = by_hand(boxes[inside], scores[inside], 0.4, group[inside], least)
        kept += inside[best][:most].tolist()
    return kept


class Suppress(Free):
    """What the ONNX nodes are written for here."""

    name = "suppress"
    iou_threshold: float = 0.4
    score_threshold: float = -INF
    limit: int | None = None

    def infer(self, boxes: Kind, scores: Kind, picture: Kind, group: Kind) -> Kind:
        return tensor("K", dtype="int64")


@lower.register
def _(op: Suppress, to: Emitter, boxes: Value, scores: Value, picture: Value, group: Value) -> None:
    """Four groups a picture."""
    key = to.step("key", "Add", to.step("first", "Mul", picture, to.constant("groups", 4)), group)
    thresholds = {"iou_threshold": op.iou_threshold, "score_threshold": op.score_threshold}
    kept = suppressed(to, boxes, scores, key, **thresholds)
    to.emit("Identity", of_each_picture(to, kept, picture, op.limit))


def in_onnx(op: Suppress, case: Case) -> list[int]:
    kinds = tensor("M", 4), tensor("M"), tensor("M", dtype="int64"), tensor("M", dtype="int64")
    sketch = Sketch(**dict(zip(["boxes", "scores", "picture", "group"], kinds, strict=True)))
    graph = sketch.give(kept=sketch.add("kept", op, *sketch.graph.inputs.values()))
    fed = dict(zip(graph.inputs, (value.numpy() for value in case), strict=True))
    (found,) = session(graphc_onnx.model(graph)).run(None, fed)
    assert found.dtype == np.int64
    return [int(number) for number in found]


@CASES
@pytest.mark.parametrize(("least", "most"), [(-INF, None), (0.3, 7)])
def test_onnx_runtime_keeps_the_same_in_the_same_order(case: Case, least: float, most: int | None) -> None:
    assert in_onnx(Suppress(score_threshold=least, limit=most), case) == in_pictures(case, least, most)


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_a_threshold_that_is_just_reached_keeps(threshold: float) -> None:
    """IoUs of 0.3, 0.5, 0.7 and those next to them in float32, which is not exactly 0.3 or 0.7: a double decides."""
    height = torch.tensor([0.0, 1, 3, 5, 7, 10])
    beside = torch.cat([height, height.nextafter(torch.tensor(99.0)), height.nextafter(torch.tensor(-99.0))])
    boxes = torch.stack([torch.zeros(18), torch.zeros(18), torch.full((18,), 10.0), beside], dim=1)
    boxes = torch.cat([torch.tensor([[0.0, 0, 10, 10]]), boxes])
    for number in range(1, 19):
        pair = boxes[[0, number]]
        scores, alone = torch.tensor([1.0, 0.5]), torch.zeros(2, dtype=torch.int64)
        wanted = by_hand(pair, scores, threshold, alone)
        assert nms(pair, scores, threshold).tolist() == wanted
        assert in_onnx(Suppress(iou_threshold=threshold), (pair, scores, alone, alone)) == wanted
