"""A file that graphc wrote: each op stands in the metadata of the node that gives its value.

It is believed only as far as it can be checked: each op must take its operands, and own the tensors that the file has
in its place. A file that something else has changed since is read by its structure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from onnx import NodeProto

from graphc.demands import Relation
from graphc.diagnostics import SpecError
from graphc.elaborate.build import judge
from graphc.graph import Demand, Graph, Node, Scope, Value
from graphc.ops.index import Constant
from graphc.saved.names import require_path
from graphc.saved.nodes import operation, require_fit
from graphc.saved.piece import Piece, parsed
from graphc.saved.things import read_plain
from graphc_onnx.origin import NODE, OP
from graphc_onnx.reader.model import Model, meta, path_of
from graphc_onnx.reader.scopes import give_outputs, plant
from graphc_onnx.reader.structure import Structure
from graphc_onnx.sizes import PREFIX


class ChangedError(Exception):
    """What the metadata says is not what the file has."""


def is_own(model: Model) -> bool:
    """Whether each node says what it belongs to; sizes, constants of functions and repeated outputs belong to none."""
    outputs = {each.name for each in model.proto.graph.output}
    apart = (node for node in model.nodes if not path_of(node) and node.op_type != "Constant")
    return model.proto.producer_name == "graphc" and all(
        PREFIX in node.name or outputs & {*node.output} for node in apart
    )


@dataclass(slots=True)
class Own:
    """Reads a file by its metadata; inputs and names of sizes are read as those of any file.

    `values` are those by ONNX's names, `owned` the tensors that the nodes of an op read, by its path.
    """

    structure: Structure
    values: dict[str, Value] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    demands: list[Demand] = field(default_factory=list)
    owned: dict[str, list[str]] = field(default_factory=dict)

    def graph(self, name: str, digest: str) -> Graph:
        """The graph.

        Raises:
            ChangedError: the metadata does not fit the file.
        """
        inputs = self.structure.inputs()
        self.values = dict(inputs)
        tensors = self.structure.model.tensors
        for written in self.structure.model.nodes:
            owned = self.owned.setdefault(path_of(written), [])
            owned += [name for name in written.input if name in tensors]
        for written in self.structure.model.nodes:
            said = meta(written, NODE)
            if said:
                self.node(written, said)
        outputs = self.outputs()
        root = self.structure.to.root
        root.name = root.label = name
        plant(root, self.nodes)
        give_outputs(root, self.nodes, outputs.values())
        root.inputs, root.outputs = dict(inputs), outputs
        return self.structure.made(name, digest, (inputs, outputs, self.nodes, self.demands))

    def node(self, written: NodeProto, said: str) -> None:
        """The node that the metadata of one of ONNX says."""
        path = path_of(written)
        try:
            piece = parsed(said, path)
            about = Piece(
                {"op": meta(written, OP), **{key: each.value for key, each in piece.entries().items()}}, "", path
            )
            arguments = tuple(each.or_none(self.operand) for each in about.at("operands").items())
            self.add(about, require_path(Piece(path, "", path)), arguments)
        except SpecError as error:
            raise ChangedError(str(error)) from error

    def operand(self, piece: Piece) -> Value:
        """A value, or the number that stands for one."""
        if isinstance(piece.value, dict):
            path = require_path(piece.at("path"))
            if path not in self.values:
                number = Constant.model_validate({"value": read_plain(piece.at("constant"))})
                made = Node(path, number, (), number.infer(), self.root, self.structure.span, inline=True)
                self.keep(made, [path])
            return self.values[path]
        found = self.values.get(piece.text())
        return piece.fail("there is no such value") if found is None else found

    @property
    def root(self) -> Scope:
        return self.structure.to.root

    def add(self, piece: Piece, path: str, arguments: Sequence[Value | None]) -> None:
        op = operation(piece)
        types = tuple(None if value is None else value.type for value in arguments)
        judged = judge(op, types)
        found = judged.outputs(path)
        require_fit(piece, op, arguments, path, found)
        made = Node(path, op, tuple(arguments), found, self.root, self.structure.span)
        made.home = self.home(made)
        self.demands += [
            Demand(each.condition, path, self.structure.span, f"{op.name}: {each.message}")
            for each in judged.requirements
            if isinstance(each.condition, Relation)
        ]
        self.require_weights(made)
        names = [each.text() for each in piece.at("outputs").items(len(made.outputs))]
        self.keep(made, names)

    def keep(self, node: Node, names: Sequence[str]) -> None:
        if any(name in self.values for name in names):
            raise ChangedError(f"`{node.path}` is there twice")
        self.nodes.append(node)
        self.values |= dict(zip(names, node.outputs, strict=True))

    def home(self, node: Node) -> str:
        """The path below which the tensors lie that the node reads: of a shared module, that of its first use."""
        for name in node.weights():
            for tensor in self.owned.get(node.path, ()):
                if tensor.endswith(f".{name}"):
                    return tensor.removesuffix(f".{name}")
        return node.path

    def require_weights(self, node: Node) -> None:
        """The tensors that the op owns are in the file, where the model has any."""
        for name, weight in node.weights().items():
            found = self.structure.model.tensors.get(f"{node.home}.{name}")
            if found is not None and tuple(found.dims) != weight.shape:
                raise ChangedError(f"`{node.home}.{name}` has another shape")

    def outputs(self) -> dict[str, Value]:
        """The outputs by their names; one that is given out again is an Identity of another."""
        copied = {node.output[0]: node.input[0] for node in self.structure.model.nodes if is_copy(node)}
        found: dict[str, Value] = {}
        for each in self.structure.model.proto.graph.output:
            value = self.values.get(copied.get(each.name, each.name))
            if value is None:
                raise ChangedError(f"nothing gives `{each.name}`")
            found[each.name] = value
        return found


def is_copy(node: NodeProto) -> bool:
    """Whether a node only gives a value another name."""
    return node.op_type == "Identity" and not path_of(node) and bool(node.input and node.output)
