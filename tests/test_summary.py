"""`graphc summary`: its numbers against torch and torchvision, and how a person or a program gets them."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest
import torch
from torch import Tensor, nn

import graphc
from graphc import cost, library
from graphc.compiler import compile
from graphc.dims import substitute
from graphc.ops.conv import Conv2d
from graphc.ops.linear import Linear
from graphc.summary import DEEPEST, Summary, summary
from graphc.summary.rows import Ledger, Line, Row, rows_of
from graphc.summary.table import COLUMNS
from test_cli import Graphc, folder, on_terminal, process
from test_cli import graphc as graphc_fixture

__all__ = ["folder", "graphc_fixture"]

TINY = """\
graphc: 1
name: tiny
title: "A <b>bold</b> | `title`"
dims: {N: 1, H: 8, W: 8}
inputs: {image: [N, 3, H, W]}
shared: {pair: {conv_bn_relu: {out_channels: 3, kernel_size: 3}}}
blocks:
  classifier: {params: {classes: int}, graph: [flatten: 2, linear: classes]}
graph:
  - pair
  - pair
  - pair:
    repeat: 2
    id: again
  - conv_bn_relu: {out_channels: 3, kernel_size: 3}
    repeat: 3
    id: body
  - adaptive_avg_pool2d: 2
  - classifier: {classes: 10}
    id: fc
outputs: {logits: x}
training:
  inputs: {target: [N, 3, 10]}
  graph:
    - pair:
      from: image
    - conv2d: {out_channels: 8, kernel_size: 3}
      id: extra
  losses: {total: "mse_loss(logits, target) + 0 * mean(extra)"}
  frozen: [pair, extra.bias]
"""
CONV, NORM = 3 * 3 * 3 * 3, 2 * 3


def leaves(lines: Iterable[Line]) -> list[Line]:
    return [line for line in lines if not line.row.rows]


def made(address: str, depth: int = DEEPEST) -> Summary:
    return compile(address).summary(depth=depth)


@pytest.fixture
def tiny() -> Summary:
    return graphc.compile(text=TINY).summary(depth=DEEPEST)


def rows(table: Summary) -> dict[str, Row]:
    return {line.row.path: line.row for line in (*table.lines, *table.training)}


# --- the numbers


@pytest.mark.parametrize("address", library.names())
def test_the_rows_add_up_to_the_graphs_costs(address: str) -> None:
    graph = compile(address)
    table = summary(graph, depth=DEEPEST)
    macs = substitute(cost.macs(graph) or 0, graph.examples())
    params, in_training, frozen = (
        substitute(count(graph), graph.examples())
        for count in (cost.parameters, cost.training_parameters, cost.frozen_parameters)
    )
    assert (table.totals.params, table.totals.macs) == (params, macs)
    assert table.totals.training_params == in_training
    assert table.totals.frozen == frozen
    for lines in (table.lines, [line for line in table.lines if not line.level]):
        wanted = lines if lines is not table.lines else leaves(lines)
        assert sum(line.times * line.row.cost.params for line in wanted) == table.totals.params
        assert sum(line.times * line.row.cost.macs for line in wanted) == macs
        assert sum(line.times * line.row.cost.buffers for line in wanted) == table.totals.buffers
    extra = sum(line.times * line.row.cost.params for line in leaves(table.training))
    assert extra == table.totals.training_params - table.totals.params
    for line in table.lines:
        inside = line.row.copies * sum(row.cost.macs for row in line.row.rows)
        assert not line.row.rows or inside == line.row.cost.macs


def counted(model: nn.Module, image: Tensor) -> tuple[Counter[str], Counter[str]]:
    """Parameters and MACs by the child of a module at the top, on the meta device."""
    macs = Counter[str]()
    for path, layer in model.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):

            def count(layer: nn.Module, _: object, output: Tensor, child: str = path.split(".")[0]) -> None:
                assert isinstance(layer.weight, Tensor)
                macs[child] += output.numel() * layer.weight[0].numel()

            layer.register_forward_hook(count)
    model.eval()(image)
    params = Counter[str]()
    for path, weight in model.named_parameters():
        params[path.split(".")[0]] += weight.numel()
    return params, macs


def test_resnet50s_stages_cost_what_torchvisions_layers_do(torchvision: ModuleType) -> None:
    with torch.device("meta"):
        params, macs = counted(torchvision.models.resnet50(), torch.empty(1, 3, 224, 224))
    ours = rows(made("resnet50", 1))
    theirs = {"stem": ("conv1", "bn1"), "fc": ("fc",)} | {f"stage.{n}": (f"layer{n + 1}",) for n in range(4)}
    for path, children in theirs.items():
        assert ours[path].cost.params == sum(params[child] for child in children), path
        assert ours[path].cost.macs == sum(macs[child] for child in children), path
    assert sum(row.cost.params for row in ours.values()) == params.total()


def test_googlenets_parts_cost_what_torchvisions_children_do(torchvision: ModuleType) -> None:
    """In the order of torchvision's children, which name the Inception modules one by one."""
    with torch.device("meta"):
        model = torchvision.models.googlenet(aux_logits=False, init_weights=False)
        params, macs = counted(model, torch.empty(1, 3, 224, 224))
    parts = [line.row for line in made("googlenet", 2).lines if line.row.op in {"conv_bn_relu", "inception", "linear"}]
    assert [row.cost.params for row in parts] == list(params.values())
    assert [row.cost.macs for row in parts] == [macs[child] for child in params]


