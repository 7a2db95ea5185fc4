"""The JSON Schema of the language: what graphc takes it takes, what it can see of a mistake it refuses."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from functools import cache
from io import StringIO
from pathlib import Path
from typing import TypeAlias

import pytest
from jsonschema import Draft202012Validator

from graphc import library
from graphc.cli import main
from graphc.diagnostics import SpecError
from graphc.ops import OPS
from graphc.reader.names import MODULE_NAMES
from graphc.reader.scalars import plain
from graphc.schema import schema
from graphc.schema.pieces import Json
from graphc.source import Mapping, Scalar, Sequence, Tree, read_text
from test_cases import Damage, damaged, findings, reworded

Data: TypeAlias = "str | float | bool | list[Data] | dict[str, Data] | None"

TOP = Path(__file__).parents[1]
CASES = TOP / "tests" / "cases"
GOOD = sorted([*(TOP / "specs").rglob("*.yaml"), *(TOP / "examples").rglob("*.yaml"), *(CASES / "ok").glob("*.yaml")])
LIVE = [TOP / "specs" / "unet.yaml", TOP / "examples" / "tiny.yaml"]
"""Specs without a step that is skipped or never used: graphc looks at those less closely than a schema does."""
BAD = sorted((CASES / "bad").glob("*.yaml"))

SEEN = {"E201", "E202", "E203", "E204", "E205", "E206", "E207", "E401", "E402", "E403", "E404"}
"""The codes of mistakes that a file's own schema can see: those of form, of names and of kinds."""
UNSEEN = {
    "E205_file_and_block": "two places of the file are compared",
    "E205_id_of_a_parameter": "two places of the file are compared",
    "E205_id_twice": "two places of the file are compared",
    "E205_label_twice": "two places of the file are compared",
    "E205_let_of_a_size": "two places of the file are compared",
    "E205_names_in_a_path": "the names in a text",
    "E205_parameter_and_input": "two places of the file are compared",
    "E205_shared_and_parameter": "two places of the file are compared",
    "E205_shared_of_training_is_shared": "two places of the file are compared",
    "E205_training_input_hides_a_size": "two places of the file are compared",
    "E205_training_input_twice": "two places of the file are compared",
    "E403_shared_told_once": "as an argument, an op may get its own arguments later",
    "E207_example_against_its_rule": "a remainder is calculated",
    "E207_init_of_a_misspelt_distribution": "a text may be an expression",
    "E401_function": "the name stands in an expression",
    "E402_keyword_of_a_shared_module": "the name stands in an expression",
    "E403_parameter_of_the_spec": "whether a variant or the command line sets it is known when it is used",
    "E404_attribute_from_a_free_size": "the value of an expression",
    "E404_in_a_standard_block": "the value of an expression in another file",
    "E404_init_of_a_bias_by_its_fan": "the shape of a weight",
    "E404_bilinear_of_other_channels": "the shape of a weight",
    "E404_step_that_is_misspelt": "a text is a possible default; that it is used as a step is seen elsewhere",
    "E404_value_as_attribute": "the value of an expression",
    "E404_values_of_a_rule": "the value of an expression",
    "E404_variant_with_a_wrong_example": "a remainder is calculated",
}
"""Mistakes with such codes that no schema sees, and why."""
UNKNOWN = {
    "E205_shared_of_training_is_a_step": "shared modules",
    "E202_expect_without_variant": "the file's variants",
    "E202_expected_output": "the file's outputs",
    "E206_resnet_default": "the file's variants",
    "E206_unknown_default": "the file's variants",
    "E401_block_of_a_file": "the files that are used",
    "E401_file_that_is_not_used": "the files that are used",
    "E401_misspelt_block": "the file's blocks",
    "E401_op_of_keras": "the file's blocks",
    "E401_other_tools": "the file's blocks",
    "E401_resnet_block_of_a_variant": "the file's blocks",
    "E401_shared_of_no_op": "the file's blocks",
    "E401_step_parameter_of_a_block": "the file's blocks",
    "E401_unknown_op": "the file's blocks",
    "E401_variant_of_a_file": "the files that are used",
    "E402_arguments_of_a_shared_module": "the file's shared modules",
    "E402_parameter_of_a_variant": "the file's parameters",
    "E402_unknown_parameter": "the file's blocks",
    "E403_missing_parameter": "the file's blocks",
    "E403_parameter": "the file's blocks",
    "E404_kinds_of_parameters": "the file's blocks",
    "E404_resnet_layers_of_a_variant": "the file's parameters",
    "E404_size_that_is_a_fraction": "the file's blocks",
    "E404_step_that_is_a_number": "the parameters of the file's blocks",
    "E404_true_for_a_number": "the file's blocks",
}
"""Mistakes that only the file's own schema sees, and what it must know for that."""

