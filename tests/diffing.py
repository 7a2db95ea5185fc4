"""Edits of graphs whose cost is known: what became of each node and scope is noted while the edit is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import NoReturn

from graphc.diff.matching import Matching
from graphc.diff.side import side_of
from graphc.diff.sizes import named_in, renamed
from graphc.dims import Size, symbol
from graphc.graph import Graph, Node, Scope, Value
from graphc.ops import OPS
from graphc.ops.base import Op, named
from graphc.ops.conv import Conv2d
from graphc.ops.linear import Linear
from graphc.tensor import Tensor

WIDTHS = ("out_channels", "out_features")


class UnfitError(Exception):
    """The edit can't be made, or no network is left after it."""


@dataclass(eq=False)
class Box:
    """A scope that can be changed."""

    model: Scope
    origin: Scope | None
    parent: Box | None
    items: list[Draft | Box] = field(default_factory=list)

    def boxes(self) -> Iterator[Box]:
        yield self
        for item in self.items:
            if isinstance(item, Box):
                yield from item.boxes()

    def drafts(self) -> Iterator[Draft]:
        for item in self.items:
            yield from item.drafts() if isinstance(item, Box) else (item,)


@dataclass(eq=False)
class Draft:
    """A node that can be changed; `reads` are nodes and the names of their outputs."""

    model: Node
    origin: Node | None
    op: Op
    reads: list[tuple[Draft, str] | None]
    box: Box
    owner: Draft | None = None
    type: dict[str, Tensor] = field(default_factory=dict)


