"""Saved graphs: read back they are the same graph; what is damaged is refused with a word."""

from __future__ import annotations

import ast
import json
import random
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphc import expanded, library, saved
from graphc.cli import main
from graphc.compiler import compile, compile_spec
from graphc.cost import macs, parameters
from graphc.diagnostics import SpecError
from graphc.dims import ComplexityError, Size, larger, smaller, symbol
from graphc.graph import Graph
from graphc.rewrite import with_taps, with_training
from graphc.saved.sizes import SizeError, size_of
from graphc.sources import graph_of
from networks import marked

VARIANTS = {name: [f"{name}:{v}" for v in library.installed(name).variants] or [name] for name in library.names()}
FIRST = [addresses[0] for addresses in VARIANTS.values()]
REST = [address for addresses in VARIANTS.values() for address in addresses[1:]]
Json: TypeAlias = Any  # the parts of a file, as they may be after damage


@pytest.mark.parametrize(
    "address", [*marked(FIRST), *(pytest.param(each, marks=pytest.mark.exhaustive) for each in REST)]
)
def test_a_graph_that_is_read_back_gives_the_same_everywhere(address: str) -> None:
    graph = compile(address)
    text = saved.save(graph)
    read = saved.read(text, "graph.json")
    assert saved.save(read) == text
    assert told(graph.source) == told(read.source)
    assert str(graph.summary(depth=1 << 20)) == str(read.summary(depth=1 << 20))
    assert graph.draw() == read.draw()
    assert model_of(graph) == model_of(read)


def told(work: Callable[[], str]) -> str:
    """What comes of it, or what is wrong."""
    try:
        return work()
    except SpecError as error:
        return str(error)


def model_of(graph: Graph) -> bytes:
    """The ONNX file, with weights that are all 0."""
    graph = graph.bound()
    weights = {path: np.zeros([int(str(n)) for n in weight.shape], weight.dtype) for path, weight in graph.weights()}
    return bytes(graph.onnx(weights=weights).SerializeToString(deterministic=True))


def test_every_form_of_the_language_can_be_saved() -> None:
    """All cases that are whole specs; the others are libraries of blocks, or for later versions of the language."""
    saved_ones = 0
    for path in sorted((Path(__file__).parent / "cases").glob("[ol]*/*.yaml")):
        try:
            graph = compile(str(path))
        except SpecError:
            continue
        text = saved.save(graph)
        read = saved.read(text, "graph.json")
        assert saved.save(read) == text, path
        if path.parent.name == "ok":
            assert told(graph.source) == told(read.source), path
        assert str(graph.summary()) == str(read.summary()), path
        saved_ones += 1
    assert saved_ones > 15


def test_graphs_that_were_made_of_a_graph_can_be_saved() -> None:
    graph = compile("googlenet")
    for made in (with_training(graph), with_taps(graph, ["stage.2"])):
        text = saved.save(made)
        assert saved.save(saved.read(text, "graph.json")) == text


def test_the_same_bytes_come_each_time_and_the_layout_is_json() -> None:
    text = saved.save(compile("resnet18"))
    assert text == saved.save(compile("resnet18"))
    data = json.loads(text)
    assert (data["format"], data["version"]) == ("graphc graph", 1)
    assert data["nodes"][0]["types"][""]["shape"] == ["N", 64, "(H + 1)//2", "(W + 1)//2"]
    assert len(data["weights"]) == 122
    assert max(map(len, text.splitlines())) < len(text) / 2


def test_losses_training_and_initial_values_are_there() -> None:
    graph = compile("googlenet")
    read = saved.read(saved.save(graph), "graph.json")
    assert read.training is not None
    assert graph.training is not None
    assert [loss.name for loss in read.training.losses] == [loss.name for loss in graph.training.losses]
    assert dict(read.training_weights()) == dict(graph.training_weights())
    assert read.initial == graph.initial
    assert {table: dict(rules) for table, rules in read.checkpoints.items()} == {
        table: dict(rules) for table, rules in graph.checkpoints.items()
    }