HEAD = "graphc: 1\nname: net\ndims: {N: 1}\ninputs: {image: [N, 3, 32, 32]}\n"


def data(tree: Tree, *, grouped: bool = True) -> Data:
    """A tree as plain data. `none` is a word of graphc's: YAML 1.2 takes it for a text, and digits in groups too."""
    match tree:
        case Mapping():
            return {key: data(value, grouped=grouped) for key, value in tree.values.items()}
        case Sequence():
            return [data(item, grouped=grouped) for item in tree.items]
        case Scalar(text) if text == "none" or (not grouped and "_" in text):
            return text
    return plain(tree)


def of_text(text: str) -> Data:
    return data(read_text(text, "spec.yaml"))


@cache
def general() -> Draft202012Validator:
    return Draft202012Validator(schema())


def own(path: Path) -> Draft202012Validator:
    return Draft202012Validator(schema(str(path)))


def places(validator: Draft202012Validator, value: Data) -> set[str]:
    """Where a schema finds something wrong."""
    return {"/".join(map(str, error.absolute_path)) for error in validator.iter_errors(value)}


def is_readable(path: Path) -> bool:
    try:
        read_text(path.read_text(encoding="utf-8"), path.name)
    except SpecError:
        return False
    return True


def objects(value: object) -> Iterator[Json]:
    """Every mapping inside a schema."""
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(item)


@pytest.mark.parametrize("address", [None, "unet", "resnet50", *map(str, GOOD)])
def test_it_is_a_schema_and_its_references_lead_somewhere(address: str | None) -> None:
    made = schema(address)
    Draft202012Validator.check_schema(made)
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    references = {part["$ref"] for part in objects(made) if isinstance(part.get("$ref"), str)}
    assert references <= {f"#/$defs/{name}" for name in made["$defs"]}


@pytest.mark.parametrize("grouped", [True, False])
@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_spec_that_is_right_passes(path: Path, grouped: bool) -> None:
    value = data(read_text(path.read_text(encoding="utf-8"), path.name), grouped=grouped)
    assert places(general(), value) == set()
    assert places(own(path), value) == set()


@pytest.mark.parametrize("path", [path for path in BAD if is_readable(path)], ids=lambda path: path.stem)
def test_a_mistake_that_a_schema_can_see_is_refused(path: Path) -> None:
    """A new case that fails here is one that the schema should learn to see, or one more exception with its reason."""
    value = of_text(path.read_text(encoding="utf-8"))
    if path.stem.partition("_")[0] in SEEN:
        assert bool(places(own(path), value)) == (path.stem not in UNSEEN)
        assert bool(places(general(), value)) == (path.stem not in UNSEEN | UNKNOWN)


def test_the_exceptions_are_cases() -> None:
    assert UNSEEN.keys() | UNKNOWN.keys() <= {path.stem for path in BAD}
    assert not UNSEEN.keys() & UNKNOWN.keys()


