"""The generated source as a reviewer of a model library would have it: facts about every spec's file."""

from __future__ import annotations

import ast
import inspect
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
import torch
import yaml

import graphc_torch
from graphc.compiler import compile
from graphc_torch import helpers
from test_torch_shared import check_values

SPECS = Path(__file__).parent.parent / "specs"
BLOCKS = "".join(path.read_text() for path in sorted((SPECS / "blocks").glob("*.yaml")))
DEFINITIONS = (ast.Module, ast.ClassDef, ast.FunctionDef)
NO_CODE = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)


def every_network() -> list[str]:
    """Each spec, or each of its variants."""
    found = []
    for path in sorted(SPECS.glob("*.yaml")):
        variants = yaml.safe_load(path.read_text()).get("variants") or [""]
        found += [f"{path.stem}:{name}".rstrip(":") for name in variants]
    return found


networks = pytest.mark.parametrize("name", every_network())


@cache
def source(name: str) -> str:
    return graphc_torch.source(compile(name))


def classes(name: str) -> dict[str, ast.ClassDef]:
    return {node.name: node for node in ast.parse(source(name)).body if isinstance(node, ast.ClassDef)}


def constructors(name: str) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(ast.parse(source(name))):
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            yield node


def code_lines(text: str) -> int:
    """The lines that are neither blank nor comments nor docstrings."""
    documented: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, DEFINITIONS) and ast.get_docstring(node) is not None:
            documented.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    kept = (range(token.start[0], token.end[0] + 1) for token in tokens if token.type not in NO_CODE)
    return len({line for rows in kept for line in rows} - documented)


def written(file: str) -> str:
    """A spec, and those that it builds on or uses."""
    if not (SPECS / file).exists():
        file = str(Path(*Path(file).parts[1:]))
    spec = (SPECS / file).read_text()
    others = re.findall(r"^(?:extends|use): .*", spec, re.MULTILINE)
    beside = Path(file).parent
    return spec + "".join(written(str(beside / other)) for other in re.findall(r"[\w/]+\.yaml", "".join(others)))


@networks
def test_no_argument_is_a_second_of_its_name(name: str) -> None:
    """`out_channels_` says that a class holds two things of which neither has a name."""
    arguments = [argument.arg for made in constructors(name) for argument in made.args.args]
    assert [argument for argument in arguments if argument.endswith("_")] == []


@networks
def test_a_constructor_takes_what_the_spec_names_and_the_sizes_of_inputs(name: str) -> None:
    known = set(re.findall(r"\w+", written(f"{name.partition(':')[0]}.yaml") + BLOCKS))
    for node in classes(name).values():
        made = next((f for f in node.body if isinstance(f, ast.FunctionDef) and f.name == "__init__"), None)
        if made is not None and node.name not in vars(helpers):
            unknown = {argument.arg for argument in made.args.args} - known - {"self", "in_channels", "in_features"}
            assert unknown == set(), node.name


@networks
def test_a_multiple_or_a_part_is_the_specs(name: str) -> None:
    """`12 * reduce5` explains a number by chance; `4 * width` is there only where the spec has it."""
    text = "".join((written(f"{name.partition(':')[0]}.yaml") + BLOCKS).split())
    for node in (part for made in constructors(name) for part in ast.walk(made)):
        if isinstance(node, ast.BinOp) and not ast.unparse(node).count(" for ") and _is_multiple(node):
            pattern = r"{0}\*\w|\w\*{0}\b" if isinstance(node.op, ast.Mult) else r"//{0}\b"
            factor = node.left if isinstance(node.left, ast.Constant) else node.right
            assert re.search(pattern.format(ast.unparse(factor)), text), ast.unparse(node)


def _is_multiple(node: ast.BinOp) -> bool:
    """Whether it is a name times, or divided by, a whole number; a loop's variable counts copies."""
    if not isinstance(node.op, ast.Mult | ast.FloorDiv):
        return False
    names = [side.id for side in (node.left, node.right) if isinstance(side, ast.Name)]
    sides = (side for side in (node.left, node.right) if isinstance(side, ast.Constant))
    numbers = [side for side in sides if isinstance(side.value, int)]
    return bool(names and numbers) and names != ["i"]


@networks
def test_no_float_is_spelt_out_to_its_last_digit(name: str) -> None:
    """`0.011764705882352941` was `0.1 * 2 / 17`; the square root of a whole number, and 1 over it, have no end."""
    found = map(float, re.findall(r"\d+\.\d{8,}", source(name)))
    assert [x for x in found if min(abs(square - round(square)) for square in (x**2, x**-2)) > 1e-9] == []


@networks
def test_nothing_is_written_that_says_nothing(name: str) -> None:
    text = source(name)
    assert not re.search(r"^ *(\w+) = \1$", text, re.MULTILINE)
    assert not re.search(r"# \[\]$|^ *#\s*$", text, re.MULTILINE)
    assert not re.search(r"^\s*_ = |, _ = ", text, re.MULTILINE)
    assert not re.search(r"\b0 or |\bNone or ", text)


