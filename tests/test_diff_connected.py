"""Edits that hang together are told as one."""

import json
from functools import cache

import pytest

import graphc
from graphc.diff import Diff
from graphc.graph import Graph

PLAIN = """
graphc: 1
name: net
dims: {N: 1, H: 32, W: 32}
inputs: {image: [N, 3, H, W]}
blocks:
  class_head:
    inputs: {features: [N, C, H, W]}
    graph: [{conv2d: {out_channels: 8, kernel_size: 3}}, {adaptive_avg_pool2d: 1}, flatten, {linear: 10}]
  box_head:
    inputs: {features: [N, C, H, W]}
    graph: [{conv2d: {out_channels: 8, kernel_size: 3}}, {adaptive_avg_pool2d: 1}, flatten, {linear: 4}]
  unit:
    inputs: {features: [N, C, H, W]}
    graph:
      - {conv2d: {out_channels: C, kernel_size: 3, padding: 1}}
      - relu
graph:
  - conv2d: {out_channels: 16, kernel_size: 3, padding: 1}
    id: stem
  - unit:
    repeat: 4
    id: body
  - relu:
    id: features
  - class_head:
    id: classified
outputs: {logits: classified}
training:
  inputs: {label: {shape: [N], dtype: int64}}
  losses: {total: "cross_entropy(logits, label)"}
"""
UNIT = "      - {conv2d: {out_channels: C, kernel_size: 3, padding: 1}}\n      - relu\n"
ENDS = "outputs: {logits: classified}\n"
LOSS = 'losses: {total: "cross_entropy(logits, label)"'
HEAD = """  - sigmoid:
    from: features
    id: seen
  - box_head:
    id: boxed
  - tanh:
    id: boxes
"""


def net(*changes: tuple[str, str]) -> Graph:
    """The plain network, with texts in its spec replaced."""
    text = PLAIN
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return graphc.compile(text=text)


@cache
def with_head() -> Graph:
    """A further head with its output, its input for training and its loss."""
    return net(
        (ENDS, f"{HEAD}outputs: {{logits: classified, boxes: boxes}}\n"),
        ("inputs: {label:", "inputs: {wanted: [N, 4], label:"),
        (LOSS, LOSS + ', box: "mse_loss(boxes, wanted)"'),
    )


@cache
def between(before: str, after: str) -> Diff:
    return graphc.compile(before).diff(graphc.compile(after))


def texts(made: Diff) -> list[str]:
    return [f"{edit.sign} {edit.text}".replace("`", "") for edit in made.edits]


def test_a_head_with_all_that_it_needs_is_one_more_head() -> None:
    made = net().diff(with_head())
    assert made.sentence.replace("`", "") == "one more head: boxed (box_head), for output boxes and loss box."
    (text,) = texts(made)
    assert text == (
        "+ one more head: boxed (box_head), with seen, boxes and mse_loss; reads features; takes the input wanted; "
        "gives output boxes and loss box (7 ops, 1.2 k parameters)"
    )
    (edit,) = made.edits
    assert edit.cost == made.cost == sum(detail.cost for detail in edit.details)
    assert {detail.kind for detail in edit.details} == {"added", "input", "output"}


def test_a_head_that_went_is_one_head_less() -> None:
    made = with_head().diff(net())
    assert made.sentence.replace("`", "") == "one head less: boxed (box_head), without output boxes and loss box."
    (edit,) = made.edits
    assert edit.kind == "removed"
    assert edit.sign == "-"
    assert edit.cost == made.cost


def test_what_does_not_hang_together_stays_apart() -> None:
    """Two ops with an old one between them, which neither reads nor is read by the other."""
    made = net().diff(
        net(("  - class_head:\n", "  - sigmoid\n  - class_head:\n"), ("  - unit:\n", "  - gelu\n  - unit:\n"))
    )
    assert sorted(texts(made)) == ["+ gelu added after stem", "+ sigmoid added after features"]