@pytest.mark.parametrize("name", OPS)
def test_every_op_is_described_with_its_attributes(name: str) -> None:
    definition = schema()["$defs"][f"call.{name}"]
    assert definition["description"].startswith((OPS[name].__doc__ or "").split("\n", maxsplit=1)[0])
    assert list(definition["properties"]) == list(OPS[name].model_fields)


def test_a_step_offers_ops_and_blocks_with_what_they_do() -> None:
    definitions = schema(str(TOP / "specs" / "unet.yaml"))["$defs"]
    step = definitions["keyed_step"]["properties"]
    assert {"conv2d", "conv_bn", "double_conv", "do", "let", "from", "id"} <= step.keys()
    assert (
        definitions["call.double_conv"]["description"]
        == "Two 3×3 convolutions, unpadded in the paper, each with a ReLU."
    )
    assert "(cross-correlation)" in definitions["call.conv2d"]["description"]
    kernel = definitions["call.conv2d"]["properties"]["kernel_size"]
    assert {form["type"] for form in kernel["anyOf"]} == {"integer", "array", "string"}
    bare = {form.get("const"): form.get("description") for form in definitions["step"]["anyOf"][0]["anyOf"]}
    assert bare["relu"] == "max(0, x) (`torch.nn.ReLU`)."
    assert "conv2d" not in bare


def test_the_schema_of_a_file_knows_its_variants_and_parameters() -> None:
    made = schema("resnet")
    assert made["properties"]["default"]["enum"] == list(library.installed("resnet").variants)
    assert list(made["properties"]["expect"]["properties"]) == list(library.installed("resnet").variants)
    setting = made["properties"]["variants"]["additionalProperties"]["properties"]
    own = ["layers", "block", "classes", "stride_1x1", "dilations", "norm", "features_only"]
    assert list(setting) == [*own, "N", "H", "W"]
    assert "$block" in made["$defs"]["keyed_step"]["properties"]


ACCEPTED = [
    "- conv2d: {out_channels: width * 2, kernel_size: [3, k], bias: $bias}",
    "- linear: classes",
    "- max_pool2d: [2, 2]",
    "- own_block",
    "- own_block: {of: anything, at: [all]}",
    "- resnet.resnet50: {classes: 0, norm: $norm}\n    id: backbone",
    "- $norm:\n    id: norm",
    "- $conv: {out_channels: 64}\n    when: stride > 1 or C != 64",
    '- let: {mask: "image[:, none]", a: {conv2d: {out_channels: 1, kernel_size: 1}, from: image}, b: [relu, relu]}',
    "- do: [relu, {linear: 3, id: fc}]\n    repeat: 3\n    doc: Three.",
    "- add:\n    from: {left: [relu], right: x, third: {relu: , when: deep}}",
    "- relu:\n    for: {p: pyramid, k: range(3), w: [64, 128]}",
    "- do: [relu]\n    scan: {over: 2, state: {h: [N, hidden], c: h0}, reverse: true}\n    next: {h: x, c: x}",
    "- conv_bn: {out_channels: 8, norm: {batch_norm: {eps: 0.001}}, padding: $(k // 2)}",
    "- conv_bn: {out_channels: 8, norm: own_norm}",
]
REFUSED = [
    "- conv2d: {out_channels: 8}",
    "- conv2d",
    "- conv2d:",
    "- conv2d: 8",
    "- relu: 3",
    "- relu: {inplace: true}",
    "- conv2d: {out_channels: 8, kernel_size: 3, bias: 1}",
    "- conv2d: {out_channels: true, kernel_size: 3}",
    "- conv2d: {out_channels: {a: 1}, kernel_size: 3}",
    "- relu:\n    identity:",
    "- relu:\n    form: image",
    "- relu:\n    repeat: 1.5",
    "- relu:\n    id: a.b",
    "- relu:\n    when:",
    "- relu:\n    for: {}",
    "- id: a\n    from: image",
    "- let: {a: x}\n    id: b",
    "- do: relu",
    "- do: [relu]\n    scan: {over: 2, state: {h: x}}",
    "- do: [relu]\n    scan: {state: {h: x}}\n    next: {h: x}",
    "- do",
    "-",
    "- 3",
    "- [relu]",
    "- add:\n    from: {a.b: x}",
    "- conv_bn: {out_channels: 8, norm: {batch_norm: , relu: }}",
]


