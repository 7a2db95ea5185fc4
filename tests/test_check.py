"""What graphs need of their inputs, what specs promise, and what they expect."""

from __future__ import annotations

from textwrap import dedent

import pytest

from graphc import library
from graphc.check import Need, agrees, check, needs, require
from graphc.diagnostics import Diagnostic, SpecError
from graphc.elaborate import elaborate
from graphc.graph import Graph

HEAD = "graphc: 1\nname: net\n"


def graph_of(text: str) -> Graph:
    return elaborate(library.parse(HEAD + dedent(text), "spec.yaml"), library.standard())


def need_of(graph: Graph, size: str) -> Need:
    (need,) = (need for need in needs(graph) if need.size.name == size)
    return need


def findings(text: str) -> list[Diagnostic]:
    return check(graph_of(text))


# --- statements about one size


PADDED = """
    params: {{depth: {depth}}}
    dims: {{N: 1, H: {size}, W: 1024}}
    inputs: {{image: [N, 3, H, W]}}
    graph:
      - do:
          - conv2d: {{out_channels: 4, kernel_size: 3, padding: 1}}
            id: features
          - max_pool2d: 2
        for: {{i: range(depth)}}
        id: down
      - do:
          - conv_transpose2d: {{out_channels: 4, kernel_size: 2, stride: 2}}
          - concat:
            from: [skip, x]
        for: {{skip: reversed(down.*.features)}}
        id: up
"""


@pytest.mark.parametrize(("depth", "multiple"), [(1, 2), (2, 4), (4, 16), (5, 32)])
def test_a_padded_unet_needs_a_multiple(depth: int, multiple: int) -> None:
    """Each skip demands that one halving is exact; only together they say "a multiple of 16"."""
    graph = graph_of(PADDED.format(depth=depth, size=1024))
    need = need_of(graph, "H")
    assert str(need.needed) == f"a multiple of {multiple}"
    assert [size for size in range(1, 100) if size in need.needed] == list(range(multiple, 100, multiple))
    assert check(graph) == []


def test_a_padded_unet_refuses_an_example_that_is_none() -> None:
    (found,) = check(graph_of(PADDED.format(depth=4, size=1000)))
    assert found.code == "E503"
    assert found.message == "H = 1000, the example, fails: H must be a multiple of 16"


def test_floors_of_different_steps_are_intersected() -> None:
    graph = graph_of("""
        dims: {N: 1, H: 12, W: 12}
        inputs: {image: [N, 3, H, W]}
        graph:
          - add:
            from:
              twos: [max_pool2d: 2, conv_transpose2d: {out_channels: 3, kernel_size: 2, stride: 2}]
              threes: [max_pool2d: 3, conv_transpose2d: {out_channels: 3, kernel_size: 3, stride: 3}]
          - conv2d: {out_channels: 3, kernel_size: 9}
    """)
    assert str(need_of(graph, "H").needed) == "one of 12, 13, 18, 19, 24, 25, 30, 31, …"


@pytest.mark.parametrize(
    ("dim", "code"),
    [
        ("32", None),
        ("{multiple: 4, example: 32}", None),
        ("{multiple: 8, example: 32}", None),
        ("{multiple: 2, example: 32}", "E502"),
        ("{min: 32, example: 32}", "E502"),
        ("{multiple: 4, plus: 2, example: 34}", "E503"),
        ("34", "E503"),
    ],
)
def test_a_spec_promises_what_it_writes(dim: str, code: str | None) -> None:
    """A number promises itself alone; a rule all its sizes, from the example or `min` on."""
    text = """
        dims: {N: 1, H: DIM, W: 32}
        inputs: {image: [N, 3, H, W]}
        graph:
          - max_pool2d: 4
          - conv_transpose2d: {out_channels: 3, kernel_size: 4, stride: 4}
          - add:
            from: [x, image]
    """
    assert [found.code for found in findings(text.replace("DIM", dim))] == ([code] if code else [])


