"""Adds checked nodes to a graph, and collects what is wrong and what is demanded of the sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn, TypeAlias

from graphc.codes import CODES
from graphc.demands import Relation, Truth
from graphc.diagnostics import Diagnostic, Note, Span, did_you_mean, listed
from graphc.dims import ComplexityError, Dim, Size, symbols
from graphc.elaborate.frame import Place
from graphc.elaborate.things import Callee, Failed, Result, Shared, Stopped, Thing
from graphc.expr import Expr
from graphc.graph import Demand, Node, Value
from graphc.kept import untaken
from graphc.ops import OPS, Op, Requirement
from graphc.ops.base import named
from graphc.spec import Block, Parameter, Spec
from graphc.tensor import Tensor

Use: TypeAlias = Callable[[Shared, Sequence[Thing], Place], Result]
"""Runs a shared module on operands at a place."""

MOST_NODES = 100_000
MOST_WORK = 3_000_000
"""In units of one piece of an expression, which takes about 2 µs."""
STEP = 12
"""What a step costs beside its expressions."""
DEEPEST = 32
LARGEST = 1 << 62
HEAVIEST = 200


class Build:
    """The graph in the making, of a file and those that it uses; every file also sees the blocks of `standard`."""

    def __init__(self, spec: Spec, standard: Spec) -> None:
        self.file, self.standard = spec.main.file, standard
        self.files = {file.main.file: file for file in (standard, *all_files(spec))}
        self.foreign = {file for file, it in self.files.items() if it.installed and not spec.installed}
        self.foreign.add(standard.main.file)
        self.nodes: list[Node] = []
        self.demands: list[Demand] = []
        self.owners: dict[str, Node] = {}
        self.ops: dict[Op, Op] = {}
        self.kept: set[str] = set()
        self.found: dict[tuple[Span, str], Diagnostic] = {}
        self.calls: list[tuple[Block, Span]] = []
        self.kinds: dict[Parameter, str] = {}
        self.work = self.depth = 0
        self.use: Use = _no_use

    # --- what is wrong

    def report(self, code: str, message: str, span: Span, hint: str = "", notes: tuple[Note, ...] = ()) -> None:
        """Adds a diagnostic; of one mistake met in several copies only the first is kept."""
        if code not in CODES:
            raise KeyError(code)
        place, calls = self.blamed(span)
        self.found.setdefault((place, code), Diagnostic(code, message, place, (*notes, *calls), hint))

    def fail(self, code: str, message: str, span: Span, hint: str = "", notes: tuple[Note, ...] = ()) -> NoReturn:
        """Reports, then gives up the step."""
        self.report(code, message, span, hint, notes)
        raise Failed

    def stop(self, message: str, span: Span, hint: str = "") -> NoReturn:
        """Reports a limit, then gives up the whole graph."""
        self.report("E305", message, span, hint)
        raise Stopped

    def blamed(self, span: Span) -> tuple[Span, tuple[Note, ...]]:
        """The place in the user's files that something is due to, and the calls that lead from there to `span`."""
        notes = []
        place = span
        for block, at in reversed(self.calls):
            if place.file in self.foreign:
                notes.append(Note(f"inside `{block.name}`", place))
                place = at
            elif at != span:
                notes.append(Note(f"`{block.name}` is used here", at))
        return place, tuple(notes[:MOST_NOTES])

    # --- limits

    def spend(self, amount: int, span: Span) -> None:
        """Counts the work that a spec makes; a small text can ask for much."""
        self.work += amount
        if self.work > MOST_WORK:
            self.stop(f"the spec needs more than {MOST_WORK} steps of calculation", span)

    @contextmanager
    def deeper(self, span: Span) -> Iterator[None]:
        """One level of steps more."""
        if self.depth >= DEEPEST:
            self.stop(f"steps nest at most {DEEPEST} deep", span)
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1

    @contextmanager
    def calling(self, block: Block, span: Span) -> Iterator[None]:
        """A block at work."""
        active = [caller.name for caller, _ in self.calls]
        if any(caller is block for caller, _ in self.calls):
            chain = " → ".join((*active[active.index(block.name) :], block.name))
            self.fail("E305", f"a block can't use itself: {chain}", span)
        self.calls.append((block, span))
        try:
            yield
        finally:
            self.calls.pop()

    # --- ops and blocks

    def callee(self, name: str, file: str, span: Span) -> Callee:
        """The op or block of that name, as a file sees it."""
        target = self.files[file].blocks.get(name) or self.standard.blocks.get(name) or OPS.get(name)
        if target is None:
            hint = did_you_mean(name, [*self.visible_steps(file), "do", "let"])
            self.fail("E401", f"no op or block `{name}`", span, ELSEWHERE.get(name) or hint)
        return Callee(name, target)

    def visible_steps(self, file: str) -> list[str]:
        """The names of the ops, blocks and files that a file sees."""
        own = self.files[file]
        inside = (f"{alias}.{block}" for alias, used in own.uses.items() for block in (*used.blocks, *used.variants))
        return [*own.blocks, *own.uses, *inside, *self.standard.blocks, *OPS]

    def names_step(self, name: str, file: str) -> bool:
        """Whether a text is the name of an op, a block or a file."""
        alias, dot, rest = name.partition(".")
        used = self.files[file].uses.get(alias)
        if used is not None:
            return not dot or rest in used.blocks or rest in used.variants
        return self.is_step(name, file)

    def is_step(self, name: str, file: str) -> bool:
        """Whether a name is that of an op or a block."""
        return name in self.files[file].blocks or name in self.standard.blocks or name in OPS

    # --- nodes

    def emit(self, op: Op, operands: Sequence[Value | None], place: Place, written: Mapping[str, Expr]) -> Node:
        """Adds a node after checking its operands; equal ops are one."""
        arguments, op = trimmed(operands), self.ops.setdefault(op, op)
        try:
            judged = judge(op, tuple(None if value is None else value.type for value in arguments))
        except ComplexityError as error:
            self.fail("E305", f"{op.name}: {error}", place.span)
        self.ask(op, arguments, judged, place)
        if len(self.nodes) >= MOST_NODES:
            self.stop(f"a graph has at most {MOST_NODES} nodes", place.span)
        scope = place.level.scope
        name = untaken(place.path, self.kept)
        node = Node(
            place.path,
            op,
            arguments,
            judged.outputs(name),
            scope,
            place.span,
            written,
            place.condition,
            place.inline,
            place.home,
        )
        self.own(node)
        if judged.most is not None:
            self.kept.add(name)
        if not all(is_bounded(size) for value in node.outputs for size in value.type.shape):
            self.fail(
                "E305", f"{op.name}: a size of the output is larger than 2**62, or has too many parts", place.span
            )
        scope.items.append(node)
        self.nodes.append(node)
        return node

    def ask(self, op: Op, arguments: Sequence[Value | None], judged: Judgement, place: Place) -> None:
        """What an op demands and wishes."""
        if judged.requirements:
            present = (value for value in arguments if value is not None)
            notes = (*map(self.giver, present), Note(f"this step is `{place.path}` in the graph"))
            for requirement in judged.requirements:
                message = f"{op.name}: {requirement.message}"
                self.demand(requirement.condition, place, message, notes, requirement.hint)
        if kept := judged.tied & self.kept:
            message = f"{op.name}: only the data knows {_quoted(kept)}: it can't be the size of a weight"
            self.fail("E501", message, place.span)
        for wish in judged.wishes:
            self.wish(wish.condition, place, wish.message)

    def own(self, node: Node) -> None:
        """Notes whose weights live where; all uses of a shared module must agree on them."""
        owner = self.owners.setdefault(node.home, node)
        if owner is node:
            return
        known = owner.weights()
        for name, weight in node.weights().items():
            had, has = Tensor(known.get(name, weight).shape), Tensor(weight.shape)
            if had != has:
                notes = (Note(f"`{owner.path}` uses it first", owner.span), *map(self.giver, node.operands))
                message = f"the shared weight `{node.home}.{name}` is {had}; here it would have to be {has}"
                self.fail("E504", message, node.span, notes=notes)

    def giver(self, value: Value) -> Note:
        """Who gives an operand, and its shape; by its innermost name and place in the user's files."""
        path, span = value.path, value.node.span
        scope = value.node.scope
        while span.file in self.foreign and scope.parent is not None:
            path, span, scope = scope.path, scope.span, scope.parent
        return Note(f"`{path}` gives {value.type}", span)

    def demand(self, condition: Truth, place: Place, message: str, notes: tuple[Note, ...], hint: str = "") -> None:
        """What must hold: certain failure ends the step, what depends on free sizes is collected."""
        if isinstance(condition, Relation) and (kept := condition.names & self.kept):
            hint = f"only the data knows {_quoted(kept)}: it may be anything"
            self.fail("E501", message, place.span, hint, notes)
        if isinstance(condition, Relation):
            span, calls = self.blamed(place.span)
            self.demands.append(Demand(condition, place.path, span, message, (*notes, *calls)))
        elif not condition:
            self.fail("E501", message, place.span, hint, notes)

    def wish(self, condition: Truth, place: Place, message: str) -> None:
        """What should hold."""
        if isinstance(condition, Relation) and not condition.names & self.kept:
            span, _ = self.blamed(place.span)
            self.demands.append(Demand(condition, place.path, span, message, strict=False))


