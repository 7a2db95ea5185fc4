"""Where a model comes from, in the places that ONNX has for it."""

from __future__ import annotations

from onnx import ModelProto, NodeProto, helper

from graphc import __version__
from graphc.graph import Graph, Node, Paper, Scope

PATH = "graphc.path"
"""The metadata of a node that has a path in the graph."""


def describe(graph: Graph, model: ModelProto) -> None:
    """Names the compiler, the architecture, the spec that it was read from, and the paper."""
    model.producer_name, model.producer_version = "graphc", __version__
    model.graph.name = graph.name
    model.doc_string = "\n\n".join(filter(None, (graph.title, graph.doc)))
    spec = {"graphc.spec": graph.file, "graphc.sha256": graph.digest, "graphc.version": __version__}
    helper.set_model_props(model, spec | (_paper(graph.paper) if graph.paper else {}))


def trace(node: Node, written: NodeProto) -> None:
    """Says on an ONNX node where its op stands in the spec, and its path and name."""
    written.doc_string = str(node.span)
    for key, text in ((PATH, node.path), ("graphc.op", node.op.name)):
        written.metadata_props.add(key=key, value=text)


def trace_block(block: Scope, call: NodeProto) -> None:
    """Says on the call of a function where its block is used, its path and the block's name."""
    call.doc_string = str(block.span)
    for key, text in ((PATH, block.path), ("graphc.block", block.definition)):
        call.metadata_props.add(key=key, value=text)


def _paper(paper: Paper) -> dict[str, str]:
    year = str(paper.year) if paper.year else ""
    known = {"title": paper.title, "authors": paper.authors, "year": year, "arxiv": paper.arxiv}
    return {f"paper.{key}": text for key, text in known.items() if text}
