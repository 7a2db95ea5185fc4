"""The language beyond steps: files that use and extend others, shared modules, values, training, whole specs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
import torch
from onnx import numpy_helper
from torch import nn

import graphc_onnx
import graphc_torch
from graphc import library
from graphc.check import check, needs, require
from graphc.cost import parameters, training_parameters
from graphc.demands import Rule
from graphc.diagnostics import SpecError
from graphc.elaborate import elaborate
from graphc.graph import Graph, Node, Part
from graphc.initial import initial_value, initial_values
from graphc.settings import Settings, read_settings
from graphc.spec import Spec
from graphc.tensor import Constant, Normal, Uniform, Weight

# --- whole specs: those of the design, with the counts that they expect

SPECS = Path(__file__).parent / "cases" / "language"


def graphs() -> list[tuple[str, str]]:
    specs = {path.stem: library.load_file(path, path.name) for path in sorted(SPECS.glob("*.yaml"))}
    return [(name, variant) for name, spec in specs.items() for variant in spec.variants or [""]]


@pytest.mark.parametrize(("name", "variant"), graphs())
def test_specs_come_to_what_they_expect(name: str, variant: str) -> None:
    spec = library.load_file(SPECS / f"{name}.yaml", f"{name}.yaml")
    try:
        graph = elaborate(spec, library.standard(), variant or None)
        wrong = [found for found in check(graph) if found.severity == "error"]
        assert bool(graph.expected) == (variant in spec.expect)
    except SpecError as error:
        wrong = error.diagnostics
    assert {found.code for found in wrong} <= {"E306"}  # there is no `scan` yet


# --- specs in a text, and files beside each other

HEAD = """\
graphc: 1
name: net
dims: {N: 2, H: 8}
inputs: {image: [N, 3, H, 8]}
"""


def graph_of(text: str, head: str = HEAD) -> Graph:
    """The graph of a spec with one input; nothing is wrong with it but what nobody reads."""
    graph = elaborate(library.parse(head + dedent(text), "spec.yaml"), library.standard())
    assert [found for found in check(graph) if found.severity == "error"] == []
    return graph


def node(graph: Graph | Part, path: str) -> Node:
    (found,) = (node for node in graph.nodes if node.path == path)
    return found


def shapes(graph: Graph) -> dict[str, str]:
    return {name: str(value.type) for name, value in graph.outputs.items()}


def errors(text: str, head: str = HEAD) -> list[tuple[str, str]]:
    with pytest.raises(SpecError) as caught:
        require(elaborate(library.parse(head + dedent(text), "spec.yaml"), library.standard()))
    return [(f.code, f"{f.span.line}:{f.span.column}") for f in caught.value.diagnostics if f.severity == "error"]


def files(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(f"graphc: 1\nname: {name}\n{dedent(text)}")
    return folder


# --- shared modules

SHARED = """
    shared: {head: {unit: {width: 5}}}
    blocks:
      unit:
        params: {width: int}
        graph: [{conv2d: {out_channels: width, kernel_size: 1}, id: conv}, relu]
    graph:
      - max_pool2d: 2
        id: small
      - head:
        from: image
      - head:
        from: small
        id: second
      - identity:
        from: head(image) * head.conv.weight[0, 0, 0, 0]
