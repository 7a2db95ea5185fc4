"""The difference of two architectures, told as a person would tell it."""

import json
from pathlib import Path
from random import Random

import pytest

import graphc
from diffing import Editing
from graphc.diff import Diff
from graphc.graph import Graph
from graphc.sources import graph_of

PLAIN = """
graphc: 1
name: net
dims: {N: 1, H: 32, W: 32}
params: {width: 16, depth: 3}
inputs: {image: [N, 3, H, W]}
blocks:
  unit:
    inputs: {features: [N, C, H, W]}
    graph:
      - conv_bn_relu: {out_channels: C, kernel_size: 3}
        id: first
      - conv_bn_relu: {out_channels: C, kernel_size: 3}
        id: second
graph:
  - conv2d: {out_channels: width, kernel_size: 3, padding: 1}
    id: stem
  - unit:
    repeat: depth
    id: body
  - adaptive_avg_pool2d: 1
  - flatten
  - linear: 10
    id: head
outputs: {logits: head}
"""


def net(*changes: tuple[str, str]) -> Graph:
    """The plain network, with texts in its spec replaced."""
    text = PLAIN
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return graphc.compile(text=text)


def told(before: Graph, after: Graph) -> list[str]:
    """What a diff says, an edit a line, without the backquotes; details are indented."""
    made = before.diff(after)
    rows = [(0, edit) for edit in made.edits]
    lines = []
    for _, edit in rows:
        lines.append(f"{edit.sign} {edit.text}")
        lines += [f"  {detail.sign} {detail.text}" for detail in edit.details]
    return [line.replace("`", "") for line in lines]


def between(before: str, after: str) -> Diff:
    return graphc.compile(before).diff(graphc.compile(after))


def test_a_graph_is_the_same_as_itself() -> None:
    made = net().diff(net())
    assert made.same
    assert not made
    assert made.cost == 0
    assert made.sentence == "The two are the same architecture."


@pytest.mark.parametrize("name", ["resnet18", "unet", "vit_ti_16", "googlenet", "mobilenet_v3_small", "densenet121"])
def test_other_names_and_another_order_change_nothing(name: str) -> None:
    graph = graphc.compile(name)
    editing = Editing(graph, Random(name))
    editing.rename()
    editing.reorder()
    renamed, made = editing.made()
    found = graph.diff(renamed)
    assert found.same
    assert found.cost == 0
    assert found.nodes == {left.path: right.path for left, right in made.nodes()}
    assert len(found.weights.carried) == len([*graph.weights()])
    assert not found.weights.new
    assert not found.weights.lost


def test_more_copies_are_one_edit_with_the_parameter_behind_it() -> None:
    made = between("resnet50", "resnet101")
    (edit,) = made.edits
    assert edit.text == "`stage.2.unit` has 23 `bottleneck` blocks instead of 6"
    assert edit.cause == "layers: [3, 4, 6, 3] → [3, 4, 23, 3]"
    assert len(made.weights.carried) == 320
    assert not made.weights.lost
    assert not made.weights.reshaped


def test_a_gate_in_every_residual_is_one_edit() -> None:
    made = between("resnet50", "se_resnet50")
    assert [edit.text for edit in made.edits] == [
        "`gate` (squeeze_excitation) added after `conv3` in every `stage.*.unit.*.residual` (16×)",
        "`stride_1x1`: false → true",
        "`pool` (max_pool2d): padding 1 → 0, ceil_mode false → true",
    ]
    assert [detail.text for detail in made.edits[1].details] == [
        "`stage.1–3.unit.0.residual.conv1.conv` (conv2d): stride 1 → 2 (3×)",
        "`stage.1–3.unit.0.residual.conv2.conv` (conv2d): stride 2 → 1 (3×)",
    ]


def test_a_gate_in_place_of_another_is_an_exchange() -> None:
    first = between("cbam_resnet50", "se_resnet50").edits[0]
    assert first.text == "every `stage.*.unit.*.residual.gate`: `squeeze_excitation` instead of `cbam` (16×)"


def test_norms_in_every_layer_are_one_edit() -> None:
    (edit,) = between("vgg16", "vgg16_bn").edits
    assert edit.text == "`bn` (batch_norm) added after `conv` in every `stage.*.layer.*` (13×)"


