"""A graph as a spec without loops, blocks, conditions and `extends`: one step an op, in the order in which they run.

It elaborates to the same network: the same ops on the same operands, with the same shapes, weights and costs. What a
list of steps can't say is left out: the names below a path are joined by `_` (`stage.0.conv` is `stage_0_conv`), and
training, sampling, initial values and tables of weights are those of the main graph's own spec.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from json import dumps

from graphc.diagnostics import Diagnostic, SpecError
from graphc.dims import Dim, Size, substitute, symbol
from graphc.graph import FreeSize, Graph, Node, Scope, Value, WeightValue
from graphc.kept import kept_by
from graphc.opaque import Calculated, Foreign
from graphc.ops.index import Constant
from graphc.reader.names import refusal
from graphc.tensor import Tensor


def text(graph: Graph) -> str:
    """The spec.

    Raises:
        SpecError: an op of the graph is known by its name alone.
    """
    foreign = [node for node in graph.nodes if isinstance(node.op, (Calculated, Foreign))]
    if foreign:
        message = f"YAML: `{foreign[0].path}` is what graphc has no op for"
        raise SpecError([Diagnostic("E901", message, foreign[0].span, hint="--as json writes it")])
    return "\n".join(_Expanded(graph).lines()) + "\n"


@dataclass(slots=True)
class _Expanded:
    """Writes a graph. `names` are the ids of its nodes, `shared` the names of modules with several uses."""

    graph: Graph
    names: dict[Node, str] = field(default_factory=dict)
    shared: dict[str, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    kept: dict[str, Size] = field(default_factory=dict)
    """What says, in a formula, the sizes that only the data knows."""

    def lines(self) -> Iterator[str]:
        graph = self.graph
        self.taken |= {*graph.inputs, *graph.sizes, *graph.outputs}
        self.names |= {value.node: name for name, value in graph.inputs.items()}
        owners = self.owners()
        for node in graph.nodes:
            if node not in self.names:
                self.names[node] = self.fresh(node.path)
        for size in kept_by(graph.nodes):
            self.kept[size.name] = symbol(f"dim({self.operand(size.value)}, {size.axis})")
        yield "graphc: 1"
        yield f"name: {_quoted(graph.name)}"
        yield from (f"{key}: {_quoted(said)}" for key, said in (("title", graph.title), ("doc", graph.doc)) if said)
        yield f"dims: {{{', '.join(f'{name}: {_dim(size)}' for name, size in graph.sizes.items())}}}"
        yield f"inputs: {{{', '.join(f'{name}: {_input(value.type)}' for name, value in graph.inputs.items())}}}"
        if owners:
            yield "shared:"
            yield from (f"  {self.shared[home]}: {{{self.step(node)}}}" for home, node in owners.items())
        yield "graph:"
        yield from self.steps()
        outputs = ", ".join(f"{name}: {self.operand(value)}" for name, value in graph.outputs.items())
        yield f"outputs: {{{outputs}}}"

    def owners(self) -> dict[str, Node]:
        """The modules that are used several times, or whose weights are values, and the first use of each."""
        uses: dict[str, list[Node]] = {}
        for node in self.graph.nodes:
            if node.weights():
                uses.setdefault(node.home, []).append(node)
        found = {
            home: next(node for node in nodes if not isinstance(node.op, WeightValue))
            for home, nodes in uses.items()
            if len(nodes) > 1
        }
        self.shared = {home: self.fresh(home) for home in found}
        return found

    def fresh(self, path: str) -> str:
        """A name that nothing has."""
        stem = path.replace(".", "_")
        stem = f"step_{stem}" if refusal(stem) else stem
        name, number = stem, 2
        while name in self.taken:
            name, number = f"{stem}_{number}", number + 1
        self.taken.add(name)
        return name

    def steps(self) -> Iterator[str]:
        """Each op as a step; what is a number or a weight beside a value stands where it is read."""
        around: Scope | None = None
        for node in self.graph.nodes:
            if isinstance(node.op, (Constant, WeightValue)):
                continue
            if node.scope is not around and node.scope.path:
                yield f"  # {node.scope.path}" + (f" ({node.scope.label})" if node.scope.kind == "block" else "")
            around = node.scope
            shared = self.shared.get(node.home) if node.weights() else None
            yield f"  - {shared}:" if shared else f"  - {self.step(node).removesuffix(' {}')}"
            yield f"    id: {self.names[node]}"
            operands = [self.operand(value) for value in node.arguments]
            if operands:
                yield f"    from: {operands[0] if len(operands) == 1 else '[' + ', '.join(operands) + ']'}"

    def operand(self, value: Value | None) -> str:
        """A value, as a later step names it."""
        if value is None:
            return "none"
        op = value.node.op
        if isinstance(op, Constant):
            return _plain(op.value)
        if isinstance(op, WeightValue):
            return f"{self.shared[value.node.home]}.{op.of}"
        name = self.names[value.node]
        if not value.name:
            return name
        return f'"{name}.{value.name}"'

    def step(self, node: Node) -> str:
        """The op with the attributes that differ from their defaults."""
        fields, extra = type(node.op).model_fields, node.op.__pydantic_extra__ or {}
        given: Mapping[str, object] = {
            name: getattr(node.op, name)
            for name, about in fields.items()
            if about.is_required() or getattr(node.op, name) != about.default
        } | extra
        written = ", ".join(f"{name}: {_plain(self.in_words(value))}" for name, value in given.items())
        return f"{node.op.name}: {{{written}}}"

    def in_words(self, value: object) -> object:
        """An attribute with words for the sizes that only the data knows."""
        if isinstance(value, tuple):
            return tuple(map(self.in_words, value))
        return substitute(value, self.kept) if isinstance(value, Dim) else value


def _plain(value: object) -> str:
    """An attribute in YAML."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_plain, value))}]"
    if isinstance(value, (Dim, str)):
        return _quoted(str(value))
    return "none" if value is None else str(value).lower()


def _quoted(said: str) -> str:
    """A text in YAML; JSON's form is one of YAML's."""
    return said if said.isidentifier() and said.isascii() else dumps(said, ensure_ascii=False)


def _dim(size: FreeSize) -> str:
    promised = {key: getattr(size.rule, key) for key in ("multiple", "plus", "min") if key in size.promises}
    if not promised:
        return str(size.example)
    return f"{{{', '.join(f'{key}: {number}' for key, number in promised.items())}, example: {size.example}}}"


def _input(type_: Tensor) -> str:
    shape = f"[{', '.join(map(_plain, type_.shape))}]"
    return shape if type_.dtype == "float32" else f"{{shape: {shape}, dtype: {type_.dtype}}}"
