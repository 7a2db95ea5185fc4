"""Receptive fields where an axis is divided: windows, shifted windows, patches that are merged, against gradients."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import graphc
from graphc.api import Setting
from graphc.cost import AxisField, fields, receptive_field
from graphc.cost.examples import Examples
from graphc.graph import Graph, Value
from graphc.ops.reach import numbers
from graphc.rewrite import with_taps
from test_field import network, with_single

GONE = 1e-25
"""Below this a gradient is none: what a mask of -100 hides has e^-100 ≈ 4e-44 of one."""
SWIN: dict[str, Setting] = {"width": 8, "heads": [1, 2, 4, 8], "layers": [2, 2, 2, 2], "window": 2}


def seen(module: nn.Module, image: torch.Tensor, row: int, column: int, *, last: bool) -> list[tuple[int, int]]:
    """From where to where the gradient of one position isn't 0, along rows and columns."""
    image = image.detach().requires_grad_()
    output = module(image)
    (output[0, row, column] if last else output[0, :, row, column]).sum().backward()
    assert image.grad is not None
    there = image.grad[0].abs().sum(0) > GONE
    return [(int(axis.nonzero().min()), int(axis.nonzero().max())) for axis in (there.any(1), there.any(0))]


def sizes_of(graph: Graph, value: Value) -> tuple[int, ...]:
    """The shape of a value at the example sizes."""
    found = numbers(Examples(graph.examples()).type(value.type).shape)
    assert found is not None
    return found


def agrees(graph: Graph, *, last: bool) -> list[AxisField]:
    """Asserts that what each position of the last output sees is what its gradient says; channels may stand last."""
    *_, output = graph.outputs.values()
    (field,) = receptive_field(graph, output)
    axes = list(field.axes.values())
    torch.manual_seed(0)
    module = with_single(graph).module().double().eval()
    for weight in module.parameters():
        nn.init.normal_(weight, std=0.5)
    ((_, value),) = graph.inputs.items()
    image = torch.randn(sizes_of(graph, value), dtype=torch.float64)
    shape = sizes_of(graph, output)
    rows, columns = shape[1:3] if last else shape[2:4]
    for place in range(max(rows, columns)):
        found = seen(module, image, min(place, rows - 1), min(place, columns - 1), last=last)
        for axis, hull, size, at in zip(axes, found, image.shape[2:], (rows, columns), strict=True):
            told = axis.at(min(place, at - 1)) if axis.kind == "window" else (0, size - 1)
            assert told is not None
            assert hull == (max(told[0], 0), min(told[1], size - 1))
    return axes


@pytest.mark.parametrize(("path", "size"), [("stage.0.blocks.0.add", "8"), ("stage.0", "16"), ("stage.1", "48")])
def test_swins_windows_see_what_their_gradients_say(path: str, size: str) -> None:
    """Every position, at the edges too, where the mask hides what the shift brings round."""
    axes = agrees(with_taps(graphc.compile("swin_t", set=SWIN, size={"H": 96, "W": 64}), [path]), last=True)
    assert [str(axis) for axis in axes] == [size, size]


def test_a_window_that_is_the_whole_map_sees_all() -> None:
    graph = with_taps(graphc.compile("swin_t", set={**SWIN, "window": 4}, size={"H": 64, "W": 64}), ["stage.2"])
    assert [str(axis) for axis in agrees(graph, last=True)] == ["global", "global"]


def test_windows_of_swin_t_are_nowhere_unknown() -> None:
    """Of 224×224: a window of 7 patches of 4 pixels; half of it more through the shift; the last one is all."""
    graph = with_taps(graphc.compile("swin_t"), [f"stage.{s}" for s in range(4)])
    told = [receptive_field(graph, graph.outputs[f"stage.{s}"])[0] for s in range(4)]
    assert [field.sizes[0] for field in told] == ["56", "168", "840", "global"]
    assert [field.strides[0] for field in told] == ["4", "8", "16", "-"]


ATTEND = "attention:\n    from: {query: x, key: x, value: x}"


@pytest.mark.parametrize(
    ("there", "back", "sizes"),
    [
        ("N C (h m) (w n) -> N h w (m n) C", "N h w (m n) C -> N C (h m) (w n)", ("3", "2")),  # windows
        ("N C (h m) (w n) -> N m n (h w) C", "N m n (h w) C -> N C (h m) (w n)", ("4", "7")),  # a grid
        ("N C (h m) (w n) -> N m w (h n) C", "N m w (h n) C -> N C (h m) (w n)", ("4", "2")),  # both
        ("N C (h m) (w n) -> N w n (h m) C", "N w n (h m) C -> N C (h m) (w n)", ("global", "1")),  # columns
    ],
)
def test_attention_in_parts_of_a_map(there: str, back: str, sizes: tuple[str, str]) -> None:
    steps = (
        f"rearrange: {{pattern: '{there}', m: 3, n: 2}}",
        ATTEND,
        f"rearrange: {{pattern: '{back}', h: 2, m: 3, w: 4, n: 2}}",
    )
    axes = agrees(network("a: [1, 2, 6, 8]", *steps), last=False)
    assert tuple(str(axis) for axis in axes) == sizes


@given(st.lists(st.integers(1, 3), min_size=2, max_size=4), st.data())
def test_positions_that_are_divided_and_put_together_again_are_the_same(sizes: list[int], data: st.DataObject) -> None:
    """Whatever the order in between, each position is where it was; and what stands there says so."""
    names = [f"a{number}" for number in range(len(sizes))]
    order = data.draw(st.permutations(names))
    given = ", ".join(f"{name}: {size}" for name, size in zip(names, sizes, strict=True))
    inside, between = " ".join(names), " ".join(order)
    cut = data.draw(st.integers(1, len(names) - 1))
    middle = f"N C ({' '.join(order[:cut])}) ({' '.join(order[cut:])})"
    graph = network(
        f"a: [1, 1, {math.prod(sizes)}, 1]",
        f"rearrange: {{pattern: 'N C ({inside}) w -> N C w ({between})', {given}}}",
        f"rearrange: {{pattern: 'N C w ({between}) -> {middle} w', {given}}}",
        f"rearrange: {{pattern: '{middle} w -> N C ({inside}) w', {given}}}",
    )
    (field,) = receptive_field(graph, graph.outputs["y"])
    length = math.prod(sizes)
    if length > 1:
        assert [field.axes[2].at(place) for place in range(length)] == [(place, place) for place in range(length)]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["swin_b", "mobilevit_s", "coatnet_0", "cvt_13", "nat_mini", "maskformer", "mae"])
def test_no_value_of_a_network_with_attention_sees_what_nobody_knows(name: str) -> None:
    graph = graphc.compile(name)
    kinds = {axis.kind for told in fields(graph).values() for field in told for axis in field.axes.values()}
    assert kinds == {"window", "global"}