def test_shortcuts_taken_away_are_told_under_the_block_that_is_another_one() -> None:
    made = between("resnet18", "plain18")
    (edit,) = made.edits
    assert edit.text == "every `stage.*.unit.*` is a `plain_block` instead of a `basic_block` (8×)"
    details = [detail.text for detail in edit.details]
    assert "`add` removed from every `stage.*.unit.*` (8×)" in details
    assert "`shortcut` (conv_bn) removed from `stage.1–3.unit.0` (3×)" in details
    assert len(made.weights.lost) == sum("shortcut" in path for path, _ in graphc.compile("resnet18").weights())


def test_what_follows_from_a_width_is_told_under_it_alone() -> None:
    graph = graphc.compile("vit_b_16")
    made = graph.diff(graphc.compile("vit_b_16", set={"width": 384}))
    (edit,) = made.edits
    assert edit.cause == "width: 768 → 384"
    assert edit.text == "`patch_embedding` (conv2d): 768 → 384 out channels"
    changed = [path for path, weight in graph.weights() if 768 in weight.shape or 3072 in weight.shape]
    assert len(made.weights.reshaped) == len(changed) == edit.weights + 1  # the linear head's bias stays


def test_a_new_number_of_classes_changes_the_head() -> None:
    made = graphc.compile("resnet50").diff(graphc.compile("resnet50", set={"classes": 10}))
    (edit,) = made.edits
    assert (edit.text, edit.cause) == ("`fc` (linear): 1000 → 10 out features", "classes: 1000 → 10")
    assert set(made.weights.reshaped) == {"fc.weight", "fc.bias"}


def test_an_op_before_another_is_added_and_the_wire_through_it_is_no_edit_of_its_own() -> None:
    assert told(net(), net(("  - flatten\n", "  - relu\n  - flatten\n"))) == [
        "+ relu added after adaptive_avg_pool2d",
    ]


def test_an_op_taken_away_is_removed() -> None:
    assert told(net(("  - flatten\n", "  - relu\n  - flatten\n")), net()) == ["- relu removed"]


def test_an_op_in_place_of_another_is_an_exchange() -> None:
    before, after = (net(("  - flatten\n", f"  - {op}\n  - flatten\n")) for op in ("relu", "sigmoid"))
    assert told(before, after) == ["~ sigmoid: sigmoid instead of relu"]


def test_a_block_around_steps_is_a_block_around_them() -> None:
    steps = "  - adaptive_avg_pool2d: 1\n  - flatten\n  - linear: 10\n    id: head\n"
    inside = steps.replace("id: head", "id: fc").replace("\n", "\n    ").rstrip()
    wrapped = net((steps, f"  - do:\n    {inside}\n    id: head\n"))
    made = net().diff(wrapped)
    assert [edit.kind for edit in made.edits] == ["wrapped"]
    assert made.weights.renamed == {"head.fc.weight": "head.weight", "head.fc.bias": "head.bias"}
    assert [edit.kind for edit in wrapped.diff(net()).edits] == ["unwrapped"]


def test_copies_written_one_by_one_are_the_same_ops() -> None:
    written = ("  - unit:\n    repeat: depth\n    id: body\n", "  - unit\n  - unit\n  - unit\n")
    single = net(written, (", depth: 3", ""))
    made = net().diff(single)
    assert not made.weights.new
    assert not made.weights.lost
    assert {edit.kind for edit in made.edits} == {"unwrapped"}


def test_another_operand_is_told_with_both_values() -> None:
    shortcut = "  - add:\n    from: [body, stem]\n  - adaptive_avg_pool2d: 1\n"
    before = net(("  - adaptive_avg_pool2d: 1\n", shortcut))
    after = net(("  - adaptive_avg_pool2d: 1\n", shortcut.replace("stem", "body.0")))
    assert told(before, after) == ["> add reads body.0.second.act instead of stem"]


def test_another_input_is_an_edit_and_its_weights_follow() -> None:
    made = net().diff(net(("image: [N, 3, H, W]", "image: [N, 1, H, W]")))
    (edit,) = made.edits
    assert edit.kind == "input"
    assert edit.weights == 1
    assert set(made.weights.reshaped) == {"stem.weight"}


