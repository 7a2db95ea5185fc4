"""The Python API as a user meets it: what `graphc.compile` takes and tells, and what a graph can become."""

from __future__ import annotations

import re
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from runpy import run_path
from textwrap import dedent
from types import MappingProxyType

import numpy as np
import onnx
import pytest
import torch
from onnxruntime import InferenceSession
from torch import nn

import graphc
from graphc.api import Setting
from graphc.backends import Backend, BackendError, Backends
from graphc.compiler import compile as compile_address
from graphc.output import OutputError
from graphc.summary.table import COLUMNS

TOP = Path(__file__).parents[1]
FENCE = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TINY = """\
graphc: 1
name: tiny
params: {channels: 4}
dims: {N: 1, H: {min: 3, example: 8}, W: 8}
inputs: {image: [N, 3, H, W]}
graph:
  - conv2d: {out_channels: channels, kernel_size: 3}
    id: conv
outputs: {features: conv}
"""
LOOSE = TINY.replace("outputs:", "  - relu:\n    id: lost\noutputs:")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(TINY)
    return tmp_path


@pytest.fixture
def tiny() -> graphc.Graph:
    return graphc.compile(text=TINY)


# --- the module


def test_the_public_names_are_few_and_there() -> None:
    assert dir(graphc) == ["Graph", "SpecError", "SpecWarning", "__version__", "compile"]
    assert all(getattr(graphc, name) for name in dir(graphc))
    with pytest.raises(AttributeError, match="no attribute `compil`"):
        _ = graphc.__getattribute__("compil")


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import graphc", {"torch", "onnx", "pydantic", "networkx", "yaml", "numpy", "graphc.graph"}),
        ("import graphc; graphc.compile('unet').summary()._repr_html_()", {"torch", "onnx", "numpy", "pygraphviz"}),
        ("import graphc; graphc.compile('unet').draw(depth=1)", {"torch", "onnx"}),
        ("import graphc; graphc.compile('unet').source()", {"torch", "onnx"}),
    ],
)
def test_what_is_heavy_is_loaded_when_it_is_needed(code: str, absent: set[str]) -> None:
    command = [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "graphc" in loaded
    assert not absent & set(loaded)


# --- compile


def test_a_spec_is_named_as_on_the_command_line(folder: Path) -> None:
    for address in ("tiny.yaml", Path("tiny.yaml"), folder / "tiny.yaml"):
        assert repr(graphc.compile(address)) == "<graph tiny: image [N, 3, H, W] → features [N, 4, H - 2, W - 2]>"
    assert graphc.compile("resnet:resnet18").name == "resnet18"


def test_a_text_is_the_spec_of_the_same_file(folder: Path) -> None:
    text, file = graphc.compile(text=TINY), graphc.compile("tiny.yaml")
    assert text.digest == file.digest
    assert text.source().replace("<text>", "tiny.yaml") == file.source()


def test_it_is_either_an_address_or_a_text() -> None:
    call: Callable[..., graphc.Graph] = graphc.compile
    with pytest.raises(TypeError, match="an address or a text"):
        call()
    with pytest.raises(TypeError, match="an address or a text"):
        call("unet", text="")


@pytest.mark.parametrize(
    ("address", "values", "wanted"),
    [
        ("resnet18", {"classes": 10}, 11_689_512 - 990 * 513),
        # reference.yaml: plain-34; and the parameters of ResNet-18
        ("resnet:resnet34", {"block": "plain_block"}, 21_623_848),
        ("resnet:resnet50", {"layers": [2, 2, 2, 2], "block": "basic_block"}, 11_689_512),
        ("unet", {"width": "8*8"}, 31_030_658),
        # torchvision's GoogLeNet; a norm's ε changes no count
        ("googlenet", {"lrn": False, "conv": {"conv_bn_relu": {"norm": {"batch_norm": {"eps": 1e-5}}}}}, 6_624_904),
    ],
)
def test_values_are_what_set_takes(address: str, values: dict[str, Setting], wanted: int) -> None:
    graph = graphc.compile(address, set=values)
    assert graph.summary().totals.params == wanted


def test_sizes_are_examples_and_set_fixes_them() -> None:
    assert graphc.compile(text=TINY, size={"H": 5}).examples() == {"N": 1, "H": 5, "W": 8}
    assert str(graphc.compile(text=TINY, set={"H": 5}).outputs["features"].type) == "[N, 4, 3, W - 2]"


@pytest.mark.parametrize(
    ("values", "sizes", "code", "said"),
    [
        ({"chanels": 8}, {}, "E402", "did you mean `channels`?"),
        ({"channels": "wide"}, {}, "E302", "`wide` is not a name"),
        ({"channels": 1.5}, {}, "E404", "whole number"),
        ({}, {"H": 2}, "E404", "at least 3"),
        ({}, {"K": 2}, "E402", "it has N, H and W"),
    ],
)
def test_a_wrong_setting_is_found(values: dict[str, float | str], sizes: dict[str, int], code: str, said: str) -> None:
    with pytest.raises(graphc.SpecError) as raised:
        graphc.compile(text=TINY, set=values, size=sizes)
    (found,) = raised.value.diagnostics
    assert found.code == code
    assert found.span.file == ("set" if values else "size")
    assert said in found.message + found.hint


@pytest.mark.parametrize("value", [{1, 2}, float("inf"), object()])
def test_what_no_parameter_can_be_is_a_type_error(value: object) -> None:
    call: Callable[..., graphc.Graph] = graphc.compile
    with pytest.raises(TypeError, match="`channels` can't be set to"):
        call(text=TINY, set={"channels": value})


def test_a_traceback_shows_the_line_and_the_hint_and_nothing_of_the_inside() -> None:
    with pytest.raises(graphc.SpecError) as raised:
        graphc.compile(text=TINY.replace("conv2d", "conv2e"))
    shown = "".join(traceback.format_exception(raised.value))
    assert shown.endswith(
        dedent(
            """\
            graphc.diagnostics.SpecError: <text>:7:5: error E401: no op or block `conv2e`
             7 |   - conv2e: {out_channels: channels, kernel_size: 3}
               |     ^^^^^^
              hint: did you mean `conv2d`?
            """
        )
    )
    assert "elaborate" not in shown


def test_what_is_worth_a_look_is_a_warning_at_the_callers_line() -> None:
    with pytest.warns(graphc.SpecWarning, match="W101: `lost` reaches no output") as caught:
        graphc.compile(text=LOOSE)
    assert [warning.filename for warning in caught] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        graphc.compile(text=TINY)


# --- what a graph can become


def test_module_source_and_onnx_are_one_network(tiny: graphc.Graph, tmp_path: Path) -> None:
    module = tiny.module(seed=3)
    assert isinstance(module, nn.Module)
    assert module.training
    image = torch.randn(2, 3, 9, 7, generator=torch.Generator().manual_seed(0))
    model = tiny.onnx(seed=3)
    assert isinstance(model, onnx.ModelProto)
    (given,) = InferenceSession(model.SerializeToString()).run(None, {"image": image.numpy()})
    assert np.abs(given - module(image).detach().numpy()).max() < 1e-5
    (tmp_path / "tiny.py").write_text(tiny.source(), "utf-8")
    written: nn.Module = run_path(str(tmp_path / "tiny.py"))["Tiny"]()
    written.load_state_dict(module.state_dict())
    assert torch.equal(written(image), module(image))


def test_seeds_differ_and_are_kept(tiny: graphc.Graph) -> None:
    first, again, other = (tiny.module(seed=seed).state_dict()["conv.weight"] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_onnx_writes_the_same_model(tiny: graphc.Graph, tmp_path: Path) -> None:
    tiny.onnx(tmp_path / "new" / "tiny.onnx", seed=2)
    assert onnx.load(tmp_path / "new" / "tiny.onnx") == tiny.onnx(seed=2)
    assert tiny.onnx(opset=20).opset_import[0].version == 20


def test_draw_gives_the_svg_that_it_writes_and_that_notebooks_show(tiny: graphc.Graph, tmp_path: Path) -> None:
    tiny.draw(tmp_path / "tiny.svg")
    tiny.draw(str(tmp_path / "tiny.png"))
    assert (tmp_path / "tiny.svg").read_text("utf-8") == tiny.draw() == tiny._repr_svg_()
    assert "</svg>" in tiny.draw()
    assert (tmp_path / "tiny.png").read_bytes().startswith(b"\x89PNG")


def test_draw_opens_blocks_to_the_depth() -> None:
    graph = graphc.compile("resnet18")
    assert len(graph.draw(depth=1)) < len(graph.draw(depth=3))


def test_each_method_writes_only_its_own_kind(tiny: graphc.Graph, tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"`\.py` is none of the suffixes \.dot, \.mmd, \.pdf, \.png and \.svg"):
        tiny.draw(tmp_path / "tiny.py")
    with pytest.raises(BackendError, match=r"`\.svg` is none of the suffixes \.onnx"):
        tiny.onnx(tmp_path / "tiny.svg")
    (tmp_path / "folder.svg").mkdir()
    with pytest.raises(OutputError, match="it is a folder"):
        tiny.draw(tmp_path / "folder.svg")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.svg"]


def test_a_notebook_without_a_drawing_backend_shows_the_text(
    tiny: graphc.Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graphc.made.backends", lambda: Backends({}))
    assert tiny._repr_svg_() is None
    with pytest.raises(BackendError, match="suffixes none"):
        tiny.source()


def test_a_backend_that_only_writes_files_says_so(tiny: graphc.Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    class Writer:
        SUFFIXES: Mapping[str, str] = MappingProxyType({".py": "something else"})

        def write(self, graph: graphc.Graph, path: Path, **options: object) -> None:
            raise NotImplementedError

    backend: Backend = Writer()
    monkeypatch.setattr("graphc.made.backends", lambda: Backends({".py": backend}))
    with pytest.raises(BackendError, match=r"the backend that writes \.py makes no module"):
        tiny.module()


def test_diff_tells_how_a_graph_becomes_another(tiny: graphc.Graph) -> None:
    made = tiny.diff(graphc.compile(text=TINY, set={"channels": 8}))
    assert made
    assert not made.same
    assert [edit.text for edit in made.edits] == ["`conv` (conv2d): 4 → 8 out channels"]
    assert str(made) == made.text()
    assert made.sentence.replace("`", "") in made.text()
    assert repr(made) == "<diff before → after: 1 edit>"
    assert not tiny.diff(graphc.compile(text=TINY))


def test_nothing_that_is_made_changes_the_graph(tiny: graphc.Graph) -> None:
    before = tiny.onnx().SerializeToString(deterministic=True), tiny.source(), tiny.draw(), str(tiny.summary())
    after = tiny.onnx().SerializeToString(deterministic=True), tiny.source(), tiny.draw(), str(tiny.summary())
    assert before == after


def test_the_compiler_that_the_commands_use_gives_the_same_graph() -> None:
    assert graphc.compile("resnet18").source() == compile_address("resnet18").source()


# --- the document


def pages() -> Iterator[tuple[str, str]]:
    """The examples of docs/python.md, each with the output that is said to follow."""
    found = FENCE.findall((TOP / "docs" / "python.md").read_text(encoding="utf-8"))
    for (language, code), (following, output) in zip(found, [*found[1:], ("", "")], strict=True):
        if language == "python":
            yield code, output if following == "text" else ""


@pytest.mark.usefixtures("folder")
def test_the_examples_of_the_document_run_and_print_what_it_says() -> None:
    examples = list(pages())
    assert len(examples) == 12
    program = "print(end='\\0')\n".join(code for code, _ in examples)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout.split("\0"), done.stderr) == ([output for _, output in examples], "")
    assert {path.name for path in Path().iterdir()} == {"tiny.yaml", "resnet18.onnx", "resnet18.png"}


@pytest.mark.usefixtures("folder")
def test_the_example_in_the_readme_runs() -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", (TOP / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (
        str(graphc.compile("resnet50", set={"classes": 10}, size={"H": 64, "W": 64}).summary()) + "\n",
        "",
    )


def test_the_document_names_every_method_and_column() -> None:
    text = (TOP / "docs" / "python.md").read_text(encoding="utf-8")
    methods = [
        name for name in ("module", "source", "onnx", "draw", "summary", "verify") if f"graph.{name}(" not in text
    ]
    assert (methods, [name for name in COLUMNS if f"`{name}`" not in text]) == ([], [])
