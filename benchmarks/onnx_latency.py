"""How fast ONNX Runtime runs our files, and those of torch's exporters.

`python benchmarks/onnx_latency.py [SPEC…] [--rounds N]`.

All have the same weights and run one picture of the example size, on one thread, in turns and in random order; ours
runs under two names, as a control. Ours is for all sizes; torch's exporters are given this size alone, as is their
default. That all give the same is checked first. What is claimed are the ratios.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx_compared import asked, report, rounds
from onnx_emission import NETWORKS, OURS, pictures

import graphc
from graphc.graph import Graph

Array: TypeAlias = NDArray[np.float32]
ROUNDS = 60
TOLERANCE = 1e-4
"""Relative to the largest output."""


def files(graph: Graph, folder: Path) -> dict[str, Path]:
    """A file by each way, all with the same weights."""
    module, inputs = graph.module().eval(), pictures(graph)
    found = {
        name: folder / f"{number}.onnx" for number, name in enumerate((OURS, "torch, dynamo", "torch, torchscript"))
    }
    graph.onnx(found[OURS])
    for name, dynamo in (("torch, dynamo", True), ("torch, torchscript", False)):
        torch.onnx.export(module, inputs, found[name], dynamo=dynamo, verbose=False)
    return {OURS: found[OURS], f"{OURS} again": found[OURS]} | found


def runs(file: Path, inputs: list[Array]) -> Callable[[], list[Array]]:
    """What runs a file on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    feeds = {found.name: value for found, value in zip(session.get_inputs(), inputs, strict=True)}
    return lambda: list(session.run(None, feeds))


def main() -> None:
    """Measures and prints tables."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    said = asked(__doc__, NETWORKS, ROUNDS)
    rng = np.random.default_rng(0)
    for address in said.networks:
        graph = graphc.compile(address)
        inputs = [rng.standard_normal(value.shape, np.float32) for value in pictures(graph)]
        with TemporaryDirectory() as folder:
            work = {name: runs(file, inputs) for name, file in files(graph, Path(folder)).items()}
        wanted = work[OURS]()[0]
        for name, run in work.items():
            difference = np.abs(run()[0] - wanted).max() / np.abs(wanted).max()
            if difference > TOLERANCE:
                raise ValueError(f"{address}: {name} differs by {difference}")
        report(address, rounds(work, said.rounds), OURS)


if __name__ == "__main__":
    main()
