"""The ONNX backend of graphc: a graph becomes an ONNX model, one file for all sizes that the graph allows.

A node has the path of its op, and an initializer that of its weight, as in `state_dict()` of the PyTorch backend. To
import this is cheap: onnx and numpy are imported when a model is made. A stranger's op gets its form in ONNX by a
function registered with `graphc_onnx.lowerings.lower`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphc.backends import BackendError
from graphc.graph import Graph

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import ModelProto

__all__ = ["DEFAULT_OPSET", "SUFFIXES", "model", "write"]

SUFFIXES: Mapping[str, str] = {".onnx": "ONNX model with weights"}
DEFAULT_OPSET = 18
LARGEST = (1 << 31) - (1 << 20)
"""Bytes of weights that leave room for the rest within protobuf's limit of 2 GiB."""


def model(
    graph: Graph, *, weights: Mapping[str, NDArray[Any]] | None = None, seed: int = 0, opset: int = DEFAULT_OPSET
) -> ModelProto:
    """The graph for inference, with the weights by path, or else their initial values for a seed.

    The model's opset is the one given, or the lowest that all its ops need if that is more; its IR version is the
    lowest with that opset.

    Raises:
        graphc.diagnostics.SpecError: ONNX can't express an op; located.
        ValueError: a weight is missing or has another shape, or the installed onnx doesn't know the opset.
    """
    from graphc_onnx.assemble import assemble
    from graphc_onnx.values import given, initial

    return assemble(graph, initial(seed) if weights is None else given(weights), opset)


def write(graph: Graph, path: Path, **options: Any) -> None:
    """Writes the model; options are those of `model`.

    Raises:
        graphc.backends.BackendError: the weights don't fit into one file.
    """
    size = 4 * sum(weight.count for _, weight in graph.weights() if isinstance(weight.count, int))
    if size > LARGEST:
        raise BackendError(f"an ONNX file holds at most 2 GB; the weights of {graph.name} are {size / 1e9:.1f} GB")
    path.write_bytes(model(graph, **options).SerializeToString(deterministic=True))
