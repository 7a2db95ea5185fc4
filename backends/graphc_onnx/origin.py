"""Where a model comes from, in the places that ONNX has for it."""

from __future__ import annotations

from onnx import ModelProto, helper

from graphc import __version__
from graphc.graph import Graph, Paper


def describe(graph: Graph, model: ModelProto) -> None:
    """Names the compiler, the architecture, the spec that it was read from, and the paper."""
    model.producer_name, model.producer_version = "graphc", __version__
    model.graph.name = graph.name
    model.doc_string = "\n\n".join(filter(None, (graph.title, graph.doc)))
    spec = {"graphc.spec": graph.file, "graphc.sha256": graph.digest}
    helper.set_model_props(model, spec | (_paper(graph.paper) if graph.paper else {}))


def _paper(paper: Paper) -> dict[str, str]:
    year = str(paper.year) if paper.year else ""
    known = {"title": paper.title, "authors": paper.authors, "year": year, "arxiv": paper.arxiv}
    return {f"paper.{key}": text for key, text in known.items() if text}
