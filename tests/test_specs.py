"""The specs against the papers and the reference implementations: counts, and what their inputs must be."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from graphc import library
from graphc.check import Need, needs
from graphc.compiler import compile, compile_with_warnings
from graphc.cost import macs, parameters
from graphc.dims import Size, substitute
from graphc.elaborate import elaborate
from graphc.graph import ExpectedFigure, Graph

FIGURES = {
    "plain18": (11_515_688, 1_794_805_760, 7_825),
    "plain34": (21_623_848, 3_644_493_824, 15_265),
    "resnet18": (11_689_512, 1_814_073_344, 9_620),
    "resnet34": (21_797_672, 3_663_761_408, 17_060),
    "resnet50": (25_557_032, 4_089_184_256, 53_173),
    "resnet101": (44_549_160, 7_801_405_440, 105_448),
    "resnet152": (60_192_808, 11_513_626_624, 151_579),
    "resnet50_v1": (25_557_032, 3_857_973_248, 53_173),
    "resnet152_v1": (60_192_808, 11_282_415_616, 151_579),
    "unet": (31_030_658, 150_428_424_448, 0),
}
"""Parameters, MACs of convolutions and matrix products, elements of buffers: counted on torchvision's models (the plain
ones on torchvision's ResNet without shortcuts, v1 with the stride moved), and on a hand-written U-Net of the paper."""


def count(size: Size | None, graph: Graph) -> int:
    """A count at the example sizes."""
    assert size is not None
    return int(str(substitute(size, graph.examples())))


@pytest.mark.parametrize("address", FIGURES)
def test_the_counts_are_those_of_the_reference(address: str) -> None:
    graph = compile(address)
    buffers = sum((weight.count for _, weight in graph.weights() if weight.buffer), start=0)
    assert tuple(count(size, graph) for size in (parameters(graph), macs(graph), buffers)) == FIGURES[address]


VARIANTS = {name: list(library.installed(name).variants or [name]) for name in library.names()}


def test_every_spec_is_counted_and_without_a_warning() -> None:
    assert set(FIGURES) <= {address for addresses in VARIANTS.values() for address in addresses}
    assert_counted(addresses[0] for addresses in VARIANTS.values())


@pytest.mark.slow
def test_every_variant_is_counted_and_without_a_warning() -> None:
    assert_counted(address for addresses in VARIANTS.values() for address in addresses[1:])


def assert_counted(addresses: Iterable[str]) -> None:
    for address in addresses:
        graph, warnings = compile_with_warnings(address)
        assert warnings == []
        figures = {expected.figure for expected in graph.expected if isinstance(expected, ExpectedFigure)}
        assert address in FIGURES or "params" in figures


def survives(size: int) -> bool:
    """Whether U-Net as figure 1 draws it can be run on so many rows: plain arithmetic, level by level."""
    skips: list[int] = []
    for _ in range(4):
        size -= 4
        skips.append(size)
        size //= 2
        if size < 1:
            return False
    size -= 4
    for skip in reversed(skips):
        size *= 2
        if size < 1 or skip < size:
            return False
        size -= 4
    return size >= 1


def covers(size: int) -> bool:
    """Whether every pooling of U-Net meets an even number of rows: the paper's rule for tiles (section 2)."""
    for _ in range(4):
        size -= 4
        if size % 2:
            return False
        size //= 2
    return True


def need(graph: Graph, name: str) -> Need:
    """What a graph needs of one size."""
    return next(found for found in needs(graph) if found.size.name == name)


@pytest.mark.parametrize("name", ["H", "W"])
def test_unet_needs_188_rows_and_says_the_papers_tiling_rule(name: str) -> None:
    found = need(compile("unet"), name)
    assert str(found.needed) == "at least 188"
    assert str(found.covered) == "a multiple of 16 plus 12 and at least 188"
    for size in range(1, 700):
        assert (size in found.needed) == survives(size)
        assert (size in found.covered) == (survives(size) and covers(size))


def test_a_padded_unet_needs_a_multiple_of_16() -> None:
    """Four poolings whose results are added to what they came from: each halves, so 2⁴ must divide."""
    text = """graphc: 1
name: padded
dims: {N: 1, H: 64, W: 64}
inputs: {image: [N, 4, H, W]}
graph:
  - do:
      - conv2d: {out_channels: 4, kernel_size: 3, padding: 1}
        id: features
      - max_pool2d: 2
    repeat: 4
    id: down
  - do:
      - conv_transpose2d: {out_channels: 4, kernel_size: 2, stride: 2}
      - add:
        from: [x, skip]
    for: {skip: reversed(down.*.features)}
    id: up
outputs: {y: x}
"""
    graph = elaborate(library.parse(text, "padded.yaml"), library.standard())
    assert str(need(graph, "H").needed) == "a multiple of 16"


def test_resnet_takes_every_size() -> None:
    """Its windows are padded: torchvision's runs on a single pixel in evaluation."""
    found = need(compile("resnet50"), "H")
    assert str(found.needed) == "at least 1"
    assert str(found.declared) == "a multiple of 32"
