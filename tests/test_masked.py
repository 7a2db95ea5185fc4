"""Masked convolutions see what comes before, and nothing else: by the gradients of the written module."""

from __future__ import annotations

import pytest
import torch

import graphc_torch
from graphc.ops.activation import Tanh
from graphc.ops.masked import MaskedConv2d
from sketch import Sketch, tensor


@pytest.mark.parametrize("parts", [1, 2])
def test_a_colour_depends_on_all_that_was_drawn_before_it_and_on_nothing_else(parts: int) -> None:
    """van den Oord et al. 2016, figure 2: row by row, pixel by pixel, red, green and blue in turn."""
    sketch = Sketch(image=tensor("N", 3, "H", "W"))
    first = MaskedConv2d(out_channels=6 * parts, kernel_size=7, mask="A", colours=3, parts=parts, padding=3)
    value = sketch.add("first", first, sketch["image"])
    if parts == 1:
        value = sketch.add("tanh", Tanh(), value)
        second = MaskedConv2d(out_channels=9, kernel_size=(3, 5), mask="B", colours=3, padding=(1, 2))
        value = sketch.add("second", second, value)
    module = graphc_torch.module(sketch.give(output=value))
    image = torch.randn(1, 3, 4, 4, requires_grad=True)
    output = module(image)
    number = {place: n for n, place in enumerate((y, x, c) for y in range(4) for x in range(4) for c in range(3))}
    for (y, x, colour), mine in number.items():
        channel = colour * (3 if parts == 1 else 2) + (6 if parts == 2 else 0)
        (gradient,) = torch.autograd.grad(output[0, channel, y, x], image, retain_graph=True)
        for (row, column, other), theirs in number.items():
            seen = bool(gradient[0, other, row, column] != 0)
            assert not seen or theirs < mine
            if parts == 2:
                assert seen == (theirs < mine)
