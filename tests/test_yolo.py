"""Detectors with one stage: the papers' networks written out, and their losses and boxes one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import graphc_onnx
import graphc_torch
from by_hand import counted, drawn, figures, in_order, lively
from graphc.compiler import compile as compiled
from graphc.graph import Graph
from graphc.rewrite import with_training
from graphc.settings import read_settings
from optable.running import session
from test_detection import alike
from test_torch import worst
from test_training import train
from yolo_formulas import DECODED, LOSSES, Truth, iou, places, responsible, third_box, third_loss
from yolo_networks import SIZES, written

NEAR = 1e-5
SMALL = {
    "yolo_v1_paper": ["width=4", "size=192", "hidden=32", "classes=3", "p=0.0"],
    "yolo_v1_darknet": ["width=4", "size=192", "hidden=8", "classes=3", "p=0.0"],
    "yolo_v3_coco": ["width=4", "classes=3", "layers=[1, 1, 1, 1, 1]", "H=128", "W=96"],
    "single_stage": ["width=4", "classes=3", "H=128", "W=96"],
}
"""Settings with which each is run in seconds."""
each = pytest.mark.parametrize("name", SMALL)


@cache
def small(name: str) -> Graph:
    return compiled(name, read_settings(SMALL[name]))


# --- the networks


PUBLISHED = {
    "yolo_v1_paper": (271_703_550, 20_285_153_280),  # figure 3, convolutions with biases
    "yolo_v1_darknet": (197_301_875, 20_210_729_728),  # yolov1.cfg
    "yolo_v3_coco": (61_949_149, 32_932_037_632),  # yolov3.cfg at 416: 65.86 billion operations, two a MAC
}


@each
def test_figures_are_those_of_the_network_written_out(name: str, torchvision: ModuleType) -> None:
    graph = compiled(name)
    with torch.device("meta"):
        reference = written(name, torchvision).eval()
        image = torch.zeros(*(int(str(size)) for size in graph_shape(graph)))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        reference(image)
    assert figures(graph) == (counted(reference), counter.get_total_flops() // 2)
    assert name not in PUBLISHED or figures(graph) == PUBLISHED[name]


def graph_shape(graph: Graph) -> Iterator[int]:
    examples = graph.examples()
    for size in graph.inputs["image"].type.shape:
        yield size if isinstance(size, int) else examples[str(size)]


def test_yolo_v3_at_608() -> None:
    """140.69 billion operations on the site of the authors, two a MAC."""
    graph = compiled("yolo_v3", read_settings(["H=608", "W=608"]))
    assert figures(graph) == (61_949_149, 70_345_950_208)


def told(name: str, module: nn.Module, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Boxes and scores, and what they are made of, as the networks by hand give it."""
    taps: Callable[[nn.Module, Tensor], Sequence[Tensor]] = vars(type(module.get_submodule("model")))["forward_taps"]
    _, _, _, _, boxes, scores, *rest = taps(module.get_submodule("model"), image)
    if name == "single_stage":
        _, logits, deltas = rest
        return boxes, scores, torch.cat([logits, deltas.flatten(2)], 2)
    return boxes, scores, torch.cat(rest, 1)


@each
def test_same_weights_same_predictions(name: str, torchvision: ModuleType) -> None:
    graph, reference = small(name), written(name, torchvision, **SIZES[name])
    image = drawn(2, 3, *((192, 192) if "v1" in name else (128, 96)))
    weights = in_order(graph, lively(reference, image))
    module = graphc_torch.module(graph, weights=weights, training=True).eval()
    with torch.inference_mode():
        wanted = reference(image)
        assert worst(wanted[:1], wanted[1:2]) > 1e-3, "whatever the image is"
        assert worst(told(name, module, image)[2], wanted) < NEAR


# --- boxes and losses


@cache
def predicting(name: str) -> tuple[nn.Module, Tensor]:
    """A network with its losses, whose norms have the statistics of two pictures, and these."""
    image = drawn(2, 3, *((192, 192) if "v1" in name else (128, 96)))
    module = graphc_torch.module(small(name), training=True).train()
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = None
    with torch.no_grad():
        module.get_submodule("model")(image)
    return module.eval(), image


def truth_for(name: str, boxes: Tensor) -> Truth:
    """Objects where boxes are told, and others; two of them share a place."""
    torch.manual_seed(1)
    high, wide = (192, 192) if "v1" in name else (128, 96)
    flat, found, pictures = boxes.flatten(1, -2), list[list[float]](), list[int]()
    for n in range(len(flat)):
        x, y, w, h = ((flat[n][:, 2:] + flat[n][:, :2]) / 2).unbind(1) + (flat[n][:, 2:] - flat[n][:, :2]).unbind(1)
        inside = (x > 1) & (x < wide - 1) & (y > 1) & (y < high - 1) & (w > 2) & (h > 2)
        chosen = flat[n][inside]
        chosen = chosen[torch.randperm(len(chosen))[:4]]
        found += (chosen + 0.5 * torch.rand(len(chosen), 4)).tolist()
        middle = torch.rand(3, 2) * torch.tensor([wide - 40, high - 40]) + 20
        size = torch.rand(3, 2) * 60 + 4
        found += torch.cat([middle - size / 2, middle + size / 2], 1).tolist()
        found.append([*found[-1]])
        pictures += [n] * (len(found) - len(pictures))
    order = torch.randperm(len(found)).tolist()
    return Truth([found[g] for g in order], [g % 3 for g in order], [pictures[g] for g in order])


