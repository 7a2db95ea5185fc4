"""Reads an ONNX file as a graph: by the paths that graphc wrote into it, or by its structure alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

from graphc.diagnostics import Diagnostic, Source, Span
from graphc.graph import Graph
from graphc_onnx.reader.model import load
from graphc_onnx.reader.own import ChangedError, Own, is_own
from graphc_onnx.reader.paths import cleaned
from graphc_onnx.reader.structure import Structure

__all__ = ["graph"]


def graph(path: Path, name: str) -> tuple[Graph, list[Diagnostic]]:
    """The graph of a file that is reported under `name`, and what in it graphc has no op for.

    Raises:
        ValueError: it is no ONNX file, or damaged.
    """
    model = load(path)
    span = Span(name, 1, 1, 2, Source(name, ""))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if is_own(model):
        try:
            return Own(Structure(model, span)).graph("_".join(cleaned([model.proto.graph.name])), digest), []
        except ChangedError:
            pass
    return Structure(model, span).graph("_".join(cleaned([path.stem])) or "model", digest)