def test_a_further_output_is_an_edit() -> None:
    made = net().diff(net(("outputs: {logits: head}", "outputs: {logits: head, features: body}")))
    assert [edit.text for edit in made.edits] == ["output `features` added"]


def test_the_causes_are_the_outermost_names() -> None:
    made = net().diff(net(("depth: 3", "depth: 5"), ("width: 16", "width: 24")))
    assert {edit.cause for edit in made.edits} == {"depth: 3 → 5", "width: 16 → 24"}


def test_the_totals_are_those_of_the_graphs() -> None:
    before, after = net(), net(("depth: 3", "depth: 4"))
    made = before.diff(after)
    pixels, unit = 32 * 32, 2 * 9 * 16 * 16
    assert [side.figures.params for side in made.totals] == [448 + depth * (unit + 4 * 16) + 170 for depth in (3, 4)]
    assert [side.figures.macs for side in made.totals] == [pixels * (432 + depth * unit) + 160 for depth in (3, 4)]
    (row,) = made.rows
    assert (row.before, row.after) == ("", "body.3")
    assert row.new is not None
    assert (row.new.params, row.new.macs) == (unit + 4 * 16, pixels * unit)


def test_the_same_diff_is_the_same_bytes() -> None:
    texts = {json.dumps(between("resnet18", "resnet34").data()) for _ in range(2)}
    assert len(texts) == 1


def test_the_report_says_by_signs_what_colours_say() -> None:
    lines = between("resnet50", "se_resnet50").text().splitlines()
    assert lines[0] == "resnet50 → se_resnet50"
    signs = {line[0] for line in lines if "gate" in line or "pool" in line}
    assert signs >= {"+", "~"}
    assert "parameters            25,557,032     28,088,024    +2,530,992 (+9.9%)" in lines


def test_markdown_has_a_diff_block_and_tables() -> None:
    text = between("resnet50", "se_resnet50").markdown()
    assert "```diff\n+ gate (squeeze_excitation) added" in text
    assert "| parameters | 25,557,032 | 28,088,024 | +2,530,992 (+9.9%) |" in text


def test_the_data_is_plain_and_has_all_weights() -> None:
    data = json.loads(json.dumps(between("resnet50", "resnet101").data()))
    names = "version before after same cost sentence edits notes totals blocks weights nodes"
    assert list(data) == names.split()
    assert len(data["weights"]["carried"]) == 320
    assert data["edits"][0]["changes"] == {"copies": [["6", "23"]]}


def test_the_diagram_shows_what_has_gone_and_what_came() -> None:
    picture = between("resnet18", "plain18").draw()
    assert picture is not None
    assert "removed" in picture
    added = between("vgg11", "vgg11_bn").draw()
    assert added is not None
    assert "added" in added


def test_a_model_file_under_other_names_is_the_same_network(tmp_path: Path) -> None:
    graph = graphc.compile("resnet18")
    model = graph.onnx()
    names: dict[str, str] = {}
    for node in model.graph.node:
        node.name = f"op{len(names)}"
        for side in (node.input, node.output):
            side[:] = [name and names.setdefault(name, f"v{len(names)}") for name in side]
    for held in (*model.graph.initializer, *model.graph.input, *model.graph.output, *model.graph.value_info):
        held.name = names.get(held.name, held.name)
    (tmp_path / "other.onnx").write_bytes(model.SerializeToString())
    other, _ = graph_of(str(tmp_path / "other.onnx"))
    made = graph.diff(other)
    assert made.same
    assert len(made.weights.carried) == len([*graph.weights()])
    deeper = graphc.compile("resnet34").diff(other)
    assert len(deeper.nodes) == len(other.nodes) + 1
    assert not deeper.weights.new


def test_thousands_of_further_copies_are_one_edit() -> None:
    made = net().diff(net(("depth: 3", "depth: 1500")))
    (edit,) = made.edits
    assert edit.text == "`body` has 1500 `unit` blocks instead of 3"
    back = net(("depth: 3", "depth: 1500")).diff(net())
    assert [edit.text for edit in back.edits] == ["`body` has 3 `unit` blocks instead of 1500"]