@each
def test_boxes_and_scores_are_those_of_the_formulas(name: str) -> None:
    module, image = predicting(name)
    with torch.inference_mode():
        boxes, scores, found = told(name, module, image)
    for ours, wanted in zip((boxes, scores), DECODED[name](found), strict=True):
        assert worst(ours, wanted) < NEAR


@each
def test_losses_are_those_of_the_formulas(name: str) -> None:
    module, image = predicting(name)
    with torch.inference_mode():
        boxes, _, found = told(name, module, image)
        truth = truth_for(name, boxes)
        losses, wanted = module(image, **truth.inputs()), LOSSES[name](found, truth)
    assert losses.keys() == wanted.keys()
    for part, loss in losses.items():
        assert float(loss) == pytest.approx(wanted[part], rel=1e-4), part


def test_some_predictions_are_ignored() -> None:
    """What fits an object well and isn't responsible for it is not blamed, in the picture of that object alone."""
    module, image = predicting("yolo_v3_coco")
    with torch.inference_mode():
        boxes, _, found = told("yolo_v3_coco", module, image)
        truth = truth_for("yolo_v3_coco", boxes)
        alone = module(image, **Truth([], [], []).inputs())["objectness"]
    owners = {(responsible(box), n) for box, n in zip(truth.boxes, truth.pictures, strict=True)}
    ignored = [
        (place, n)
        for n, picture in enumerate(found.tolist())
        for place, p in zip(places(128, 96), picture, strict=True)
        if (place, n) not in owners and any(iou(third_box(p, place), truth.boxes[g]) > 0.7 for g in truth.of(n))
    ]
    assert len(ignored) > 1
    assert float(alone) == pytest.approx(third_loss(found, Truth([], [], []))["objectness"], rel=1e-4)


@each
def test_pictures_without_objects_have_a_loss_and_gradients(name: str) -> None:
    module, image = predicting(name)
    losses = module(image, **Truth([], [], []).inputs())
    with torch.inference_mode():
        wanted = LOSSES[name](told(name, module, image)[2], Truth([], [], []))
    for part, loss in losses.items():
        assert float(loss.detach()) == pytest.approx(wanted[part], rel=1e-4), part
    torch.stack([*losses.values()]).sum().backward()
    gradients = [weight.grad for weight in module.parameters() if weight.grad is not None]
    assert gradients
    assert all(gradient.isfinite().all() for gradient in gradients)


# --- both backends, and training


@each
def test_onnx_runtime_gives_the_losses_of_torch(name: str) -> None:
    """With objects where boxes are told; another number of them than that of the file's example."""
    module, image = predicting(name)
    with torch.inference_mode():
        truth = truth_for(name, told(name, module, image)[0])
        wanted = module(image, **truth.inputs())
    whole = with_training(small(name))
    weights = {path: value.numpy() for path, value in module.state_dict().items()}
    run = session(graphc_onnx.model(whole, weights=weights))
    given = {name: value.numpy() for name, value in {"image": image, **truth.inputs()}.items()}
    names = [output.name for output in run.get_outputs()]
    for part, loss in zip(names, run.run(None, given), strict=True):
        # in float32 the overlap of small boxes has few digits: torch's own losses are up to 2e-4 from those in float64
        assert float(np.asarray(loss)) == pytest.approx(float(wanted[part]), rel=1e-3), part


quick_first = pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * (name in {"yolo_v1_darknet", "yolo_v3_coco"})) for name in SMALL],
)
OVERLAP = {"yolo_v1_paper": 0.4, "yolo_v1_darknet": 0.4, "yolo_v3_coco": 0.45, "single_stage": 0.5}
"""From which on the worse of two boxes goes: yolo.c and detector.c of the authors."""


@cache
def detecting(name: str) -> tuple[Graph, Mapping[str, Tensor], float]:
    """A network whose sizes are free where they can be, its weights, and a threshold that one score in five passes.

    Boxes of YOLO v1 are made so large that some overlap.
    """
    module, image = predicting(name)
    weights = {path: value.clone() for path, value in module.get_submodule("model").state_dict().items()}
    if "v1" in name:
        predictors = 2 if name == "yolo_v1_paper" else 3
        cells = weights["fc.bias"].view(9, 5 * predictors + 3)
        cells[:, : 5 * predictors].unflatten(1, (predictors, 5))[:, :, 2:4] += 0.8
    with torch.inference_mode():
        scores = graphc_torch.module(small(name), weights=weights).eval()(image)[-1]
    least = round(float(scores.quantile(0.8)), 7)
    sizes = SMALL[name] if "v1" in name else SMALL[name][:-2]
    return compiled(name, read_settings([*sizes, f"score={least:.7f}"])), weights, least


