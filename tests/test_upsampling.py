"""Larger maps again, as in a spec: max pooling undone, zeros between, both backends against torch."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import graphc_onnx
import graphc_torch
from graphc import library
from graphc.check import check
from graphc.elaborate import elaborate
from graphc.graph import Graph
from optable.running import assert_close, session

HEAD = """
graphc: 1
name: net
dims: {N: 1, H: 9, W: 8}
inputs: {image: [N, 3, H, W]}
"""


def graph_of(text: str) -> Graph:
    parsed = library.parse(dedent(HEAD) + dedent(text), "spec.yaml")
    graph = elaborate(parsed, library.standard())
    assert check(graph) == []
    return graph


def segnet(image: Tensor) -> Tensor:
    """Badrinarayanan et al. 2015, without the convolutions."""
    small, first = functional.max_pool2d(image, 2, return_indices=True)
    smaller, second = functional.max_pool2d(small, 2, return_indices=True)
    larger = functional.max_unpool2d(smaller, second, (2, 2), output_size=small.shape[2:])
    return functional.max_unpool2d(larger, first, (2, 2), output_size=image.shape[2:])


SEGNET = """
graph:
  - max_pool2d: {kernel_size: 2, return_indices: true}
    id: pool1
  - max_pool2d: {kernel_size: 2, return_indices: true}
    id: pool2
  - max_unpool2d: 2
    from: {indices: pool2.indices, like: pool1}
  - max_unpool2d: 2
    from: {input: x, indices: pool1.indices, like: image}
    id: up
outputs: {map: up}
"""


def nails(image: Tensor) -> Tensor:
    """A transposed convolution that has a 1 at the first place (Dumoulin & Visin 2016, 4)."""
    weight = torch.zeros(3, 1, 3, 3)
    weight[:, :, 0, 0] = 1
    return functional.conv_transpose2d(image, weight, stride=3, groups=3)


NAILS = """
use: {upsampling: blocks/upsampling.yaml}
graph:
  - upsampling.bed_of_nails: 3
    id: up
outputs: {map: up}
"""


def best(image: Tensor) -> Tensor:
    values, indices = image.flatten(2).topk(4)
    return values + indices


BEST = """
graph:
  - flatten: 2
  - topk: 4
    id: top
  - identity:
    from: top.values + top.indices
    id: both
outputs: {map: both}
"""


@pytest.mark.parametrize(
    ("text", "wanted"), [(SEGNET, segnet), (NAILS, nails), (BEST, best)], ids=["segnet", "nails", "best"]
)
def test_both_backends_give_what_torch_gives(text: str, wanted: Callable[[Tensor], Tensor]) -> None:
    graph = graph_of(text)
    module = graphc_torch.module(graph)
    assert isinstance(module, nn.Module)
    run = session(graphc_onnx.model(graph)).run
    for size in ((1, 3, 9, 8), (2, 3, 12, 7)):
        image = torch.randn(size)
        assert_close(module(image).numpy(), wanted(image).numpy())
        assert_close(run(None, {"image": image.numpy()})[0], wanted(image).numpy())


def test_zeros_lie_between() -> None:
    found = graphc_torch.module(graph_of(NAILS))(torch.ones(1, 3, 2, 2))
    assert found[0, 0].tolist() == [[1.0, 0, 0] * 2, [0.0] * 6, [0.0] * 6] * 2
