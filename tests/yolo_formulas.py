"""The boxes and the losses of YOLO v1, YOLO v3 and of a detector with one stage, one prediction after the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

Box: TypeAlias = Sequence[float]
Found: TypeAlias = dict[str, float]
ANCHORS = [(10, 13), (16, 30), (33, 23), (30, 61), (62, 45), (59, 119), (116, 90), (156, 198), (373, 326)]
TEMPLATES = [(32, 32), (64, 32), (32, 64), (64, 64), (128, 64), (64, 128), (128, 128), (256, 128), (128, 256)]


def iou(box: Box, other: Box) -> float:
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    common = max(width, 0) * max(height, 0)
    area = (box[2] - box[0]) * (box[3] - box[1]) + (other[2] - other[0]) * (other[3] - other[1])
    return common / (area - common) if area > common else 0.0


def around(x: float, y: float, width: float, height: float) -> Box:
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def entropy(logit: float, wanted: float) -> float:
    p = sigmoid(logit)
    return -math.log(p) if wanted else -math.log(1 - p)


def middle_and_size(box: Box) -> tuple[float, float, float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0], box[3] - box[1]


class Truth:
    """The objects of a batch: boxes, labels, and the picture of each."""

    def __init__(self, boxes: Sequence[Box], labels: Sequence[int], pictures: Sequence[int]) -> None:
        self.boxes, self.labels, self.pictures = boxes, labels, pictures

    def of(self, picture: int) -> list[int]:
        return [g for g, mine in enumerate(self.pictures) if mine == picture]

    def inputs(self) -> dict[str, Tensor]:
        return {
            "gt_boxes": torch.tensor(self.boxes).reshape(-1, 4),
            "gt_labels": torch.tensor(self.labels, dtype=torch.int64),
            "gt_picture": torch.tensor(self.pictures, dtype=torch.int64),
        }


def first_loss(found: Tensor, truth: Truth, size: int = 192, classes: int = 3) -> Found:
    """Equation 3 over pictures, cells and predictors."""
    cells, total = size // 64, {"boxes": 0.0, "confidence": 0.0, "classes": 0.0}
    for n, picture in enumerate(found.tolist()):
        for i, cell in enumerate(picture):
            row, column = divmod(i, cells)
            here = [g for g in truth.of(n) if place_of(truth.boxes[g], 64) == (row, column)]
            predictors = [cell[j : j + 5] for j in range(0, len(cell) - classes, 5)]
            overlaps = [iou(first_box(p, i, size), truth.boxes[here[0]]) for p in predictors] if here else []
            for j, (x, y, w, h, confidence) in enumerate(predictors):
                if not here or j != overlaps.index(max(overlaps)):
                    total["confidence"] += 0.5 * confidence**2
                    continue
                across, down, width, height = middle_and_size(truth.boxes[here[0]])
                total["confidence"] += (confidence - overlaps[j]) ** 2
                total["boxes"] += 5 * ((x - across / 64 + column) ** 2 + (y - down / 64 + row) ** 2)
                total["boxes"] += 5 * ((w - math.sqrt(width / size)) ** 2 + (h - math.sqrt(height / size)) ** 2)
            for c, p in enumerate(cell[-classes:] if here else []):
                total["classes"] += (p - (c == truth.labels[here[0]])) ** 2
    return {part: value / len(found) for part, value in total.items()}


def place_of(box: Box, stride: int) -> tuple[int, int]:
    x, y, _, _ = middle_and_size(box)
    return int(y // stride), int(x // stride)


def first_box(p: Sequence[float], cell: int, size: int) -> Box:
    row, column = divmod(cell, size // 64)
    return around((column + p[0]) * 64, (row + p[1]) * 64, p[2] ** 2 * size, p[3] ** 2 * size)


def first_decoded(found: Tensor, size: int = 192, classes: int = 3) -> tuple[Tensor, Tensor]:
    boxes, scores = [], []
    for picture in found.tolist():
        for i, cell in enumerate(picture):
            for j in range(0, len(cell) - classes, 5):
                boxes.append(first_box(cell[j : j + 5], i, size))
                scores.append([cell[j + 4] * p for p in cell[-classes:]])
    return torch.tensor(boxes).reshape(len(found), -1, 4), torch.tensor(scores).reshape(len(found), -1, classes)


Place: TypeAlias = tuple[int, int, int, int]
"""The scale, the anchor of its three, row and column."""


def places(height: int, width: int) -> Iterator[Place]:
    for scale, stride in enumerate((32, 16, 8)):
        for anchor in range(3):
            for row in range(height // stride):
                for column in range(width // stride):
                    yield scale, anchor, row, column


def third_box(p: Sequence[float], place: Place) -> Box:
    scale, anchor, row, column = place
    stride, (width, height) = 32 // 2**scale, ANCHORS[6 - 3 * scale + anchor]
    x, y = (column + sigmoid(p[0])) * stride, (row + sigmoid(p[1])) * stride
    return around(x, y, width * math.exp(p[2]), height * math.exp(p[3]))


def responsible(box: Box) -> Place:
    """The anchor of all nine whose shape fits best, at the place of the middle."""
    _, _, width, height = middle_and_size(box)
    shapes = [iou(around(0, 0, width, height), around(0, 0, *anchor)) for anchor in ANCHORS]
    best = shapes.index(max(shapes))
    return 2 - best // 3, best % 3, *place_of(box, 8 * 2 ** (best // 3))


def third_loss(found: Tensor, truth: Truth, height: int = 128, width: int = 96) -> Found:
    """yolo_layer.c over pictures, places and anchors; of objects at one the first counts."""
    total = {"boxes": 0.0, "objectness": 0.0, "classes": 0.0}
    owners = [(responsible(box), picture) for box, picture in zip(truth.boxes, truth.pictures, strict=True)]
    for n, picture in enumerate(found.tolist()):
        for place, p in zip(places(height, width), picture, strict=True):
            if (place, n) not in owners:
                if all(iou(third_box(p, place), truth.boxes[g]) <= 0.7 for g in truth.of(n)):
                    total["objectness"] += entropy(p[4], 0)
                continue
            owner = owners.index((place, n))
            scale, anchor, row, column = place
            stride, shape = 32 // 2**scale, ANCHORS[6 - 3 * scale + anchor]
            x, y, w, h = middle_and_size(truth.boxes[owner])
            off = [sigmoid(p[0]) - x / stride + column, sigmoid(p[1]) - y / stride + row]
            off += [p[2] - math.log(w / shape[0]), p[3] - math.log(h / shape[1])]
            total["boxes"] += (2 - w * h / (width * height)) * sum(part**2 for part in off)
            total["objectness"] += entropy(p[4], 1)
            total["classes"] += sum(entropy(q, c == truth.labels[owner]) for c, q in enumerate(p[5:]))
    return {part: value / len(found) for part, value in total.items()}


def third_decoded(found: Tensor, height: int = 128, width: int = 96) -> tuple[Tensor, Tensor]:
    boxes, scores = [], []
    for picture in found.tolist():
        for place, p in zip(places(height, width), picture, strict=True):
            boxes.append(third_box(p, place))
            scores.append([sigmoid(p[4]) * sigmoid(q) for q in p[5:]])
    return torch.tensor(boxes).reshape(len(found), -1, 4), torch.tensor(scores).reshape(len(found), -1, 3)


def placed(height: int = 128, width: int = 96) -> list[Box]:
    """A template of each shape in the middle of each place of the map."""
    return [
        around(column * 16 + 8, row * 16 + 8, *template)
        for row in range(height // 16)
        for column in range(width // 16)
        for template in TEMPLATES
    ]


def single_loss(found: Tensor, truth: Truth, classes: int = 3) -> Found:
    templates, total, objects, empty = placed(), {"classes": 0.0, "nothing": 0.0, "boxes": 0.0}, 0, 0
    overlaps = [[iou(template, box) for template in templates] for box in truth.boxes]
    owners = [(row.index(max(row)), picture) for row, picture in zip(overlaps, truth.pictures, strict=True)]
    for n, picture in enumerate(found):
        logs = functional.log_softmax(picture[:, : classes + 1], 1).tolist()
        deltas = picture[:, classes + 1 :].unflatten(1, (classes, 4)).tolist()
        for m, template in enumerate(templates):
            if (m, n) in owners:
                owner, objects = owners.index((m, n)), objects + 1
                label = truth.labels[owner]
                (ax, ay, aw, ah), (x, y, w, h) = middle_and_size(template), middle_and_size(truth.boxes[owner])
                wanted = [(x - ax) / aw, (y - ay) / ah, math.log(w / aw), math.log(h / ah)]
                off = [abs(a - b) for a, b in zip(deltas[m][label], wanted, strict=True)]
                total["boxes"] += sum(d - 0.5 if d >= 1 else 0.5 * d**2 for d in off)
                total["classes"] -= logs[m][label]
            elif all(overlaps[g][m] <= 0.5 for g in truth.of(n)):
                total["nothing"], empty = total["nothing"] - logs[m][classes], empty + 1
    counts = {"classes": objects, "boxes": objects, "nothing": empty}
    return {part: value / max(counts[part], 1) for part, value in total.items()}


def single_decoded(found: Tensor, classes: int = 3) -> tuple[Tensor, Tensor]:
    boxes = []
    for picture in found[:, :, classes + 1 :].unflatten(2, (classes, 4)).tolist():
        for template, deltas in zip(placed(), picture, strict=True):
            x, y, w, h = middle_and_size(template)
            boxes += [around(x + a * w, y + b * h, w * math.exp(c), h * math.exp(d)) for a, b, c, d in deltas]
    return torch.tensor(boxes).reshape(len(found), -1, classes, 4), found[:, :, : classes + 1].softmax(2)[
        :, :, :classes
    ]


LOSSES: dict[str, Callable[[Tensor, Truth], Found]] = {
    "yolo_v1_paper": first_loss,
    "yolo_v1_darknet": first_loss,
    "yolo_v3_coco": third_loss,
    "single_stage": single_loss,
}
DECODED: dict[str, Callable[[Tensor], tuple[Tensor, Tensor]]] = {
    "yolo_v1_paper": first_decoded,
    "yolo_v1_darknet": first_decoded,
    "yolo_v3_coco": third_decoded,
    "single_stage": single_decoded,
}
