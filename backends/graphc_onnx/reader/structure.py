"""A file by its structure: each node becomes an op of ours, or stays what it is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import TypeAlias

from onnx import AttributeProto, NodeProto, TensorProto, helper

from graphc.diagnostics import Diagnostic, Span
from graphc.dims import symbols
from graphc.graph import Demand, Graph, Node, Paper, Scope, Value
from graphc.opaque import Foreign
from graphc.tensor import Constant, Tensor, Weight
from graphc_onnx.reader import inferred, readers
from graphc_onnx.reader.entries import Entry, Known, Stored, UnreadError, kind_of, stored
from graphc_onnx.reader.evaluating import evaluated
from graphc_onnx.reader.free import Free
from graphc_onnx.reader.fusing import FUSIONS, SHORTCUTS
from graphc_onnx.reader.growing import Growing, Origin
from graphc_onnx.reader.model import Model
from graphc_onnx.reader.paths import give_paths, input_names
from graphc_onnx.reader.scopes import give_outputs, plant
from graphc_onnx.reader.site import READERS, Site

__all__ = ["Structure", "readers"]

Parts: TypeAlias = tuple[dict[str, Value], dict[str, Value], list[Node], list[Demand]]
HOME = ("", "ai.onnx")
"""The names of ONNX's own set of operators."""
WRONG = (UnreadError, ArithmeticError, LookupError, TypeError, ValueError)
"""What says that a node is not of the form that its reader expects."""
LONGEST = 64
"""Elements of an attribute that are kept."""