def seen(name: str) -> Iterator[Tensor]:
    """Pictures, two and three of them, and of two sizes where these are free."""
    for count, height, width in [(2, 192, 192), (3, 192, 192)] if "v1" in name else [(2, 64, 128), (3, 128, 64)]:
        yield drawn(count, 3, height, width)


def left(boxes: Tensor, scores: Tensor, least: float, most: float) -> Iterator[tuple[Sequence[float], int, float, int]]:
    """What suppression leaves: picture by picture, class by class, box by box; the best hundred of each picture."""
    for n, told_of in enumerate(scores.tolist()):
        found = list[tuple[float, int, Sequence[float]]]()
        for c in range(scores.shape[2]):
            of = (boxes[n, :, c] if boxes.dim() == 4 else boxes[n]).tolist()
            kept = list[Sequence[float]]()
            for score, m in sorted(((-row[c], m) for m, row in enumerate(told_of) if row[c] > least)):
                if all(iou(of[m], better) <= most for better in kept):
                    kept.append(of[m])
                    found.append((-score, c, of[m]))
        for score, c, box in sorted(found, reverse=True)[:100]:
            yield box, c, score, n


@quick_first
def test_what_is_found_is_what_suppression_leaves(name: str) -> None:
    graph, weights, least = detecting(name)
    module = graphc_torch.module(graph, weights=weights).eval()
    for image in seen(name):
        with torch.inference_mode():
            *found, boxes, scores = module(image)
        wanted = list(left(boxes, scores, least, OVERLAP[name]))
        assert 3 < len(wanted) < int((scores > least).sum())
        alike(found, [torch.tensor(column) for column in zip(*wanted, strict=True)])


@quick_first
def test_onnx_runtime_finds_the_same(name: str) -> None:
    """In two and three pictures, of two sizes where these are free, with one file; and the same maps."""
    graph, weights, _ = detecting(name)
    module = graphc_torch.module(graph, weights=weights).eval()
    run = session(graphc_onnx.model(graph, weights={path: value.numpy() for path, value in weights.items()})).run
    for image in seen(name):
        with torch.inference_mode():
            wanted = module(image)
        found = [torch.from_numpy(value) for value in run(None, {"image": image.numpy()})]
        assert len(wanted[0]) > 3
        alike(found[:4], wanted[:4])
        for ours, theirs in zip(found[4:], wanted[4:], strict=True):
            assert worst(ours, theirs) < 5 * NEAR  # a size is a square, which doubles the rounding of its root


COLOURS = [(1.0, 0.1, 0.1), (0.1, 1.0, 0.1), (0.1, 0.1, 1.0)]


def rectangles(height: int, width: int) -> dict[str, Tensor]:
    """Two pictures with three rectangles each, whose colour is their class."""
    torch.manual_seed(0)
    image, truth = torch.rand(2, 3, height, width) * 0.1, Truth([], [], [])
    boxes = [(8, 10, 40, 60), (60, 70, 90, 90), (50, 6, 86, 34), (4, 80, 50, 120), (55, 20, 75, 75), (10, 8, 30, 30)]
    for g, (left, top, right, bottom) in enumerate(boxes):
        image[g // 3, :, top:bottom, left:right] = torch.tensor(COLOURS[g % 3])[:, None, None]
    truth = Truth([[float(side) for side in box] for box in boxes], [0, 1, 2] * 2, [0, 0, 0, 1, 1, 1])
    return {"image": image, **truth.inputs()}


@quick_first
def test_twenty_steps_on_rectangles_lower_each_loss(name: str) -> None:
    """That of confidence the next twenty: it is to be the overlap of boxes, which is none before they are learnt."""
    batch = rectangles(*((192, 192) if "v1" in name else (128, 96)))
    module = graphc_torch.module(small(name), training=True)
    told = [parts(module, batch)]
    for _ in range(2):
        losses = train(module, batch, steps=20, rate=1e-3)
        assert np.isfinite(losses).all()
        told.append(parts(module, batch))
    before, after, later = told
    assert sum(after.values()) < 0.7 * sum(before.values()), told
    assert all(after[part] < before[part] for part in after if part != "confidence"), told
    assert all(later[part] < after[part] for part in later), told


def parts(module: nn.Module, batch: dict[str, Tensor]) -> dict[str, float]:
    """The losses by their names."""
    with torch.no_grad():
        return {name: float(loss) for name, loss in module(**batch).items()}
