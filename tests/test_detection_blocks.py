"""The blocks of specs/blocks/detection.yaml by themselves, in both backends, against torchvision's parts."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from functools import cache
from types import ModuleType
from unittest.mock import MagicMock

import onnxruntime
import pytest
import torch
from torch import Tensor, nn

import graphc_onnx
import graphc_torch
from graphc import library
from graphc.check import check
from graphc.elaborate import elaborate
from graphc.graph import Graph
from optable.running import assert_close, session
from oracle import torchvision

HEAD = "graphc: 1\nname: net\nuse: {detection: blocks/detection.yaml}\n"
INT, BOOL = "dtype: int64", "dtype: bool"


class Block:
    """A block as a network of its own: a step of it on its inputs."""

    def __init__(self, step: str, inputs: Mapping[str, str], outputs: Sequence[str] = ("",)) -> None:
        sizes = dict.fromkeys(letter for shape in inputs.values() for letter in names(shape))
        dims = ", ".join(f"{size}: {number}" for number, size in enumerate(sizes, 3))
        given = ", ".join(f"{name}: {shape}" for name, shape in inputs.items())
        operands = ", ".join(f"{name}: {name}" for name in inputs)
        read = ", ".join(f"found{number}: found{'.' * bool(o)}{o}" for number, o in enumerate(outputs))
        graph = f"  - detection.{step}\n    from: {{{operands}}}\n    id: found\n"
        text = f"{HEAD}dims: {{{dims}}}\ninputs: {{{given}}}\ngraph:\n{graph}outputs: {{{read}}}\n"
        parsed = library.parse(text, "spec.yaml")
        self.graph: Graph = elaborate(parsed, library.standard())
        assert [found for found in check(self.graph) if found.severity == "error"] == []
        self.module = graphc_torch.module(self.graph)
        assert isinstance(self.module, nn.Module)
        weights = {path: weight.numpy() for path, weight in self.module.state_dict().items()}
        self.session: onnxruntime.InferenceSession = session(graphc_onnx.model(self.graph, weights=weights))

    def __call__(self, *values: Tensor) -> list[Tensor]:
        """What the module gives; ONNX Runtime gives the same."""
        with torch.inference_mode():
            found = self.module(*values)
        several = [found] if isinstance(found, Tensor) else list(found)
        read = {value.name for value in self.session.get_inputs()}
        fed = {name: value.numpy() for name, value in zip(self.graph.inputs, values, strict=True) if name in read}
        for ours, theirs in zip(self.session.run(None, fed), several, strict=True):
            assert_close(ours, theirs.numpy(), nan=True)
        return several


def names(shape: str) -> list[str]:
    """The free sizes of a shape."""
    return [
        word
        for word in shape.replace("[", " ").replace("]", " ").replace(",", " ").split()
        if len(word) == 1 and word.isalpha()
    ]


@cache
def block(step: str, outputs: tuple[str, ...] = ("",), **inputs: str) -> Block:
    return Block(step, inputs, outputs)


def detection(module: str) -> ModuleType:
    torchvision()
    return importlib.import_module(f"torchvision.{module}")


def boxes_in(count: int, height: float = 60, width: float = 80, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    first, second = (torch.rand(count, 2, generator=generator) * torch.tensor([width, height]) for _ in range(2))
    return torch.cat([torch.minimum(first, second), torch.maximum(first, second)], 1)


def near(found: Tensor, wanted: Tensor) -> None:
    assert_close(found.numpy(), wanted.numpy())


@pytest.mark.parametrize(("count", "others"), [(5, 7), (1, 1), (0, 4), (4, 0), (0, 0)])
def test_iou(count: int, others: int) -> None:
    iou = block("box_iou:", boxes="[R, 4]", others="[G, 4]")
    a, b = boxes_in(count), boxes_in(others, seed=1)
    b[:1] = a[:1] if count else b[:1]
    near(iou(a, b)[0], detection("ops.boxes").box_iou(a, b))


@pytest.mark.parametrize("weights", [(1.0, 1.0, 1.0, 1.0), (10.0, 10.0, 5.0, 5.0)])
@pytest.mark.parametrize("count", [6, 1, 0])
def test_deltas_are_made_and_applied(count: int, weights: tuple[float, ...]) -> None:
    coder = detection("models.detection._utils").BoxCoder(weights)
    encode = block(f"encode_boxes: {{weights: {list(weights)}}}", wanted="[R, 4]", boxes="[R, 4]")
    decode = block(f"decode_boxes: {{weights: {list(weights)}}}", deltas="[R, K, 4]", boxes="[R, 1, 4]")
    wanted, boxes = boxes_in(count), boxes_in(count, seed=1)
    (deltas,) = encode(wanted, boxes)
    near(deltas, coder.encode_single(wanted, boxes))
    assert torch.allclose(decode(deltas[:, None], boxes[:, None])[0][:, 0], wanted, atol=1e-3)
    drawn = 20 * torch.randn(count, 3, 4, generator=torch.Generator().manual_seed(2))  # some beyond log(1000/16)
    near(decode(drawn, boxes[:, None])[0], coder.decode_single(drawn.flatten(1), boxes).unflatten(1, (-1, 4)))


def test_anchors_take_deltas_of_several_pictures() -> None:
    coder = detection("models.detection._utils").BoxCoder((1.0, 1.0, 1.0, 1.0))
    decode = block("decode_boxes:", deltas="[N, A, 4]", boxes="[1, A, 4]")
    deltas, anchors = torch.randn(3, 5, 4), boxes_in(5)
    for found, given in zip(decode(deltas, anchors[None])[0], deltas, strict=True):
        near(found, coder.decode_single(given, anchors))


@pytest.mark.parametrize(("height", "width", "count"), [(60, 80, 9), (33, 20, 4), (50, 50, 0)])
def test_boxes_are_cut_and_small_ones_told(height: int, width: int, count: int) -> None:
    ops = detection("ops.boxes")
    clip = block("clip_boxes:", boxes="[R, K, 4]", image="[N, 3, H, W]")
    boxes = 2 * boxes_in(count) - 40
    (cut,) = clip(boxes[:, None], torch.zeros(2, 3, height, width))
    near(cut[:, 0], ops.clip_boxes_to_image(boxes, (height, width)))
    cut = cut.clone()
    cut[:1, 0, 2] = cut[:1, 0, 0] + 4
    (large,) = block("large_enough: 4.0", boxes="[R, 4]")(cut[:, 0])
    assert large.nonzero()[:, 0].tolist() == ops.remove_small_boxes(cut[:, 0], 4.0).tolist()


@pytest.mark.parametrize("space", [((64, 96), (16, 24)), ((50, 70), (13, 9)), ((32, 32), (1, 1)), ((37, 41), (3, 20))])
@pytest.mark.parametrize(
    ("sizes", "ratios"), [([32], [0.5, 1.0, 2.0]), ([128, 256, 512], [0.5, 1.0, 2.0]), ([15, 33], [1, 3])]
)
def test_anchors(space: Sequence[Sequence[int]], sizes: list[int], ratios: list[float]) -> None:
    """Halves too: 15 and 33 at the ratio 1 end at 7.5 and 16.5."""
    anchors = block(f"anchors: {{sizes: {sizes}, ratios: {ratios}}}", features="[N, 8, h, w]", image="[N, 3, H, W]")
    features, image = torch.zeros(2, 8, *space[1]), torch.zeros(2, 3, *space[0])
    theirs = detection("models.detection.anchor_utils").AnchorGenerator((tuple(sizes),), (tuple(ratios),))
    images = detection("models.detection.image_list").ImageList(image, [tuple(image.shape[2:])] * 2)
    near(anchors(features, image)[0], theirs(images, [features])[0])


@pytest.mark.parametrize("size", [(2, 5, 7), (1, 1, 1)])
def test_the_head_of_region_proposals(size: tuple[int, int, int]) -> None:
    rpn = detection("models.detection.rpn")
    theirs = lively(rpn.RPNHead(8, 3))
    ours = with_weights("rpn_head: 3", theirs, ("logits", "deltas"), features="[N, 8, h, w]")
    features = torch.randn(size[0], 8, *size[1:])
    with torch.inference_mode():
        wanted = rpn.concat_box_prediction_layers(*theirs([features]))
    for found, expected in zip(ours(features), wanted, strict=True):
        near(found.reshape(expected.shape), expected)


@pytest.mark.parametrize("count", [3, 0])
def test_the_head_of_boxes(count: int) -> None:
    faster = detection("models.detection.faster_rcnn")
    theirs = lively(nn.Sequential(faster.TwoMLPHead(4 * 49, 16), faster.FastRCNNPredictor(16, 5)))
    step = "box_head: {classes: 5, hidden: 16}"
    ours = with_weights(step, theirs, ("logits", "deltas"), regions="[R, 4, 7, 7]")
    regions = torch.randn(count, 4, 7, 7)
    with torch.inference_mode():
        wanted = theirs(regions)
    for found, expected in zip(ours(regions), wanted, strict=True):
        near(found.reshape(expected.shape), expected)


def test_the_head_of_masks() -> None:
    mask = detection("models.detection.mask_rcnn")
    theirs = lively(nn.Sequential(mask.MaskRCNNHeads(6, (8,) * 4, 1), mask.MaskRCNNPredictor(8, 8, 5)))
    ours = with_weights("mask_head: {classes: 5, width: 8}", theirs, regions="[R, 6, 7, 7]")
    regions = torch.randn(3, 6, 7, 7)
    with torch.inference_mode():
        near(ours(regions)[0], theirs(regions))


def lively(model: nn.Module) -> nn.Module:
    for weight in model.parameters():
        nn.init.normal_(weight, std=weight[0].numel() ** -0.5)
    return model


def with_weights(step: str, theirs: nn.Module, outputs: tuple[str, ...] = ("",), **inputs: str) -> Block:
    """A block with the weights of another module, which are in the same order."""
    ours = Block(step, inputs, outputs)
    state = dict(zip(ours.module.state_dict(), theirs.state_dict().values(), strict=True))
    ours.module.load_state_dict(state)
    ours.session = session(graphc_onnx.model(ours.graph, weights={path: w.numpy() for path, w in state.items()}))
    return ours


PICTURES = torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, 2, 0])


@pytest.mark.parametrize("force", [True, False])
@pytest.mark.parametrize(
    "of", [[0, 0, 2, 1, 2], [0, 2, 2], [1], [], [0, 0]], ids=["all", "one without", "one alone", "none", "twins"]
)
@pytest.mark.parametrize(("above", "below"), [(0.7, 0.3), (0.5, 0.5), (0.2, 0.05)])
def test_boxes_are_matched_within_their_picture(above: float, below: float, of: list[int], force: bool) -> None:
    given = f"match_boxes: {{above: {above}, below: {below}, force: {str(force).lower()}}}"
    shapes = {"boxes": "[R, 4]", "picture": f"{{shape: [R], {INT}}}", "gt_boxes": "[G, 4]"}
    match = block(given, **shapes, gt_picture=f"{{shape: [G], {INT}}}")
    matcher = detection("models.detection._utils").Matcher(above, below, allow_low_quality_matches=force)
    boxes, gt_boxes, gt_picture = boxes_in(10), boxes_in(5, seed=2)[: len(of)], torch.tensor(of, dtype=torch.int64)
    boxes[1], gt_boxes[-1:] = boxes[0], gt_boxes[:1]  # two as near, two of which one is as good
    gt_boxes[2:3] = boxes[5] + 2
    (found,) = match(boxes, PICTURES, gt_boxes, gt_picture)
    for picture in range(3):
        mine, theirs = ((p == picture).nonzero()[:, 0] for p in (PICTURES, gt_picture))
        wanted = torch.full((len(mine),), -1)
        if len(theirs):
            rows = matcher(detection("ops.boxes").box_iou(gt_boxes[theirs], boxes[mine]))
            wanted = torch.where(rows >= 0, theirs[rows.clamp(min=0)], rows)
        assert found[mine].tolist() == wanted.tolist()


@pytest.mark.parametrize(("size", "fraction"), [(6, 0.5), (4, 0.25), (100, 0.5), (1, 0.5)])
def test_elements_are_drawn_by_their_noise(size: int, fraction: float) -> None:
    given = f"sample_balanced: {{size: {size}, positive_fraction: {fraction}}}"
    sample = block(given, label=f"{{shape: [N, A], {INT}}}", noise="[N, A]")
    label = torch.randint(-1, 2, (4, 30), generator=torch.Generator().manual_seed(0))
    label[1], label[2] = label[1].clamp(max=0), label[2].clamp(min=0)
    noise = torch.rand(4, 30, generator=torch.Generator().manual_seed(1)).round(decimals=1)  # equal now and then
    (found,) = sample(label, noise)
    for row, labels, numbers in zip(found, label.tolist(), noise.tolist(), strict=True):
        order = [place for _, place in sorted(zip(numbers, range(30), strict=True))]
        positive = [place for place in order if labels[place] == 1][: int(size * fraction)]
        negative = [place for place in order if labels[place] == 0][: size - len(positive)]
        assert row.nonzero()[:, 0].tolist() == sorted(positive + negative)


def test_as_many_are_drawn_as_torchvision_draws() -> None:
    sample = block("sample_balanced: {size: 8}", label=f"{{shape: [N, A], {INT}}}", noise="[N, A]")
    sampler = detection("models.detection._utils").BalancedPositiveNegativeSampler(8, 0.5)
    label = torch.tensor([[1] * 2 + [0] * 10, [1] * 9 + [0] * 3, [1] * 9 + [-1] * 3, [-1] * 12])
    (found,) = sample(label, torch.rand(4, 12))
    for kind, theirs in zip((1, 0), sampler(list(label)), strict=True):
        assert ((label == kind) & found).sum(1).tolist() == [int(mask.sum()) for mask in theirs]


@pytest.mark.parametrize(("alpha", "gamma"), [(0.25, 2.0), (0.5, 0.5)])
def test_focal_loss(alpha: float, gamma: float) -> None:
    focal = block(f"focal_loss: {{alpha: {alpha}, gamma: {gamma}}}", logits="[N, K]", wanted="[N, K]")
    logits, wanted = 4 * torch.randn(6, 5), torch.rand(6, 5).round()
    near(focal(logits, wanted)[0], detection("ops").sigmoid_focal_loss(logits, wanted, alpha, gamma))


@pytest.mark.parametrize(("count", "size"), [(5, (30, 41)), (1, (50, 20)), (0, (30, 40))])
def test_targets_of_masks(count: int, size: tuple[int, int]) -> None:
    targets = block("mask_targets: 14", gt_masks="[G, H, W]", boxes="[R, 4]", matched=f"{{shape: [R], {INT}}}")
    masks, boxes = torch.rand(3, *size).round(), boxes_in(count, *size)
    matched = torch.randint(0, 3, (count,))
    project = detection("models.detection.roi_heads").project_masks_on_boxes
    near(targets(masks, boxes, matched)[0], project(masks, boxes, matched, 14))


@pytest.mark.parametrize(
    ("count", "side", "size"), [(6, 28, (60, 80)), (3, 14, (33, 20)), (1, 7, (9, 9)), (0, 28, (9, 9))]
)
def test_masks_are_pasted(count: int, side: int, size: tuple[int, int]) -> None:
    paste = block("paste_masks:", masks=f"[R, {side}, {side}]", boxes="[R, 4]", image="[N, 3, H, W]")
    masks, boxes = torch.rand(count, side, side), boxes_in(count, *size)
    boxes[:2, 2:] = boxes[:2, :2] + torch.tensor([[0.0, 0.0], [3.0, 0.4]])[:count]
    boxes[2:3] = torch.tensor([[0.0, 0.0, size[1], size[0]]])
    theirs = detection("models.detection.roi_heads").paste_masks_in_image(masks[:, None], boxes, size)
    near(paste(masks, boxes, torch.zeros(2, 3, *size))[0], theirs[:, 0])


@pytest.mark.parametrize("count", [50, 0])
def test_the_level_of_a_region(count: int) -> None:
    level = block("fpn_level:", boxes="[R, 4]")
    mapper = detection("ops.poolers").LevelMapper(2, 5)
    side = torch.cat([torch.logspace(0, 3.2, 40), 224 * 2.0 ** torch.arange(-5, 5)])[:count]
    boxes = torch.stack([side, 2 * side, 2 * side, 3 * side], dim=1)
    assert level(boxes)[0].tolist() == mapper([boxes]).tolist()


@pytest.mark.parametrize("count", [4, 1, 0])
def test_losses_of_region_proposals(count: int) -> None:
    """With the same anchors chosen; torchvision's sum is over these by their numbers."""
    shapes = {"logits": "[N, A]", "deltas": "[N, A, 4]", "anchors": "[A, 4]", "match": f"{{shape: [N, A], {INT}}}"}
    given = shapes | {"chosen": f"{{shape: [N, A], {BOOL}}}", "gt_boxes": "[G, 4]"}
    loss = block("rpn_loss:", ("objectness", "box"), **given)
    generator = torch.Generator().manual_seed(count)
    logits, deltas = torch.randn(2, 12, generator=generator), torch.randn(2, 12, 4, generator=generator)
    match = torch.randint(-2, max(count, 0), (2, 12), generator=generator)
    chosen = (torch.rand(2, 12, generator=generator) < 0.6) & (match != -2)
    anchors, gt_boxes = boxes_in(12), boxes_in(count, seed=3)
    utils, rpn = detection("models.detection._utils"), detection("models.detection.rpn")
    theirs = rpn.RegionProposalNetwork(None, nn.Identity(), 0.7, 0.3, 256, 0.5, {}, {}, 0.7)
    drawn = [list(chosen & (match >= 0)), list(chosen & (match < 0))]
    theirs.fg_bg_sampler = MagicMock(return_value=drawn)
    matched = torch.cat([gt_boxes, torch.zeros(1, 4)])[match.clamp(min=0)]
    targets = [utils.BoxCoder((1.0, 1.0, 1.0, 1.0)).encode_single(rows, anchors) for rows in matched]
    wanted = theirs.compute_loss(logits.flatten(), deltas.flatten(0, 1), list((match >= 0).float()), targets)
    for found, expected in zip(loss(logits, deltas, anchors, match, chosen, gt_boxes), wanted, strict=True):
        near(found, expected)


