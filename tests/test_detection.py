"""Detectors against torchvision: with the same weights the same boxes, labels, scores, masks and losses."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any, TypeAlias

import onnx
import pytest
import torch
from torch import Tensor, nn

import graphc
from graphc.graph import Graph
from optable.running import session

SIZE = (192, 256)
Detector: TypeAlias = Any
"""torchvision's, whose parts have no types."""


def theirs(torchvision: ModuleType, name: str, **options: Any) -> nn.Module:
    """torchvision's, with random weights that give boxes of several sizes and scores."""
    torch.manual_seed(0)
    made: nn.Module = getattr(torchvision.models.detection, name)(weights=None, weights_backbone=None, **options)
    for key, value in made.named_parameters():
        if "bbox_pred" in key or "cls_" in key:
            nn.init.normal_(value, std=0.05)
    return made.eval()


def pictures(count: int = 2) -> Tensor:
    """Real pictures, cut to one size."""
    from skimage import data

    found = [torch.tensor(getattr(data, name)()).permute(2, 0, 1)[None] / 255 for name in ("astronaut", "coffee")]
    return torch.cat([nn.functional.interpolate(each, SIZE, mode="area") for each in found[:count]])


def detected(model: Detector, torchvision: ModuleType, batch: Tensor) -> dict[str, Any]:
    """All that torchvision's makes of a batch that is not resized."""
    from torchvision.models.detection.image_list import ImageList

    images = ImageList(batch, [tuple(batch.shape[2:])] * len(batch))
    with torch.no_grad():
        features = model.backbone(batch)
        proposals, _ = model.rpn(images, features)
        found, _ = model.roi_heads(features, proposals, images.image_sizes)
    return {"features": features, "proposals": proposals, "found": found}


def loaded(graph: Graph, model: nn.Module) -> nn.Module:
    made = graph.module(weights=model.state_dict())
    assert isinstance(made, nn.Module)
    return made.eval()


def close(ours: Tensor, wanted: Tensor) -> None:
    assert ours.shape == wanted.shape
    assert (ours - wanted).abs().max() <= 1e-4 * wanted.abs().max()


def alike(found: Sequence[Tensor], wanted: Sequence[Tensor]) -> None:
    """The same things, those of a picture best first; of scores that differ by rounding alone either may be first."""
    close(found[2], wanted[2])
    of = order(found[0], found[1] * 1000 + found[3], wanted[0], wanted[1] * 1000 + wanted[3])
    for ours, theirs in zip(found, wanted, strict=True):
        close(ours[of], theirs)


def order(boxes: Tensor, kind: Tensor, wanted: Tensor, of_kind: Tensor) -> list[int]:
    """Which of our boxes each wanted one is, among those of its kind; of equal boxes any."""
    from scipy.optimize import linear_sum_assignment

    assert boxes.shape == wanted.shape
    cost = (wanted[:, None] - boxes).abs().amax(2) + (of_kind[:, None] != kind) * 1e6
    return [int(column) for column in linear_sum_assignment(cost)[1]]


