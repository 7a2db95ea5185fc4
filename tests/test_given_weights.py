"""`conv2d` with a weight that is given: as functional.conv2d in PyTorch and in ONNX Runtime, and what does not fit."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

import graphc
import graphc_onnx
import graphc_torch
from graphc.cost import macs, parameters
from graphc.diagnostics import SpecError
from graphc.ops.conv import Conv2d
from optable.running import assert_close, session
from sketch import graph_of, tensor

IMAGE = tensor("N", 4, "H", "W")
GIVEN = [
    (Conv2d(out_channels=6, kernel_size=3, bias=False), (6, 4, 3, 3)),
    (Conv2d(out_channels=6, kernel_size=(1, 3), padding=(0, 1), stride=2, bias=False), (6, 4, 1, 3)),
    (Conv2d(out_channels=4, kernel_size=3, groups=2, dilation=2, bias=False), (4, 2, 3, 3)),
]


@pytest.mark.parametrize(("op", "shape"), GIVEN)
def test_a_given_weight_is_used(op: Conv2d, shape: tuple[int, ...]) -> None:
    graph = graph_of(op, IMAGE, tensor(*shape))
    image, weight = torch.randn(2, 4, 9, 10), torch.randn(shape)
    wanted = functional.conv2d(image, weight, None, op.stride, op.padding, op.dilation, op.groups)
    assert_close(graphc_torch.module(graph)(image, weight).numpy(), wanted.numpy())
    feeds = {"input_0": image.numpy(), "input_1": weight.numpy()}
    (found,) = session(graphc_onnx.model(graph)).run(None, feeds)
    assert_close(found, wanted.numpy())


def test_it_costs_what_one_of_its_own_costs() -> None:
    op, shape = GIVEN[0]
    given, own = graph_of(op, IMAGE, tensor(*shape)), graph_of(op, IMAGE)
    assert str(macs(given)) == str(macs(own))
    assert (parameters(given), parameters(own)) == (0, 6 * 4 * 9)


WRONG = """graphc: 1
name: wrong
dims: {{N: 1, H: 8, W: 8}}
inputs: {{image: [N, 4, H, W], weight: {shape}}}
graph:
  - conv2d: {{out_channels: 6, kernel_size: 3, bias: {bias}}}
    from: {{input: image, weight: weight}}
"""


@pytest.mark.parametrize(
    ("shape", "bias", "said"),
    [
        ("[6, 4, 3, 3]", "true", "has no bias"),
        ("[6, 4, 3]", "false", "4 axes"),
        ("[6, 3, 3, 3]", "false", r"must be \[6, 4, 3, 3\]"),
        ("[6, 4, 5, 5]", "false", r"must be \[6, 4, 3, 3\]"),
        ("{shape: [6, 4, 3, 3], dtype: int64}", "false", "float32"),
    ],
)
def test_a_weight_that_does_not_fit_is_refused(shape: str, bias: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        graphc.compile(text=WRONG.format(shape=shape, bias=bias))