def test_the_same_at_several_places_is_told_once_with_all_that_hangs_together() -> None:
    residual = """      - add:
        from:
          residual:
            - {conv2d: {out_channels: C, kernel_size: 3, padding: 1}}
            - relu
          shortcut:
            - {conv2d: {out_channels: C, kernel_size: 1}}
            - {batch_norm: {}}
"""
    made = net().diff(net((UNIT, residual)))
    assert len([edit for edit in made.edits if edit.kind == "added"]) == 1
    assert "every body.* (4×)" in texts(made)[0]
    assert {detail.kind for edit in made.edits for detail in edit.details} >= {"added"}


GIVEN = """
graphc: 1
name: given
inputs: {image: [1, 3, 8, 8], mask: [1, 4, 8, 8]}
graph:
  - conv2d: {out_channels: 4, kernel_size: 3, padding: 1}
    from: image
    id: stem
  - multiply:
    from: [stem, mask]
  - sigmoid
outputs: {seen: x}
"""


@pytest.mark.parametrize(
    ("step", "by"), [("conv2d: {out_channels: 4, kernel_size: 1}", "learnt"), ("tanh:", "computed")]
)
def test_an_input_that_is_computed_now_is_told_as_that(step: str, by: str) -> None:
    """With weights it is learnt."""
    given = graphc.compile(text=GIVEN)
    steps = f"  - {step}\n    from: stem\n    id: painted\n  - multiply:\n    from: [stem, painted]\n"
    text = GIVEN.replace(", mask: [1, 4, 8, 8]", "").replace("  - multiply:\n    from: [stem, mask]\n", steps)
    computed = graphc.compile(text=text)
    first = given.diff(computed).edits[0]
    assert first.text.startswith(f"`mask`, an input before, is {by} now: by `painted`")
    assert first.kind == "input"
    back = computed.diff(given)
    assert back.edits[0].text.startswith(f"`mask`, {by} before by `painted`")
    assert len(back.edits) == 1


def test_an_input_whose_place_an_old_value_takes() -> None:
    text = GIVEN.replace(", mask: [1, 4, 8, 8]", "").replace("[stem, mask]", "[stem, stem]")
    (edit,) = graphc.compile(text=GIVEN).diff(graphc.compile(text=text)).edits
    assert edit.text == "`mask`, an input before, is computed now: from `stem`"


def test_mask_rcnn_is_faster_rcnn_with_one_more_head() -> None:
    made = between("faster_rcnn", "mask_rcnn")
    assert made.sentence == "one more head: `painted` (mask_head), for output `masks` and loss `mask`."
    (edit,) = made.edits
    assert "takes the input `gt_masks`" in edit.text
    assert "2.65 M parameters" in edit.text
    new = sum(int(str(weight.count)) for weight in made.weights.new.values())
    assert new == 44_454_513 - 41_808_406  # torchvision's counts


def test_faster_rcnn_learns_what_fast_rcnn_is_given() -> None:
    made = between("fast_rcnn:fast_rcnn_vgg16", "faster_rcnn:faster_rcnn_vgg16")
    first = made.edits[0]
    assert first.text.startswith(
        "`regions` and `region_picture`, inputs before, are learnt now: by `proposals` (region_"
    )
    assert "gives losses `objectness` and `rpn_box`" in first.text
    size, least = made.edits[1:]
    assert size.text == "`size`: 64 → 128"
    assert least.cause == "least: 0.1 → 0.0"
    assert len(json.dumps(made.data())) > len(made.text()) > 0
    assert made.draw()


def test_proposals_are_learnt() -> None:
    assert between("fast_rcnn", "faster_rcnn").sentence == (
        "`regions` and `region_picture`, inputs before, are learnt now: by `proposals` (region_proposal_network), "
        "for losses `objectness` and `rpn_box`."
    )


@pytest.mark.parametrize(
    ("pair", "edits"), [("resnet50 se_resnet50", 3), ("resnet50 resnet101", 1), ("vit_b_16 deit_b", 2)]
)
def test_relatives_are_told_in_a_short_list(pair: str, edits: int) -> None:
    made = between(*pair.split())
    assert len(made.edits) == edits
    assert not {"more", "less"} & {*made.sentence.split()}
