"""Detectors against torchvision stage by stage: scores and deltas, proposals, what is pooled, boxes, masks."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

import graphc
from graphc.cost import parameters
from graphc.graph import Graph
from test_detection import Detector, alike, close, lively, loaded, order, pictures, same_in_both, theirs

FEW = {"rpn_pre_nms_top_n_test": 300, "rpn_post_nms_top_n_test": 100}
"""Of torchvision's; ours are `pre` and `post`."""


def with_frozen_norms(torchvision: ModuleType, name: str) -> nn.Module:
    """torchvision's with the norms that its trained ones have, with statistics and weights drawn at random."""
    from torchvision.models.detection._utils import overwrite_eps
    from torchvision.models.detection.backbone_utils import _resnet_fpn_extractor
    from torchvision.ops.misc import FrozenBatchNorm2d

    torch.manual_seed(0)
    body = torchvision.models.resnet50(weights=None, norm_layer=FrozenBatchNorm2d)
    kind = {"faster_rcnn": "FasterRCNN", "mask_rcnn": "MaskRCNN"}[name]
    made: nn.Module = getattr(torchvision.models.detection, kind)(_resnet_fpn_extractor(body, 3), 91, **FEW)
    for key, value in (*made.named_parameters(), *made.named_buffers()):
        if "bbox_pred" in key or "cls_" in key:
            nn.init.normal_(value, std=0.05)
        elif key.endswith("mask_fcn_logits.weight"):
            value.data *= 0.1  # or each mask is 0 or 1
        elif "bn" in key or "downsample.1" in key:
            draws = {"bias": (-0.1, 0.1), "running_mean": (-0.1, 0.1), "running_var": (0.7, 1.4)}
            nn.init.uniform_(value, *draws.get(key.rpartition(".")[2], (0.7, 1.2)))
    overwrite_eps(made, 0.0)
    return made.eval()


def stages(model: Detector, batch: Tensor) -> dict[str, Tensor]:
    """What torchvision's parts make one after the other, by the paths that it has with us."""
    from torchvision.models.detection.image_list import ImageList

    images, heads = ImageList(batch, [tuple(batch.shape[2:])] * len(batch)), model.roi_heads
    sizes, found = images.image_sizes, dict[str, Tensor]()
    features = model.backbone(batch)
    for number, both in enumerate(zip(*model.rpn.head([*features.values()]), strict=True)):
        found |= zip((f"proposals.seen.{number}.{part}" for part in ("cls_logits", "bbox_pred")), both, strict=True)
    proposals, _ = model.rpn(images, features)
    found |= {"proposals.boxes": torch.cat(proposals), "proposals.picture": numbered(proposals)}
    found["pooling"] = heads.box_roi_pool(features, proposals, sizes)
    logits, deltas = heads.box_predictor(heads.box_head(found["pooling"]))
    found |= {"region.logits": logits, "region.deltas": deltas.unflatten(1, (-1, 4))}
    things, _ = heads(features, proposals, sizes)
    boxes = [each["boxes"] for each in things]
    found |= {key: torch.cat([each[key] for each in things]) for key in ("boxes", "labels", "scores")}
    found["picture"] = numbered(boxes)
    if heads.has_mask():
        found["of_things"] = heads.mask_roi_pool(features, boxes, sizes)
        found["painted"] = heads.mask_predictor(heads.mask_head(found["of_things"]))
        found["masks"] = torch.cat([each["masks"] for each in things])[:, 0]
    return found


def numbered(rows: list[Tensor]) -> Tensor:
    """Of each row the number of its picture."""
    return torch.arange(len(rows)).repeat_interleave(torch.tensor([len(each) for each in rows]))