class Editing:
    """A copy of a graph, to be changed; `graph` and `matching` are what it comes to."""

    def __init__(self, graph: Graph, random: Random) -> None:
        self.before, self.random = graph, random
        self.drafts: list[Draft] = []
        self.known: dict[Node, Draft] = {}
        self.root = Box(graph.root, graph.root, None)
        self.boxes: dict[Scope, Box] = {graph.root: self.root}
        self.inputs = [self._draft(value.node, self.root) for value in graph.inputs.values()]
        self._fill(self.root)
        self.drafts = [self.known.get(node) or self._draft(node, self.root) for node in graph.nodes]
        homes: dict[str, Draft] = {}
        for draft in self.drafts:
            draft.reads = [
                None if value is None else (self.known[value.node], value.name) for value in draft.model.arguments
            ]
            owner = homes.setdefault(draft.model.home, draft)
            draft.owner = None if owner is draft else owner
        self.outputs = {name: (self.known[value.node], value.name) for name, value in graph.outputs.items()}
        self.names: Callable[[str], str] = str
        self.kept: dict[str, Size] = {}

    def _draft(self, node: Node, box: Box) -> Draft:
        self.known[node] = draft = Draft(node, node, node.op, [], box)
        draft.type = {value.name: value.type for value in node.outputs}
        return draft

    def _fill(self, box: Box) -> None:
        for item in box.model.items:
            if isinstance(item, Scope):
                inner = self.boxes[item] = Box(item, item, box)
                box.items.append(inner)
                self._fill(inner)
            elif isinstance(item, Node):
                box.items.append(self._draft(item, box))

    # edits

    def rename(self) -> None:
        """Gives every node and scope another name."""
        number = iter(self.random.sample(range(1_000_000), len(self.drafts) + len([*self.root.boxes()]) + 8))
        given: dict[str, str] = {}
        self.names = lambda name: given.setdefault(name, f"n{next(number)}")

    def reorder(self) -> None:
        """Puts nodes into another order in which each comes after what it reads, and items into any order."""
        waiting, done, order = list(self.drafts), set(self.inputs), []
        while waiting:
            ready = [it for it in waiting if all(read is None or read[0] in done for read in it.reads)]
            draft = self.random.choice(ready)
            waiting.remove(draft)
            done.add(draft)
            order.append(draft)
        self.drafts = order
        for box in self.root.boxes():
            self.random.shuffle(box.items)

    def insert(self) -> None:
        """Puts an op that keeps the shape behind a value: for all that read it, or for one of them."""
        source, name = self._value()
        tensor = source.type[name]
        op = self.random.choice([*self._keeping(tensor)])
        users = [(user, slot) for user in self.drafts for slot, it in enumerate(user.reads) if it == (source, name)]
        chosen = users if self.random.random() < 0.7 else users[:1]
        if not chosen:
            raise UnfitError
        new = self._new(op, [(source, name)], chosen[0][0].box)
        for user, slot in chosen:
            user.reads[slot] = (new, "")

    def delete(self) -> None:
        """Takes away an op that keeps the shape."""
        draft = self.random.choice([it for it in self.drafts if self._keeps(it)] or self._none())
        self._cut(draft)

    def widen(self) -> None:
        """Changes a width."""
        wide = [(it, name) for it in self.drafts for name in WIDTHS if name in it.op.__dict__]
        draft, name = self.random.choice(wide or self._none())
        draft.op = with_attribute(draft.op, name, draft.op.__dict__[name] * self.random.choice((2, 3)))

    def alter(self) -> None:
        """Changes another attribute."""
        changes = {"kernel_size": 2, "eps": 0.5, "momentum": 0.5, "heads": 2, "bias": 0, "padding": 1}
        able = [
            (it, name) for it in self.drafts for name in changes if isinstance(it.op.__dict__.get(name), int | float)
        ]
        draft, name = self.random.choice(able or self._none())
        old = draft.op.__dict__[name]
        new = (
            (not old)
            if isinstance(old, bool)
            else old * changes[name]
            if isinstance(old, float)
            else old + changes[name]
        )
        draft.op = with_attribute(draft.op, name, new)

    def rewire(self) -> None:
        """Makes a node read another value of the same type that comes before it."""
        draft = self.random.choice(self.drafts)
        slots = [slot for slot, it in enumerate(draft.reads) if it is not None]
        slot = self.random.choice(slots or self._none())
        old = draft.reads[slot]
        before = [*self.inputs, *self.drafts[: self.drafts.index(draft)]]
        assert old is not None
        wanted = old[0].type[old[1]]
        others = [(it, name) for it in before for name, kind in it.type.items() if kind == wanted and (it, name) != old]
        draft.reads[slot] = self.random.choice(others or self._none())

    def wrap(self) -> None:
        """Puts a scope around some neighbours."""
        box = self.random.choice([it for it in self.root.boxes() if len(it.items) > 2 and it.model.kind != "copies"])
        start = self.random.randrange(len(box.items) - 1)
        taken = box.items[start : start + self.random.randint(2, 4)]
        model = replace(box.model, kind="steps", name="wrapped", label="wrapped", definition="wrapped")
        inner = Box(model, None, box, taken)
        box.items[start : start + len(taken)] = [inner]
        for item in taken:
            self._into(item, inner)

    def unwrap(self) -> None:
        """Takes a scope away and leaves what is in it."""
        able = [
            it
            for it in self.root.boxes()
            if it.parent and it.model.kind != "copies" and it.parent.model.kind != "copies"
        ]
        box = self.random.choice(able or self._none())
        around = box.parent
        assert around is not None
        place = around.items.index(box)
        around.items[place : place + 1] = box.items
        for item in box.items:
            self._into(item, around)

    def rehouse(self) -> None:
        """Moves a piece into another scope; the wires stay."""
        able = [
            item for box in self.root.boxes() if box.model.kind != "copies" and len(box.items) > 1 for item in box.items
        ]
        item = self.random.choice(able or self._none())
        below = [*item.boxes()] if isinstance(item, Box) else []
        homes = [
            it for it in self.root.boxes() if it not in below and item not in it.items and it.model.kind != "copies"
        ]
        target = self.random.choice(homes or self._none())
        around = self._around(item)
        around.items.remove(item)
        target.items.append(item)
        self._into(item, target)

    def move(self) -> None:
        """Takes an op that keeps the shape away and puts it behind another value of that type."""
        draft = self.random.choice([it for it in self.drafts if self._keeps(it)] or self._none())
        kind = draft.type[""]
        self._cut(draft)
        others = [it for it in self.drafts if it.type.get("") == kind]
        source = self.random.choice(others or self._none())
        users = [(user, slot) for user in self.drafts for slot, it in enumerate(user.reads) if it == (source, "")]
        if not users:
            raise UnfitError
        draft.reads = [(source, "")]
        for user, slot in users:
            user.reads[slot] = (draft, "")
        self.drafts.insert(self.drafts.index(source) + 1, draft)
        source.box.items.insert(source.box.items.index(source) + 1, draft)
        draft.box = source.box

    def repeat(self) -> None:
        """Adds a copy behind one of a group, or takes one away."""
        groups = [it for it in self.root.boxes() if it.model.kind == "copies" and len(it.items) > 1]
        group = self.random.choice(groups or self._none())
        unit = self.random.choice([it for it in group.items if isinstance(it, Box)] or self._none())
        inner = [*unit.drafts()]
        entries = {read for it in inner for read in it.reads if read is not None and read[0] not in inner}
        exits = {
            read for it in self.drafts if it not in inner for read in it.reads if read is not None and read[0] in inner
        }
        if len(entries) != 1 or len(exits) != 1:
            raise UnfitError
        (entry,), (end,) = entries, exits
        if entry[0].type[entry[1]] != end[0].type[end[1]]:
            raise UnfitError
        if self.random.random() < 0.5:
            self._remove(unit, inner, entry, end)
        else:
            self._copy(unit, inner, entry, end)

    # help

    def _remove(self, unit: Box, inner: list[Draft], entry: tuple[Draft, str], end: tuple[Draft, str]) -> None:
        assert unit.parent is not None
        unit.parent.items.remove(unit)
        self.drafts = [it for it in self.drafts if it not in inner]
        self._instead(end, entry)

    def _copy(self, unit: Box, inner: list[Draft], entry: tuple[Draft, str], end: tuple[Draft, str]) -> None:
        """The copy reads the unit, and what read the unit reads the copy."""
        assert unit.parent is not None
        made = {it: Draft(it.model, None, it.op, [], it.box, None, it.type) for it in inner}
        for old, new in made.items():
            reads = [end if read == entry else read for read in old.reads]
            new.reads = [
                (made[read[0]], read[1]) if read and read[0] in made and read != end else read for read in reads
            ]
            for slot, read in enumerate(old.reads):
                if read == end:
                    new.reads[slot] = (made[end[0]], end[1])
        self._instead(end, (made[end[0]], end[1]), but={*inner, *made.values()})
        last = max(self.drafts.index(it) for it in inner)
        self.drafts[last + 1 : last + 1] = [made[it] for it in self.drafts if it in made]
        twin = self._twin(unit, unit.parent, made)
        unit.parent.items.insert(unit.parent.items.index(unit) + 1, twin)

    def _twin(self, box: Box, parent: Box, made: dict[Draft, Draft]) -> Box:
        twin = Box(box.model, None, parent)
        for item in box.items:
            if isinstance(item, Box):
                twin.items.append(self._twin(item, twin, made))
            else:
                made[item].box = twin
                twin.items.append(made[item])
        return twin

    def _instead(self, old: tuple[Draft, str], new: tuple[Draft, str], but: set[Draft] | None = None) -> None:
        for draft in self.drafts:
            if draft not in (but or ()):
                draft.reads = [new if read == old else read for read in draft.reads]
        self.outputs = {name: new if read == old else read for name, read in self.outputs.items()}

    def _cut(self, draft: Draft) -> None:
        read = draft.reads[0]
        assert read is not None
        self.drafts.remove(draft)
        draft.box.items.remove(draft)
        self._instead((draft, ""), read)

    def _keeps(self, draft: Draft) -> bool:
        reads = [it for it in draft.reads if it is not None]
        return len(reads) == 1 and draft.type.get("") == reads[0][0].type[reads[0][1]] and len(draft.type) == 1

    def _keeping(self, tensor: Tensor) -> Iterator[Op]:
        for name in ("relu", "sigmoid", "gelu"):
            yield OPS[name]()
        if tensor.rank == 4 and isinstance(tensor.shape[1], int):
            yield OPS["batch_norm"]()
            yield Conv2d(out_channels=tensor.shape[1], kernel_size=1)
            yield Conv2d(out_channels=tensor.shape[1], kernel_size=3, padding=1, bias=False)
        if isinstance(tensor.shape[-1], int) and tensor.rank > 1:
            yield Linear(out_features=tensor.shape[-1])

    def _value(self) -> tuple[Draft, str]:
        draft = self.random.choice([it for it in (*self.inputs, *self.drafts) if it.type[next(iter(it.type))].rank])
        return draft, next(iter(draft.type))

    def _new(self, op: Op, reads: list[tuple[Draft, str] | None], box: Box) -> Draft:
        model = self.random.choice(self.drafts).model
        new = Draft(model, None, op, reads, box)
        first = reads[0]
        assert first is not None
        new.type = {"": first[0].type[first[1]]}
        at = self.drafts.index(first[0]) + 1 if first[0] in self.drafts else 0
        self.drafts.insert(at, new)
        box.items.insert(self.random.randint(0, len(box.items)), new)
        return new

    def _into(self, item: Draft | Box, box: Box) -> None:
        if isinstance(item, Box):
            item.parent = box
        else:
            item.box = box

    def _around(self, item: Draft | Box) -> Box:
        return next(box for box in self.root.boxes() if item in box.items)

    @staticmethod
    def _none() -> NoReturn:
        raise UnfitError

    # what it comes to

    def made(self) -> tuple[Graph, Matching]:
        """The graph after the edits, and the matching that they made.

        Raises:
            UnfitError: it is no network.
        """
        scopes, nodes = self._tree()
        values = {name: nodes[draft].outputs for name, draft in zip(self.before.inputs, self.inputs, strict=True)}
        inputs = {name: outputs[0] for name, outputs in values.items()}
        outputs = {name: self._output(nodes[draft], value) for name, (draft, value) in self.outputs.items()}
        order = [nodes[draft] for draft in self.drafts]
        graph = replace(
            self.before,
            root=scopes[self.root],
            nodes=order,
            inputs=inputs,
            outputs=outputs,
            training=None,
            checkpoints={},
        )
        matching = Matching(side_of(self.before, training=False), side_of(graph, training=False))
        for box, scope in scopes.items():
            if box.origin in matching.left.items and scope in matching.right.items:
                matching.pair(box.origin, scope)
        for draft, node in nodes.items():
            if draft.origin is not None:
                matching.pair(draft.origin, node)
        return graph, matching

    def _tree(self) -> tuple[dict[Box, Scope], dict[Draft, Node]]:
        paths: dict[Draft | Box, str] = {}
        scopes: dict[Box, Scope] = {}
        for box in self.root.boxes():
            around = scopes[box.parent] if box.parent else None
            path = paths.get(box, "")
            scopes[box] = replace(
                box.model,
                path=path,
                name=path.rpartition(".")[2],
                parent=around,
                items=[],
                inputs={},
                outputs={},
                lets={},
                home=path,
            )
            taken: set[str] = set()
            for place, item in enumerate(box.items):
                name = str(place) if box.model.kind == "copies" else self.names(item.model.name or "step")
                while name in taken:
                    name += "_"
                taken.add(name)
                paths[item] = f"{path}.{name}".removeprefix(".")
        nodes: dict[Draft, Node] = {}
        makers = ((kept.name, self.known.get(kept.value.node)) for kept in self.before.kept)
        self.kept = {name: symbol(paths[maker]) for name, maker in makers if maker in paths}
        for draft in self.inputs:
            nodes[draft] = Node(draft.model.path, draft.op, (), draft.type, scopes[self.root], draft.model.span)
        for draft in self.drafts:
            nodes[draft] = self._node(draft, nodes, scopes[draft.box], paths)
        for box in self.root.boxes():
            scopes[box].items.extend(scopes[it] if isinstance(it, Box) else nodes[it] for it in box.items)
        return scopes, nodes

    def _node(self, draft: Draft, nodes: dict[Draft, Node], scope: Scope, paths: dict[Draft | Box, str]) -> Node:
        try:
            reads = tuple(None if it is None else self._output(nodes[it[0]], it[1]) for it in draft.reads)
            types = [None if it is None else it.type for it in reads]
            op = with_sizes(draft.op, self.kept)
            if any(need.condition is False for need in op.requires(*types)):
                raise UnfitError
            made = op.infer(*types)
            outputs = {"": made} if isinstance(made, Tensor) else made
            kind = {name: named(type_, paths[draft]) for name, type_ in outputs.items()}
        except UnfitError:
            raise
        except (ValueError, TypeError, IndexError, ArithmeticError) as error:
            raise UnfitError from error
        home = paths.get(draft.owner, "") if draft.owner else ""
        written = draft.model.written if draft.origin else {}
        return Node(paths[draft], op, reads, kind, scope, draft.model.span, written, home=home)

    @staticmethod
    def _output(node: Node, name: str) -> Value:
        return next(value for value in node.outputs if value.name == name)


