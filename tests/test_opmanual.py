"""The manual of the ops: docs/ops.md and `graphc ops`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import ClassVar

import pytest
import yaml

import graphc
from graphc import backends, manual, opmanual
from graphc.backends import lowering
from graphc.cli import main
from graphc.opmanual import Entry, families, markdown, own_families, text
from graphc.opmanual.docstring import docstring
from graphc.opmanual.example import graph_of
from graphc.opmanual.fields import meanings, types
from graphc.ops import FAMILIES, OPS, Op
from graphc.ops.base import Count, Flag, Pointwise

DOCS = Path(__file__).parents[1] / "docs"
every_op = pytest.mark.parametrize("op", OPS.values(), ids=OPS)


@cache
def entry(op: type[Op]) -> Entry:
    """What the manual says, made once for all tests."""
    return opmanual.entry(op)


def run(*arguments: str) -> int | str | None:
    """The exit code of the command line."""
    with pytest.raises(SystemExit) as ended:
        main(["ops", *arguments])
    return ended.value.code


# --- docs/ops.md


def test_the_manual_is_what_would_be_made() -> None:
    """`python -m graphc.manual` writes it."""
    assert (DOCS / "ops.md").read_text(encoding="utf-8") == manual.MANUALS["ops.md"]()


def test_the_table_has_each_op_in_each_backend_and_no_empty_cell() -> None:
    written = (DOCS / "ops.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(\w+)\]\(#\1\) \| (.+) \| (.+) \|$", written, re.MULTILINE)
    assert [name for name, *_ in rows] == sorted(name for family in own_families() for name in family.ops)
    assert all(cell.strip() for row in rows for cell in row)
    assert re.search(r"^\| op \| torch \| onnx \|$", written, re.MULTILINE)
    assert all(re.match(r"opset \d+: |no lowering: .", onnx) for _, _, onnx in rows)


def test_every_op_has_a_chapter_below_its_family() -> None:
    written = (DOCS / "ops.md").read_text(encoding="utf-8")
    found = re.findall(r"^##(#?) (.+)$", written, re.MULTILINE)[1:]
    assert found == [
        line for family in own_families() for line in [("", family.title), *(("#", n) for n in family.ops)]
    ]
    assert len(own_families()) == len(FAMILIES)


# --- what is said of each op


@every_op
def test_the_example_elaborates_and_its_step_is_the_op(op: type[Op]) -> None:
    made = entry(op)
    assert made.problem == ""
    graph = graphc.compile(text=made.spec)
    assert [type(node.op) for node in graph.nodes] == [op]
    (step,) = yaml.safe_load(made.step)
    assert op.name == step or op.name in step
    assert set(re.findall(r"\[([A-Z0-9*, ]*)\]", made.shapes.partition("→")[0])) <= set(
        re.findall(r"\[([A-Z0-9*, ]*)\]", made.spec)
    )


@every_op
def test_an_example_shows_what_the_op_does_to_known_shapes(op: type[Op]) -> None:
    node = graph_of(op).nodes[-1]
    given, made = entry(op).shapes.split("→")
    assert all(str(kind) in given for kind in node.inputs if kind is not None)
    assert all(str(value.type) in made for value in node.outputs)


@every_op
def test_every_attribute_has_a_type_in_words_and_a_meaning(op: type[Op]) -> None:
    assert set(types(op)) == set(op.model_fields) == set(meanings(op))
    assert "anything" not in " ".join(types(op).values())
    for attribute in entry(op).attributes:
        assert attribute.meaning.endswith(".")
        assert (attribute.default == "") == op.model_fields[attribute.name].is_required()


@every_op
def test_every_op_names_where_it_comes_from(op: type[Op]) -> None:
    assert docstring(op).summary.endswith(".")
    assert entry(op).sources


def test_conv2d_word_by_word() -> None:
    found = entry(OPS["conv2d"])
    assert found.shapes == "input [N, 8, H, W] → [N, 16, H, W]"
    assert found.cost == f"{8 * 16 * 3 * 3}*H*N*W MACs"
    assert [(w.name, w.shape, w.initial, w.buffer) for w in found.weights] == [
        ("weight", "[16, 8, 3, 3]", f"uniform within ±1/√{8 * 9}", False),
        ("bias", "[16]", f"uniform within ±1/√{8 * 9}", False),
    ]
    assert found.sources == ("`torch.nn.Conv2d`", "`torch.nn.functional.conv2d`")
    assert found.backends == {"torch": "`nn.Conv2d`", "onnx": "opset 15: `Conv`"}
    takes = {a.name: (a.takes, a.default) for a in found.attributes}
    assert takes["kernel_size"] == ("integer ≥ 1, or list of integers ≥ 1", "")
    assert takes["bias"] == ("true or false", "true")
    assert found.main == ""  # kernel_size must be given too


def test_buffers_papers_optional_operands_and_several_outputs_are_told() -> None:
    norm = entry(OPS["batch_norm"])
    assert [w.name for w in norm.weights if w.buffer] == ["running_mean", "running_var", "num_batches_tracked"]
    assert entry(OPS["masked_conv2d"]).sources == ("van den Oord et al. 2016, 3.4",)
    assert entry(OPS["center_crop"]).sources == ("Ronneberger et al. 2015, figure 1",)
    assert [s.optional for s in entry(OPS["attention"]).operands] == [False, False, False, True, True]
    assert entry(OPS["topk"]).shapes == "input [N, 10] → values [N, 5], indices int64 [N, 5]"
    assert entry(OPS["linear"]).main == "out_features"
    assert entry(OPS["relu"]).cost == "free"


# --- ops that others bring


class Unlowered(Pointwise):
    """The value as it is.

    Somebody else's.
    """

    name = "unlowered"
    bare: Count = 1
    told: Flag = False
    """Whether it is told."""


class Unshown(Pointwise):
    """An op whose example is none."""

    name = "unshown"
    needed: Count
    operands: ClassVar[tuple[str, ...]] = ("[N, 8]",)


def test_a_backend_without_a_lowering_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OPS, "own", {**OPS.own, "unlowered": Unlowered})
    found = entry(Unlowered)
    assert found.problem == ""
    assert found.backends["torch"] == "no lowering: the torch backend can't express `unlowered`"
    assert found.backends["onnx"].startswith("no lowering: ONNX: cannot lower `unlowered` (unlowered): the backend")
    assert [(a.name, a.meaning) for a in found.attributes] == [("bare", ""), ("told", "Whether it is told.")]
    assert found.details == "Somebody else's."


def test_an_example_that_does_not_work_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OPS, "own", {**OPS.own, "unshown": Unshown})
    found = entry(Unshown)
    assert found.problem == "`unshown` needs `needed`"
    assert set(found.backends.values()) == {"not known: the example does not work"}
    assert "The example does not work: `unshown` needs `needed`" in markdown(found)
    assert "does not work: unshown needs needed" in text(found)


def test_a_backend_that_has_no_word_or_does_not_load_has_no_column(monkeypatch: pytest.MonkeyPatch) -> None:
    named = [EntryPoint(name, f"graphc_{name}", backends.GROUP) for name in ("torch", "graphviz", "nowhere")]
    monkeypatch.setattr(backends, "entries", lambda _: iter(named))
    assert list(lowering()) == ["torch"]


def test_ops_of_installed_packages_are_there_too(tmp_path: Path) -> None:
    told = tmp_path / "layer_scale-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: layer-scale\nVersion: 1.0\n")
    groups = {"ops": "op", "lowerings.torch": "to_torch", "lowerings.onnx": "to_onnx"}
    entries = (f"[graphc.{group}]\nlayer_scale = layer_scale.{module}\n" for group, module in groups.items())
    (told / "entry_points.txt").write_text("\n".join(entries))
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parent / "plugin"), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "graphc", "ops"]
    said = {
        arguments: subprocess.run(
            [*command, *arguments], env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=True
        ).stdout
        for arguments in [(), ("layer_scale",)]
    }
    assert "\n\nThe op layer_scale\n  layer_scale " in said[()].replace("`", "")
    assert "\nonnx      opset 15: Reshape, Mul\n" in said["layer_scale",]
    assert "\ntorch     nn.Conv2d\n" in said["layer_scale",]


# --- `graphc ops`


def test_the_list_has_every_op_once_below_its_family(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    lines = capsys.readouterr().out.splitlines()
    named = [line.split()[0] for line in lines if line.startswith("  ")]
    assert named == [name for family in families() for name in family.ops]
    assert sorted(named) == sorted(OPS)
    assert [line for line in lines if line and line[0] != " "] == [family.title for family in families()]


@pytest.mark.parametrize("name", ["conv2d", "rearrange", "attention", "binary_cross_entropy_with_logits"])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_an_entry_fits_the_width(name: str, width: int) -> None:
    assert max(map(len, text(entry(OPS[name]), width).splitlines())) <= width


def test_an_op_can_be_had_as_text_markdown_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("conv2d") == 0
    assert "\ncost      1152*H*N*W MACs\n" in capsys.readouterr().out
    assert run("conv2d", "--as", "markdown") == 0
    written = capsys.readouterr().out
    assert written.startswith("# conv2d\n")
    assert written[1:].strip() in (DOCS / "ops.md").read_text(encoding="utf-8").replace("### conv2d\n", " conv2d\n")
    assert run("conv2d", "--as", "json") == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(entry(OPS["conv2d"]).data()))


@pytest.mark.parametrize("kind", ["markdown", "json"])
def test_the_list_can_be_had_for_documents_and_programs(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--as", kind) == 0
    written = capsys.readouterr().out
    found = json.loads(written) if kind == "json" else dict(_listed(written))
    assert {title: list(ops) for title, ops in found.items()} == {f.title: list(f.ops) for f in families()}


def _listed(written: str) -> Iterator[tuple[str, list[str]]]:
    for chapter in written.split("## ")[1:]:
        yield chapter.partition("\n")[0], re.findall(r"^- `(\w+)`", chapter, re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("conv2", "did you mean `conv2d`?"),
        ("Dense", "here it is `linear`"),
        ("qqqqqqq", "`graphc ops` lists them"),
    ],
)
def test_an_unknown_name_is_a_wrong_call_with_a_guess(name: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(name) == 2
    assert f"no op `{name}`; {hint}" in capsys.readouterr().err


def test_the_list_loads_no_backend() -> None:
    code = "import sys\nfrom graphc.cli import main\ntry: main(['ops'])\nfinally: print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert loaded.isdisjoint({"torch", "onnx", "graphc_torch", "graphc_onnx", "networkx", "numpy"})