def test_efficientnets_stages_cost_what_torchvisions_features_do(torchvision: ModuleType) -> None:
    with torch.device("meta"):
        model = torchvision.models.efficientnet_b0()
        whole = nn.Sequential(*model.features, model.avgpool, nn.Flatten(), model.classifier)
        params, macs = counted(whole, torch.empty(1, 3, 224, 224))
    stages = [line.row for line in made("efficientnet_b0", 1).lines if line.row.cost.params]
    assert [row.cost.params for row in stages] == list(params.values())
    assert [row.cost.macs for row in stages] == [macs[child] for child in params]


def test_a_block_that_opens_further_keeps_its_numbers() -> None:
    opened = [rows(made("resnet50", depth)) for depth in (1, 2, 3, 4)]
    for less, more in pairwise(opened):
        assert len(less) < len(more)
        assert {path: more[path].cost for path in less} == {path: row.cost for path, row in less.items()}


def test_equal_copies_are_one_row_with_the_numbers_of_all() -> None:
    """Of resnet50's stage 1: a first unit with a projection, 3 equal ones of 512·128 + 3²·128² + 128·512 and norms."""
    stage = [line for line in made("resnet50", 2).lines if line.row.path.startswith("stage.1.")]
    assert [(line.row.name, line.row.copies) for line in stage] == [("unit.0", 1), ("unit.1–3", 3)]
    assert stage[1].row.cost.params == 3 * (2 * 512 * 128 + 9 * 128**2 + 2 * (128 + 128 + 512))
    inside = [line for line in made("resnet50", 3).lines if line.row.path == "stage.1.unit.1.residual"]
    assert [(line.times, line.row.cost.params * 3) for line in inside] == [(3, stage[1].row.cost.params)]


def test_where_all_copies_are_equal_the_row_has_the_groups_name(tiny: Summary) -> None:
    body = rows(tiny)["body.0"]
    assert (body.name, body.copies, body.cost.params) == ("body", 3, 3 * (CONV + NORM))


def test_copies_that_differ_in_a_number_only_say_what_they_share() -> None:
    """EfficientNet's stochastic depth grows from unit to unit; torchinfo's users fold such units, too."""
    found = rows(made("efficientnet_b0", 2))
    assert found["stage.3.unit.1"].words == ("3×3", "80", "expand 6", "…")
    assert found["stage.3.unit.0"].words == ("3×3", "80", "expand 6", "stride 2", "drop path 0.0625")


