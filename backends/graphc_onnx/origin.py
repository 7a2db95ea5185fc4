"""Where a model comes from, in the places that ONNX has for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from json import dumps, loads

from onnx import ModelProto, NodeProto, helper

from graphc import __version__
from graphc.graph import Graph, Node, Paper, Scope, Value
from graphc.ops.index import Constant
from graphc.saved.layout import Json
from graphc.saved.things import plain

PATH = "graphc.path"
"""The metadata of a node that has a path in the graph."""
OP, NODE = "graphc.op", "graphc.node"
"""The metadata with the name of its op, and, on the node that gives its value, with all else that is said of it."""


def describe(graph: Graph, model: ModelProto) -> None:
    """Names the compiler, the architecture, the spec that it was read from, and the paper."""
    model.producer_name, model.producer_version = "graphc", __version__
    model.graph.name = graph.name
    model.doc_string = "\n\n".join(filter(None, (graph.title, graph.doc)))
    spec = {"graphc.spec": graph.file, "graphc.sha256": graph.digest, "graphc.version": __version__}
    helper.set_model_props(model, spec | (_paper(graph.paper) if graph.paper else {}))


def trace(node: Node, written: NodeProto, names: Mapping[Value, str]) -> None:
    """Says on an ONNX node where its op stands in the spec, and its path and name; `names` are those of the values."""
    written.doc_string = str(node.span)
    for key, text in ((PATH, node.path), (OP, node.op.name)):
        written.metadata_props.add(key=key, value=text)
    if written.name == node.path:
        written.metadata_props.add(key=NODE, value=written_whole(node, names))


def written_whole(node: Node, names: Mapping[Value, str]) -> str:
    """What the reader makes a node of again, as JSON: its attributes, and the names of its operands and outputs.

    A number beside a value, which ONNX has as an initializer, is itself there.
    """
    made: dict[str, Json] = {
        "attributes": {name: plain(value) for name, value in node.op.stated.items()},
        "operands": [None if value is None else _operand(value, names) for value in node.arguments],
        "outputs": [names[value] for value in node.outputs],
    }
    return dumps(made, ensure_ascii=False, separators=(",", ":"))


def renamed(whole: str, name: Callable[[str], str], path: Callable[[str], str]) -> str:
    """The same, with other names of values, and other paths of numbers."""

    def again(operand: object) -> object:
        if isinstance(operand, dict):
            return {**operand, "path": path(str(operand.get("path")))}
        return name(operand) if isinstance(operand, str) else operand

    made = loads(whole)
    made |= {key: [again(each) for each in made[key]] for key in ("operands", "outputs")}
    return dumps(made, ensure_ascii=False, separators=(",", ":"))


def _operand(value: Value, names: Mapping[Value, str]) -> Json:
    op = value.node.op
    return {"path": value.path, "constant": plain(op.value)} if isinstance(op, Constant) else names[value]


def trace_block(block: Scope, call: NodeProto) -> None:
    """Says on the call of a function where its block is used, its path and the block's name."""
    call.doc_string = str(block.span)
    for key, text in ((PATH, block.path), ("graphc.block", block.definition)):
        call.metadata_props.add(key=key, value=text)


def _paper(paper: Paper) -> dict[str, str]:
    year = str(paper.year) if paper.year else ""
    known = {"title": paper.title, "authors": paper.authors, "year": year, "arxiv": paper.arxiv}
    return {f"paper.{key}": text for key, text in known.items() if text}
