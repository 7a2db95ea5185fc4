"""Ops that other packages bring: the small package in tests/plugin, built and installed, and broken ones."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import jsonschema
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
import yaml
from onnx import numpy_helper

import graphc_onnx.lowerings
import graphc_torch.lowerings
from graphc.ops import OPS, Op

TOP = Path(__file__).parents[1]
PLUGIN = TOP / "tests" / "plugin"

SPEC = """\
graphc: 1
name: scaled
dims: {N: 2, H: 5, W: 7}
inputs: {image: [N, 3, H, W]}
graph:
  - layer_scale:
    id: small
  - layer_scale: {init: 0.5}
    id: large
    from: image
outputs: {small: small, large: large}
"""
OWN = SPEC.replace("layer_scale: {init: 0.5}", "relu:").replace("layer_scale", "tanh")
Graphc = Callable[..., subprocess.CompletedProcess[str]]

OP = """\
from graphc.ops.base import Pointwise

class Scale(Pointwise):
    name = "layer_scale"
    init: float = 1.0
"""
LOWERING = """\
from broken.op import Scale
from graphc_torch.layer import Call, Layer, lower

@lower.register
def _(op: Scale, input: object) -> Layer:
    return Layer(function=Call("torch.relu"))
"""
IN_ONNX = """\
from broken.op import Scale
from graphc_onnx.lowerings import lower

@lower.register
def _(op: Scale, to: object, input: object) -> None:
    to.emit("Relu", input)
