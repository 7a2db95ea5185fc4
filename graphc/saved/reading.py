"""A saved graph becomes a graph again. Nothing in it is believed: names, references, types and sizes are checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphc.diagnostics import Source
from graphc.graph import Graph, Input, Node, Paper, Part, Value
from graphc.kept import untaken
from graphc.ops import Op
from graphc.saved import about, nodes, things
from graphc.saved.names import require_keys, require_line, require_path, require_title
from graphc.saved.piece import Piece
from graphc.saved.scopes import Scopes, expressions, maybe_expression
from graphc.saved.whole import FORMAT, PARTS, VERSION

MOST_NODES = 100_000


def graph(piece: Piece) -> Graph:
    """The graph.

    Raises:
        graphc.diagnostics.SpecError: a part of it is missing or wrong.
    """
    _require_format(piece)
    sources = {name: Source(name, each.text()) for name, each in piece.at("sources").entries().items()}
    sizes = {name: about.free_size(name, each, sources) for name, each in piece.at("sizes").entries().items()}
    reading = Reading(sources, set(sizes))
    main = reading.part(piece, "")
    training, sampling = (reading.extra(piece.at(name), name) for name in PARTS)
    made = Graph(
        name=require_title(piece.at("name")),
        title=piece.at("title").text(),
        doc=piece.at("doc").text(),
        paper=piece.at("paper").or_none(_paper),
        file=require_line(piece.at("file")),
        digest=require_line(piece.at("digest")),
        sizes=sizes,
        inputs=main.inputs,
        outputs=main.outputs,
        root=main.root,
        nodes=main.nodes,
        demands=main.demands,
        expected=[about.expected(each, sources, main.outputs) for each in piece.at("expected").items()],
        training=training,
        sampling=sampling,
        init=tuple(about.rule(each) for each in piece.at("init").items()),
        checkpoints={table: about.origins(each) for table, each in piece.at("checkpoints").entries().items()},
        unused=tuple(things.read_diagnostic(each, sources) for each in piece.at("unused").items()),
    )
    about.require_weights(piece, made)
    return made


def _require_format(piece: Piece) -> None:
    if not isinstance(piece.value, dict) or piece.value.get("format") != FORMAT:
        piece.fail("it is JSON, but no saved graph")
    version = piece.at("version").whole()
    if version != VERSION:
        piece.fail(f"it has version {version} of the format; this graphc reads {VERSION}", "save the graph again")


def _paper(piece: Piece) -> Paper:
    year = piece.at("year").or_none(Piece.whole)
    return Paper(piece.at("title").text(), piece.at("authors").text(), year, piece.at("arxiv").text())


@dataclass(slots=True)
class Reading:
    """Reads the parts of a graph. `values` are those there are so far, by the names that the file gives them."""

    sources: Mapping[str, Source]
    sizes: set[str]
    values: dict[str, Value] = field(default_factory=dict)
    count: int = 0

    def extra(self, piece: Piece, name: str) -> Part | None:
        """Training or sampling, where there is one."""
        return None if piece.value is None else self.part(piece, name)

    def part(self, piece: Piece, name: str) -> Part:
        """The main graph, training or sampling; of the first, what no graph has is empty."""
        scopes = Scopes(self.sources, self.values)
        root = scopes.tree(piece.at("root"))
        prefix = f"{name}/" if name else ""
        inputs = [self.node(each, scopes, prefix) for each in piece.at("input_nodes").items()]
        made = [self.node(each, scopes, prefix) for each in piece.at("nodes").items()]
        scopes.fill({f"{prefix}{node.path}": node for node in made})
        found = Part(
            root,
            self.named(piece.at("inputs")),
            self.named(piece.at("outputs")),
            made,
            [about.demand(each, self.sources, self.sizes) for each in piece.at("demands").items()],
            [about.loss(each, self.values) for each in piece.at("losses").items()] if name else [],
            about.texts(piece.at("frozen")) if name else frozenset(),
        )
        if {value.node for value in found.inputs.values()} != set(inputs):
            piece.at("inputs").fail("the inputs are not the input nodes")
        return found

    def node(self, piece: Piece, scopes: Scopes, prefix: str) -> Node:
        """A node; what it reads stands before it."""
        self.count += 1
        if self.count > MOST_NODES:
            piece.fail(f"a graph has at most {MOST_NODES} nodes")
        path = require_path(piece.at("path"))
        name = f"{prefix}{path}"
        if name in self.values:
            piece.at("path").fail(f"`{path}` stands for another node")
        op, given = nodes.operation(piece), nodes.types(piece)
        arguments = tuple(each.or_none(self.value) for each in piece.at("operands").items())
        size = untaken(path, self.sizes)
        if type(op).most is not Op.most:
            self.sizes.add(size)
        about.require_sizes(piece.at("types"), given.values(), self.sizes)
        if isinstance(op, Input):
            about.require_positive(piece.at("types"), given.values())
        else:
            nodes.require_fit(piece, op, arguments, size, given)
        home = piece.may("home")
        made = Node(
            path,
            op,
            arguments,
            given,
            scopes.around(name, piece),
            things.read_span(piece.at("span"), self.sources),
            expressions(piece, "written"),
            maybe_expression(piece, "condition"),
            piece.may("inline") is not None,
            path if home is None else require_path(home),
        )
        for value in made.outputs:
            self.values[f"{name}:{value.name}" if value.name else name] = value
        return made

    def value(self, piece: Piece) -> Value:
        """The value of that name."""
        found = self.values.get(piece.text())
        return piece.fail(f"there is no value `{piece.text()[:60]}` before it") if found is None else found

    def named(self, piece: Piece) -> dict[str, Value]:
        return {name: self.value(each) for name, each in require_keys(piece).entries().items()}