@pytest.mark.parametrize("step", ACCEPTED)
def test_the_forms_of_steps(step: str) -> None:
    assert places(general(), of_text(f"{HEAD}graph:\n  {step}\n")) == set()


@pytest.mark.parametrize("step", REFUSED)
def test_wrong_forms_of_steps(step: str) -> None:
    found = places(general(), of_text(f"{HEAD}graph:\n  {step}\n"))
    assert found
    assert all(place.startswith("graph/0") for place in found)


WHOLE = HEAD + "graph: [relu]\n"
TAKEN = [
    "paper: {title: A, authors: B, year: 2015, arxiv: 1511.06434}",
    "doc: 3",
    "outputs: {logits: x}",
    "expect: {params: 1_000, macs: 4.09e9, training_params: 3, outputs: {logits: [N, 3]}}",
    "expect: {small: {params: 3}}",
    "blocks: {a: {inputs: [], graph: [relu]}}",
    "blocks: {a: {inputs: {b: list, c: optional, d: [..., C], e: {shape: [N], dtype: bool}}, graph: [relu]}}",
    "blocks: {a: {params: {b: int, c: 3, d: [1, 2], e: relu, f: {dropout: 0.1}, g: $(b // 2)}, graph: [relu]}}",
    "shared: {head: {linear: 10}}",
    "training: {losses: {total: sum(x)}, frozen: [stem]}",
    "weights: {a: {fc: 3, b: 'c.{i + 1}', c: {split: d, index: i, of: 3}, 'd.{i}': {transpose: e, dims: [1, 0]}}}",
    "weights: {a: {fc: {concat: [a, b]}, e: {reshape: f}, c: {split: d, index: 0, sizes: list, dim: 1}}}",
    "init: {linear: {normal: {std: 0.02}}, stage.0.conv.weight: 0.1, conv2d: {weight: {normal: {std: s}}, bias: 0}}",
]
WRONG = [
    "paper: {year: 1015}",
    "paper: {doi: 3}",
    "doc: [a]",
    "outputs: {logits: [x]}",
    "expect: {params: -1}",
    "expect: {params: 1.5}",
    "expect: {macs: about 4e9}",
    "expect: {small: {param: 3}}",
    "blocks: {a: {inputs: [b], graph: [relu]}}",
    "blocks: {a: {inputs: {b: any}, graph: [relu]}}",
    "blocks: {a: {inputs: {b: {dtype: bool}}, graph: [relu]}}",
    "blocks: {a: {inputs: {b: {shape: [N], dtype: int}}, graph: [relu]}}",
    "blocks: {a: {params: {b: }, graph: [relu]}}",
    "blocks: {a: {params: {f: {dropout: 0.1, relu: }}, graph: [relu]}}",
    "blocks: {a: {training: {}, graph: [relu]}}",
    "shared: {head: {linear: 10, id: a}}",
    "training: {losses: {total: {loss: sum(x)}}}",
    "training: {loss: {total: x}}",
    "sampling: {losses: {total: x}}",
    "use: [resnet.yaml]",
    "extends: [a.yaml]",
    "training: {losses: {total: {loss: sum(x), trains: [a]}, second: sum(x)}}",
    "init: 3",
    "weights: {a: b}",
    "weights: {a: [b]}",
    "weights: {a: {b: {split: c}}}",
    "weights: {a: {b: {split: c, index: 0, into: 3}}}",
    "weights: {a: {b: {concat: []}}}",
    "weights: {a: {b: {turn: c}}}",
    "weights: {a: {b: {reshape: [c]}}}",
    "weights: {a: {b..c: d}}",
    "init: {linear: {normal: {sdt: 0.02}}}",
    "init: {linear: {normal: {std: 0.02}, uniform: {}}}",
]
DIMS = {"3": True, "1_000": True, "{multiple: 16, plus: 12, min: 188, example: 572}": True}
DIMS |= dict.fromkeys(["0", "-3", "1.5", "H", "10000000000", "{multiple: 3}", "[3]"], False)
DIMS |= dict.fromkeys(
    [f"{{example: 4, {rule}}}" for rule in ("multiple: 0", "multiple: 5000", "plus: -1", "min: 0")], False
)


