"""The difference of two architectures, told as a person would tell it."""

import json
from pathlib import Path
from random import Random
from types import ModuleType

import pytest

import graphc
from diffing import Editing
from exporting import exported_graph
from graphc.diff import Diff, diff
from graphc.folding import at_inference, fold_batch_norms, folded, idle
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
    names = "version before after same form cost sentence edits notes totals blocks weights nodes"
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


# --- files that others write


SAME_FOLDED = "The two are the same, batch norms folded."


@pytest.mark.filterwarnings("ignore")
def test_what_torch_exports_is_the_same_with_batch_norms_folded(torchvision: ModuleType, tmp_path: Path) -> None:
    read, ours = exported_graph(torchvision, "resnet18", tmp_path), graphc.compile("resnet18")
    assert not [node for node in read.nodes if node.op.name == "batch_norm"]
    for made in (ours.diff(read), read.diff(ours)):
        assert made.same
        assert made.cost == 0
        assert made.sentence == SAME_FOLDED
        assert any("takes one size alone: image: [N, 3, 64, 64]" in note for note in made.notes)
        assert set(made.weights.carried.values()) == {"fc.weight", "fc.bias"}  # a folded weight has other values
    assert len(ours.diff(read).nodes) == len(read.nodes) + 1


@pytest.mark.filterwarnings("ignore")
def test_a_change_of_an_exported_network_is_all_that_is_told(torchvision: ModuleType, tmp_path: Path) -> None:
    made = graphc.compile("resnet18").diff(exported_graph(torchvision, "resnet18", tmp_path, num_classes=10))
    assert [edit.text for edit in made.edits] == ["`fc` (linear): 1000 → 10 out features"]
    assert "Compared with batch norms folded." in made.notes
    old, new = made.totals
    assert old.figures.macs is not None
    assert new.figures.macs == old.figures.macs - 990 * 512  # at the size of the file, both


@pytest.mark.filterwarnings("ignore")
def test_another_network_is_none_the_same_for_being_exported(torchvision: ModuleType, tmp_path: Path) -> None:
    read = exported_graph(torchvision, "resnet18", tmp_path)
    assert not graphc.compile("resnet34").diff(read).same
    assert not graphc.compile("plain18").diff(read).same
    unet = graphc.compile("unet").diff(read)  # which takes no 64 pixels
    assert unet.is_rewrite
    assert unet.totals[0].figures.macs == graphc.compile("unet").diff(graphc.compile("unet")).totals[0].figures.macs


def test_between_specs_a_batch_norm_is_no_bias() -> None:
    """vgg16_bn folded is vgg16: only a file may be the one and mean the other."""
    folded_bn = fold_batch_norms(graphc.compile("vgg16_bn"))
    assert folded_bn.diff(graphc.compile("vgg16")).same
    assert not between("vgg16_bn", "vgg16").same


def test_our_own_file_is_the_same_with_nothing_folded(tmp_path: Path) -> None:
    graph = graphc.compile("resnet18")
    graph.onnx(tmp_path / "own.onnx")
    made = graph.diff(graph_of(str(tmp_path / "own.onnx"))[0])
    assert made.same
    assert made.done == ()
    assert not made.renamed


def test_at_inference_there_is_no_step_of_training() -> None:
    graph = graphc.compile("efficientnet_b0")
    assert {node.op.name for node in idle(graph)} == {"dropout", "stochastic_depth"}
    made = at_inference(graph, folded(graph), idle(graph))
    assert len(made.nodes) == len(graph.nodes) - len(folded(graph)) - len(idle(graph))
    assert not idle(made)
    assert made.outputs.keys() == graph.outputs.keys()


def test_a_sum_has_no_first_operand() -> None:
    shortcut = "  - {op}:\n    from: [body, stem]\n  - adaptive_avg_pool2d: 1\n"
    for op, is_same in (("add", True), ("multiply", True), ("subtract", False)):
        step = shortcut.format(op=op)
        before = net(("  - adaptive_avg_pool2d: 1\n", step))
        after = net(("  - adaptive_avg_pool2d: 1\n", step.replace("[body, stem]", "[stem, body]")))
        assert before.diff(after).same is is_same


# --- training, initial values, free sizes

TRAINING = """training:
  inputs: {label: {shape: [N], dtype: int64}}
  losses: {total: "cross_entropy(logits, label)"}
init:
  conv2d: {normal: {std: 0.1}}
"""
ENDS = "outputs: {logits: head}\n"


def trained(*changes: tuple[str, str]) -> Graph:
    return net((ENDS, ENDS + TRAINING), *changes)


def test_losses_are_compared() -> None:
    loss = 'total: "cross_entropy(logits, label)"'
    assert trained().diff(trained((loss, loss.replace("total", "main")))).same
    assert told(trained(), trained((loss, f'{loss}, extra: "mean(logits)"'))) == [
        "+ mean added; reads head; gives loss extra (1 op)",
        "  + mean added",
        "  ~ loss extra added",
    ]
    two = f'{loss}, size: "mean(logits)"'
    swapped = two.replace("total", "new").replace("size", "total").replace("new", "size")
    assert sorted(told(trained((loss, two)), trained((loss, swapped)))) == [
        "~ loss size is another value",
        "~ loss total is another value",
    ]


def test_training_on_one_side_alone_is_said() -> None:
    made = net().diff(trained())
    assert made.same
    assert "Only one of them has a training part; it is not compared." in made.notes


