"""Expressions over values: both backends against the graph run value by value, and the source as a person writes it."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
import yaml

import graphc_onnx
import graphc_torch
from graphc.compiler import compile
from graphc.diagnostics import SpecError
from graphc.dims import symbol
from graphc.expr import Binary, Expr, Literal, Name, Unary
from graphc.graph import Graph, Value
from graphc.ops import Op
from graphc.ops.activation import Relu
from graphc.ops.arithmetic import Add, Multiply, Negative, Subtract
from graphc.ops.compare import Where
from graphc.ops.index import Constant, Getitem
from graphc.tensor import Tensor
from graphc_onnx.assemble import LOWEST_OPSET
from graphc_torch.subscript import subscript
from interpreter import Array, Sizes, concrete, run_in_torch
from sketch import Sketch

SIZES: Sequence[Sizes] = ({"N": 2, "H": 8, "W": 6}, {"N": 3, "H": 11, "W": 5})
HEAD = """\
graphc: 1
name: edge
dims: {N: 2, H: 8, W: 6}
inputs:
  a: [N, 3, H, W]
  b: [N, 3, H, W]
  i: {shape: [N, 3], dtype: int64}
  j: {shape: [N, 3], dtype: int64}
  m: {shape: [N, 3], dtype: bool}
  v: [W]
