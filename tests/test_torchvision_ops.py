"""`torchvision_ops`: the source calls torchvision's compiled ops and gives what it gives without them."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

import graphc
import graphc_torch
from graphc.cli import main
from graphc.graph import Graph
from graphc.ops.region import OfRegions, RoiAlign
from graphc_torch import region_helpers
from optable.running import assert_close
from test_detection import GIVEN, NETWORKS, alike, lively, pictures, rectangles, regions
from test_regions import HEIGHT, OPS, WIDTH, drawn, said
from test_suppression import CASES, THRESHOLDS, Case

SPECS = ["faster_rcnn", "mask_rcnn", "fast_rcnn:fast_rcnn_vgg16", "fast_rcnn:fast_rcnn_vgg16_align"]
SIZE = (128, 160)
BOXES = {
    "random and odd": drawn(40, seed=5)[0],
    "none at all": torch.zeros(0, 4),
    "all the same": torch.tensor([[2.0, 3, 9, 8]]).expand(30, 4),
    "no area": torch.tensor([[3.0, 4, 3, 4], [3, 4, 3, 9], [0, 0, 0, 0]]),
    "outside": torch.tensor([[-99.0, -99, -50, -50], [99, 3, 120, 9]]),
    "no number": torch.tensor([[torch.nan] * 4, [0, 0, 5, 5]]),
}


@pytest.fixture(scope="module")
def compiled(torchvision: ModuleType) -> ModuleType:
    """The helpers that call torchvision."""
    return importlib.import_module("graphc_torch.torchvision_helpers")


def pooled(helpers: ModuleType, op: OfRegions, features: Tensor, boxes: Tensor, picture: Tensor) -> Tensor:
    given = features, boxes, picture, op.output_size
    if not isinstance(op, RoiAlign):
        found: Tensor = helpers.roi_pool(*given, op.spatial_scale)
    elif op.sampling_ratio > 0:
        found = helpers.roi_align(*given, op.sampling_ratio, op.spatial_scale, op.aligned)
    else:
        found = helpers.adaptive_roi_align(*given, op.spatial_scale, op.aligned)
    return found


@pytest.mark.parametrize("boxes", BOXES.values(), ids=BOXES)
@pytest.mark.parametrize("op", OPS, ids=said)
def test_regions_hold_the_same_and_have_the_same_gradients(op: OfRegions, boxes: Tensor, compiled: ModuleType) -> None:
    picture, found = torch.arange(len(boxes)) % 2, []
    given = torch.randn(2, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))
    for helpers in (region_helpers, compiled):
        features, corners = given.clone().requires_grad_(), boxes.clone().requires_grad_()
        cells = pooled(helpers, op, features, corners, picture)
        if cells.requires_grad:  # what follows from no pixel at all may have nothing to flow back to
            (cells * torch.linspace(-1, 1, cells.numel()).view_as(cells)).sum().backward()
        assert corners.grad is None
        slopes = torch.zeros_like(given) if features.grad is None else features.grad
        found.append((cells.detach().numpy(), slopes.numpy()))
    for ours, wanted in zip(*reversed(found), strict=True):
        assert_close(ours, wanted)


@pytest.mark.parametrize("threshold", THRESHOLDS)
@CASES
def test_the_same_boxes_are_kept_in_the_same_order(case: Case, threshold: float, compiled: ModuleType) -> None:
    boxes, scores, _, group = case
    for groups in (None, group, torch.zeros_like(group)):
        found = compiled.nms(boxes, scores, threshold, groups)
        assert found.dtype == torch.int64
        assert found.tolist() == region_helpers.nms(boxes, scores, threshold, groups).tolist()


def small(name: str) -> Graph:
    return graphc.compile(name, set=(NETWORKS | GIVEN)[name])


def seen(graph: Graph) -> dict[str, Tensor]:
    """Two pictures, and regions where these come from outside."""
    given = {"image": nn.functional.interpolate(pictures(2), SIZE, mode="area")}
    return given | (regions(2, SIZE) if "regions" in graph.inputs else {})


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n == "mask_rcnn")) for n in SPECS])
def test_the_same_is_found(name: str, torchvision: ModuleType) -> None:
    graph = small(name)
    weights, given, found = lively(graph), seen(graph), []
    for torchvision_ops in (True, False):
        module = graph.module(weights=weights, torchvision_ops=torchvision_ops)
        assert isinstance(module, nn.Module)
        with torch.no_grad():
            found.append(module.eval()(**given))
    assert len(found[1][0]) > 3
    alike(*found)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["faster_rcnn", "mask_rcnn"])
def test_the_same_losses_and_gradients(name: str, torchvision: ModuleType) -> None:
    graph, (image, things), found = small(name), rectangles(), []
    given = {key: value for key, value in things.items() if key != "gt_masks" or name == "mask_rcnn"}
    for torchvision_ops in (True, False):
        training = graphc_torch.module(graph, training=True, torchvision_ops=torchvision_ops)
        losses = training(image, **given, seed=torch.tensor(1))
        torch.stack([*losses.values()]).sum().backward()
        slopes = {path: weight.grad for path, weight in training.named_parameters() if weight.grad is not None}
        found.append((losses, slopes))
    ours, wanted = found
    for loss, value in ours[0].items():
        assert_close(value.detach().numpy(), wanted[0][loss].detach().numpy())
    assert ours[1].keys() == wanted[1].keys()
    for path, slope in ours[1].items():  # one that is a small difference of large numbers has few digits in float32
        assert (slope - wanted[1][path]).abs().max() <= 1e-3 * wanted[1][path].abs().max(), path


@pytest.mark.parametrize("name", SPECS)
def test_the_file_is_clean_and_calls_compiled_ops(name: str, tmp_path: Path) -> None:
    text, path = small(name).source(torchvision_ops=True), tmp_path / "net.py"
    assert "import torch\nimport torchvision\nfrom torch import Tensor, nn\n" in text
    assert "it needs torch and torchvision." in text
    assert "torchvision.ops.nms(" in text
    assert f"torchvision.ops.{'roi_pool' if name.endswith('vgg16') else 'roi_align'}(" in text
    assert "embedding_bag" not in text
    path.write_text(text)
    for command in (["format", "--check", "--diff"], ["check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["resnet18", "unet"])
def test_a_file_without_such_ops_is_the_same(name: str) -> None:
    graph = graphc.compile(name)
    assert graph.source(torchvision_ops=True) == graph.source()
    assert "import torchvision" not in graph.source()


def test_without_the_option_torch_is_all_that_is_needed() -> None:
    assert "import torchvision" not in small("faster_rcnn").source()


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    return int(end.value.code or 0)


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.py"
    assert run("build", "fast_rcnn", "--torchvision-ops", "-o", str(path)) == 0
    assert path.read_text() == graphc.compile("fast_rcnn").source(torchvision_ops=True)
    assert run("build", "fast_rcnn", "--torchvision-ops", "-o", str(tmp_path / "net.onnx")) == 2
    assert "--torchvision-ops is for .py" in capsys.readouterr().err
    assert not (tmp_path / "net.onnx").exists()
