"""How long a network takes to become ONNX, beside torch's exporters.

`python benchmarks/onnx_emission.py [SPEC…] [--rounds N]`.

All get the same PyTorch module's weights, and give the network for one picture of the example size; ours is for all
sizes. They take turns in one process, in random order; ours runs under two names, as a control. What is claimed are the
ratios. torch's newer exporter needs onnxscript (`pip install -c constraints.txt '.[bench]'`).
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from onnx_compared import asked, report, rounds

import graphc
import graphc_onnx
from graphc.dims import substitute
from graphc.graph import Graph

NETWORKS = ("resnet50", "vit_b_16")
ROUNDS = 3
OURS = "graphc"


def pictures(graph: Graph) -> tuple[torch.Tensor, ...]:
    """Inputs of the example sizes."""
    shapes = [[substitute(size, graph.examples()) for size in value.type.shape] for value in graph.inputs.values()]
    return tuple(torch.zeros([int(str(size)) for size in shape]) for shape in shapes)


def ways(graph: Graph, folder: Path) -> tuple[Mapping[str, Callable[[], object]], Mapping[str, Callable[[], object]]]:
    """What makes a model in memory, and what writes a file."""
    module, inputs = graph.module().eval(), pictures(graph)
    weights = {path: weight.numpy() for path, weight in module.state_dict().items()}

    exporter: Callable[..., object] = torch.onnx.export

    def program() -> object:
        found = torch.onnx.export(module, inputs, dynamo=True, verbose=False)
        return found and found.model_proto

    def export(file: Path | io.BytesIO, *, dynamo: bool) -> object:
        return exporter(module, inputs, file, dynamo=dynamo, verbose=False)

    in_memory = {
        OURS: lambda: graphc_onnx.model(graph, weights=weights),
        f"{OURS} again": lambda: graphc_onnx.model(graph, weights=weights),
        "torch, dynamo": program,
        "torch, torchscript": lambda: export(io.BytesIO(), dynamo=False),
    }
    written = {
        OURS: lambda: graphc_onnx.write(graph, folder / "ours.onnx", weights=weights),
        f"{OURS} again": lambda: graphc_onnx.write(graph, folder / "again.onnx", weights=weights),
        f"{OURS}, weights beside": lambda: graphc_onnx.write(
            graph, folder / "beside.onnx", weights=weights, external_data=True
        ),
        "torch, dynamo (weights beside)": lambda: export(folder / "dynamo.onnx", dynamo=True),
        "torch, torchscript": lambda: export(folder / "torchscript.onnx", dynamo=False),
    }
    return in_memory, written


def main() -> None:
    """Measures and prints tables."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    said = asked(__doc__, NETWORKS, ROUNDS)
    for address in said.networks:
        with TemporaryDirectory() as folder:
            for title, work in zip(("in memory", "written"), ways(graphc.compile(address), Path(folder)), strict=True):
                rounds(work, 1)
                report(f"{address} {title}", rounds(work, said.rounds), OURS)


if __name__ == "__main__":
    main()
