"""A file as one list of nodes: read without its weights where they lie apart, functions written out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # it comes without types
from onnx import FunctionProto, ModelProto, NodeProto, TensorProto

from graphc_onnx.origin import NODE, PATH, renamed

MOST_NODES = 1_000_000
DEEPEST = 32


@dataclass(slots=True)
class Model:
    """What is read of a file."""

    proto: ModelProto
    nodes: list[NodeProto]
    tensors: Mapping[str, TensorProto]
    opset: int
    metadata: Mapping[str, str] = field(default_factory=dict)


def load(path: Path) -> Model:
    """The model in a file.

    Raises:
        ValueError: it is none, or damaged.
    """
    proto = ModelProto()
    try:
        proto.ParseFromString(path.read_bytes())
    except (DecodeError, MemoryError) as error:
        raise ValueError("it is no ONNX file, or damaged") from error
    if not proto.HasField("graph") or not proto.graph.output:
        raise ValueError("it is no ONNX file: there is no graph with outputs in it")
    nodes = list(_Inlined({(each.domain, each.name): each for each in proto.functions}).nodes(proto.graph.node))
    tensors = {each.name: each for each in proto.graph.initializer}
    opset = max((each.version for each in proto.opset_import if each.domain in ("", "ai.onnx")), default=1)
    return Model(proto, nodes, tensors, opset, {each.key: each.value for each in proto.metadata_props})


@dataclass(slots=True)
class _Inlined:
    """Writes the bodies of functions where they are called; paths and names inside get those of the call in front."""

    functions: Mapping[tuple[str, str], FunctionProto]
    count: int = 0

    def nodes(self, nodes: Iterator[NodeProto], depth: int = 0) -> Iterator[NodeProto]:
        if depth > DEEPEST:
            raise ValueError(f"functions call each other more than {DEEPEST} deep")
        for node in nodes:
            self.count += 1
            if self.count > MOST_NODES:
                raise ValueError(f"it has more than {MOST_NODES} nodes")
            function = self.functions.get((node.domain, node.op_type))
            if function is None:
                yield node
            else:
                yield from self.nodes(self.body(function, node), depth + 1)

    def body(self, function: FunctionProto, call: NodeProto) -> Iterator[NodeProto]:
        """The nodes of a function, with the names of the call."""
        names = dict(zip(function.input, call.input, strict=False)) | dict(
            zip(function.output, call.output, strict=False)
        )
        around = path_of(call)
        given = {each.name: each for each in (*function.attribute_proto, *call.attribute)}
        for inner in function.node:
            made = NodeProto()
            made.CopyFrom(inner)
            made.name = f"{call.name}.{inner.name}" if around else f"{call.name}/{inner.name}"
            for found in (made.input, made.output):
                found[:] = [name and names.setdefault(name, f"{call.name}/{name}") for name in found]
            for attribute in [each for each in made.attribute if each.ref_attr_name]:
                made.attribute.remove(attribute)
                if attribute.ref_attr_name in given:
                    copy = made.attribute.add()
                    copy.CopyFrom(given[attribute.ref_attr_name])
                    copy.name = attribute.name
            for entry in made.metadata_props:
                if entry.key == PATH and around:
                    entry.value = f"{around}.{entry.value}"
                if entry.key == NODE and around:
                    entry.value = _moved(entry.value, names, around)
            yield made


def _moved(whole: str, names: Mapping[str, str], around: str) -> str:
    """What a node says of itself inside a function, outside of it; what is damaged stays for the reader to refuse."""
    try:
        return renamed(whole, lambda name: names.get(name, name), lambda path: f"{around}.{path}")
    except (ValueError, TypeError, KeyError, RecursionError):
        return whole


def path_of(node: NodeProto) -> str:
    """The path that graphc wrote on a node; nothing on one of another program."""
    return meta(node, PATH)


def meta(node: NodeProto, key: str) -> str:
    """An entry of a node's metadata."""
    return next((entry.value for entry in node.metadata_props if entry.key == key), "")