def test_no_region_has_no_loss() -> None:
    given = {"logits": "[S, 5]", "deltas": "[S, 5, 4]", "labels": f"{{shape: [S], {INT}}}", "wanted": "[S, 4]"}
    loss = block("box_loss:", ("classifier", "box"), **given)
    none = torch.zeros(0, 5), torch.zeros(0, 5, 4), torch.zeros(0, dtype=torch.int64), torch.zeros(0, 4)
    assert [float(each) for each in loss(*none)] == [0, 0]


@pytest.mark.parametrize("count", [7, 1])
def test_losses_of_boxes_and_masks(count: int) -> None:
    heads = detection("models.detection.roi_heads")
    given = {"logits": "[S, 5]", "deltas": "[S, 5, 4]", "labels": f"{{shape: [S], {INT}}}", "wanted": "[S, 4]"}
    loss = block("box_loss:", ("classifier", "box"), **given)
    logits, deltas, wanted = torch.randn(count, 5), torch.randn(count, 5, 4), torch.randn(count, 4)
    labels = torch.randint(0, 5, (count,))
    theirs = heads.fastrcnn_loss(logits, deltas.flatten(1), [labels], [wanted])
    for found, expected in zip(loss(logits, deltas, labels, wanted), theirs, strict=True):
        near(found, expected)
    masks = {"logits": "[R, 5, 14, 14]", "labels": f"{{shape: [R], {INT}}}", "wanted": "[R, 14, 14]"}
    scores, shapes = torch.randn(count, 5, 14, 14), torch.rand(count, 14, 14)
    expected = nn.functional.binary_cross_entropy_with_logits(scores[torch.arange(count), labels], shapes)
    near(block("mask_loss:", **masks)(scores, labels, shapes)[0], expected)