def test_other_initial_values_are_a_note() -> None:
    made = trained().diff(trained(("std: 0.1", "std: 0.2")))
    assert made.same
    assert made.notes == ["`init` gives other initial values: stem.weight and 6 more."]
    wider = trained().diff(trained(("width: 16", "width: 24")))
    assert not [note for note in wider.notes if "init" in note]


def test_other_names_of_free_sizes_change_nothing() -> None:
    sizes = ("dims: {N: 1, H: 32, W: 32}", "dims: {B: 1, Y: 32, X: 32}"), ("image: [N, 3, H, W]", "image: [B, 3, Y, X]")
    assert net().diff(net(*sizes)).same
    square = ("dims: {N: 1, H: 32, W: 32}", "dims: {N: 1, H: 32}"), ("image: [N, 3, H, W]", "image: [N, 3, H, H]")
    assert not net().diff(net(*square)).same


# --- largely another network


def test_largely_another_network_is_told_in_figures_and_few_edits() -> None:
    made = between("vgg16", "resnet50")
    assert made.is_rewrite
    extent = made.extent
    old, new = (len(it.nodes) + len(it.training.nodes) for it in (made.before, made.after) if it.training)
    assert (extent.kept + extent.changed + extent.gone, extent.kept + extent.changed + extent.new) == (old, new)
    assert made.sentence.startswith(f"Largely another network: of 41 ops {extent.kept} are as they were")
    lines = made.text().splitlines()
    assert f"  and {len(made.edits) - 5} smaller changes" in lines
    assert any(line.startswith("In common: 13 conv2d, ") for line in lines)
    assert len(made.data()["edits"]) == len(made.edits)  # type: ignore[arg-type]  # it is a list


@pytest.mark.parametrize(
    "pair", ["resnet50 resnet101", "resnet50 se_resnet50", "mobilenet_v3_small mobilenet_v3_large"]
)
def test_a_relative_is_not_another_network(pair: str) -> None:
    assert not between(*pair.split()).is_rewrite


ALIKE = [
    ("max_pool2d: 2", "max_pool2d: {kernel_size: 2, stride: 2}"),
    ("max_pool2d: {kernel_size: 3, stride: 1}", "max_pool2d: {kernel_size: [3, 3], stride: 1, ceil_mode: true}"),
    ("avg_pool2d: 2", "avg_pool2d: {kernel_size: 2, count_include_pad: false}"),
    ("conv2d: {out_channels: 4, kernel_size: 3}", "conv2d: {out_channels: 4, kernel_size: [3, 3], padding: [0, 0]}"),
    ("adaptive_avg_pool2d: 2", "adaptive_avg_pool2d: [2, 2]"),
]
UNLIKE = [
    ("max_pool2d: 2", "max_pool2d: {kernel_size: 2, ceil_mode: true}", {"ceil_mode"}),
    ("max_pool2d: 2", "max_pool2d: {kernel_size: 2, stride: 1}", {"stride"}),
    (
        "avg_pool2d: {kernel_size: 2, padding: 1}",
        "avg_pool2d: {kernel_size: 2, padding: 1, count_include_pad: false}",
        {"count_include_pad"},
    ),
    (
        "conv2d: {out_channels: 4, kernel_size: [3, 3]}",
        "conv2d: {out_channels: 4, kernel_size: [3, 1]}",
        {"kernel_size"},
    ),
]


def one_step(step: str) -> Graph:
    text = f"graphc: 1\nname: one\ndims: {{N: 1, H: 9, W: 9}}\ninputs: {{image: [N, 3, H, W]}}\ngraph: [{{{step}}}]\n"
    return graphc.compile(text=text)


@pytest.mark.parametrize(("left", "right"), ALIKE)
def test_an_attribute_that_changes_nothing_is_no_difference(left: str, right: str) -> None:
    before, after = one_step(left), one_step(right)
    assert before.nodes[0].op == after.nodes[0].op
    assert hash(before.nodes[0].op) == hash(after.nodes[0].op)
    assert before.diff(after).same


@pytest.mark.parametrize(("left", "right", "changed"), UNLIKE)
def test_an_attribute_that_changes_something_is_one(left: str, right: str, changed: set[str]) -> None:
    (edit,) = one_step(left).diff(one_step(right)).edits
    assert edit.changes.keys() == changed


@pytest.mark.parametrize("width", [140, 80, 60])
def test_tables_fit_into_the_width(width: int) -> None:
    sides = graphc.compile("resnet50"), graphc.compile("se_resnet50")
    made = diff(*sides, names=("resnet50", "a/very/long/way/to/another.yaml"))
    lines = made.text(width).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("parameters"))
    tables = lines[start - 1 : -2]
    assert len(tables) == 13
    assert max(map(len, tables)) <= width
    first = next(line for line in tables if line.startswith("~ stage.0"))
    assert ("215,808 → 241,200" if width == 140 else "216 → 241 k") in first
    assert ("global" in first) == (width >= 80)
    assert made.text(None) == made.text() == made.text(1000)


def test_a_long_name_of_a_block_is_cut_in_front() -> None:
    def spec(channels: int) -> Graph:
        step = f"do: [{{conv2d: {{out_channels: {channels}, kernel_size: 3}}}}, relu]\n    id: {'very_' * 12}long_name"
        text = f"graphc: 1\nname: net\ninputs: {{image: [1, 3, 9, 9]}}\ngraph:\n  - {step}\n"
        return graphc.compile(text=text)

    lines = spec(4).diff(spec(8)).text(60).splitlines()
    (row,) = [line for line in lines if "→" in line and line.endswith("B")]
    assert len(row) <= 60
    assert row.startswith("~ …")
    assert "long_name  112 → 224" in row
    assert row.endswith("1.6 → 3.1 kB")