"""


def spec(folder: Path, text: str) -> Graph:
    (folder / "edge.yaml").write_text(HEAD + text)
    return compile(str(folder / "edge.yaml"))


def expressed(folder: Path, *texts: str) -> Graph:
    """A graph that gives out the values of expressions."""
    outputs = {f"out{number}": text for number, text in enumerate(texts)}
    return spec(folder, yaml.safe_dump({"graph": ["identity"], "outputs": outputs}, width=10_000))


def quarters(graph: Graph, sizes: Sizes, seed: int = 0) -> dict[str, Array]:
    """Inputs with which most arithmetic is exact: quarters; whole numbers, `j` without 0."""
    generator = np.random.default_rng(seed)

    def drawn(name: str, kind: Tensor) -> Array:
        whole = generator.integers(-9, 10, concrete(kind, sizes))
        if kind.dtype == "bool":
            return whole > 0
        return (
            (whole / 4).astype(np.float32) if kind.dtype == "float32" else np.where(name == "j", 2 * whole + 1, whole)
        )

    return {name: drawn(name, value.type) for name, value in graph.inputs.items()}


def assert_same(found: Array, wanted: Array) -> None:
    assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
    assert np.allclose(found.astype(np.float64), wanted.astype(np.float64), rtol=1e-4, atol=1e-5, equal_nan=True)


def assert_backends_give_the_values(graph: Graph) -> None:
    """The torch module and one ONNX model, at several sizes."""
    module = graphc_torch.module(graph).eval()
    model = graphc_onnx.model(graph, opset=LOWEST_OPSET)
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    for sizes in SIZES:
        inputs = quarters(graph, sizes)
        values = run_in_torch(graph, {}, inputs)
        results = module(*map(torch.from_numpy, inputs.values()))
        in_torch = results if isinstance(results, tuple) else (results,)
        in_onnx = session.run(list(graph.outputs), inputs)
        for value, ours, theirs in zip(graph.outputs.values(), in_torch, in_onnx, strict=True):
            assert_same(ours.numpy(), values[value])
            assert_same(theirs, values[value])
            assert values[value].shape == concrete(value.type, sizes)


def assert_clean(folder: Path, *unless: str) -> None:
    """Ruff has nothing to say of the files in a folder, unless by these rules."""
    for command in (["format", "--check", "--diff"], ["check", *(f"--ignore={rule}" for rule in unless)]):
        run = [sys.executable, "-m", "ruff", *command, "--isolated", str(folder)]
        done = subprocess.run(run, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def returned(graph: Graph) -> str:
    """What the last line of the source returns."""
    last = graphc_torch.source(graph).splitlines()[-1]
    return last.partition("return ")[2].partition("  #")[0]


WRITTEN = {
    "a - b - a": "",
    "a - (b - a)": "",
    "a - (b + a) + b": "",
    "(a + b) * 2 - a * b": "",
    "a / b * a": "",
    "a / (b * a)": "",
    "-a ** 2": "-(a**2)",
    "(-a) ** 2": "",
    "-(a + b)": "",
    "-(a * b)": "",
    "-a * b": "",
    "a - -b": "",
    "(-2) ** i": "",
    "2 ** -a": "2**-a",
    "a[:, 0] ** 2": "",
    "(a ** 2) ** 3": "(a**2) ** 3",
    "a ** (b ** 2)": "a ** (b**2)",
    "1 - a": "",
    "a * 0.1 - 1e-5": "a * 0.1 - 1e-05",
    "a / W": "a / a.size(3)",
    "a / (H * W) - H // 2": "a / (a.size(2) * a.size(3)) - a.size(2) // 2",
    "a * (2 * H - W)": "a * (2 * a.size(2) - a.size(3))",
    "a * (2 - H)": "a * (2 - a.size(2))",
    "a * (W - H * 3)": "a * (a.size(3) - 3 * a.size(2))",
    "a * -H": "a * -a.size(2)",
    "a + min(H, 9)": "a + min(9, a.size(2))",
    "i // 2 - i % 3": "",
    "i // -2": "",
    "i % -3": "",
    "-7 // j": "",
    "i // j": "",
    "i % j": "",
    "a // 0.75": "",
    "a % -0.75": "",
    "i / 2": "",
    "i * 0.5": "",
    "m + 1": "",
    "m + m": "",
    "m * m + i": "",
    "i ** 2": "i**2",
    "a @ v": "",
    "a @ v - 2": "",
    "i @ i[0]": "",
    "a[:, 0]": "",
    "a[0, -1, 1]": "",
    "a[:, :, none] - a[:, none]": "a[:, :, None] - a[:, None]",
    "a[:, :, 0:H, 1:] - b[:, 0:1, :, 1:W]": "a[:, :, : a.size(2), 1:] - b[:, :1, :, 1 : a.size(3)]",
    "a[:, :, 1:H - 1, ::2]": "a[:, :, 1 : a.size(2) - 1, ::2]",
    "a[:, :, : H // 2, -3:-1]": "a[:, :, : a.size(2) // 2, -3:-1]",
    "(a + b)[:, 0]": "",
    "exp(a)[:, 0] * 2": "torch.exp(a)[:, 0] * 2",
    "where(a >= 0, a, 0.5)": "torch.where(a >= 0, a, 0.5)",
    "where(m, 1, 0)": "torch.where(m, 1, 0)",
    "where(m, i, 0.5)": "torch.where(m, i, 0.5)",
    "where(m, m, i > 0)": "torch.where(m, m, i > 0)",
    "where(m, -1, W)": "torch.where(m, -1, a.size(3))",
    "i >= 0": "",
    "0 < i": "",
    "i == j": "",
    "a != b": "",
    "(a < b) == (b <= a)": "",
    "m < (i > 0)": "",
    "(i > 2) + 1": "",
}


@pytest.mark.parametrize("text", WRITTEN)
def test_expressions_are_written_as_in_the_spec(text: str, tmp_path: Path) -> None:
    graph = expressed(tmp_path, text)
    assert returned(graph) == (WRITTEN[text] or text)
    assert_backends_give_the_values(graph)


def test_expressions_are_written_clean(tmp_path: Path) -> None:
    folder = tmp_path / "written"
    folder.mkdir()
    for number, text in enumerate(WRITTEN):
        (folder / f"source_{number}.py").write_text(graphc_torch.source(expressed(tmp_path, text)))
    assert_clean(folder)


# --- random expressions


class Author:
    """Draws expressions; what torch refuses among them is no spec."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def text(self, depth: int) -> str:
        if depth == 0:
            return self.random.choice(["a", "b", "a", "b", "v", "i", "j", "m", "2", "0.5", "H", "W", "(W - 2)"])
        forms: Mapping[Callable[[int], str], int] = {self.binary: 8, self.unary: 2, self.part: 3, self.choice: 1}
        return self.random.choices(list(forms), list(forms.values()))[0](depth - 1)

    def inner(self, depth: int) -> str:
        return self.text(self.random.choice([depth, depth, depth, 0]))

    def binary(self, depth: int) -> str:
        symbol = self.random.choice(["+", "-", "*", "+", "-", "*", "/", "@", ">", "<=", "==", "//", "%", "**"])
        fixed = {"/": ["2", "W", "(-4)"], "//": ["2", "-3", "j"], "%": ["2", "-3", "j"], "**": ["2", "3"]}
        right = self.random.choice(fixed[symbol]) if symbol in fixed else self.inner(depth)
        return f"({self.inner(depth)} {symbol} {right})"

    def unary(self, depth: int) -> str:
        return self.random.choice(["(-{})", "exp(-({}) ** 2)"]).format(self.text(depth))

    def part(self, depth: int) -> str:
        index = self.random.choice(["0", ":, 1:", ":, :, :H", ":, none", ":, :, 1:H // 2", "none, -1", ":2"])
        return f"({self.text(depth)})[{index}]"

    def choice(self, depth: int) -> str:
        return f"where({self.inner(depth)} > 0, {self.inner(depth)}, {self.inner(depth)})"