"""


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the package is installed: its wheel, which is all that pip would unpack.

    The environment that `make test` makes has no pip, but setuptools, which torch requires; it needs no network.
    """
    source = copytree(PLUGIN, tmp_path_factory.mktemp("source") / "plugin")
    command = [sys.executable, "-c", "from setuptools import build_meta; build_meta.build_wheel('.')"]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (wheel,) = source.glob("*.whl")
    site = tmp_path_factory.mktemp("site")
    zipfile.ZipFile(wheel).extractall(site)
    return site


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory with the spec."""
    (tmp_path / "net.yaml").write_text(SPEC)
    return tmp_path


@pytest.fixture
def graphc(folder: Path) -> Graphc:
    """Runs a command line there, in a process that finds the packages of a folder."""

    def run(site: Path | None, *arguments: str) -> subprocess.CompletedProcess[str]:
        return python(folder, site, "-m", "graphc", *arguments)

    return run


def python(folder: Path, site: Path | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | ({"PYTHONPATH": str(site)} if site else {})
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def install(site: Path, package: str, points: dict[str, str], modules: dict[str, str]) -> None:
    """A package as pip would leave it: modules by name, entry points as `group/name` with their values."""
    (site / package).mkdir(parents=True)
    (site / package / "__init__.py").write_text("")
    for name, code in modules.items():
        (site / package / f"{name}.py").write_text(code)
    info = site / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    written = (f"[{group}]\n{name} = {value}\n" for (group, name), value in map(_split, points.items()))
    (info / "entry_points.txt").write_text("\n".join(written))


def _split(point: tuple[str, str]) -> tuple[list[str], str]:
    return point[0].split("/"), point[1]


# --- the package at work


def test_check_counts_what_the_op_owns(plugin: Path, graphc: Graphc) -> None:
    """Two factors for each of 3 channels."""
    run = graphc(plugin, "check", "net.yaml")
    assert (run.returncode, run.stderr) == (0, "")
    assert re.search(r"^parameters +6$", run.stdout, re.MULTILINE)
    assert re.search(r"^output large +\[N, 3, H, W\]", run.stdout, re.MULTILINE)


def test_check_loads_neither_lowering(plugin: Path, folder: Path) -> None:
    code = "import sys; from graphc.compiler import compile; compile('net.yaml'); print(*sys.modules)"
    loaded = python(folder, plugin, "-c", code).stdout.split()
    assert "layer_scale.op" in loaded
    assert not {"torch", "onnx", "layer_scale.to_torch", "layer_scale.to_onnx"} & set(loaded)


def test_a_spec_of_graphcs_own_ops_asks_for_no_package(plugin: Path, folder: Path) -> None:
    code = (
        "import sys; from graphc import packages; from graphc.compiler import compile; compile('unet');"
        "print(packages._found.cache_info().currsize, *sys.modules)"
    )
    asked, *loaded = python(folder, plugin, "-c", code).stdout.split()
    assert asked == "0"
    assert not [name for name in loaded if name.startswith("layer_scale")]


def test_torch_and_onnx_runtime_compute_the_formula(plugin: Path, folder: Path, graphc: Graphc) -> None:
    """factor of the channel · x, each channel with a factor of its own."""
    run = graphc(plugin, "build", "net.yaml", "-o", "net.py", "-o", "net.onnx", "-o", "net.svg")
    assert (run.returncode, run.stderr) == (0, "")
    assert re.search(r">[^<]*layer_scale 0\.5<", (folder / "net.svg").read_text())

    random = np.random.default_rng(0)
    image = random.normal(size=(2, 3, 8, 4)).astype(np.float32)
    weights = {path: random.normal(size=(3, 1, 1, 1)).astype(np.float32) for path in ("small.weight", "large.weight")}
    wanted = [weight.reshape(3, 1, 1) * image for weight in weights.values()]

    module = runpy.run_path(str(folder / "net.py"))["Scaled"]()
    module.load_state_dict({path: torch.from_numpy(weight) for path, weight in weights.items()})
    in_torch = [value.numpy(force=True) for value in module(torch.from_numpy(image))]
    model = onnx.load(folder / "net.onnx")
    for held in model.graph.initializer:
        if held.name in weights:
            held.CopyFrom(numpy_helper.from_array(weights[held.name], held.name))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    in_onnx = session.run(["small", "large"], {"image": image})
    for formula, *others in zip(wanted, in_torch, in_onnx, strict=True):
        for other in others:
            np.testing.assert_allclose(other, formula, rtol=1e-5, atol=1e-5)


def test_both_backends_begin_with_the_ops_own_values(plugin: Path, folder: Path, graphc: Graphc) -> None:
    assert graphc(plugin, "build", "net.yaml", "-o", "net.onnx").returncode == 0
    held = {it.name: numpy_helper.to_array(it) for it in onnx.load(folder / "net.onnx").graph.initializer}
    code = (
        "import graphc_torch; from graphc.compiler import compile;"
        "print({k: v.flatten().tolist() for k, v in graphc_torch.module(compile('net.yaml')).state_dict().items()})"
    )
    live = yaml.safe_load(python(folder, plugin, "-c", code).stdout)
    for path, value in {"small.weight": 1e-5, "large.weight": 0.5}.items():
        np.testing.assert_array_equal(held[path].flatten(), np.full(3, value, np.float32))
        np.testing.assert_array_equal(np.float32(live[path]), held[path].flatten())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("{init: 0}", "net.yaml:8:25: error E404: init should be greater than 0, got 0"),
        ("{int: 0.5}", "net.yaml:8:19: error E402: `layer_scale` has no attribute `int`"),
        ("{init: H}", "net.yaml:8:25: error E404: init: the size H is free"),
    ],
)
def test_a_wrong_attribute_is_an_error_at_its_place(
    plugin: Path, folder: Path, graphc: Graphc, wrong: str, message: str
) -> None:
    (folder / "net.yaml").write_text(SPEC.replace("{init: 0.5}", wrong))
    run = graphc(plugin, "check", "net.yaml")
    assert run.returncode == 1
    assert run.stderr.startswith(message)


def test_what_the_op_requires_is_said_with_who_gives_the_operand(plugin: Path, folder: Path, graphc: Graphc) -> None:
    (folder / "net.yaml").write_text(SPEC.replace("[N, 3, H, W]", "[N, 3, H]").replace(", W: 7", ""))
    run = graphc(plugin, "check", "net.yaml")
    assert run.returncode == 1
    assert "net.yaml:6:5: error E501: layer_scale: needs a value with 4 axes, got [N, 3, H] with 3" in run.stderr


def test_the_schema_knows_the_op(plugin: Path, graphc: Graphc) -> None:
    written = json.loads(graphc(plugin, "schema").stdout)
    definition = written["$defs"]["call.layer_scale"]
    assert definition["properties"]["init"]["default"] == 1e-5
    assert definition["description"].startswith("A learned factor for each channel")
    judge = jsonschema.Draft202012Validator(written)
    assert judge.is_valid(yaml.safe_load(SPEC))
    assert not judge.is_valid(yaml.safe_load(SPEC.replace("init: 0.5", "init: []")))


def test_without_the_package_there_is_no_such_op(graphc: Graphc) -> None:
    run = graphc(None, "check", "net.yaml")
    assert run.returncode == 1
    assert run.stderr.startswith("net.yaml:6:5: error E401: no op or block `layer_scale`")


def test_a_misspelt_op_of_a_package_is_guessed(plugin: Path, folder: Path, graphc: Graphc) -> None:
    (folder / "net.yaml").write_text(SPEC.replace("layer_scale", "layer_scael"))
    assert "did you mean `layer_scale`?" in graphc(plugin, "check", "net.yaml").stderr


# --- broken packages


def refused(site: Path, graphc: Graphc, *arguments: str) -> str:
    """The one line with which a command ends."""
    run = graphc(site, *arguments)
    assert (run.returncode, run.stdout) == (2, "")
    (line,) = run.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    ("name", "code", "why"),
    [
        (
            "layer_scale",
            "import a_module_that_is_missing",
            "but can't be loaded: ModuleNotFoundError: No module named 'a_module_that_is_missing'",
        ),
        ("layer_scale", "class", "but can't be loaded: SyntaxError: invalid syntax (op.py, line 1)"),
        (
            "layer_scale",
            OP.replace("Pointwise):", "BaseModel):"),
            "but can't be loaded: NameError: name 'BaseModel'",
        ),
        ("layer_scale", "", "but `broken.op` defines none of that name"),
        (
            "layer_scale",
            OP.replace("base import Pointwise", "activation import Relu as Pointwise"),
            "but derives it from another op, Relu",
        ),
        ("layer-scale", OP, "but that name is no identifier"),
        ("class", OP, "but that name is no identifier"),
        ("relu", OP, "which graphc has itself; uninstall it, or have its op renamed"),
    ],
)
def test_a_broken_op_is_one_line_that_names_the_package(
    tmp_path: Path, graphc: Graphc, name: str, code: str, why: str
) -> None:
    install(tmp_path / "site", "broken", {f"graphc.ops/{name}": "broken.op"}, {"op": code})
    line = refused(tmp_path / "site", graphc, "check", "net.yaml")
    assert line.startswith(f"Error: the package `broken` brings the op `{name}`, {why}")


@pytest.mark.parametrize(("name", "code"), [("layer_scale", "import missing"), ("relu", OP), ("layer-scale", OP)])
def test_a_spec_that_needs_no_package_is_none_the_worse(
    tmp_path: Path, folder: Path, graphc: Graphc, name: str, code: str
) -> None:
    """An op of graphc's name is never taken: that of graphc has no parameters."""
    install(tmp_path / "site", "broken", {f"graphc.ops/{name}": "broken.op"}, {"op": code})
    (folder / "net.yaml").write_text(OWN)
    run = graphc(tmp_path / "site", "check", "net.yaml")
    assert (run.returncode, run.stderr) == (0, "")