def test_a_shared_weight_counts_once_and_is_told(tiny: Summary) -> None:
    found = rows(tiny)
    assert [found[path].cost.params for path in ("pair", "pair_2", "again.0")] == [CONV + NORM, 0, 0]
    assert found["again.0"].cost.shared == 2 * (CONV + NORM)
    assert found["again.0"].cost.macs == 2 * found["pair"].cost.macs == 2 * 64 * CONV
    lines = tiny.text().splitlines()
    assert [line.split()[-3] for line in lines if line.startswith(("pair_2 ", "again ", "pair_3 "))] == ["shared"] * 3


def test_what_an_expression_makes_shows_where_it_costs_something() -> None:
    text = "graphc: 1\nname: tied\ndims: {N: 2}\ninputs: {code: [N, 4]}\ngraph: [{linear: 3, id: fc}]\noutputs: "
    table = graphc.compile(text=text + "{back: x @ fc.weight + 1}").summary()
    assert [line.row.name for line in table.lines] == ["code", "fc", "matmul"]
    assert table.lines[-1].row.cost.macs == 2 * 3 * 4
    assert table.totals.params == 3 * 4 + 3


def test_the_totals_of_training_are_torchs() -> None:
    """Frozen are the shared pair and one bias; by hand: 3 bodies, a classifier of 4·10 + 10, 8 filters of 27 + 1."""
    graph = graphc.compile(text=TINY)
    totals = graph.summary().totals
    module = graph.module()
    assert totals.params == sum(weight.numel() for weight in module.parameters()) == 4 * (CONV + NORM) + 50
    assert totals.buffers == sum(buffer.numel() for buffer in module.buffers())
    assert totals.bytes == sum(weight.nbytes for weight in module.state_dict().values())
    assert totals.training_params - totals.params == 8 * 28
    assert totals.frozen == CONV + NORM + 8
    assert totals.trainable == totals.training_params - totals.frozen
    assert sum(line.times * line.row.cost.frozen for line in leaves(graph.summary(depth=9).lines)) == CONV + NORM


def test_what_exists_in_training_alone_stands_apart() -> None:
    table = made("googlenet", 1)
    assert [line.row.name for line in table.training] == ["aux.0", "aux.1"]
    assert sum(line.row.cost.params for line in table.training) == 13_004_888 - 6_624_904  # torchvision's
    before, _, after = table.text().partition("in training alone\n")
    assert "aux.0" not in before
    assert re.search(r"^aux\.0 .* -  +4,169,728$", after, re.MULTILINE)


def test_an_op_without_a_rule_is_not_counted_and_never_0(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Linear, "macs", lambda *_: None)
    table = graphc.compile(text=TINY).summary(depth=DEEPEST)
    lines = {line.split()[0]: line for line in table.text().splitlines() if line}
    assert lines["linear"].endswith("not counted")
    assert lines["fc"].endswith("not counted")
    assert re.search(r"at least 36,288  for .*; no rule for linear; ", lines["MACs"])
    assert json.loads(json.dumps(table.data()))["totals"]["macs"] is None
    assert rows(table)["body.0"].cost.macs == 3 * 64 * CONV
    monkeypatch.setattr(Conv2d, "macs", lambda *_: None)
    table = graphc.compile(text=TINY).summary()
    assert re.search(r"^MACs +not counted  for .*; no rule for conv2d, linear; ", table.text(), re.MULTILINE)


# --- the table


def test_shapes_are_symbolic_and_at_the_examples_on_request() -> None:
    graph = graphc.compile("resnet18", size={"H": 64, "W": 96})
    assert re.search(r"^stem  +\[N, 64, H/2, W/2\]$", graph.summary(depth=1, columns=["output"]).text(), re.MULTILINE)
    assert re.search(r"^stem  +\[1, 64, 32, 48\]$", graph.summary(depth=1, columns=["example"]).text(), re.MULTILINE)
    assert re.search(r"^stem  +\[N, 3, H, W\]$", graph.summary(depth=1, columns=["input"]).text(), re.MULTILINE)


