"""Adds checked nodes to a graph, and collects what is wrong and what is demanded of the sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NoReturn

from graphc.codes import CODES
from graphc.demands import Relation, Truth
from graphc.diagnostics import Diagnostic, Note, Span, did_you_mean
from graphc.elaborate.frame import Callee, Failed, Level
from graphc.expr import Expr
from graphc.graph import Demand, Node, Value
from graphc.ops import OPS, Op
from graphc.spec import Block

MOST_NODES = 1_000_000


class Build:
    """The graph in the making. `blocks` has the blocks of each file; every file also sees `standard`."""

    def __init__(self, blocks: Mapping[str, Mapping[str, Block]], standard: str) -> None:
        self.blocks = blocks
        self.standard = standard
        self.nodes: list[Node] = []
        self.demands: list[Demand] = []
        self.found: dict[tuple[Span, str], Diagnostic] = {}

    def report(self, code: str, message: str, span: Span, hint: str = "", notes: tuple[Note, ...] = ()) -> None:
        """Adds a diagnostic; of one mistake met in several copies only the first is kept."""
        if code not in CODES:
            raise KeyError(code)
        self.found.setdefault((span, code), Diagnostic(code, message, span, notes, hint))

    def fail(self, code: str, message: str, span: Span, hint: str = "", notes: tuple[Note, ...] = ()) -> NoReturn:
        """Reports, then gives up the step."""
        self.report(code, message, span, hint, notes)
        raise Failed

    def callee(self, name: str, file: str, span: Span) -> Callee:
        """The op or block of that name, as a file sees it."""
        own, standard = self.blocks[file], self.blocks[self.standard]
        target = own.get(name) or standard.get(name) or OPS.get(name)
        if target is None:
            hint = did_you_mean(name, [*own, *standard, *OPS, "do", "let"])
            self.fail("E401", f"no op or block `{name}`", span, ELSEWHERE.get(name) or hint)
        return Callee(name, target)

    def names_step(self, name: str, file: str) -> bool:
        """Whether a text is the name of an op or a block."""
        return name in self.blocks[file] or name in self.blocks[self.standard] or name in OPS

    def emit(
        self,
        op: Op,
        operands: tuple[Value, ...],
        level: Level,
        name: str,
        span: Span,
        written: Mapping[str, Expr] | None = None,
        condition: Expr | None = None,
        inline: bool = False,
    ) -> Value:
        """Adds a node after checking its operands."""
        path = level.path(name)
        types = tuple(value.type for value in operands)
        notes = (*_givers(operands), *_where(path))
        for requirement in op.requires(*types):
            self.demand(requirement.condition, path, span, f"{op.name}: {requirement.message}", notes)
        for wish in op.prefers(*types):
            self.wish(wish.condition, path, span, wish.message)
        if len(self.nodes) >= MOST_NODES:
            self.fail("E305", f"a graph has at most {MOST_NODES} nodes", span)
        node = Node(path, op, operands, op.infer(*types), level.scope, span, written or {}, condition, inline)
        level.scope.items.append(node)
        self.nodes.append(node)
        return node.output

    def demand(self, condition: Truth, path: str, span: Span, message: str, notes: tuple[Note, ...]) -> None:
        """What must hold: certain failure ends the step, what depends on free sizes is collected."""
        if isinstance(condition, Relation):
            self.demands.append(Demand(condition, path, span, message, notes))
        elif not condition:
            self.fail("E501", message, span, notes=notes)

    def wish(self, condition: Truth, path: str, span: Span, message: str) -> None:
        """What should hold."""
        if isinstance(condition, Relation):
            self.demands.append(Demand(condition, path, span, message, strict=False))


ELSEWHERE = {
    "Conv2D": "here it is `conv2d`, with PyTorch's attributes: `out_channels`, `kernel_size`",
    "Conv2d": "here it is `conv2d`, as in torch.nn.functional",
    "Dense": "here it is `linear`",
    "Linear": "here it is `linear`, as in torch.nn.functional",
    "ReLU": "here it is `relu`, as in torch.nn.functional",
    "route": "give the operands with `from`",
    "shortcut": "here it is `add`, with its operands in `from`",
}
"""Words of other tools, and what they are here."""


def _givers(operands: tuple[Value, ...]) -> Iterator[Note]:
    for value in operands:
        yield Note(f"`{value.path}` gives {value.type}", value.node.span)


def _where(path: str) -> Iterator[Note]:
    if "." in path:
        yield Note(f"this step is {path} in the graph")