def things() -> dict[str, Tensor]:
    """Boxes with masks: two things in the first picture, three in the second."""
    boxes = torch.tensor(
        [[20.0, 30, 90, 120], [100, 10, 240, 180], [5, 5, 60, 50], [70, 60, 200, 150], [30, 100, 80, 190]]
    )
    masks = torch.zeros(5, *SIZE)
    for mask, (left, top, right, bottom) in zip(masks, boxes.int().tolist(), strict=True):
        mask[top:bottom, left : (left + right) // 2] = 1
    return {
        "gt_boxes": boxes,
        "gt_labels": torch.tensor([3, 17, 1, 90, 3]),
        "gt_picture": torch.tensor([0, 0, 1, 1, 1]),
        "gt_masks": masks,
    }


def losses_of(model: Detector, batch: Tensor, given: dict[str, Tensor]) -> dict[str, Tensor]:
    """torchvision's losses, with samples of all there is."""
    from torchvision.models.detection._utils import BalancedPositiveNegativeSampler
    from torchvision.models.detection.image_list import ImageList

    model.train()
    model.rpn.fg_bg_sampler = model.roi_heads.fg_bg_sampler = BalancedPositiveNegativeSampler(10**6, 0.5)
    images = ImageList(batch, [tuple(batch.shape[2:])] * len(batch))
    targets = [
        {key: given[f"gt_{key}"][given["gt_picture"] == number] for key in ("boxes", "labels", "masks")}
        for number in range(len(batch))
    ]
    features = model.backbone(batch)
    proposals, found = model.rpn(images, features, targets)
    _, more = model.roi_heads(features, proposals, images.image_sizes, targets)
    losses: dict[str, Tensor] = found | more
    return losses


SMALL = {"layers": [1, 1, 1, 1], "hidden": 64, "classes": 5, "pre": 60, "post": 30, "score": 0.1}
NETWORKS: dict[str, dict[str, Any]] = {
    "faster_rcnn": SMALL,
    "faster_rcnn:faster_rcnn_vgg16": {"hidden": 64, "classes": 5, "pre": 60, "post": 30, "score": 0.1},
    "mask_rcnn": SMALL,
}
GIVEN: dict[str, dict[str, Any]] = {
    "fast_rcnn:fast_rcnn_vgg16": {"hidden": 64, "classes": 5, "score": 0.1},
    "fast_rcnn:fast_rcnn_vgg16_align": {"hidden": 64, "classes": 5, "score": 0.1},
    "fast_rcnn:fast_rcnn_resnet50_fpn": {"layers": [1, 1, 1, 1], "hidden": 64, "classes": 5, "score": 0.1},
    "rcnn:rcnn_alexnet": {"classes": 4, "score": -0.5},
    "rcnn:rcnn_vgg16": {"classes": 4, "score": -0.5},
    "faster_rcnn:fasterrcnn_resnet50_fpn_frozen": SMALL,
    "mask_rcnn:maskrcnn_resnet50_fpn_frozen": SMALL,
}
"""The others, among them those whose regions come from outside."""
RATES = {
    "faster_rcnn": 2e-4,
    "faster_rcnn:faster_rcnn_vgg16": 1e-3,
    "mask_rcnn": 2e-4,
    "fast_rcnn:fast_rcnn_vgg16": 1e-3,
    "fast_rcnn:fast_rcnn_vgg16_align": 1e-3,
    "fast_rcnn:fast_rcnn_resnet50_fpn": 2e-4,
}
"""How fast it learns: better proposals are more boxes to correct, so that the loss of boxes can grow meanwhile."""
QUICK_FIRST = [
    pytest.param(name, marks=[pytest.mark.slow] * (name not in ("faster_rcnn", "faster_rcnn:faster_rcnn_vgg16")))
    for name in NETWORKS | GIVEN
]


def lively(graph: Graph) -> dict[str, Tensor]:
    """Weights that give boxes of several sizes, and scores that are not all the same."""
    torch.manual_seed(0)
    made = graph.module()
    assert isinstance(made, nn.Module)
    for path, weight in made.named_parameters():
        if any(part in path for part in ("bbox_pred", "cls_", "svm", "regressor")) or path.startswith(
            "mask_head.logits"
        ):
            nn.init.normal_(weight, std=0.1)
    return {path: value.detach() for path, value in made.state_dict().items()}


def regions(count: int, size: tuple[int, int]) -> dict[str, Tensor]:
    """Some boxes in each of so many pictures."""
    torch.manual_seed(1)
    corners = torch.rand(12 * count, 2) * torch.tensor([size[1], size[0]]) * 0.6
    boxes = torch.cat([corners, corners + 16 + 30 * torch.rand(12 * count, 2)], dim=1)
    return {"regions": boxes, "region_picture": torch.arange(count).repeat_interleave(12)}


@pytest.mark.parametrize("name", QUICK_FIRST)
def test_onnx_runtime_finds_what_torch_does(name: str) -> None:
    graph = graphc.compile(name, set=(NETWORKS | GIVEN)[name])
    same_in_both(graph, lively(graph))


def same_in_both(graph: Graph, weights: dict[str, Tensor]) -> None:
    """What is found in pictures of two sizes, one and two of them, by the module and by one file."""
    module = graph.module(weights=weights)
    assert isinstance(module, nn.Module)
    run = session(onnx.load_from_string(graph.onnx(weights=weights).SerializeToString())).run
    for count, size in ((1, (128, 160)), (2, (96, 192))):
        given = {"image": nn.functional.interpolate(pictures(count), size, mode="area")}
        given |= regions(count, size) if "regions" in graph.inputs else {}
        with torch.no_grad():
            wanted = module.eval()(**given)
        found = run(None, {key: value.numpy() for key, value in given.items()})
        assert len(wanted[0]) > 3
        alike([torch.from_numpy(value) for value in found], wanted)


def rectangles() -> tuple[Tensor, dict[str, Tensor]]:
    """A picture of two coloured rectangles, and what there is to find."""
    boxes = torch.tensor([[16.0, 24, 80, 96], [100, 40, 148, 120]])
    masks, picture = torch.zeros(2, 128, 160), torch.full((1, 3, 128, 160), 0.2)
    for mask, (left, top, right, bottom), colour in zip(masks, boxes.int().tolist(), (0, 2), strict=True):
        mask[top:bottom, left:right] = 1
        picture[0, colour, top:bottom, left:right] = 1
    labels, at = torch.tensor([1, 3]), torch.zeros(2, dtype=torch.int64)
    return picture, {"gt_boxes": boxes, "gt_labels": labels, "gt_picture": at, "gt_masks": masks}


def regions_about(boxes: Tensor) -> dict[str, Tensor]:
    """Some on the boxes of one picture, some near them, some far away."""
    torch.manual_seed(2)
    around = boxes.repeat(8, 1)
    size = around[:, 2:] - around[:, :2]
    moved = (torch.rand(len(around), 2) - 0.5) * torch.linspace(0.2, 1.2, len(around))[:, None] * size
    far = torch.tensor([[4.0, 100, 60, 124], [90, 4, 140, 30]])
    found = torch.cat([around + torch.cat([moved, moved], 1), far])
    return {"regions": found, "region_picture": torch.zeros(len(found), dtype=torch.int64)}


@pytest.mark.slow
@pytest.mark.parametrize("name", RATES)
def test_twenty_steps_lower_each_loss(name: str) -> None:
    """On one picture, with the same samples each time."""
    torch.manual_seed(0)
    training = graphc.compile(name, set=(NETWORKS | GIVEN)[name]).module(training=True)
    assert isinstance(training, nn.Module)
    batch, given = rectangles()
    if name != "mask_rcnn":
        del given["gt_masks"]
    if name.startswith("fast_rcnn"):
        given |= regions_about(given["gt_boxes"])
    optimizer = torch.optim.Adam(training.parameters(), lr=RATES[name])
    lost = []
    for _ in range(20):
        losses = training(batch, **given, seed=torch.tensor(1))
        optimizer.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        optimizer.step()
        lost.append({key: value.item() for key, value in losses.items()})
    for key in lost[0]:
        assert sum(each[key] for each in lost[-3:]) < sum(each[key] for each in lost[:3]), key


NAMES = {
    "objectness": "loss_objectness",
    "rpn_box": "loss_rpn_box_reg",
    "classifier": "loss_classifier",
    "box": "loss_box_reg",
    "mask": "loss_mask",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["faster_rcnn", "mask_rcnn"])
def test_it_finds_and_learns_what_torchvisions_does(name: str, torchvision: ModuleType) -> None:
    model = theirs(torchvision, f"{name.replace('_', '')}_resnet50_fpn")
    batch = pictures()
    wanted = detected(model, torchvision, batch)["found"]
    module = loaded(graphc.compile(name), model)
    with torch.no_grad():
        boxes, labels, scores, picture, *masks = module(batch)
    for number, each in enumerate(wanted):
        mine = picture == number
        assert len(each["boxes"]) > 0
        close(boxes[mine], each["boxes"])
        assert torch.equal(labels[mine], each["labels"])
        close(scores[mine], each["scores"])
        if masks:
            from torchvision.models.detection.roi_heads import paste_masks_in_image

            close(masks[0][mine], paste_masks_in_image(each["masks"], each["boxes"], SIZE)[:, 0])

    samples = {"rpn_samples": 10**6, "roi_samples": 10**6}
    training = graphc.compile(name, set=samples).module(weights=model.state_dict(), training=True)
    given = things()
    ours = training(
        batch, **{key: value for key, value in given.items() if masks or key != "gt_masks"}, seed=torch.tensor(0)
    )
    for key, value in losses_of(model, batch, given).items():
        close(ours[next(name for name, theirs in NAMES.items() if theirs == key)], value)


RCNN_RATES = [({}, 1e-3), ({"penalty": 0.1, "cost": 1.0}, 1e-3)]
"""The paper's constants, with which most of a loss is the size of the weights; and such as leave most to the things."""


@pytest.mark.slow
@pytest.mark.parametrize(("constants", "rate"), RCNN_RATES, ids=["the paper's", "of the things"])
def test_twenty_steps_lower_each_loss_of_rcnn(constants: dict[str, float], rate: float) -> None:
    """Of the machines and the regressors alone, each by its own optimizer, on features that stay."""
    training = graphc.compile("rcnn", set={"classes": 4, **constants}).module(training=True)
    assert isinstance(training, nn.Module)
    batch, given = rectangles()
    del given["gt_masks"]
    given |= regions_about(given["gt_boxes"])
    given = {key: value[::3] if key.startswith("region") else value for key, value in given.items()}
    given["regions"][:2] = given["gt_boxes"]
    found, lost = dict(training.eval().named_parameters()), []
    own = {
        loss: [weight for path, weight in found.items() if f"{part}." in path]
        for loss, part in (("svm", "svm"), ("regression", "regressor"))
    }
    optimizers = {loss: torch.optim.Adam(weights, lr=rate) for loss, weights in own.items()}
    for _ in range(20):
        losses = training(batch, **given)
        for loss, optimizer in optimizers.items():
            slopes = torch.autograd.grad(losses[loss], own[loss], retain_graph=True)
            for weight, slope in zip(own[loss], slopes, strict=True):
                weight.grad = slope
            optimizer.step()
        lost.append({key: value.item() for key, value in losses.items()})
    for key in own:
        assert sum(each[key] for each in lost[-3:]) < 0.9 * sum(each[key] for each in lost[:3]), key


@pytest.mark.slow
@pytest.mark.parametrize("things_there", [2, 0])
def test_rcnns_machines_and_regressors_learn_alone(things_there: int) -> None:
    """Also of a picture without a thing; what they see with stays as it is."""
    training = graphc.compile("rcnn", set={"classes": 4}).module(training=True)
    assert isinstance(training, nn.Module)
    boxes = torch.tensor([[4.0, 4, 40, 50], [30, 10, 80, 60], [60, 2, 90, 30]])
    losses = training(
        image=torch.rand(1, 3, 64, 96),
        regions=boxes,
        region_picture=torch.zeros(3, dtype=torch.int64),
        gt_boxes=boxes[:things_there],
        gt_labels=torch.tensor([1, 3])[:things_there],
        gt_picture=torch.zeros(things_there, dtype=torch.int64),
    )
    found = dict(training.named_parameters())
    for name, own in (("svm", "svm"), ("regression", "regressor")):
        weight = next(value for path, value in found.items() if path.endswith(f"{own}.weight"))
        (gradient,) = torch.autograd.grad(losses[name], [weight], retain_graph=True)
        assert torch.isfinite(gradient).all()
        assert gradient.abs().max() > 0