@pytest.mark.parametrize(
    ("height", "width", "code"),
    [
        ("14", "28", None),
        ("{multiple: 7, example: 14}", "{multiple: 14, example: 28}", None),
        ("{multiple: 7, example: 14}", "28", None),
        ("{multiple: 7, example: 14}", "{min: 3, example: 28}", "E502"),
        ("15", "28", "E501"),
    ],
)
def test_statements_about_two_sizes_are_decided(height: str, width: str, code: str | None) -> None:
    """Windows of 7 × 7 that are flattened and put together again: both sizes must be multiples."""
    text = f"""
        dims: {{N: 1, H: {height}, W: {width}}}
        inputs: {{image: [N, 3, H, W]}}
        graph:
          - flatten: 2
            id: whole
          - max_pool2d: 7
            from: image
          - conv_transpose2d: {{out_channels: 3, kernel_size: 7, stride: 7}}
          - flatten: 2
          - add:
            from: [whole, x]
    """
    assert [found.code for found in findings(text)] == ([code] if code else [])


def test_what_can_not_be_decided_is_not_guessed() -> None:
    """max(H, W) + min(H, W) is H + W for all sizes, but that is not seen; max(H, W) is H for some."""
    text = """
        dims: {N: 1, H: {min: 1, example: 4}, W: {min: 1, example: 4}}
        inputs: {image: [N, "SIZE"], other: [N, H + W]}
        graph:
          - add:
            from: [image, other]
    """
    (found,) = findings(text.replace("SIZE", "max(H, W) + min(H, W)"))
    assert found.code == "E502"
    assert "whether this holds for all sizes that the spec promises can't be decided" in found.message
    (found,) = findings(text.replace("SIZE", "2*max(H, W)"))
    assert found.code == "E502"
    assert "this fails for H = 1, W = 2, which the spec promises to take" in found.message


def test_a_size_of_an_input_is_positive() -> None:
    graph = graph_of("""
        dims: {N: 1, H: 32}
        inputs: {image: [N, 3, H - 8, 2*H]}
        graph: [relu]
    """)
    assert str(need_of(graph, "H").needed) == "at least 9"


def test_findings_are_sorted_and_each_is_there_once() -> None:
    text = """
        dims: {N: 1, H: 33, W: 33}
        inputs: {image: [N, 3, H, W]}
        graph:
          - max_pool2d: 2
          - conv_transpose2d: {out_channels: 3, kernel_size: 2, stride: 2}
          - add:
            from: [x, image]
          - add:
            from: [x, image]
          - relu:
            id: lost
          - relu:
            from: image
    """
    with pytest.raises(SpecError) as caught:
        require(graph_of(text))
    found = caught.value.diagnostics
    assert [f.code for f in found if f.severity == "error"] == ["E503"]
    assert [note.message for note in found[0].notes][-1] == "the same holds for W"
    assert sorted((f.span.line, f.span.column) for f in found) == [(f.span.line, f.span.column) for f in found]


def test_warnings_are_no_errors() -> None:
    graph = graph_of("""
        dims: {N: 1}
        inputs: {a: [N, 3], b: [N, 3]}
        graph:
          - relu
          - relu:
            from: a
    """)
    assert [(f.code, f.message) for f in require(graph)] == [
        ("W101", "`relu` reaches no output"),
        ("W101", "the input `b` reaches no output"),
    ]


# --- expectations


@pytest.mark.parametrize(
    ("count", "text", "agreed"),
    [
        (25_557_032, "25557032", True),
        (25_557_032, "25_557_032", True),
        (25_557_031, "25_557_032", False),
        (4_089_184_256, "4.09e9", True),
        (4_089_184_256, "4.1e9", True),
        (4_089_184_256, "4.08e9", False),
        (4_089_184_256, "4e9", True),
        (4_085_000_000, "4.09e9", True),
        (4_084_999_999, "4.09e9", False),
        (4_095_000_001, "4.09e9", False),
        (3, "3.0", True),
        (3, "3.4", False),
        (0, "0", True),
        (10**30, "1e30", True),
    ],
)
def test_counts_agree_to_the_digits_written(count: int, text: str, agreed: bool) -> None:
    assert agrees(count, text) == agreed
