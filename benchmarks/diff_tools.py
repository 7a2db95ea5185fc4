"""What `graphc diff`, onnx-diff and diffonnx say of the same pairs of ONNX files.

    python benchmarks/diff_tools.py --python SCRATCH/bin/python [--python OTHER/bin/python]

Each interpreter is that of an environment in which onnx-diff, diffonnx or both are installed. Of those the verdict
and how many nodes and weights of either file they match are shown, of graphc the sentence.
"""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from argparse import ArgumentParser
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import onnx
import torch

import graphc

TOOLS = {"onnxdiff": "onnx-diff", "diffonnx": "diffonnx"}
"""The tools' commands, and what the packages are called."""
WIDENED = "stage.1.unit.1.residual.conv1.conv"
PATIENCE = 540


def renamed(source: Path, target: Path) -> None:
    """The same file with other names for all nodes, values and weights."""
    made = onnx.load(source)
    names: dict[str, str] = {}

    def other(name: str) -> str:
        return name and names.setdefault(name, f"v{len(names)}")

    for number, node in enumerate(made.graph.node):
        node.name = f"op{number}"
        node.input[:] = map(other, node.input)
        node.output[:] = map(other, node.output)
        del node.metadata_props[:]
        node.doc_string = ""
    for held in (*made.graph.initializer, *made.graph.input, *made.graph.output, *made.graph.value_info):
        held.name = other(held.name)
    onnx.save(made, target)


def widened(path: Path) -> None:
    """resnet18 with twice the channels behind the first convolution of one block."""
    from random import Random

    from diffing import Editing, with_attribute

    editing = Editing(graphc.compile("resnet18"), Random(0))
    draft = next(it for it in editing.drafts if it.model.path == WIDENED)
    draft.op = with_attribute(draft.op, "out_channels", 2 * draft.type[""].channels)
    editing.made()[0].onnx(path)


def from_torch(path: Path) -> None:
    """torchvision's resnet50 as torch's exporter writes it; with numbers of its batch norms that are not 0 or 1."""
    import oracle

    torch.manual_seed(0)
    network = oracle.torchvision().models.resnet50().eval()
    for tensor in (*network.parameters(), *network.buffers()):
        if tensor.is_floating_point():
            tensor.data.uniform_(0.5, 1.5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = torch.zeros(1, 3, 224, 224)
        torch.onnx.export(
            network, (image,), path, dynamo=False, input_names=["image"], dynamic_axes={"image": {0: "N"}}
        )


def pairs(folder: Path) -> Iterator[tuple[str, Path, Path]]:
    """What is compared, and the two files."""
    specs = {"resnet18": {}, "resnet34": {}, "resnet50": {}, "ten": {"classes": 10}}
    files = {name: folder / f"{name}.onnx" for name in (*specs, "renamed", "widened", "torch")}
    for name, settings in specs.items():
        graphc.compile("resnet18" if settings else name, set=settings).onnx(files[name])
    renamed(files["resnet18"], files["renamed"])
    widened(files["widened"])
    from_torch(files["torch"])
    yield "resnet18, all renamed", files["resnet18"], files["renamed"]
    yield "resnet18, 10 classes", files["resnet18"], files["ten"]
    yield "resnet18, one convolution widened", files["resnet18"], files["widened"]
    yield "resnet18, resnet34", files["resnet18"], files["resnet34"]
    yield "resnet50, torch's resnet50", files["resnet50"], files["torch"]


def output(command: list[str]) -> tuple[str, float]:
    """What a command prints, and how many seconds it takes."""
    start = perf_counter()
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return "nothing: ran too long", perf_counter() - start
    return done.stdout or done.stderr.strip().rpartition("\n")[2], perf_counter() - start


def by_other(text: str) -> str:
    """The verdict of one of the two tools, and the nodes and weights that it matched of either file."""
    verdict = re.search(r"(Exact Match|Difference Detected|Different|.*Match)[^\n]*", text)
    counts = {}
    for field in ("Nodes", "Initializers"):
        row = re.search(rf"Graph\.{field}\W+(\d+/\d+)\W+(\d+/\d+)", text)
        counts[field] = f"{row[1]} and {row[2]}" if row else "?"
    said = verdict[0].strip() if verdict else text.strip().splitlines()[0]
    return f"{said}; nodes {counts['Nodes']}, weights {counts['Initializers']}"


def by_graphc(text: str) -> str:
    return text.splitlines()[1]


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    parser = ArgumentParser()
    parser.add_argument("--python", type=Path, action="append", default=[], help="of an environment with the tools")
    found = [
        path.parent / tool for path in parser.parse_args().python for tool in TOOLS if (path.parent / tool).exists()
    ]
    for tool in found:
        asked = f"from importlib.metadata import version; print(version('{TOOLS[tool.name]}'))"
        print(f"{TOOLS[tool.name]} {output([str(tool.parent / 'python'), '-c', asked])[0].strip()}")
    print(f"graphc {version('graphc')}\n")
    with TemporaryDirectory() as folder:
        for name, before, after in pairs(Path(folder)):
            print(f"{name}", flush=True)
            for tool in found:
                text, seconds = output([str(tool), str(before), str(after)])
                print(f"  {TOOLS[tool.name]:10} {seconds:6.1f} s  {by_other(text)}", flush=True)
            text, seconds = output([sys.executable, "-m", "graphc", "diff", str(before), str(after)])
            print(f"  {'graphc':10} {seconds:6.1f} s  {by_graphc(text)}", flush=True)


if __name__ == "__main__":
    main()