"""


def test_a_shared_module_has_its_weights_once() -> None:
    graph = graph_of(SHARED)
    assert [path for path, _ in graph.weights()] == ["head.conv.weight", "head.conv.bias"]
    assert parameters(graph) == 3 * 5 + 5
    uses = [node for node in graph.nodes if node.op.name == "conv2d"]
    assert [use.path for use in uses] == ["head.conv", "second.conv", "head_2.conv"]
    assert {use.home for use in uses} == {"head.conv"}


def test_a_weight_is_a_value() -> None:
    graph = graph_of(SHARED)
    (read,) = (node for node in graph.nodes if node.op.name == "weight")
    assert (read.home, str(read.output.type)) == ("head.conv", "[5, 3, 1, 1]")


def test_a_shared_module_in_a_block_is_one_for_each_use_of_the_block() -> None:
    graph = graph_of("""
        blocks:
          twice:
            inputs: {a: [N, C, H, W]}
            shared: {conv: {conv2d: {out_channels: C, kernel_size: 1}}}
            graph: [{identity: , from: conv(conv(a))}]
        graph: [{twice: , repeat: 3, id: unit}]
    """)
    names = [f"unit.{i}.conv.{name}" for i in range(3) for name in ("weight", "bias")]
    assert [path for path, _ in graph.weights()] == names


def test_a_shared_module_inside_a_shared_one_lives_there() -> None:
    graph = graph_of("""
        shared: {outer: {pair: {}}}
        blocks:
          pair:
            inputs: {a: [N, C, H, W]}
            shared: {inner: {conv2d: {out_channels: C, kernel_size: 1}}}
            graph: [inner, inner]
        graph: [outer, outer]
    """)
    assert [path for path, _ in graph.weights()] == ["outer.inner.weight", "outer.inner.bias"]
    assert [node.path for node in graph.nodes] == ["outer.inner", "outer.inner_2", "outer_2.inner", "outer_2.inner_2"]


def test_a_shared_module_goes_over_a_list() -> None:
    graph = graph_of("""
        shared: {head: {conv2d: {out_channels: 4, kernel_size: 1}}}
        graph:
          - max_pool2d: 2
            repeat: 2
            id: level
          - head:
            for: {p: level}
            from: p
            id: logits
        outputs: {first: logits.0, last: logits.-1}
    """)
    assert shapes(graph) == {"first": "[N, 4, H//2, 4]", "last": "[N, 4, H//4, 2]"}
    assert [path for path, _ in graph.weights()] == ["head.weight", "head.bias"]


# --- values


def test_operators_between_values_are_ops() -> None:
    graph = graph_of("""
        graph:
          - let: {mean: "mean(x, dim=[2, 3], keepdim=true)"}
          - identity:
            from: (image - mean)**2 / 2 + 1 - -mean * N
        outputs: {y: x}
    """)
    names = [node.op.name for node in graph.nodes]
    wanted = "mean subtract constant pow constant divide constant add negative constant multiply subtract identity"
    assert sorted(names) == sorted(wanted.split())
    assert shapes(graph) == {"y": "[N, 3, H, 8]"}


@pytest.mark.parametrize(
    ("expression", "shape"),
    [
        ("x[:, 0]", "[N, H, 8]"),
        ("x[0]", "[3, H, 8]"),
        ("x[:, none, 1:]", "[N, 1, 2, H, 8]"),
        ("x[:, :, 0:H]", "[N, 3, H, 8]"),
        ("x[:, -1, :, ::2]", "[N, H, 4]"),
        ("sum(x)", "[]"),
        ("sum([x, x, x])", "[N, 3, H, 8]"),
        ("concat([x] * 3, dim=2)", "[N, 3, 3*H, 8]"),
        ("concat(x, image)", "[N, 6, H, 8]"),
        ("where(x > 0, x, 0)", "[N, 3, H, 8]"),
        ("image if channels(x) == 3 else sum(x)", "[N, 3, H, 8]"),
        ("x * dim(x, 2) // 2", "[N, 3, H, 8]"),
    ],
)
def test_an_expression_over_values_has_its_shape(expression: str, shape: str) -> None:
    graph = graph_of(f"graph: [identity]\noutputs: {{y: '{expression}'}}\n")
    assert shapes(graph) == {"y": shape}


def test_optional_inputs_and_lists() -> None:
    graph = graph_of("""
        blocks:
          join:
            inputs: {parts: list, bias: optional}
            graph:
              - concat:
                from: parts
              - add:
                from: [x, bias]
                when: bias != none
          pair:
            inputs: {a: [..., W]}
            graph: [relu]
            outputs: {both: "[x, a]", one: x}
        graph:
          - pair:
            id: p
          - join:
            from: {parts: p.both}
            id: without
          - join:
            from: {parts: "[image] + p.both", bias: sum(image)}
            id: biased
        outputs: {without: without, biased: biased, one: p.one}
    """)
    assert shapes(graph) == {"without": "[N, 6, H, 8]", "biased": "[N, 9, H, 8]", "one": "[N, 3, H, 8]"}
    assert [node.op.name for node in graph.nodes] == ["relu", "concat", "sum", "concat", "add"]


def test_an_optional_input_takes_any_value() -> None:
    graph = graph_of("""
        blocks: {b: {inputs: {a: [N, C, H, W], mask: optional}, graph: [{add: , from: [a, mask], when: mask != none}]}}
        graph: [{b: , from: {mask: image}}, {b: , from: {a: image}}]
    """)
    assert [node.path for node in graph.nodes] == ["b.add"]


def test_the_kind_of_a_parameter_is_that_of_its_default() -> None:
    """A quoted default is a text unless it is `$(…)`; one that is another parameter has that one's kind."""
    graph = graph_of("""
        blocks:
          b:
            params: {k: 3, pad: "$(max(k, 1) // 2)", act: relu, last: $act, mode: "tanh"}
            graph:
              - conv2d: {out_channels: 4, kernel_size: k, padding: pad}
              - gelu: $mode
              - $act
              - $last
        graph: [b, {b: {last: sigmoid, mode: none}}]
    """)
    names = [node.op.name for node in graph.nodes]
    assert names == ["conv2d", "gelu", "relu", "relu", "conv2d", "gelu", "relu", "sigmoid"]
    assert [node.op.model_dump()["approximate"] for node in graph.nodes if node.op.name == "gelu"] == ["tanh", "none"]