def test_two_packages_with_one_op_are_both_named(tmp_path: Path, graphc: Graphc) -> None:
    for package in ("first", "second"):
        install(tmp_path / "site", package, {"graphc.ops/layer_scale": f"{package}.op"}, {"op": OP})
    line = refused(tmp_path / "site", graphc, "check", "net.yaml")
    assert line == "Error: two packages, `first` and `second`, bring the op `layer_scale`; uninstall one"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import missing", "but can't be loaded: ModuleNotFoundError: No module named 'missing'"),
        (
            LOWERING.replace("broken.op import", "graphc.ops.activation import Relu as"),
            "but replaces that of Relu in `graphc_torch.lowerings.activation`; uninstall one",
        ),
    ],
)
def test_a_broken_lowering_is_one_line_where_it_is_needed(
    tmp_path: Path, folder: Path, graphc: Graphc, code: str, why: str
) -> None:
    points = {"graphc.ops/layer_scale": "broken.op", "graphc.lowerings.torch/layer_scale": "broken.to_torch"}
    install(tmp_path / "site", "broken", points, {"op": OP, "to_torch": code})
    assert graphc(tmp_path / "site", "check", "net.yaml").returncode == 0
    line = refused(tmp_path / "site", graphc, "build", "net.yaml", "-o", "net.py")
    assert line == f"Error: the package `broken` brings the torch lowering of `layer_scale`, {why}"
    assert not (folder / "net.py").exists()