def test_shares_are_of_the_total() -> None:
    table = graphc.compile("resnet18").summary(depth=1, columns=["share", "macs_share"])
    found = re.findall(r"^stage\S+ +(\S+)% +(\S+)%$", table.text(), re.MULTILINE)
    params, macs = (sum(map(float, column)) for column in zip(*found, strict=True))
    assert params == pytest.approx(100 * (11_689_512 - 9_536 - 513_000) / 11_689_512, abs=0.2)
    assert 90 < macs < 100


@pytest.mark.slow
def test_without_a_depth_the_table_can_be_read_at_a_glance() -> None:
    for name in library.names():
        table = compile(name).summary()
        assert len(table.lines) <= 40 or {line.level for line in table.lines} == {0}, name
    assert len(compile("resnet50").summary().lines) > 10


@pytest.mark.parametrize("address", ["unet", "resnet50", "googlenet", "efficientnet_b0"])
@pytest.mark.parametrize("width", [80, 140])
def test_the_table_fits_and_numbers_are_never_cut(address: str, width: int) -> None:
    table = compile(address).summary()
    whole, cut = (text.replace("─", "").splitlines() for text in (table.text(), table.text(width)))
    assert max(map(len, table.text(width).splitlines())) <= width
    assert [line.split()[-1:] for line in cut] == [line.split()[-1:] for line in whole]
    assert all("…" not in line[-40:] for line in cut)


def test_a_wrong_column_or_depth_is_told() -> None:
    graph = compile("resnet18")
    with pytest.raises(ValueError, match="no column `parms`; did you mean `params`"):
        graph.summary(columns=["parms"])
    with pytest.raises(ValueError, match="at least 1, not 0"):
        graph.summary(depth=0)


# --- other forms


def test_html_is_well_formed_and_escaped(tiny: Summary) -> None:
    text = tiny._repr_html_()
    tables = ElementTree.fromstring(f"<div>{text}</div>").findall("table")
    assert len(tables) == 2
    assert "".join(tables[0].itertext()).startswith("tiny: A <b>bold</b> | `title`")
    assert len(tables[0].findall("tbody/tr")) == len(tiny.lines) + 1 + len(tiny.training)
    assert {len(row) for row in tables[0].findall("tbody/tr")} == {7, 1}