def test_a_block_can_take_nothing() -> None:
    graph = graph_of("""
        blocks:
          ones:
            inputs: []
            graph: [{constant: 1, id: one}]
        graph:
          - let: {one: {ones: {}}}
          - add:
            from: [image, one]
    """)
    assert [node.path for node in graph.nodes] == ["one.one", "add"]


def test_what_fails_has_no_consequences() -> None:
    """One cause, one error: all that reads it, by name, by path or through a list, says nothing."""
    assert errors("""
        shared: {head: {nothing: {}}}
        blocks: {two: {graph: [relu, {nowhere: , id: n}], outputs: {a: n, b: x}}}
        graph:
          - two:
            id: t
          - head
          - let: {y: t.a + 1, z: head(x)}
          - concat:
            from: [y, t.b]
          - linear: channels(x)
            repeat: 2
            id: l
          - concat:
            from: l.*
        outputs: {a: x, b: t.c.d, c: z}
        training: {losses: {total: sum(z)}, frozen: []}
    """) == [("E401", "6:17"), ("E401", "7:31")]


# --- other files


def test_a_file_uses_another_one(tmp_path: Path) -> None:
    files(
        tmp_path,
        body="""
            params: {width: 4, kernel_size: 1}
            variants: {narrow: {width: 2}, wide: {width: $(4 * 4)}}
            default: narrow
            dims: {N: 1, H: 8, W: 8}
            inputs: {image: [N, 3, H, W]}
            blocks: {unit: {params: {width: int}, graph: [{conv2d: {out_channels: width, kernel_size: 1}, id: conv}]}}
            graph:
              - unit: width
              - conv2d: {out_channels: width, kernel_size: kernel_size}
                id: last
        """,
        net="""
            use: {body: body.yaml}
            params: {act: body.wide}
            dims: {N: 1, H: 8}
            inputs: {image: [N, 3, H, 8]}
            graph:
              - body:
                from: image
              - body.wide: {kernel_size: 3}
                from: image
                id: wide
              - body.unit: 7
              - $act:
                from: image
                id: given
            outputs: {y: x, inner: wide.last}
        """,
    )
    graph = elaborate(library.load_file(tmp_path / "net.yaml", "net.yaml"), library.standard())
    weights = {path: weight.shape for path, weight in graph.weights() if path.endswith("weight")}
    assert weights == {
        "body.unit.conv.weight": (2, 3, 1, 1),
        "body.last.weight": (2, 2, 1, 1),
        "wide.unit.conv.weight": (16, 3, 1, 1),
        "wide.last.weight": (16, 16, 3, 3),
        "unit.conv.weight": (7, 16, 1, 1),
        "given.unit.conv.weight": (16, 3, 1, 1),
        "given.last.weight": (16, 16, 1, 1),
    }