@pytest.mark.slow
@pytest.mark.parametrize("norms", ["", "_frozen"])
@pytest.mark.parametrize("name", ["faster_rcnn", "mask_rcnn"])
def test_each_stage_is_torchvisions(name: str, norms: str, torchvision: ModuleType) -> None:
    """With the same weights, to 1e-4 of a stage's largest number; of equal scores either is first."""
    variant = f"{name.replace('_', '')}_resnet50_fpn"
    model = with_frozen_norms(torchvision, name) if norms else theirs(torchvision, variant, **FEW)
    batch = pictures(2 if name == "faster_rcnn" else 1)
    with torch.no_grad():
        wanted = stages(model, batch)
    assert len(wanted["boxes"]) > 3
    assert len(wanted["proposals.boxes"]) == 100 * len(batch)
    settings = {"pre": 300, "post": 100} | ({"paste": False} if name == "mask_rcnn" else {})
    untapped = graphc.compile(f"{name}:{variant}{norms}", set=settings)
    taps = [path for path in wanted if path not in untapped.outputs]
    graph = graphc.compile(f"{name}:{variant}{norms}", set=settings, taps=taps)
    with torch.no_grad():
        found = dict(zip(graph.outputs, loaded(graph, model)(batch), strict=True))
    assert found.keys() == wanted.keys()
    rows = [
        ("proposals.boxes", "proposals.picture", ("proposals.boxes", "proposals.picture", *OF_PROPOSALS)),
        ("boxes", "labels", ("boxes", "labels", "scores", "picture", *OF_THINGS)),
    ]
    for boxes, kind, paths in rows:
        of = order(found[boxes], found[kind], wanted[boxes], wanted[kind])
        found |= {path: found[path][of] for path in paths if path in found}
    for path, value in wanted.items():
        assert found[path].isfinite().all(), path
        close(found[path], value)


OF_PROPOSALS = ("pooling", "region.logits", "region.deltas")
OF_THINGS = ("of_things", "painted", "masks")
"""Values with a row for each."""
SMALL_VGG16 = {"hidden": 64, "classes": 5, "pre": 60, "post": 30, "score": 0.1}
PLACE = ["proposals.seen.0.cls_logits", "proposals.seen.0.bbox_pred"]


def vgg16(*, two_scores: bool, **settings: float) -> Graph:
    return graphc.compile("faster_rcnn:faster_rcnn_vgg16", set={"two_scores": two_scores, **settings}, taps=PLACE)


@pytest.mark.parametrize(("two_scores", "scores", "params"), [(True, 18, 137_078_239), (False, 9, 137_073_622)])
def test_a_place_has_one_or_two_scores_an_anchor(two_scores: bool, scores: int, params: int) -> None:
    """2K of a softmax, or K of a logistic regression, beside 4K of boxes, K being 9 (Ren et al. 2015, 3.1)."""
    graph = vgg16(two_scores=two_scores)
    assert [graph.outputs[path].type.shape[1] for path in PLACE] == [scores, 36]
    assert parameters(graph) == params
    assert 137_078_239 - 137_073_622 == 9 * (512 + 1)


@pytest.mark.slow
def test_one_score_is_the_difference_of_two() -> None:
    """The sigmoid of thing less nothing is their softmax: with such weights the same is found."""
    two, one = vgg16(two_scores=True, **SMALL_VGG16), vgg16(two_scores=False, **SMALL_VGG16)
    weights = lively(two)
    merged = {path: w[9:] - w[:9] if "cls_logits" in path else w for path, w in weights.items()}
    image = nn.functional.interpolate(pictures(1), (128, 160), mode="area")
    found = []
    for graph, given in ((one, merged), (two, weights)):
        module = graph.module(weights=given)
        assert isinstance(module, nn.Module)
        with torch.no_grad():
            found.append(module.eval()(image)[:4])
    assert len(found[1][0]) > 3
    alike(*found)


@pytest.mark.slow
def test_fast_rcnn_finds_what_torchvisions_heads_find(torchvision: ModuleType) -> None:
    """Given the regions that torchvision's proposes, with the weights of its Faster R-CNN."""
    model = with_frozen_norms(torchvision, "faster_rcnn")
    batch = pictures()
    with torch.no_grad():
        wanted = stages(model, batch)
        frozen = {"norm": {"frozen_batch_norm": {"eps": 0.0}}}
        module = loaded(graphc.compile("fast_rcnn:fast_rcnn_resnet50_fpn", set=frozen), model)
        found = module(batch, wanted["proposals.boxes"], wanted["proposals.picture"])
    assert len(wanted["boxes"]) > 10
    for ours, key in zip(found, ("boxes", "labels", "scores", "picture"), strict=True):
        close(ours, wanted[key])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["faster_rcnn", "mask_rcnn"])
def test_onnx_runtime_finds_what_the_whole_network_does(name: str, torchvision: ModuleType) -> None:
    """At its real sizes."""
    weights = with_frozen_norms(torchvision, name).state_dict()
    same_in_both(graphc.compile(f"{name}:{name.replace('_', '')}_resnet50_fpn_frozen"), weights)