def _quoted(names: Iterable[str]) -> str:
    return listed([f"`{name}`" for name in sorted(names)])


def all_files(spec: Spec) -> list[Spec]:
    """A file and all that it uses, each once."""
    found, open_ = {spec.main.file: spec}, [spec]
    while open_:
        for used in open_.pop().uses.values():
            if used.main.file not in found:
                found[used.main.file] = used
                open_.append(used)
    return list(found.values())


def _no_use(shared: Shared, things: Sequence[Thing], place: Place) -> Result:
    raise NotImplementedError


MOST_NOTES = 4

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


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an op says of operands of some types: the requirements that are not certain to hold, and the output."""

    requirements: tuple[Requirement, ...]
    wishes: tuple[Requirement, ...]
    output: Tensor | Mapping[str, Tensor]
    most: Size | None = None
    tied: frozenset[str] = frozenset()
    """The free sizes that its weights have."""

    def outputs(self, size: str) -> dict[str, Tensor]:
        """The types by output; `size` is the name for a size that only the data knows."""
        found = {"": self.output} if isinstance(self.output, Tensor) else dict(self.output)
        return found if self.most is None else {name: named(tensor, size) for name, tensor in found.items()}


@lru_cache(maxsize=1 << 14)
def judge(op: Op, types: tuple[Tensor | None, ...]) -> Judgement:
    """Asks an op once for all copies that do the same; after a requirement that fails nothing more is asked."""
    open_requirements: list[Requirement] = []
    for requirement in op.requires(*types):
        if requirement.condition is not True:
            open_requirements.append(requirement)
        if requirement.condition is False:
            return Judgement(tuple(open_requirements), (), Tensor(()))
    op.macs(*types)  # that it can be said
    wishes, output, most = tuple(op.prefers(*types)), op.infer(*types), op.most(*types)
    sizes = (size for weight in op.weights(*types).values() for size in weight.shape)
    tied = frozenset(name for size in sizes if isinstance(size, Dim) for name in symbols(size))
    return Judgement(tuple(open_requirements), wishes, output, most, tied)


def trimmed(operands: Sequence[Value | None]) -> tuple[Value | None, ...]:
    """The operands without the absent ones behind the last that is there."""
    last = max((index for index, value in enumerate(operands) if value is not None), default=-1)
    return tuple(operands[: last + 1])


def is_bounded(size: Size) -> bool:
    """Whether a size is one to go on calculating with."""
    if isinstance(size, Dim):
        return size.weight <= HEAVIEST and all(abs(factor) <= LARGEST for _, factor in size.terms)
    return abs(size) <= LARGEST