def with_sizes(op: Op, sizes: Mapping[str, Size]) -> Op:
    """The op with other names for the sizes that only the data knows."""
    changed = {}
    for name, value in op.settled.items():
        names = {*named_in(value)}
        if not names.isdisjoint(sizes):
            changed[name] = renamed(value, {**{each: symbol(each) for each in names}, **sizes})
    return op.model_copy(update=changed) if changed else op


def with_attribute(op: Op, name: str, value: object) -> Op:
    """The op with another attribute; validated and built anew, as what it caches is of the old one.

    Raises:
        UnfitError: it can't have that.
    """
    try:
        return type(op)(**{field: getattr(op, field) for field in type(op).model_fields} | {name: value})
    except ValueError as error:
        raise UnfitError from error


EDITS = ("insert", "delete", "widen", "alter", "rewire", "wrap", "unwrap", "rehouse", "move", "repeat")
"""The edits that change something; `rename` and `reorder` don't."""


def edited(
    graph: Graph, random: Random, edits: int, kinds: tuple[str, ...] = EDITS
) -> tuple[list[str], Graph, Matching]:
    """So many random edits of a graph, then other names and another order: what was done, and what came of it."""
    while True:
        editing = Editing(graph, random)
        done = []
        try:
            for _ in range(edits):
                done.append(random.choice(kinds))
                getattr(editing, done[-1])()
            for same in ("rename", "reorder"):
                if random.random() < 0.5:
                    getattr(editing, same)()
                    done.append(same)
            return done, *editing.made()
        except (UnfitError, IndexError):
            continue
