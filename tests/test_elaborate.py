"""Specs → graphs: names and paths, and each rule of the language that steps follow."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent
from types import FrameType

import pytest
from torch import nn

from graphc import library
from graphc.check import check, require
from graphc.compiler import compile
from graphc.diagnostics import SpecError
from graphc.elaborate import elaborate
from graphc.graph import Graph, Node, Scope, Skipped
from graphc.reader.names import MODULE_NAMES

# --- the specs


@pytest.mark.parametrize("name", library.names())
def test_what_a_spec_expects_is_there_and_is_checked(name: str) -> None:
    spec, _ = library.load(name)
    assert spec.expect
    for variant in spec.expect:
        graph = elaborate(spec, library.standard(), variant or None)
        assert graph.expected
        assert check(graph) == []


def test_checking_needs_no_tensors() -> None:
    script = (
        "import sys; from graphc.compiler import compile; from graphc.check import check, needs\n"
        "graph = compile('unet'); assert not check(graph); needs(graph)\n"
        "loaded = {'torch', 'onnx', 'graphviz', 'pygraphviz', 'networkx', 'numpy'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)


def test_names_of_modules_are_refused() -> None:
    assert {name for name in dir(nn.Module()) if not name.startswith("_")} == MODULE_NAMES


# --- paths


def test_the_paths_of_unet_are_its_figure() -> None:
    two = ["conv2d", "relu", "conv2d_2", "relu_2"]
    wanted = [
        *(f"down.{i}.{step}" for i in range(4) for step in [*(f"features.{s}" for s in two), "pool"]),
        *(f"bottom.{step}" for step in two),
        "dropout",
        *(
            f"up.{i}.{step}"
            for i in range(4)
            for step in ["up_conv.conv_transpose2d", "center_crop", "concat", *(f"double_conv.{s}" for s in two)]
        ),
        "logits",
    ]
    assert paths(compile("unet")) == wanted


def test_the_paths_of_a_resnet_are_its_stages() -> None:
    found = paths(compile("resnet:resnet18"))
    assert found[:3] == ["stem.conv", "stem.bn", "stem.act"]
    assert [path for path in found if path.startswith("stage.1.unit.0.")] == [
        *(f"stage.1.unit.0.residual.conv1.{step}" for step in ("conv", "bn", "act")),
        *(f"stage.1.unit.0.residual.conv2.{step}" for step in ("conv", "bn")),
        *(f"stage.1.unit.0.shortcut.{step}" for step in ("conv", "bn")),
        *("stage.1.unit.0.add", "stage.1.unit.0.relu"),
    ]
    assert found[-3:] == ["adaptive_avg_pool2d", "flatten", "fc"]


def test_a_skipped_shortcut_is_noted() -> None:
    graph = compile("resnet:resnet18")
    skipped = {
        f"{scope.path}.{item.name}": item
        for scope in graph.root.scopes()
        for item in scope.items
        if isinstance(item, Skipped)
    }
    same = {"stage.0.unit.0", *(f"stage.{i}.unit.1" for i in range(4))}
    assert set(skipped) == {f"{unit}.shortcut" for unit in same}
    value = skipped["stage.0.unit.1.shortcut"].value
    assert value is not None
    assert value.path == "stage.0.unit.0.relu"


def test_copies_are_written_once() -> None:
    """What is repeated has one definition, which names its place in the spec or the block."""
    graph = compile("resnet:resnet50")
    definitions: dict[str, set[str]] = {}
    for scope in graph.root.scopes():
        parts = [part for part in scope.path.split(".") if not part.isdigit()]
        definitions.setdefault(".".join(parts), set()).add(scope.definition)
    assert all(len(found) <= 2 for found in definitions.values())  # a group of copies, and what it copies
    assert definitions["stage.unit"] >= {"resnet.yaml#bottleneck"}
    assert definitions["stem"] == {"blocks/standard.yaml#conv_bn_relu"}


def test_numbers_of_a_block_keep_their_names() -> None:
    graph = compile("resnet:resnet50")
    scopes = {scope.path: scope for scope in graph.root.scopes()}
    bindings = scopes["stage.1.unit.0"].bindings
    assert {name: binding.value for name, binding in bindings.items() if name not in {"N", "norm"}} == {
        "width": 128,
        "stride": 2,
        "stride_1x1": False,
        "dilation": 1,
        "in_channels": 256,
        "H": scopes["stage.1.unit.0"].inputs["features"].type.shape[2],
        "W": scopes["stage.1.unit.0"].inputs["features"].type.shape[3],
    }
    assert bindings["width"].given
    assert bindings["in_channels"].source == "size"
    assert scopes["stage"].bindings[""].value == 4
    assert scopes["stage.2"].bindings["depth"].value == 6


# --- the rules of the language


HEAD = """\
graphc: 1
name: net
dims: {N: 1, H: 32, W: 32}
inputs: {image: [N, 3, H, W]}
"""


def graph_of(text: str, head: str = HEAD) -> Graph:
    """The graph of a spec with one input, [N, 3, H, W]; nothing is wrong with it but what nobody reads."""
    graph = elaborate(library.parse(head + dedent(text), "spec.yaml"), library.standard())
    assert [found for found in check(graph) if found.severity == "error" and found.code != "E307"] == []
    return graph


def paths(graph: Graph) -> list[str]:
    return [node.path for node in graph.nodes]


def reads(graph: Graph) -> dict[str, list[str]]:
    """What each node reads."""
    return {node.path: [value.path for value in node.operands] for node in graph.nodes}


def error_of(text: str) -> str:
    """The one thing that is wrong with a spec."""
    with pytest.raises(SpecError) as caught:
        graph_of(text)
    (found,) = caught.value.diagnostics
    return f"{found.code} {found.message}"


def test_a_step_is_its_id_else_its_op_numbered_from_the_second_on() -> None:
    graph = graph_of("""
        graph:
          - relu
          - relu
          - relu:
            id: last
          - flatten
          - relu
    """)
    assert paths(graph) == ["relu", "relu_2", "last", "flatten", "relu_3"]


def test_numbered_names_pass_over_those_that_are_given() -> None:
    graph = graph_of("""
        graph:
          - relu:
            id: relu_2
          - relu
          - relu
    """)
    assert paths(graph) == ["relu_2", "relu", "relu_3"]
    assert error_of("""
        graph:
          - relu
          - relu
          - relu:
            id: relu_2
    """).startswith("E205")


def test_a_step_takes_the_value_before_it() -> None:
    graph = graph_of("""
        graph:
          - relu
          - dropout: 0.5
          - relu:
            from: image
    """)
    assert reads(graph) == {"relu": ["image"], "dropout": ["relu"], "relu_2": ["image"]}


def test_a_bare_do_adds_nothing_but_its_steps() -> None:
    graph = graph_of("""
        graph:
          - do:
              - relu:
                id: inner
              - dropout: 0.5
          - add:
            from: [inner, x]
    """)
    assert reads(graph) == {"inner": ["image"], "dropout": ["inner"], "add": ["inner", "dropout"]}


def test_a_do_with_a_name_is_a_level() -> None:
    graph = graph_of("""
        graph:
          - do: [relu]
            from: image
            id: part
          - relu
    """)
    assert reads(graph) == {"part.relu": ["image"], "relu": ["part.relu"]}


def test_labels_are_names_and_levels() -> None:
    """A list of steps is a level, one step is none; an unlabelled list is a number."""
    graph = graph_of("""
        graph:
          - add:
            from:
              left: [relu, {dropout: 0.5}]
              right: {relu: }
              whole: x
          - concat:
            from:
              - left
              - right
              - [relu]
              - x
              - [{dropout: 0.1}]
    """)
    assert reads(graph) == {
        "left.relu": ["image"],
        "left.dropout": ["left.relu"],
        "right": ["image"],
        "add": ["left.dropout", "right", "image"],
        "concat.0.relu": ["add"],
        "concat.1.dropout": ["add"],
        "concat": ["left.dropout", "right", "concat.0.relu", "add", "concat.1.dropout"],
    }


def test_operands_do_not_move_what_flows() -> None:
    graph = graph_of("""
        graph:
          - relu
          - add:
            from: [{do: [{dropout: 0.5}]}, {relu: }, x]
    """)
    assert reads(graph)["add"] == ["dropout", "relu_2", "relu"]
    assert reads(graph)["relu_2"] == ["relu"]


def test_operands_may_have_ids() -> None:
    graph = graph_of("""
        graph:
          - add:
            from: [{relu: , id: first}, x]
          - add:
            from: [first, x]
    """)
    assert reads(graph)["add_2"] == ["first", "add"]


def test_copies_are_numbers_and_each_reads_the_one_before() -> None:
    graph = graph_of("""
        graph:
          - relu:
            repeat: 3
          - do: [relu]
            for: {i: range(2)}
            id: unit
    """)
    assert reads(graph) == {
        "relu.0": ["image"],
        "relu.1": ["relu.0"],
        "relu.2": ["relu.1"],
        "unit.0.relu": ["relu.2"],
        "unit.1.relu": ["unit.0.relu"],
    }


def test_no_copies_are_an_identity() -> None:
    graph = graph_of("""
        graph:
          - relu:
            repeat: 0
            id: none_at_all
          - dropout: 0.5
    """)
    assert reads(graph) == {"dropout": ["image"]}


def test_lists_of_equal_length_are_gone_through_together() -> None:
    graph = graph_of("""
        graph:
          - conv2d: {out_channels: width, kernel_size: k, padding: k // 2}
            for: {width: "[4, 8]", k: [3, 5]}
            id: conv
          - conv2d: {out_channels: 4 * i, kernel_size: 1}
            for: {i: "range(1, 3)"}
            repeat: 2
            id: more
    """)
    channels = [node.output.type.channels for node in graph.nodes]
    assert channels == [4, 8, 4, 8, 4, 8]
    assert [weight.shape[-1] for path, weight in graph.weights() if path.endswith("weight")][:2] == [3, 5]


def test_paths_reach_into_copies() -> None:
    graph = graph_of("""
        graph:
          - do:
              - relu:
                id: features
              - dropout: 0.5
            repeat: 3
            id: down
          - concat:
            from: [down.0.features, down.-1.features, "down.$(1 + 0).features"]
          - concat:
            from: down.*.features
            id: all
          - relu:
            for: {skip: reversed(down.*.features)}
            from: skip
            id: up
          - add:
            from: [down.1, x]
    """)
    found = reads(graph)
    assert found["concat"] == ["down.0.features", "down.2.features", "down.1.features"]
    assert found["all"] == ["down.0.features", "down.1.features", "down.2.features"]
    assert [found[f"up.{i}"] for i in range(3)] == [[f"down.{2 - i}.features"] for i in range(3)]
    assert found["add"] == ["down.1.dropout", "up.2"]


def test_a_step_is_an_identity_where_its_condition_is_false() -> None:
    graph = graph_of("""
        params: {deep: false}
        graph:
          - relu:
            id: first
          - dropout: 0.5
            when: deep
          - do: [relu, relu]
            when: deep
          - add:
            from: [x, image]
            when: deep and image
            id: sum
          - dropout: 0.1
            from: sum
    """)
    assert reads(graph) == {"first": ["image"], "dropout_2": ["first"]}
    skipped = [item for item in graph.root.items if isinstance(item, Skipped)]
    assert [item.name for item in skipped] == ["dropout", "sum"]
    assert [item.value.path for item in skipped if item.value] == ["first", "first"]


def test_a_condition_sees_the_channels_that_flow_in() -> None:
    graph = graph_of("""
        blocks:
          widened:
            params: {width: int}
            inputs: {features: [N, C, H, W]}
            graph:
              - conv2d: {out_channels: width, kernel_size: 1}
                when: C != width
        graph:
          - widened: 3
          - widened: 8
          - widened: 8
    """)
    assert paths(graph) == ["widened_2.conv2d"]


def test_a_block_takes_its_inputs_in_order_by_name_or_from_the_step_before() -> None:
    graph = graph_of("""
        blocks:
          split:
            graph:
              - relu:
                id: first
              - dropout: 0.5
                id: second
            outputs: {a: first, b: second}
          fuse:
            inputs: {a: [N, C, H, W], b: [N, C, H, W]}
            graph:
              - add:
                from: [a, b]
        graph:
          - split:
            id: parts
          - fuse
          - fuse:
            from: {b: parts.a}
          - fuse:
            from: [parts.b, parts]
          - fuse:
            from: {a: image, b: [relu]}
    """)
    found = reads(graph)
    assert found["fuse.add"] == ["parts.first", "parts.second"]
    assert found["fuse_2.add"] == ["fuse.add", "parts.first"]
    assert found["fuse_3.add"] == ["parts.second", "parts.first"]
    assert found["fuse_4.add"] == ["image", "b.relu"]
    assert found["b.relu"] == ["fuse_3.add"]


def test_a_parameter_that_is_a_step_takes_arguments() -> None:
    """What it has no parameter for is passed over; arguments at the step come last."""
    graph = graph_of("""
        blocks:
          unit:
            params: {act: relu, width: 4}
            graph:
              - conv2d: {out_channels: width, kernel_size: 1}
              - $act: {p: 0.25, width: 2*width}
          wide:
            params: {width: int, kernel_size: 1}
            graph:
              - conv2d: {out_channels: width, kernel_size: kernel_size, padding: kernel_size // 2}
        graph:
          - unit
          - unit: {act: dropout}
          - unit: {act: {dropout: 0.75}}
          - unit: {act: {wide: {kernel_size: 3}}}
          - unit: {act: {wide: }, width: 6}
    """)
    ops = [node.op for node in graph.nodes if node.name != "conv2d" or ".act." in node.path]
    assert [repr(op) for op in ops[:3]] == ["Relu()", "Dropout(p=0.25)", "Dropout(p=0.25)"]
    assert [node.output.type.channels for node in graph.nodes][-4:] == [4, 8, 6, 12]
    assert paths(graph)[-2:] == ["unit_5.conv2d", "unit_5.act.conv2d"]


def test_values_expand_to_ordinary_ops() -> None:
    graph = graph_of("""
        graph:
          - relu:
            id: a
          - let: {both: a + image, again: "dropout(both, p=0.25) + relu(x)"}
          - identity:
            from: again
    """)
    assert reads(graph) == {
        "a": ["image"],
        "add": ["a", "image"],
        "dropout": ["add"],
        "relu": ["a"],
        "add_2": ["dropout", "relu"],
        "identity": ["add_2"],
    }
    assert [node.inline for node in graph.nodes] == [False, True, True, True, True, False]


def test_values_in_copies_stay_in_their_copy() -> None:
    graph = graph_of("""
        graph:
          - relu:
            from: x + image
            repeat: 2
            id: unit
    """)
    assert reads(graph) == {
        "unit.0.add": ["image", "image"],
        "unit.0.relu": ["unit.0.add"],
        "unit.1.add": ["unit.0.relu", "image"],
        "unit.1.relu": ["unit.1.add"],
    }
    (group,) = [item for item in graph.root.items if isinstance(item, Scope)]
    assert [item.name for item in group.items if isinstance(item, Scope)] == ["0", "1"]


def test_lets_name_numbers_steps_and_branches() -> None:
    graph = graph_of("""
        params: {width: 4}
        graph:
          - let: {twice: 2 * width, skip: {relu: }, deep: [relu, {dropout: 0.5}]}
          - conv2d: {out_channels: twice, kernel_size: 1}
          - concat:
            from: [skip, deep, x]
    """)
    assert paths(graph) == ["skip", "deep.relu", "deep.dropout", "conv2d", "concat"]
    assert graph.nodes[-1].output.type.channels == 3 + 3 + 8
    assert graph.root.bindings["twice"].value == 8


def test_a_pattern_binds_new_names_and_compares_the_others() -> None:
    text = """
        params: {{depth: {depth}}}
        blocks:
          square:
            params: {{depth: int}}
            inputs: {{features: [..., depth, S, S]}}
            graph:
              - conv2d: {{out_channels: 2*depth, kernel_size: 1}}
        graph:
          - adaptive_avg_pool2d: {size}
          - square: depth
    """
    assert paths(graph_of(dedent(text).format(depth=3, size=7)))[-1] == "square.conv2d"
    assert "got [N, 3, 7, 6]: `S` is 7, not 6" in error_of(dedent(text).format(depth=3, size=[7, 6]))
    assert "got [N, 3, 7, 7]: `depth` is 4, not 3" in error_of(dedent(text).format(depth=4, size=7))


def test_outputs_default_to_the_last_value() -> None:
    graph = graph_of("graph: [relu, {dropout: 0.5}]\n")
    assert {name: value.path for name, value in graph.outputs.items()} == {"output": "dropout"}
    graph = graph_of("graph: [{relu: , id: a}, {dropout: 0.5}]\noutputs: {first: a, last: x, sum: a + x}\n")
    assert {name: value.path for name, value in graph.outputs.items()} == {
        "first": "a",
        "last": "dropout",
        "sum": "add",
    }


def test_expressions_have_the_functions_of_the_language() -> None:
    found = {
        "min(3, 2) + max([4, 5])": 7,
        "ceil(2.1) + floor(2.9)": 5,
        "sqrt(16)": 4.0,
        "log2(8)": 3.0,
        "len([1, 2, 3])": 3,
        "sum(i * i for i in range(4))": 14,
        "reversed(range(3))": [2, 1, 0],
        "zip([1, 2], [3, 4])": [[1, 3], [2, 4]],
        "divisible(67, 8)": 64,
        "divisible(10 / 4, 8)": 8,
        "[1, 2, 3, 4][1:-1]": [2, 3],
        "[1, 2] + [3]": [1, 2, 3],
        "7 // 2 * 2 ** 2 - -1 % 3": 10,
        "1 if 2 > 3 or not 4 <= 4 else 5": 5,
        "[1, 2] == [1, 2] and 'a' != 'b'": True,
        "min(H, H + 1)": "H",
        "max(H // 2, H // 2 - 1)": "H//2",
        "ceil(H)": "H",
        "sum([H, H, 1])": "2*H + 1",
    }
    lines = [f'    v{number}: "{text}"' for number, text in enumerate(found)]
    graph = graph_of("\n".join(["graph:", "  - let:", *(f"    {line}" for line in lines), "  - relu"]))
    values = [graph.root.bindings[f"v{number}"].value for number in range(len(found))]
    wanted = list(found.values())
    assert [str(v) if isinstance(w, str) else v for v, w in zip(values, wanted, strict=True)] == wanted


@pytest.mark.parametrize(
    ("step", "levels"),
    [
        ("{{add: , from: [{}, x]}}", 22),
        ("{{part: , from: {{input: {}}}}}", 22),
        ("{{do: [{}], id: d{}}}", 22),
        ("{{add: , from: {{a: [{}], b: x}}}}", 14),
        ("{{$act: , from: [{{do: [{}], repeat: 1}}]}}", 10),
    ],
)
def test_the_deepest_spec_leaves_room_on_the_stack(step: str, levels: int) -> None:
    """Steps and expressions nested as deep as the limits allow; the innermost expression fails."""
    number = "-" * 43 + "max(" * 19 + "1" + ")" * 19
    nested = f'{{conv2d: {{out_channels: 3, kernel_size: "{number}"}}}}'
    for level in range(levels):
        nested = step.format(nested, level)
    text = f"params: {{act: relu}}\nblocks:\n  part: {{graph: [relu]}}\ngraph:\n  - {nested}\n"
    assert error_of(text) == "E303 a list is needed here, not 1"


def test_weights_come_in_the_order_of_the_state_dict() -> None:
    graph = compile("resnet:resnet18")
    assert [path for path, _ in graph.weights()][:6] == [
        "stem.conv.weight",
        "stem.bn.weight",
        "stem.bn.bias",
        "stem.bn.running_mean",
        "stem.bn.running_var",
        "stem.bn.num_batches_tracked",
    ]
    assert len({path for path, _ in graph.weights()}) == len(list(graph.weights()))


def test_every_node_knows_its_place() -> None:
    graph = compile("unet")
    for node in graph.nodes:
        line = node.span.source.line(node.span.line)
        assert line[node.span.column - 1 : node.span.end - 1].startswith(node.op.name)
        assert isinstance(node, Node)
        assert node.path == ".".join(filter(None, (node.scope.path, node.name)))


def calls_made(copies: int) -> int:
    """How many functions of graphc are called to elaborate and check a graph: a measure of work that no clock blurs."""
    text = f"graph: [{{conv_bn_relu: {{out_channels: 3, kernel_size: 3}}, repeat: {copies}}}]\n"
    spec, standard = library.parse(HEAD + text, "spec.yaml"), library.standard()
    count = 0

    def count_it(frame: FrameType, event: str, _: object) -> None:
        nonlocal count
        count += event == "call" and "graphc" in frame.f_code.co_filename

    sys.setprofile(count_it)
    try:
        require(elaborate(spec, standard))
    finally:
        sys.setprofile(None)
    return count


def test_work_grows_with_the_number_of_nodes_and_no_faster() -> None:
    """Two thirds of a thousand nodes more cost as much again, wherever one starts."""
    first, second, third = (calls_made(copies) for copies in (250, 500, 1_000))
    assert 1.9 < (third - second) / (second - first) < 2.1