def test_an_error_in_a_file_that_is_used_is_told_there(tmp_path: Path) -> None:
    files(
        tmp_path,
        body="blocks: {unit: {graph: [{linear: 5}, {reluu: }]}}\n",
        net="use: {body: body.yaml}\ndims: {N: 1}\ninputs: {a: [N, 3]}\ngraph:\n  - body.unit\n",
    )
    with pytest.raises(SpecError) as caught:
        elaborate(library.load_file(tmp_path / "net.yaml", "here/net.yaml"), library.standard())
    (found,) = caught.value.diagnostics
    assert (found.code, Path(found.span.file).name, found.span.line) == ("E401", "body.yaml", 3)
    assert [str(note.span) for note in found.notes] == ["here/net.yaml:7:5"]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"a": "use: {b: b.yaml}\n", "b": "use: {a: a.yaml}\n"}, "files use each other"),
        ({"a": "extends: b.yaml\n", "b": "extends: a.yaml\n"}, "files use each other"),
        ({"a": "use: {a: a.yaml}\n"}, "files use each other"),
        ({"a": "use: {b: bb.yaml}\n", "b": ""}, "did you mean `b.yaml`?"),
        ({"a": "use: {b: ../b.yaml}\n"}, "in the spec's folder, or comes with graphc"),
    ],
)
def test_files_that_cannot_be_used(texts: dict[str, str], said: str, tmp_path: Path) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    (tmp_path / "b.yaml").write_text("graphc: 1\nname: b\n")
    files(folder, **texts)
    with pytest.raises(SpecError) as caught:
        library.load_file(folder / "a.yaml", "a.yaml")
    (found,) = caught.value.diagnostics
    assert said in f"{found.message} {found.hint}"


def test_a_link_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    (tmp_path / "secret.yaml").write_text("graphc: 1\nname: secret\n")
    (folder / "b.yaml").symlink_to(tmp_path / "secret.yaml")
    files(folder, a="use: {b: b.yaml}\n")
    with pytest.raises(SpecError, match="in the spec's folder"):
        library.load_file(folder / "a.yaml", "a.yaml")


def test_extending_merges_by_key(tmp_path: Path) -> None:
    files(
        tmp_path,
        base="""
            title: Base
            params: {width: 4, classes: 5}
            variants: {small: {width: 2}}
            expect: {small: {params: 1}}
            dims: {N: 1, H: 8}
            inputs: {image: [N, 3, H, 8]}
            blocks:
              unit: {params: {width: int}, graph: [{conv2d: {out_channels: width, kernel_size: 1}, id: conv}]}
              kept: {graph: [relu]}
            graph: [{unit: width, id: a}, kept]
            outputs: {features: a}
            training:
              inputs: {label: {shape: [N], dtype: int64}}
              graph: [{linear: classes, id: aux}]
              losses: {one: sum(aux)}
              frozen: [a]
        """,
        derived="""
            extends: base.yaml
            params: {width: 6}
            blocks:
              unit:
                params: {width: int}
                graph: [{conv2d: {out_channels: width, kernel_size: 3, bias: false}, id: new}]
            graph: [{unit: 7, id: b}]
            outputs: {more: b}
            training:
              losses: {two: sum(b)}
              frozen: [b]
        """,
    )
    spec = library.load_file(tmp_path / "derived.yaml", "derived.yaml")
    assert (spec.name, spec.title, spec.variants, spec.expect) == ("derived", "", {}, {})
    graph = elaborate(spec, library.standard())
    assert list(graph.outputs) == ["features", "more"]
    assert [(path, weight.shape) for path, weight in graph.weights()] == [
        ("a.new.weight", (6, 3, 3, 3)),
        ("b.new.weight", (7, 6, 3, 3)),
    ]
    assert graph.training
    assert [loss.name for loss in graph.training.losses] == ["one", "two"]
    assert graph.training.frozen == {"a.new.weight", "b.new.weight"}
    assert graph.digest != library.load_file(tmp_path / "base.yaml", "base.yaml").digest


# --- training