def random_graphs(folder: Path, count: int) -> Iterator[Graph]:
    """Graphs of one to three expressions that can be checked."""
    seed = 0
    while count:
        author = Author(seed)
        seed += 1
        try:
            graph = expressed(folder, *(author.text(author.random.randint(2, 5)) for _ in range(seed % 3 + 1)))
        except Exception as error:  # the author knows no shapes
            if type(error).__name__ != "SpecError":
                raise
            continue
        if not any(demand.strict for demand in graph.demands):
            count -= 1
            yield graph


def test_random_expressions(tmp_path: Path) -> None:
    folder = tmp_path / "written"
    folder.mkdir()
    for number, graph in enumerate(random_graphs(tmp_path, 60)):
        (folder / f"source_{number}.py").write_text(graphc_torch.source(graph))
        assert_backends_give_the_values(graph)
    assert_clean(folder, "B002", "PLR0124")  # a - - a and a == a are the author's


# --- where expressions stand


BLOCKS = {
    "sizes of an input that is not read": (
        """
blocks:
  crop:
    inputs: {y: [N, C, H, W], target: [N, D, h, w]}
    graph: [{identity: , from: 'y[:, :, 0:h, 0:w]'}]
graph:
  - {max_pool2d: 2, from: b, id: small}
  - {crop: , from: [a, small]}
""",
        ["def forward(self, y: Tensor, target: Tensor)", "y[:, :, : target.size(2), : target.size(3)]"],
    ),
    "sizes of an input whose name is taken over": (
        """
blocks:
  part:
    inputs: {input: [N, C, h, w]}
    graph: [{max_pool2d: 2, from: input}, relu, {relu: , from: x / h}]
graph: [{part: , from: a}]
""",
        ["functional.relu(relu / x.size(2))"],
    ),
    "sizes that an axis differs from": (
        """
blocks:
  part:
    inputs: {y: [N, C, h, w]}
    graph: [{relu: , from: 'y * (h + 2) / (h * w)'}]
graph:
  - {max_pool2d: {kernel_size: 3, stride: 1}, from: a}
  - part
  - {max_pool2d: {kernel_size: 2, stride: 2}}
  - part
""",
        ["functional.relu(y * (y.size(2) + 2) / (y.size(2) * y.size(3)))"],
    ),
    "numbers of a block": (
        """
blocks:
  scaled:
    params: {k: int, f: 1.5}
    inputs: {y: [N, C, h, w]}
    graph: [{relu: , from: 'y * k - f + y[:, :, k:]' }]
graph:
  - {max_pool2d: {kernel_size: [1, 2]}, from: 'a[:, :, 0:1]'}
  - {scaled: {k: 0}}
  - {scaled: {k: 0, f: 0.5}}
""",
        ["y * 0 - self.", "y[:, :, :]"],
    ),
    "numbers of copies": (
        """
graph:
  - {relu: , from: a}
  - {relu: , from: x * i - 1, for: {i: [1, 2, 3]}}
""",
        ["x * self.i - 1"],
    ),
    "copies of a function": (
        """
graph:
  - {relu: , from: a}
  - {add: , from: [x, b * 2], repeat: 2}
  - {exp: , from: 0 - x ** 2}
  - {relu: , from: x * 2, id: last}
  - {add: , from: ['x[:, :, 0:H]', last], repeat: 2}
  - {negative: , repeat: 3}
""",
        ["torch.exp(0 - x**2)"],
    ),
    "a value that a loop reads": (
        """
graph:
  - {relu: , from: a}
  - let: {twice: b * 2}
  - do: [{add: , from: [x, twice]}, {relu: , from: x / H}]
    repeat: 3
""",
        ["twice = b * 2"],
    ),
    "values read twice": (
        """
graph:
  - {relu: , from: a - 1}
  - {relu: , from: x + x * x}
outputs: {out: x * x, first: 'x[:, 0] + W', same: x}
""",
        ["return relu_2 * relu_2, relu_2[:, 0] + a.size(3), relu_2"],
    ),
    "long": (
        """
graph: [{relu: , from: a}]
outputs:
  rows: a + b - a + b - a + b - a + b - a + b - a + b - a + b - a + b - a + b - a + b - a + b - a + b - a + b - a
  nested: (a + b * a + b) * (a + b * a + b * a + b * a + b * a + b * a + b * a + b * a + b * a + b * a + b * a + b)
  call: a * b + exp(a + b - a + b - a + b - a + b - a + b - a + b - a + b - a + b - a + b - a + b - a + b - a - b - a)
  calls: exp(a + b - a - b + a - b + a - b + a - b - a) * exp(a + b - a - b - a - b - a - b - a - b + a + b)
""",
        ["            - a\n"],
    ),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_expressions_in_blocks(name: str, tmp_path: Path) -> None:
    text, wanted = BLOCKS[name]
    graph = spec(tmp_path, text)
    source = graphc_torch.source(graph)
    assert [code for code in wanted if code not in source] == [], source
    (tmp_path / "written.py").write_text(source)
    assert_clean(tmp_path)
    assert_backends_give_the_values(graph)


def number(sketch: Sketch, path: str, value: float | bool, *, inline: bool = True) -> Value:
    return sketch.add(path, Constant(value=value), inline=inline)


def test_numbers_are_tensors_only_where_they_must_be() -> None:
    sketch = Sketch(a=Tensor((3,)))
    two, half, true = (number(sketch, f"constant_{n}", n) for n in (2, 0.5, True))
    graph = sketch.give(
        sum=sketch.add("sum", Add(), two, half, sketch["a"], inline=True),
        difference=sketch.add("difference", Subtract(), two, sketch["a"], inline=True),
        negative=sketch.add("negative", Negative(), two, inline=True),
        where=sketch.add("where", Where(), true, two, half, inline=True),
        relu=sketch.add("relu", Relu(), half, inline=True),
        two=two,
        step=number(sketch, "step", -3, inline=False),
    )
    assert_backends_give_the_values(graph)
    lines = [line.strip() for line in graphc_torch.source(graph).splitlines()]
    assert lines[lines.index("return (") + 1 :] == [
        "torch.tensor(2) + 0.5 + a,",
        "2 - a,",
        "-torch.tensor(2),",
        "torch.where(torch.tensor(True), 2, 0.5),",
        "functional.relu(torch.tensor(0.5)),",
        "torch.tensor(2),",
        "step,",
        ")",
    ]


def test_an_infinite_number_is_written() -> None:
    sketch = Sketch(a=Tensor((3,)), m=Tensor((3,), "bool"))
    lowest = number(sketch, "lowest", float("-inf"))
    graph = sketch.give(out=sketch.add("where", Where(), sketch["m"], sketch["a"], lowest, inline=True))
    assert returned(graph) == 'torch.where(m, a, float("-inf"))'
    assert_backends_give_the_values(graph)


def test_each_free_size_is_read_once_in_a_model() -> None:
    h, n = symbol("H"), symbol("N")
    sketch = Sketch(a=Tensor((n, 2 * h + 1)), b=Tensor((n, 3)))
    first = sketch.add("first", Getitem(index=((None, None, None), (h // 2, h + 1, None))), sketch["a"], inline=True)
    size = sketch.add("size", Constant(value=h * n - (h - 20) // 3), inline=True)
    same = sketch.add("same", Constant(value=h // 2), inline=True)
    scaled = sketch.add("scaled", Multiply(), first, size, same, inline=True)
    graph = sketch.give(out=scaled)
    assert_backends_give_the_values(graph)
    body = graphc_onnx.model(graph).graph
    assert [node.op_type for node in body.node].count("Shape") == 1
    assert len({node.name for node in body.node}) == len(body.node)


def test_a_size_that_no_input_shows_is_a_located_error() -> None:
    sketch = Sketch(a=Tensor((symbol("N"), 3)))
    size = sketch.add("size", Constant(value=symbol("H")), inline=True)
    with pytest.raises(SpecError, match="E901"):
        graphc_torch.source(sketch.give(out=sketch.add("sum", Add(), sketch["a"], size, inline=True)))


@pytest.mark.parametrize(
    ("pattern", "numbers", "wanted"),
    [
        ("{}, None, :", ["-1"], "-1, None, :"),
        ("{}:{}:{}", ["1", "n", "2"], "1:n:2"),
        (":{}", ["x.size(2)"], ": x.size(2)"),
        ("{}:", ["n - 1"], "n - 1 :"),
        ("{}:{}", ["1", "self.n"], "1 : self.n"),
        ("{}::{}", ["self.n", "2"], "self.n :: 2"),
        ("::{}", ["self.n"], ":: self.n"),
    ],
)
def test_subscripts_are_spaced_as_ruff_does(pattern: str, numbers: list[str], wanted: str, tmp_path: Path) -> None:
    assert ", ".join(subscript(pattern, numbers)) == wanted
    (tmp_path / "written.py").write_text(f"x[{wanted}]\n")
    done = subprocess.run([sys.executable, "-m", "ruff", "format", "--isolated", "--check", str(tmp_path)], check=False)
    assert done.returncode == 0


def test_the_specs_own_expression_of_a_number_is_kept(tmp_path: Path) -> None:
    """A node's `written` has it: of a constant as `value`, of a bound as `index.<part>.start`, `.stop` or `.step`."""
    graph = spec(
        tmp_path,
        """
blocks:
  part:
    params: {k: int}
    inputs: {y: [N, C, h, w]}
    graph: [{relu: , from: 'y[:, :, k:-k] * (k + 1)'}]
graph: [{part: 1, from: a}, {part: 2}]
""",
    )
    k = Name(0, 0, "k")
    written: dict[type[Op], dict[str, Expr]] = {Constant: {"value": Binary(0, 0, k, "+", Literal(0, 0, 1))}}
    written[Getitem] = {"index.2.start": k, "index.2.stop": Unary(0, 0, "-", k)}
    for node in graph.nodes:
        node.written = written.get(type(node.op), node.written)
    assert "functional.relu(y[:, :, self.k : -self.k] * (self.k + 1))" in graphc_torch.source(graph)
    assert_backends_give_the_values(graph)
