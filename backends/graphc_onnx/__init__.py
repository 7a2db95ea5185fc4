"""The ONNX backend of graphc: a graph becomes an ONNX model, one file for all sizes that the graph allows.

A node has the path of its op, and an initializer that of its weight, as in `state_dict()` of the PyTorch backend. To
import this is cheap: onnx and numpy are imported when a model is made. A stranger's op gets its form in ONNX by a
function registered with `graphc_onnx.lowerings.lower`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from graphc.graph import Graph
from graphc_onnx.form import BYTES, DEFAULT_OPSET, Form, Options, Real

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import ModelProto

    from graphc.diagnostics import Diagnostic

__all__ = ["DEFAULT_OPSET", "GRAPHS", "OPTIONS", "SUFFIXES", "graph", "lowers", "model", "write"]

SUFFIXES: Mapping[str, str] = {".onnx": "ONNX model with weights"}
GRAPHS: Mapping[str, str] = {".onnx": "ONNX model"}
OPTIONS = frozenset(Options.__annotations__)
"""The options of `write` that are not among its named parameters."""
LARGEST = (1 << 31) - (1 << 20)
"""Bytes of weights that leave room for the rest within protobuf's limit of 2 GiB."""


def model(
    graph: Graph, *, weights: Mapping[str, NDArray[Any]] | None = None, seed: int = 0, **options: Unpack[Options]
) -> ModelProto:
    """The graph for inference, with the weights by path, or else their initial values for a seed.

    The model's opset is the one given, or the lowest that all its ops need if that is more; its IR version is the
    lowest with that opset. With a `dtype` of 16 bits the weights, the inputs and outputs and all real numbers between
    are of that type. With `functions` each block is a function of the model.

    Raises:
        graphc.diagnostics.SpecError: ONNX can't express an op; located.
        graphc.backends.BackendError: the opset or the dtype is not known, or the dtype can't hold a weight.
        ValueError: a weight is missing or has another shape.
    """
    from graphc_onnx.assemble import assemble
    from graphc_onnx.values import source

    return assemble(graph.bound(), source(weights, seed), Form(**options))


def graph(path: Path, name: str) -> tuple[Graph, list[Diagnostic]]:
    """The graph of an ONNX file that is reported under `name`, and what in it graphc has no op for (W103).

    One that graphc wrote gives the graph that it was written from: its ops, paths and sizes. Of another the structure
    is read; its ops are those of graphc as far as they can be told, its paths those of the weights and modules.

    Raises:
        ValueError: it is no ONNX file, or damaged.
    """
    from graphc_onnx.reader import graph as read_graph

    return read_graph(path, name)


def lowers(graph: Graph) -> str:
    """What the last op of a graph becomes, and the lowest opset that has it: "opset 15: `Conv`".

    Raises:
        graphc.diagnostics.SpecError: ONNX can't express the op.
    """
    from graphc_onnx.spoken import spoken

    return spoken(graph)


def write(
    graph: Graph,
    path: Path,
    *,
    weights: Mapping[str, NDArray[Any]] | None = None,
    seed: int = 0,
    external_data: bool = False,
    **options: Unpack[Options],
) -> None:
    """Writes the model; options are those of `model`.

    More weights than one file can hold, and with `external_data` any, are written one by one into a file beside it,
    whose name is `path`'s and `.data`.

    Raises: as `model`.
    """
    from graphc_onnx.assemble import assemble
    from graphc_onnx.storage import beside, inside
    from graphc_onnx.values import source

    graph, form = graph.bound(), Form(**options)
    apart = external_data or weights_size(graph, form.dtype) > LARGEST
    with beside(path) if apart else nullcontext(inside) as store:
        made = assemble(graph, source(weights, seed), form, store)
    path.write_bytes(made.SerializeToString(deterministic=True))


def weights_size(graph: Graph, dtype: Real) -> int:
    """Bytes of all weights, in a model whose real numbers are of that type."""
    types = {"float32": dtype}
    found = ((weight.count, types.get(weight.dtype, weight.dtype)) for _, weight in graph.weights())
    return sum(count * BYTES[kind] for count, kind in found if isinstance(count, int))