def test_all_sources_are_formatted_and_clean(tmp_path: Path) -> None:
    for name in every_network():
        (tmp_path / f"{name.replace(':', '_')}.py").write_text(source(name))
    for command in (["format", "--check", "--diff"], ["check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_mypy_passes_all_sources(tmp_path: Path) -> None:
    files = []
    for name in every_network():
        files.append(tmp_path / f"{re.sub(r'[^a-z0-9]', '_', name)}.py")
        files[-1].write_text(source(name))
    command = [sys.executable, "-m", "mypy", "--config-file=", "--follow-imports=silent", "--no-incremental"]
    done = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


SHARES = {
    "alexnet": ("alexnet", 0.85),
    "convnext:convnext_tiny": ("convnext", 0.45),
    "densenet:densenet121": ("densenet", 0.4),
    "efficientnet:efficientnet_b0": ("efficientnet", 0.25),
    "googlenet:googlenet": ("googlenet", 0.75),
    "mobilenet_v2": ("mobilenetv2", 0.6),
    "resnet:resnet50": ("resnet", 0.2),
    "squeezenet:squeezenet1_1": ("squeezenet", 0.5),
    "vgg:vgg16": ("vgg", 0.3),
}
"""How long a file may be beside torchvision's, which holds the whole family, its documentation aside."""


@pytest.mark.parametrize("name", SHARES)
def test_a_file_is_shorter_than_torchvisions(name: str, torchvision: ModuleType) -> None:
    module, share = SHARES[name]
    theirs = inspect.getsource(sys.modules[f"{torchvision.__name__}.models.{module}"])
    assert code_lines(source(name)) <= share * code_lines(theirs)


@pytest.mark.parametrize(
    "name",
    [
        *("resnet:resnet18", "resnet:resnet152", "mobilenet_v2", "efficientnet:efficientnet_b0", "vgg:vgg16_bn"),
        *("efficientnet:efficientnet_b4", "convnext:convnext_small", "senet:senet154", "cbam:cbam_resnet50", "unet"),
    ],
)
def test_a_block_is_one_class(name: str) -> None:
    """Where each unit differs only in numbers, in what it skips, or in whether it adds its input."""
    assert [title for title in classes(name) if re.search(r"[A-Za-z]\d$", title) and title[:-1] in classes(name)] == []


def test_copies_that_differ_by_their_number_are_a_loop() -> None:
    stages = ast.unparse(classes("convnext:convnext_tiny")["Stages"])
    assert "ConvnextBlock(width, drop_path=0.1 * (before + i) / 17) for i in range(depth)" in stages
    assert "(DenseLayer(64 + 32 * i) for i in range(6))" in source("densenet:densenet121")


def test_only_what_is_read_in_training_is_given_out() -> None:
    """Of GoogLeNet's three stages the second alone has outputs that the auxiliary heads read."""
    given = {
        name: ast.unparse(method.returns)
        for name, node in classes("googlenet:googlenet").items()
        for method in node.body
        if isinstance(method, ast.FunctionDef) and method.name == "forward" and method.returns
    }
    several = [name for name, result in given.items() if result.startswith("tuple")]
    assert several == ["Stage2"]


HEAD = "graphc: 1\nname: style\ndims: {N: 2, H: 8, W: 8}\ninputs: {image: [N, 4, H, W]}\n"
WIRED = {
    "an addition that some skip": (
        "blocks:\n  unit:\n    params: {c: int, s: 1}\n    inputs: {features: [N, C, H, W]}\n    graph:\n"
        "      - conv2d: {out_channels: c, kernel_size: 3, padding: 1, stride: s}\n"
        "      - add:\n        from: [x, features]\n        when: s == 1 and C == c\n"
        "graph:\n  - unit: {c: c}\n    for: {c: [4, 6, 6]}\n  - unit: {c: 6, s: 2}\n  - unit: 6\n"
    ),
    "an addition whose value stands second": (
        "blocks:\n  unit:\n    params: {on: true}\n    inputs: {features: [N, C, H, W]}\n    graph:\n"
        "      - conv2d: {out_channels: C, kernel_size: 1}\n"
        "      - subtract:\n        from: [features, x]\n        when: on\n      - relu\n"
        "graph: [unit, {unit: false}, unit]\n"
    ),
    "the input where the sum is skipped": (
        "blocks:\n  unit:\n    params: {on: true}\n    inputs: {features: [N, C, H, W]}\n    graph:\n"
        "      - conv2d: {out_channels: C, kernel_size: 1}\n        id: conv\n"
        "      - add:\n        from: [conv, features]\n        when: on\n        id: sum\n"
        "      - conv2d: {out_channels: C, kernel_size: 1}\n"
        "      - multiply:\n        from: [x, conv]\n        when: not on\n"
        "graph: [unit, {unit: false}, unit]\n"
    ),
    "copies that grow": (
        "blocks:\n  more:\n    params: {g: int}\n    graph:\n      - concat:\n        from:\n          old: x\n"
        "          new: {conv2d: {out_channels: g, kernel_size: 1}}\n"
        "graph:\n  - do:\n      - conv2d: {out_channels: w, kernel_size: 1}\n      - more: g\n        repeat: n\n"
        "    for: {w: [4, 8, 8], n: [3, 5, 4], g: [2, 2, 2]}\n"
    ),
    "copies by their number": (
        "graph:\n  - do:\n      - do: [{conv2d: {out_channels: w * (i + 1), kernel_size: 1}}, {dropout: p * i / 10}]\n"
        "        for: {i: range(n)}\n        id: unit\n    for: {w: [4, 6], n: [4, 3], p: [0.1, 0.3]}\n    id: stage\n"
    ),
    "one copy that is read alone": (
        "graph:\n  - do:\n      - conv2d: {out_channels: w, kernel_size: 1}\n        repeat: n\n        id: unit\n"
        "      - relu\n"
        "    for: {w: [4, 6, 8], n: [2, 4, 2]}\n    id: stage\n"
        "  - conv2d: {out_channels: 6, kernel_size: 1}\n  - add:\n    from: [x, stage.1.unit.2]\n"
    ),
}


@pytest.mark.parametrize("case", WIRED)
def test_what_is_written_shorter_gives_the_same_values(case: str, tmp_path: Path) -> None:
    spec = tmp_path / "style.yaml"
    spec.write_text(HEAD + WIRED[case])
    torch.manual_seed(0)
    check_values(graph := compile(str(spec)), graph.examples())