@pytest.mark.parametrize("line", TAKEN)
def test_the_forms_of_a_file(line: str) -> None:
    assert places(general(), of_text(f"{WHOLE}{line}\n")) == set()


@pytest.mark.parametrize("line", WRONG)
def test_wrong_forms_of_a_file(line: str) -> None:
    found = places(general(), of_text(f"{WHOLE}{line}\n"))
    assert {place.partition("/")[0] for place in found} == {line.partition(":")[0]}


@pytest.mark.parametrize("dim", DIMS)
def test_the_forms_of_dims(dim: str) -> None:
    assert (places(general(), of_text(f"graphc: 1\nname: net\ndims: {{H: {dim}}}\n")) == set()) == DIMS[dim]


FAMILY = {
    "base.yaml": """\
graphc: 1
name: base
params: {width: 8, act: relu}
dims: {N: 1}
inputs: {image: [N, 3, 32, 32]}
blocks: {part: {params: {width: int}, graph: [linear: width]}}
graph: [flatten, part: width]
""",
    "used.yaml": """\
graphc: 1
name: used
blocks: {fpn: {doc: A pyramid., params: {levels: int, extra: true}, graph: [relu]}}
""",
    "net.yaml": """\
graphc: 1
name: further
extends: base.yaml
use: {lib: used.yaml, base: base.yaml}
variants: {small: {width: 4}, wide: {act: {elu: {alpha: 0.5}}}}
default: small
shared: {head: {part: {width: 3}}}
graph:
  - lib.fpn: 3
  - base.part: {width: 4}
  - part: width
  - $act
  - head
  - head:
    id: again
training:
  inputs: {label: {shape: [N], dtype: int64}}
  shared: {critic: {linear: 1}}
  graph: [critic]
  losses: {total: {loss: "sum(x)", trains: [head]}, other: {loss: "sum(x)", trains: [critic]}}
  frozen: [head]
sampling: {inputs: {code: [N, 3]}, outputs: {image: head(code)}}
init: {linear: {normal: {std: 0.02}}}
expect: {small: {params: 1_000, training_params: 2_000, macs: 4.09e9}}
""",
}
ASTRAY = {
    "lib.fpn: 3": "lib.fnp: 3",
    "base.part: {width: 4}": "base.part: {wdith: 4}",
    "  - $act": "  - $width",
    "  - head\n": "  - haed\n",
    "width: 4}, wide": "depth: 4}, wide",
    "{elu: {alpha: 0.5}}": "{elu: {gamma: 0.5}}",
    "default: small": "default: large",
    "graph: [critic]": "graph: [critics]",
    "trains: [critic]": "train: [critic]",
    "expect: {small": "expect: {smal",
    "training_params": "train_params",
    "outputs: {image": "output: {image",
}


@pytest.fixture
def family(tmp_path: Path) -> Path:
    for name, text in FAMILY.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / "net.yaml"


def test_what_a_file_extends_and_uses_is_known(family: Path) -> None:
    assert places(general(), of_text(FAMILY["net.yaml"])) == set()
    assert places(own(family), of_text(FAMILY["net.yaml"])) == set()
    assert schema(str(family))["$defs"]["call.lib.fpn"]["description"] == "A pyramid."