def test_markdown_has_a_cell_for_each_column_and_is_escaped(tiny: Summary) -> None:
    lines = tiny.markdown().splitlines()
    assert lines[0] == r"**tiny: A \<b\>bold\</b\> \| \`title\`**"
    table = [line for line in lines if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {8}
    assert "| `body.0` ×3 | conv\\_bn\\_relu 3×3, 3 | \\[N, 3, H, W\\] | 11–15 | 261 | 65.6% | 15,552 |" in table
    assert "- parameters: **398**" in lines


def test_csv_and_json_have_the_same_numbers_and_add_up(tiny: Summary) -> None:
    records = list(csv.DictReader(tiny.csv().splitlines()))
    data = json.loads(json.dumps(tiny.data()))
    objects = data["rows"] + data["training"]
    for name in ("path", "params", "shared", "macs", "times", "copies"):
        assert [record[name] for record in records] == [str(item[name]) for item in objects]
    inner = {record["path"] for record in records if record["op"] in {"conv_bn_relu", "classifier"}}
    main = [record for record in records if record["part"] == "main" and record["path"] not in inner]
    assert sum(int(record["times"]) * int(record["params"]) for record in main) == 398 == data["totals"]["params"]
    assert data["rows"][0]["outputs"] == [["N", 3, "H", "W"]]
    assert data["rows"][0]["example_outputs"] == [[1, 3, 8, 8]]


# --- the command


@pytest.fixture
def run(graphc_fixture: Graphc) -> Graphc:
    return graphc_fixture


def test_the_command_prints_the_summary(run: Graphc) -> None:
    done = run("summary", "resnet18", "--depth", "1")
    assert (done.code, done.err) == (0, "")
    assert done.out == compile("resnet18").summary(depth=1).text() + "\n"
    assert re.search(r"^parameters +11,689,512$", done.out, re.MULTILINE)


def test_settings_and_sizes_hold(run: Graphc) -> None:
    out = run("summary", "resnet18", "--set", "classes=10", "--size", "H=64,W=64").out
    assert "linear 10 " in out
    assert "for N = 1, H = 64, W = 64; 1 MAC = 2 FLOPs" in out


def test_each_form_is_that_of_the_library(run: Graphc) -> None:
    whole, read = compile("resnet18").summary(depth=DEEPEST), compile("resnet18").summary()
    assert json.loads(run("summary", "resnet18", "--as", "json").out) == json.loads(json.dumps(whole.data()))
    assert run("summary", "resnet18", "--as", "csv").out == whole.csv()
    assert run("summary", "resnet18", "--as", "markdown").out == read.markdown() + "\n"


def test_columns_are_chosen(run: Graphc) -> None:
    out = run("summary", "resnet18", "--columns", "params,buffers").out
    assert re.search(r"^layer +parameters +buffers$", out, re.MULTILINE)
    assert re.search(r"^  bn +128 +129$", out, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["resnet18", "--columns", "parms"], 2, "no column `parms`; did you mean `params`?"),
        (["resnet18", "--depth", "0"], 2, "--depth"),
        (["resnet18", "--as", "xml"], 2, "--as"),
        (["resnet19"], 2, "no spec `resnet19`"),
    ],
)
def test_a_wrong_call_or_spec_is_told(run: Graphc, arguments: list[str], code: int, message: str) -> None:
    done = run("summary", *arguments)
    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert "Traceback" not in done.err


PARTLY = """\
graphc: 1
name: partly
dims: {N: 1, H: 32, W: 32}
inputs: {image: [N, 3, H, W]}
blocks:
  pair: {params: {c: int}, graph: [{conv2d: {out_channels: c, kernel_size: 3, padding: 1}}, relu]}
graph:
  - pair: 8
  - pair: 16
    id: second
  - conv2d: {out_channels: 7, kernel_size: 3, groups: 2}
    id: broken
  - pair: 32
    id: after
  - conv2d: {out_channels: 5, kernel_size: 1}
    from: second
    id: beside
outputs: {y: x, z: after}
"""