@pytest.mark.parametrize(("suffix", "missing"), [(".py", "torch"), (".onnx", "onnx")])
def test_an_op_without_a_lowering_is_told_at_its_step(
    tmp_path: Path, folder: Path, graphc: Graphc, suffix: str, missing: str
) -> None:
    """The other backend still writes it."""
    points = {
        "graphc.ops/layer_scale": "broken.op",
        "graphc.lowerings.torch/layer_scale": "broken.to_torch",
        "graphc.lowerings.onnx/layer_scale": "broken.to_onnx",
    }
    del points[f"graphc.lowerings.{missing}/layer_scale"]
    modules = {"op": OP, "to_torch": LOWERING, "to_onnx": IN_ONNX}
    install(tmp_path / "site", "broken", points, modules)
    run = graphc(tmp_path / "site", "build", "net.yaml", "-o", f"net{suffix}")
    assert run.returncode == 1
    assert run.stderr.startswith("net.yaml:6:5: error E901:")
    assert not (folder / f"net{suffix}").exists()
    other = {".py": "net.onnx", ".onnx": "net.py"}[suffix]
    assert graphc(tmp_path / "site", "build", "net.yaml", "-o", other).returncode == 0


def test_no_op_of_graphcs_own_is_left_to_packages() -> None:
    in_torch, in_onnx = graphc_torch.layer.lower, graphc_onnx.lowerings.lower
    for op in OPS.values():
        assert in_torch.dispatch(op) is not in_torch.dispatch(Op), op
        assert in_onnx.dispatch(op) is not in_onnx.dispatch(Op), op


# --- what is said about it


def test_own_blocks_need_no_package(folder: Path, graphc: Graphc) -> None:
    """3·64 + 64 parameters: a convolution of one pixel."""
    conv = "{conv2d: {out_channels: $width, kernel_size: 1}}"
    block = f"blocks: {{residual: {{params: {{width: int}}, graph: [{conv}, relu]}}}}\n"
    (folder / "blocks").mkdir()
    (folder / "blocks" / "mine.yaml").write_text(f"graphc: 1\nname: mine\n{block}")
    spec = SPEC.partition("graph:\n")[0] + "graph: [{mine.residual: {width: 64}, id: block}]\noutputs: {out: block}\n"
    (folder / "net.yaml").write_text(spec.replace("name: scaled\n", "name: net\nuse: {mine: blocks/mine.yaml}\n"))
    run = graphc(None, "check", "net.yaml")
    assert (run.returncode, run.stderr) == (0, "")
    assert re.search(r"^parameters +256$", run.stdout, re.MULTILINE)


def test_the_page_shows_the_package_as_it_is() -> None:
    page = (TOP / "docs" / "own_ops.md").read_text(encoding="utf-8")
    shown = re.findall(r"^`([^`\n]+)`:\n\n```\w+\n(.*?)```", page, re.DOTALL | re.MULTILINE)
    files = ("pyproject.toml", "layer_scale/op.py", "layer_scale/to_torch.py", "layer_scale/to_onnx.py")
    assert [name for name, _ in shown] == list(files)
    for name, code in shown:
        assert code == (PLUGIN / name).read_text(encoding="utf-8"), name