@pytest.mark.parametrize("right", ASTRAY)
def test_what_they_do_not_have_is_refused(family: Path, right: str) -> None:
    wrong = FAMILY["net.yaml"].replace(right, ASTRAY[right])
    assert wrong != FAMILY["net.yaml"]
    assert places(own(family), of_text(wrong))


def test_what_can_not_be_read_is_not_held_against_the_file(family: Path) -> None:
    family.with_name("used.yaml").write_text("{", encoding="utf-8")
    assert places(own(family), of_text(FAMILY["net.yaml"].replace("lib.fpn", "lib.other"))) == set()
    assert places(own(family), of_text(FAMILY["net.yaml"].replace("lib.fpn", "bil.fpn")))
    family.with_name("base.yaml").unlink()
    assert places(own(family), of_text(FAMILY["net.yaml"].replace("- part: width", "- other: width"))) == set()


@pytest.mark.parametrize("text", ["[]", "3", "graphc: [1]\nblocks: 3\nparams: [a]\nvariants: {a: 3}\nuse: {a: [b]}"])
def test_a_file_of_a_wrong_form_still_has_a_schema(tmp_path: Path, text: str) -> None:
    (tmp_path / "net.yaml").write_text(text, encoding="utf-8")
    made = schema(str(tmp_path / "net.yaml"))
    Draft202012Validator.check_schema(made)
    assert "conv2d" in made["$defs"]["keyed_step"]["properties"]


@pytest.mark.parametrize(
    "name", [*sorted(MODULE_NAMES)[:3], "x", "none", "lambda", "1st", "_a", "a.b", "a-b", "", "a b"]
)
def test_names_that_graphc_refuses(name: str) -> None:
    assert places(general(), {"graphc": 1, "name": name}) == {"name"}


@pytest.mark.parametrize("name", ["größe", "a1", "A", "lambda_", "Übertragung", "名前"])
def test_names_that_graphc_takes(name: str) -> None:
    assert places(general(), {"graphc": 1, "name": name}) == set()


@pytest.mark.parametrize("damage", [damaged, reworded])
@pytest.mark.parametrize(
    "path", [pytest.param(each, id=each.stem, marks=[pytest.mark.slow] * (each.stem == "unet")) for each in LIVE]
)
def test_what_graphc_takes_the_schema_takes(path: Path, damage: Damage, tmp_path: Path) -> None:
    """A damaged spec that is still right passes; most are not."""
    generator = random.Random(path.stem)
    text = path.read_text(encoding="utf-8")
    right = list(filter(is_right, (damage(text, generator) for _ in range(250))))
    assert right
    for still in right:
        (tmp_path / "net.yaml").write_text(still, encoding="utf-8")
        assert places(own(tmp_path / "net.yaml"), of_text(still)) == set(), still


def is_right(text: str) -> bool:
    return not any(finding.severity == "error" for finding in findings(text))


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    main_exits(["schema"])
    assert json.loads(capsys.readouterr().out) == schema()
    main_exits(["schema", "resnet:resnet18"])
    assert json.loads(capsys.readouterr().out) == schema("resnet")


def test_the_command_reads_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(f"{HEAD}blocks: {{mine: {{graph: [relu]}}}}\ngraph: [mine]\n"))
    main_exits(["schema", "-"])
    assert "call.mine" in json.loads(capsys.readouterr().out)["$defs"]


@pytest.mark.parametrize(("address", "code"), [("nowhere.yaml", "E105"), ("resnte", "E105"), ("broken.yaml", "E101")])
def test_what_is_no_yaml_is_said_as_elsewhere(
    address: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.yaml").write_text("graph: [", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main(["schema", address])
    assert end.value.code == (2 if code == "E105" else 1)
    assert re.search(rf"error {code}", capsys.readouterr().err)


def main_exits(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code in (0, None)