def test_a_file_is_an_address(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    path.write_text(saved.save(compile("mnist_cnn")), encoding="utf-8")
    graph, found = graph_of(str(path))
    assert (graph.name, found) == ("mnist_cnn", [])


# --- sizes as texts

LEAVES = st.one_of(st.integers(-40, 40), st.sampled_from(["H", "W", "N"]).map(symbol))


def combined(sizes: st.SearchStrategy[Size]) -> st.SearchStrategy[Size]:
    pair = st.tuples(sizes, sizes)
    return st.one_of(
        pair.map(lambda p: p[0] + p[1]),
        pair.map(lambda p: p[0] - p[1]),
        pair.map(lambda p: p[0] * p[1]),
        pair.map(lambda p: smaller(*p)),
        pair.map(lambda p: larger(*p)),
        st.tuples(sizes, st.integers(1, 9)).map(lambda p: p[0] // p[1]),
    )


@given(st.recursive(LEAVES, combined, max_leaves=9))
def test_the_text_of_a_size_is_that_size(size: Size) -> None:
    assert size_of(str(size)) == size


@pytest.mark.parametrize("text", ["", "H +", "2H", "max(H)", "(H", "H)", "H // 0", "H ** 2", "1 2", "é€", "(" * 99])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises((SizeError, ComplexityError)):
        size_of(text)


# --- damage


def data_of(name: str) -> Json:
    return json.loads(saved.save(compile(name)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it is not JSON: Expecting value at 1:1"),
        ("{", "it is not JSON"),
        ("[1, 2]", "it is JSON, but no saved graph"),
        ('{"format": "graphc graph"}', "`version` is missing"),
        ('{"format": "graphc graph", "version": 9}', "it has version 9 of the format; this graphc reads 1"),
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": 1e999}', "1e999 is no number"),
        ('{"a": 1, "a": 2}', "the key `a` stands twice"),
        ("[" * 100_000, "nested too deeply"),
        ("9" * 5000, "it is not JSON"),
    ],
)
def test_a_text_that_is_no_saved_graph_is_told(text: str, words: str) -> None:
    assert words in refusal(text)


def refusal(text: str) -> str:
    with pytest.raises(SpecError) as error:
        saved.read(text, "graph.json")
    (found,) = error.value.diagnostics
    assert found.code == "E109"
    assert found.hint
    assert "\n" not in found.message
    return str(error.value)


def change(path: str, value: object) -> Callable[[Json], None]:
    """Sets what lies at a path: `nodes.0.op`."""

    def work(data: Json) -> None:
        *way, last = [int(key) if key.isdecimal() else key for key in path.split("/")]
        for key in way:
            data = data[key]
        data[last] = value

    return work


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (change("nodes/0/op", "conv9d"), "nodes[0].op: no op `conv9d`"),
        (change("nodes/0/op", ["relu"]), "nodes[0].op: needs a text, got a list"),
        (change("nodes/0/attributes/out_channels", "many"), "nodes[0].attributes: out_channels"),
        (change("nodes/0/attributes/width", 3), "nodes[0].attributes: width"),
        (change("nodes/0/attributes/out_channels", 7), "nodes[0].types: `conv2d` gives"),
        (change("nodes/0/operands", []), "`conv2d` needs `input`"),
        (change("nodes/1/operands", ["nobody"]), "there is no value `nobody` before it"),
        (change("nodes/0/operands", ["output"]), "there is no value `output` before it"),
        (change("nodes/1/path", "import os"), "`import os` can't be a name"),
        (change("nodes/1/path", "image"), "stands for another node"),
        (change("nodes/0/types//shape/0", "M"), "`M` is no size of the graph"),
        (change("nodes/0/types//shape/0", "N+"), "is no size"),
        (change("nodes/0/span", "here"), "a place is file:line:column-end"),
        (change("root/items/0", "nobody"), "there is no node `nobody`"),
        (change("root/kind", "leaf"), "root.kind: no `leaf` is known"),
        (change("sizes/N/example", 0), "sizes.N.example: must be 1 or more"),
        (change("weights", {}), "is not what its op owns"),
        (change("outputs", {"a b": "image"}), "`a b` can't be a name"),
        (change("name", 'x"""\nimport os'), "can't stand here"),
        (change("file", "a\nb"), "can't stand here"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(work: Callable[[Json], None], words: str) -> None:
    data = data_of("mnist_cnn")
    work(data)
    assert words in refusal(json.dumps(data))


def places(data: Json, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """The ways to everything in a file."""
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(place for key, item in pairs for place in places(item, (*path, key)))]


INSTEAD: list[Json] = [
    None,
    True,
    0,
    1,
    -1,
    10**30,
    0.5,
    "",
    "x",
    "H",
    "image",
    "a.b",
    "\x00",
    [],
    {},
    [1],
    {"size": "H"},
    [[]],
]


@pytest.mark.parametrize("name", ["mnist_cnn", pytest.param("googlenet", marks=pytest.mark.slow)])
def test_damage_gives_a_graph_or_a_word_and_never_late(name: str) -> None:
    """A random part of a file is left out, doubled or replaced; a graph that is read can be summed up and written."""
    text = saved.save(compile(name))
    ways = [way for way in places(json.loads(text)) if way]
    generator = random.Random(name)
    refused, said = 0, list[str]()
    for _ in range(400):
        data = json.loads(text)
        *way, last = generator.choice(ways)
        around = data
        for key in way:
            around = around[key]
        if generator.random() < 0.3 and isinstance(around, dict):
            del around[last]
        else:
            around[last] = generator.choice(INSTEAD)
        start = time.perf_counter()
        try:
            read, _ = checked(json.dumps(data))
        except SpecError as error:
            refused += 1
            said += [found.message for found in error.diagnostics]
        else:
            assert str(read.summary())
            compiles(told(read.source))
        assert time.perf_counter() - start < 5
    assert 100 < refused < 400
    assert not any("\n" in message for message in said)


def checked(text: str) -> tuple[Graph, object]:
    from graphc.check import require

    graph = saved.read(text, "graph.json")
    return graph, require(graph)


def compiles(source: str) -> None:
    """Source is Python; what is none is an error's line."""
    if "import torch" in source:
        ast.parse(source)


# --- graphc expand


def steps(graph: Graph) -> list[str]:
    """The ops in their order with the types of what they read and give, but not their paths."""
    beside = {"constant", "weight"}
    return [
        unnamed(graph, node.op, [value and value.type for value in node.arguments], [one.type for one in node.outputs])
        for node in graph.nodes
        if node.op.name not in beside
    ]


def unnamed(graph: Graph, *found: object) -> str:
    """What was found, with numbers for the sizes that are named after the path of the step that keeps so many."""
    numbers = {repr(kept.name): str(number) for number, kept in enumerate(graph.kept)}
    return re.sub(r"'[^']*'", lambda name: numbers.get(name[0], name[0]), repr(found))


def counted(graph: Graph) -> str:
    """Parameters, MACs, and what comes out."""
    outputs = {name: value.type for name, value in graph.outputs.items()}
    return unnamed(graph, parameters(graph), macs(graph), outputs)


@pytest.mark.parametrize(
    "address", [*marked(FIRST), *(pytest.param(each, marks=pytest.mark.exhaustive) for each in REST)]
)
def test_an_expanded_spec_is_the_same_network(address: str) -> None:
    graph = compile(address)
    made = expanded.text(graph)
    again = compile_spec(library.parse(made, "expanded.yaml"))[0]
    assert steps(again) == steps(graph)
    assert counted(again) == counted(graph)
    assert not re.search(r"^ *(- )?(repeat|for|when|do|blocks|extends|use)\b", made, re.MULTILINE)


def test_expand_writes_both_forms_and_reads_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "net.json"
    assert run(["expand", "mnist_cnn", "--as", "json", "-o", str(file)]) == 0
    assert file.read_text(encoding="utf-8") == saved.save(compile("mnist_cnn"))
    capsys.readouterr()
    assert run(["expand", str(file)]) == 0
    assert capsys.readouterr().out == expanded.text(compile("mnist_cnn"))
    assert run(["expand", "resnet18", "--set", "classes=7"]) == 0
    assert "linear: {out_features: 7}" in capsys.readouterr().out


def test_expand_tells_what_is_wrong_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "net.json"
    file.write_text("{}")
    assert run(["expand", str(file), "--format", "line"]) == 1
    assert run(["expand", str(tmp_path / "none.json"), "--format", "line"]) == 2
    assert run(["expand", str(file), "--set", "width=3", "--format", "line"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert [line.split(": error ")[1][:4] for line in said] == ["E109", "E105", "E302"]


def run(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as error:
        main(arguments)
    return int(str(error.value.code or 0))