@dataclass(slots=True)
class Structure:
    """One run of reading. `entries` is what the names of the file stand for, `unread` why an operator was not read."""

    model: Model
    span: Span
    entries: dict[str, Entry] = field(default_factory=dict)
    unread: dict[str, list[str]] = field(default_factory=dict)
    free: Free = field(default_factory=Free)
    inferred: dict[str, Tensor] | None = None
    to: Growing = field(init=False)

    def __post_init__(self) -> None:
        name = self.model.proto.graph.name or "model"
        root = Scope(name, "", "root", self.span.file, name, self.span)
        self.to = Growing(root, self.span, FUSIONS, SHORTCUTS)

    def graph(self, name: str, digest: str) -> tuple[Graph, list[Diagnostic]]:
        """The graph, and what was not recognised.

        Of sizes that nobody knows nothing is demanded: the file has them right.

        Raises:
            ValueError: an output is not there.
        """
        inputs = self.inputs()
        self.entries |= {each: stored(tensor) for each, tensor in self.model.tensors.items()}
        for node in self.model.nodes:
            self.step(node)
        outputs = self.outputs()
        nodes = self.to.nodes = self.needed(outputs)
        give_paths(self.to, [value.node for value in inputs.values()])
        root = self.to.root
        root.name = root.label = name
        plant(root, nodes)
        give_outputs(root, nodes, outputs.values())
        root.inputs, root.outputs = dict(inputs), dict(outputs)
        demands = [
            replace(each, path=node.path)
            for node in nodes
            for each in self.to.demands[node]
            if not each.relation.names & self.free.unknown
        ]
        return self.made(name, digest, (inputs, outputs, nodes, demands)), self.warnings(nodes)

    def made(self, name: str, digest: str, parts: Parts) -> Graph:
        """The graph of these inputs, outputs, nodes and demands."""
        inputs, outputs, nodes, demands = parts
        values = [*inputs.values(), *(value for node in nodes for value in node.outputs)]
        used = {each for value in values for size in value.type.shape for each in symbols(size)}
        about, proto = self.model.metadata, self.model.proto
        title, _, doc = proto.doc_string.partition("\n\n")
        return Graph(
            name=name,
            title=title if "graphc.spec" in about else "",
            doc=doc if "graphc.spec" in about else proto.doc_string,
            paper=_paper(about),
            file=self.span.file,
            digest=digest,
            sizes=self.free.sizes(demands, used, self.span),
            inputs=inputs,
            outputs=outputs,
            root=self.to.root,
            nodes=nodes,
            demands=demands,
            expected=[],
        )

    # --- inputs and outputs

    def inputs(self) -> dict[str, Value]:
        """The inputs that are no tensors of the file."""
        given = [each for each in self.model.proto.graph.input if each.name not in self.model.tensors]
        names = input_names(each.name for each in given)
        for each in given:
            for at, dim in enumerate(each.type.tensor_type.shape.dim):
                self.free.named(dim.dim_param, at)
        found: dict[str, Value] = {}
        for each in given:
            shape = each.type.tensor_type.shape.dim
            sizes = (
                dim.dim_value if dim.dim_value > 0 else self.free.input(dim.dim_param, at)
                for at, dim in enumerate(shape)
            )
            kind = kind_of(each.type.tensor_type.elem_type)
            value = self.to.input(names[each.name], Tensor(tuple(sizes), kind))
            found[names[each.name]] = self.entries[each.name] = value
        return found

    def outputs(self) -> dict[str, Value]:
        """The outputs; a tensor of the file counts as a parameter."""
        found: dict[str, Value] = {}
        for each in self.model.proto.graph.output:
            entry = self.entries.get(each.name)
            if entry is None:
                raise ValueError(f"nothing gives the output `{each.name}`")
            try:
                value = self.to.value(entry)
            except UnreadError as error:
                raise ValueError(f"the output `{each.name}` is a constant") from error
            name = next(iter(input_names([each.name]).values()))
            found[name if name not in found else f"{name}_{len(found)}"] = value
        return found

    def needed(self, outputs: Mapping[str, Value]) -> list[Node]:
        """The nodes that an output depends on, in their order; the others were parts of what was found whole."""
        wanted = {value.node for value in outputs.values()}
        for node in reversed(self.to.nodes):
            if node in wanted:
                wanted.update(value.node for value in node.operands)
        return [node for node in self.to.nodes if node in wanted]

    # --- nodes

    def step(self, node: NodeProto) -> None:
        """Reads a node; one that can't be read stays what it is called."""
        try:
            inputs = [self.entry(name) for name in node.input]
            site = Site(node, inputs, self.to, self.model.opset)
            found = evaluated(site) or self.read(site)
        except WRONG as error:
            found = self.foreign(node, error)
        for name, entry in zip(node.output, found, strict=False):
            if name:
                self.entries[name] = self.renamed(node, name, entry)

    def read(self, site: Site) -> Sequence[Entry]:
        """What the reader of an operator makes of a node."""
        reader = READERS.get(site.operator) if site.node.domain in HOME else None
        if reader is None:
            raise UnreadError(f"graphc has no op for {site.operator}")
        found = reader(site)
        return [found] if isinstance(found, (Value, Known, Stored)) else found

    def renamed(self, node: NodeProto, name: str, entry: Entry) -> Entry:
        """A tensor of the file under another name is one of its own: exporters write what is equal once."""
        return replace(entry, name=name) if node.op_type == "Identity" and isinstance(entry, Stored) else entry

    def entry(self, name: str) -> Entry | None:
        """What a name stands for; nothing for an operand that is left out."""
        if not name:
            return None
        if name not in self.entries:
            raise UnreadError(f"nothing gives `{name}`")
        return self.entries[name]

    def foreign(self, node: NodeProto, error: Exception) -> Sequence[Value]:
        """The node as an op that only has a name, typed by ONNX's own inference."""
        operator = f"{node.domain}.{node.op_type}" if node.domain not in HOME else node.op_type
        if self.inferred is None:
            self.inferred = inferred.types(self.model, self.free)
        types = tuple(
            (str(at) if len(node.output) > 1 else "", self.inferred.get(name, Tensor(())))
            for at, name in enumerate(node.output)
        )
        given = [self.entries.get(name) for name in node.input]
        owned = [each for each in given if isinstance(each, Stored)]
        held = tuple((f"input_{at}", Weight(each.shape, Constant(0), each.dtype)) for at, each in enumerate(owned))
        op = Foreign(operator=node.op_type, domain=node.domain, attributes=attributes(node), types=types, held=held)
        values = [each for each in given if isinstance(each, Value)]
        made = Node("", op, tuple(values), dict(types), self.to.root, self.span)
        self.to.nodes.append(made)
        self.to.origins[made] = Origin(node, tuple(owned))
        self.to.demands[made] = []
        self.unread.setdefault(f"{operator}: {said(error)}", []).append(node.name)
        return made.outputs

    def warnings(self, nodes: Sequence[Node]) -> list[Diagnostic]:
        """What was not recognised, each reason once."""
        found = []
        origins = (self.to.origins[node].node for node in nodes if isinstance(node.op, Foreign))
        left = {node.name for node in origins if node is not None}
        for reason, names in self.unread.items():
            places = [name for name in names if name in left]
            if places:
                more = f", and {len(places) - 1} more" if len(places) > 1 else ""
                message = f"{reason} (`{places[0]}`{more})"
                found.append(Diagnostic("W103", message, self.span, severity="warning"))
        return found


def _paper(about: Mapping[str, str]) -> Paper | None:
    """The paper that graphc wrote into the metadata."""
    title, year = about.get("paper.title"), about.get("paper.year", "")
    if not title:
        return None
    number = int(year) if year.isdecimal() and len(year) < 5 else None
    return Paper(title, about.get("paper.authors", ""), number, about.get("paper.arxiv", ""))


def said(error: Exception) -> str:
    """Why a node was not read, in one line."""
    text = str(error).strip().split("\n")[0]
    return text if isinstance(error, UnreadError) else f"it has a form that is not known ({text[:80]})"


def attributes(node: NodeProto) -> tuple[tuple[str, object], ...]:
    """The attributes of a node as plain data; of what is long or no data only the kind."""
    return tuple(sorted((each.name, _plain(each)) for each in node.attribute))


def _plain(attribute: AttributeProto) -> object:
    try:
        found = helper.get_attribute_value(attribute)
    except (ValueError, TypeError):
        return "?"
    if isinstance(found, bytes):
        return found[:LONGEST].decode(errors="replace")
    if isinstance(found, TensorProto):
        return f"tensor {list(found.dims)}"
    if isinstance(found, (int, float, str)):
        return found if abs(found if not isinstance(found, str) else 0) < inf else str(found)
    if isinstance(found, Sequence) and all(isinstance(each, (int, float)) for each in found):
        return tuple(found[:LONGEST])
    return type(found).__name__