TRAINING = """
    params: {classes: 5}
    graph:
      - conv2d: {out_channels: 4, kernel_size: 1}
        repeat: 3
        id: stem
      - flatten: 2
      - linear: classes
        from: mean(x, dim=2)
        id: fc
    outputs: {logits: fc}
    training:
      inputs: {label: {shape: [N], dtype: int64}}
      graph:
        - linear: classes
          from: "mean(stem.0, dim=[2, 3])"
          id: aux
      losses: {main: "cross_entropy(logits, label)", aux: "0.3 * cross_entropy(aux, label)"}
      frozen: [stem.0, stem.-1.bias]
"""


def test_training_sees_the_main_graph_and_stays_apart() -> None:
    graph = graph_of(TRAINING)
    training = graph.training
    assert training
    assert list(graph.inputs) == ["image"]
    assert list(training.inputs) == ["label"]
    assert not {"aux", "cross_entropy"} & {node.path for node in graph.nodes}
    assert [loss.name for loss in training.losses] == ["main", "aux"]
    assert training.frozen == {"stem.0.weight", "stem.0.bias", "stem.2.bias"}
    main = (3 * 4 + 4) + 2 * (4 * 4 + 4) + (4 * 5 + 5)
    assert (parameters(graph), training_parameters(graph)) == (main, main + 4 * 5 + 5)
    assert [path for path, _ in graph.training_weights()] == ["aux.weight", "aux.bias"]


def test_training_demands_sizes_of_its_own() -> None:
    text = "graph: [relu]\ntraining: {inputs: {mask: [N, 3, 2*H - 8, 8]}, losses: {l: sum(x + mask)}}\n"
    graph = graph_of(text)
    assert not [demand for demand in graph.demands if "H" in demand.relation.names and demand.strict]
    assert errors(text.replace("2*H - 8", "2*H - 9")) == [("E501", "6:64")]


def test_each_loss_says_what_it_trains() -> None:
    graph = graph_of("""
        shared: {g: {linear: 8}, d: {linear: 1}}
        graph: [g]
        outputs: {image_: x}
        training:
          losses:
            first: {loss: sum(d(image_)), trains: [d]}
            second: {loss: "-sum(d(image_))", trains: [g]}
    """)
    assert graph.training
    assert [loss.trains for loss in graph.training.losses] == [("d",), ("g",)]
    assert [path for path, _ in graph.training_weights()] == ["d.weight", "d.bias"]


# --- initial values


def first_values(text: str) -> dict[str, np.ndarray]:
    return dict(initial_values(graph_of(text)))


INIT = """
    graph:
      - conv2d: {out_channels: 400, kernel_size: 3}
        repeat: 2
        id: conv
      - batch_norm:
        id: bn
      - linear: {out_features: 300, bias: true}
        id: fc
      - linear: 30
        id: last
"""


def test_init_is_by_op_and_by_path_and_the_last_entry_wins() -> None:
    graph = graph_of(f"""{INIT}
    params: {{spread: 0.5}}
    init:
      conv2d: {{normal: {{std: 0.02}}}}
      batch_norm: {{weight: {{normal: {{mean: 1, std: 0.02}}}}, bias: 0.25}}
      linear: {{weight: {{uniform: {{a: -1, b: spread}}}}, bias: 0}}
      conv.*.bias: {{normal: {{std: 3}}}}
      conv.-1: {{constant: 0.5}}
      last.bias: -4.5
    """)
    initial = {path: weight.initial for path, weight in graph.weights() if not weight.buffer}
    assert initial == {
        "conv.0.weight": Normal(0.0, 0.02),
        "conv.0.bias": Normal(0.0, 3.0),
        "conv.1.weight": Constant(0.5),
        "conv.1.bias": Normal(0.0, 3.0),
        "bn.weight": Normal(1.0, 0.02),
        "bn.bias": Constant(0.25),
        "fc.weight": Uniform(0.75, -0.25),
        "fc.bias": Constant(0.0),
        "last.weight": Uniform(0.75, -0.25),
        "last.bias": Constant(-4.5),
    }


DISTRIBUTIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "constant: 0.5": lambda w: nn.init.constant_(w, 0.5),
    "normal: {mean: 1, std: 0.1}": lambda w: nn.init.normal_(w, 1, 0.1),
    "uniform: {a: 1, b: 3}": lambda w: nn.init.uniform_(w, 1, 3),
    "trunc_normal: {std: 2, a: -1, b: 3}": lambda w: nn.init.trunc_normal_(w, std=2, a=-1, b=3),
    "xavier_uniform: {gain: 2}": lambda w: nn.init.xavier_uniform_(w, 2),
    "xavier_normal: ": nn.init.xavier_normal_,
    "kaiming_uniform: {a: 1, mode: fan_out}": lambda w: nn.init.kaiming_uniform_(w, 1, "fan_out"),
    "kaiming_normal: {mode: fan_out, nonlinearity: relu}": lambda w: nn.init.kaiming_normal_(w, 0, "fan_out", "relu"),
    "kaiming_normal: {nonlinearity: tanh}": lambda w: nn.init.kaiming_normal_(w, 0, nonlinearity="tanh"),
    "kaiming_normal: {nonlinearity: selu}": lambda w: nn.init.kaiming_normal_(w, 0, nonlinearity="selu"),
}


@pytest.mark.parametrize("written", DISTRIBUTIONS)
def test_a_distribution_is_that_of_torch(written: str) -> None:
    """540,000 numbers: mean, spread, extremes and quartiles agree."""
    graph = graph_of(f"{INIT}\n    init: {{conv.1: {{{written}}}}}\n")
    ours = dict(initial_values(graph))["conv.1.weight"].ravel()
    theirs = DISTRIBUTIONS[written](torch.empty(400, 400, 3, 3, dtype=torch.float32)).numpy().ravel()
    scale = np.abs(theirs).max()
    for quantile in (0.01, 0.25, 0.5, 0.75, 0.99):
        assert abs(np.quantile(ours, quantile) - np.quantile(theirs, quantile)) < 0.01 * scale
    assert abs(ours.mean() - theirs.mean()) < 0.01 * scale
    assert abs(ours.std() - theirs.std()) < 0.01 * scale


def test_values_that_cannot_be_within_the_limits_are_put_there() -> None:
    drawn = initial_value("w", Weight((3, 3), Normal(0.0, 1e-3, limits=(1.0, 2.0))))
    assert (drawn == 1).all()


# --- sizes, by brute force


SIZED = [path.stem for path in SPECS.glob("*.yaml") if "H" in library.load_file(path, path.name).sizes]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (number % 4 > 0)) for number, name in enumerate(SIZED)]
)
def test_a_size_can_be_taken_exactly_where_it_can_when_it_is_fixed(name: str) -> None:
    """What is solved for a free H is what elaborating with each H by itself finds."""
    spec = library.load_file(SPECS / f"{name}.yaml", f"{name}.yaml")
    free = {size: replace(declared, rule=Rule(), promises=frozenset()) for size, declared in spec.sizes.items()}
    spec = replace(spec, sizes=free, expect={}, training=None, sampling=None)
    try:
        graph = elaborate(spec, library.standard())
    except SpecError:
        pytest.skip("there is no `scan` yet")
    (needed,) = (need.needed for need in needs(graph) if need.size.name == "H")
    for height in (*range(1, 40), *range(180, 200), 571, 572, 573):
        settings = read_settings([f"H={height}"])
        assert can_be_taken(spec, settings) == (height in needed), height


def can_be_taken(spec: Spec, settings: Settings) -> bool:
    try:
        graph = elaborate(spec, library.standard(), settings=settings)
    except SpecError:
        return False
    return not [found for found in check(graph) if found.severity == "error"]


def test_both_backends_draw_what_init_says() -> None:
    graph = graph_of(f"{INIT}\n    init: {{fc.weight: 0.25, bn.bias: {{normal: {{std: 3}}}}}}\n")
    wanted = dict(initial_values(graph))
    assert (wanted["fc.weight"] == 0.25).all()
    held = {tensor.name: numpy_helper.to_array(tensor) for tensor in graphc_onnx.model(graph).graph.initializer}
    module = graphc_torch.module(graph).state_dict()
    for path in ("fc.weight", "bn.bias", "conv.0.weight"):
        np.testing.assert_array_equal(held[path], wanted[path])
        np.testing.assert_array_equal(module[path].numpy(), wanted[path])
