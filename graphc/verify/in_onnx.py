"""A graph in ONNX Runtime: the file that is written, loaded and run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import TYPE_CHECKING

from graphc.backends import BackendError, backends
from graphc.graph import Graph
from graphc.initial import Array
from graphc.verify.draw import Arrays
from graphc.verify.failed import each

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

MISSING = "verify runs ONNX files with ONNX Runtime, which is not installed; do: pip install onnxruntime"
RUNTIME = "ONNX Runtime"
REFUSALS = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NotImplemented", "RuntimeException")
"""What ONNX Runtime raises where a model is wrong, or has what it doesn't know."""
OWN = "/own"
"""Behind the name of what a graph computes for an output that it is given."""
ERRORS_ONLY = 3
"""ONNX Runtime's level of logging."""


def require_runtime() -> None:
    """Looks whether ONNX Runtime is there.

    Raises:
        graphc.backends.BackendError: it isn't; how to install it.
    """
    _runtime()


def outputs(
    graph: Graph, weights: Arrays, feeds: Sequence[Arrays], instead: frozenset[str] = frozenset()
) -> list[list[Array]]:
    """For each of the inputs the outputs in their order, all from one file.

    `instead` are outputs that are inputs, too: what they are given is used in place of what the graph computes.

    Raises:
        graphc.verify.failed.FailedError: ONNX Runtime can't load or run it.
    """
    with TemporaryDirectory(prefix="graphc-") as folder:
        path = Path(folder) / "graph.onnx"
        backends().writing([".onnx"])[".onnx"].write(graph, path, weights=weights)
        if instead:
            _cut(path, instead)
        refusals = _refusals()
        (session,) = each(_session, [path], refusals, RUNTIME)
        wanted = [f"{name}{OWN}" if name in instead else name for name in graph.outputs]
        return each(lambda feed: list(session.run(wanted, dict(feed))), feeds, refusals, RUNTIME)


def _cut(path: Path, names: frozenset[str]) -> None:
    """Makes outputs of a file inputs; what is computed for them is given out under another name."""
    import onnx

    model = onnx.load(path)
    for node in model.graph.node:
        node.output[:] = [f"{name}{OWN}" if name in names else name for name in node.output]
    for output in model.graph.output:
        if output.name in names:
            model.graph.input.add().CopyFrom(output)
            output.name += OWN
    onnx.save(model, path, save_as_external_data=path.with_name(f"{path.name}.data").exists())


def _session(path: Path) -> InferenceSession:
    runtime = _runtime()
    options = runtime.SessionOptions()
    options.log_severity_level = ERRORS_ONLY
    return runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _runtime() -> ModuleType:
    try:
        import onnxruntime
    except ImportError as error:
        raise BackendError(MISSING) from error
    runtime: ModuleType = onnxruntime
    return runtime


def _refusals() -> tuple[type[Exception], ...]:
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    return tuple(getattr(state, name) for name in REFUSALS)