@pytest.mark.parametrize("kind", ["text", "markdown", "json", "csv"])
def test_a_wrong_spec_has_a_table_of_what_is_in_order(run: Graphc, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "partly.yaml"
    path.write_text(PARTLY, encoding="utf-8")
    done = run("summary", str(path), "--as", kind, "--depth", "2")
    assert done.code == 1
    assert f"{path}:11:5: error E501" in done.err
    assert done.err.count("error E") == 1
    right = graphc.compile(text=PARTLY.replace("groups: 2", "groups: 1")).summary(depth=2)
    paths = {line.row.path for line in right.lines}
    assert all(
        f"{name}" in done.out for name in ("second", "beside", "1,168" if kind in {"text", "markdown"} else "1168")
    )
    assert not any(name in done.out for name in ("broken", "after"))
    assert {"broken", "after", "after.conv2d"} < paths
    if kind in {"text", "markdown"}:
        assert "(partial: without what is wrong, and what needs it)" in done.out.replace("\\", "")
        assert "(partial" not in right.text()
    if kind == "json":
        data = json.loads(done.out)
        assert data["partial"] is True
        wanted = {line.row.path: line.row.cost.params for line in right.lines}
        assert {row["path"]: row["params"] for row in data["rows"]}.items() < wanted.items()


def test_what_is_whole_but_not_as_expected_has_its_table(run: Graphc, tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(PARTLY.replace("groups: 2", "groups: 1") + "expect: {params: 1}\n", encoding="utf-8")
    done = run("summary", str(path))
    assert (done.code, "(partial" in done.out) == (1, False)
    assert "after" in done.out
    assert "error E601" in done.err


def test_sizes_that_do_not_fit_have_no_table(run: Graphc, tmp_path: Path) -> None:
    """At the example nothing could be counted."""
    path = tmp_path / "small.yaml"
    path.write_text(PARTLY.replace("groups: 2", "groups: 1").replace("32, W", "2, W"), encoding="utf-8")
    done = run("summary", str(path))
    assert (done.code, done.out) == (1, "")
    assert "error E50" in done.err


def test_the_new_columns_say_what_the_costs_are(run: Graphc) -> None:
    out = run("summary", "resnet18", "--depth", "1", "--columns", "field,stride,flops,memory,macs").out
    assert re.search(r"^stem +7 +2 +238,436,352 +9\.6 MB +118,013,952$", out, re.MULTILINE)
    assert re.search(r"^max_pool2d +11 +4 +1,605,632 +802\.8 kB +free$", out, re.MULTILINE)
    assert re.search(r"^adaptive_avg_pool2d +global +- ", out, re.MULTILINE)
    graph = compile("resnet18")
    assert re.search(rf"^FLOPs +{substitute(cost.flops(graph) or 0, graph.examples()):,} ", out, re.MULTILINE)


def test_copies_say_from_where_to_where_their_fields_grow() -> None:
    lines = compile("resnet18").summary(depth=2, columns=["field"]).text().splitlines()
    found = [line.split() for line in lines if line.startswith("  unit")]
    assert found[0] == ["unit", "×2", "27–43"]


@pytest.mark.parametrize("address", library.names())
def test_the_rows_add_up_to_the_flops(address: str) -> None:
    graph = compile(address)
    totals = summary(graph).totals
    rows = rows_of(graph.root, Ledger.of(graph))
    known = cost.flops(graph)
    assert (known is None) == (totals.flops is None) == bool(totals.unworked)
    if known is not None:
        assert sum(row.cost.flops for row in rows) == totals.flops == substitute(known, graph.examples())
    assert sum(row.cost.memory for row in rows) == totals.memory.activations


def test_the_help_is_short_and_its_example_runs(run: Graphc) -> None:
    text = run("summary", "--help").out
    (example,) = re.findall(r"^ *Example: graphc (.+)$", text, re.MULTILINE)
    assert run(*example.split()).code == 0
    assert len(text.splitlines()) < 50
    assert all(name in text for name in COLUMNS)
    assert "summary" in run("--help").out


@pytest.mark.parametrize("variables", [{}, {"COLUMNS": "40"}, {"FORCE_COLOR": "1"}, {"NO_COLOR": "1"}])
def test_in_a_pipe_the_bytes_are_always_the_same(variables: dict[str, str]) -> None:
    done = process(sys.executable, "-m", "graphc", "summary", "unet", **variables)
    assert (done.returncode, done.stdout) == (0, compile("unet").summary().text() + "\n")


@pytest.mark.parametrize("columns", [80, 120])
def test_on_a_terminal_it_keeps_to_the_width(columns: int) -> None:
    shown = on_terminal("summary", "unet", columns=columns, NO_COLOR="1")
    assert shown == compile("unet").summary().text(columns) + "\n"


def test_a_summary_needs_no_tensors() -> None:
    run = "try: main(['summary', 'unet'])\nexcept SystemExit: print(*sys.modules)"
    code = f"import sys\nfrom graphc.cli import main\n{run}"
    loaded = process(sys.executable, "-c", code).stdout.splitlines()[-1].split()
    assert "graphc.summary" in loaded
    assert not {"torch", "onnx", "numpy", "networkx", "pygraphviz", "graphviz"} & set(loaded)
