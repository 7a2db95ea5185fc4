"""Which scopes become one class: those written at one place whose contents agree but for numbers and skipped steps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from graphc.graph import Node, Scope, Skipped
from graphc_torch.body import Body, Copy, In, Item, Out, Ref
from graphc_torch.layer import layer_of
from graphc_torch.names import SEQUENTIAL


@dataclass(frozen=True, slots=True)
class Feed:
    """What one input of a group's copies is.

    "chain": output `output` of the copy before, the first copy getting `refs[0]`; "same": one value for all; "list": a
    value for each.
    """

    kind: str
    refs: tuple[Ref, ...]
    output: int = 0


@dataclass(eq=False, slots=True)
class Template:
    """One class to be written: its instances, and what each item reads, with skipped steps seen through."""

    bodies: list[Body]
    operands: list[tuple[Ref, ...]]
    outputs: tuple[Ref, ...]
    inline: bool = False

    @property
    def is_written(self) -> bool:
        """Whether there is a class for it: not for a chain, nor where it gives nothing and has nothing."""
        has_weights = any(node.weights() for node in self.scope.nodes())
        return not self.inline and (bool(self.outputs) or has_weights)

    @property
    def scope(self) -> Scope:
        """The first instance."""
        return self.bodies[0].scope

    def agree(self, values: Sequence[object]) -> bool:
        """Whether those of several instances that are one module, which is used several times, have one value."""
        known: dict[str, object] = {}
        homes = (body.scope.home for body in self.bodies)
        return all(known.setdefault(home, value) == value for home, value in zip(homes, values, strict=True))

    def column(self, item: int) -> list[Item]:
        """The item of that number in every instance."""
        return [body.items[item] for body in self.bodies]

    def sample(self, item: int) -> Item:
        """The item of that number where it is not skipped, if anywhere."""
        return present(self.column(item))


@dataclass(slots=True)
class Templates:
    """All templates, each after those that it uses."""

    bodies: dict[Scope, Body]
    all: list[Template] = field(default_factory=list)
    of: dict[Scope, Template] = field(default_factory=dict)
    as_modules: set[Template] = field(default_factory=set)
    written_inside: set[Template] = field(default_factory=set)

    def inside(self, item: Item) -> Template | None:
        """The template of an item that needs no class: its steps are written where it is used."""
        template = self.of.get(item.thing) if isinstance(item.thing, Scope) else None
        return template if template in self.written_inside else None

    def is_written_inside(self, item: Item) -> bool:
        """Whether an item, or every copy in a group, is a call or steps, and needs no module."""
        if item.copies:
            return all(is_use(copy) or is_function(copy) or self.is_written_inside(copy) for copy in item.copies)
        return self.inside(item) is not None

    def may_be_inside(self, template: Template) -> bool:
        """Whether nothing needs a scope to be a module: it is no block, and in no chain, and never skipped."""
        kept = template in self.as_modules or template.inline or not template.outputs
        return template.scope.kind in ("steps", "branch") and not kept

    def split(self, template: Template) -> bool:
        """Gives every module that is an instance of a template a class of its own; whether there are several."""
        parts: dict[str, Template] = {}
        for body in template.bodies:
            part = parts.setdefault(body.scope.home, _new(body))
            if part.scope is not body.scope and not _join(part, body, self):
                return False
        if len(parts) > 1:
            at = self.all.index(template)
            self.all[at : at + 1] = parts.values()
            self.of.update({body.scope: part for part in parts.values() for body in part.bodies})
        return len(parts) > 1


def templates(bodies: dict[Scope, Body], root: Scope) -> Templates:
    """The templates of all scopes."""
    found = Templates(bodies)
    candidates: dict[str, list[Template]] = defaultdict(list)
    for scope in reversed(list(root.scopes())):
        if scope.kind == "copies":
            continue
        known = candidates[scope.definition]
        template = next((t for t in known if _join(t, bodies[scope], found)), None)
        if template is None:
            template = _new(bodies[scope])
            known.append(template)
            found.all.append(template)
        found.of[scope] = template
    for template in found.all:
        template.bodies.reverse()
        template.inline = _is_inline(template)
    found.all = list(_ordered(found.of[root], found, {}))
    for template in found.all:
        found.as_modules.update(_as_modules(template, found))
    return found


def _as_modules(template: Template, found: Templates) -> Iterator[Template]:
    """The templates whose scopes must be modules, as a template uses them."""
    for number in range(len(template.operands)):
        column = template.column(number)
        skipped = any(isinstance(item.thing, Skipped) for item in column)
        chained = any(item.copies and is_sequential(item) for item in column)
        beside = any(isinstance(copy.thing, Node) and copy.role != "use" for item in column for copy in item.copies)
        if skipped or chained or beside or template.inline:
            yield from (found.of[scope] for scope in _inner(column))


def present(column: Sequence[Item]) -> Item:
    """The first item that is not skipped, else the first."""
    return next((item for item in column if not isinstance(item.thing, Skipped)), column[0])


def feeds(item: Item) -> list[Feed] | None:
    """What the inputs of a group's copies are; None where the copies differ in their number of inputs."""
    if len({len(copy.operands) for copy in item.copies}) > 1:
        return None
    flow = int(is_use(item))
    operands = zip(*(copy.operands for copy in item.copies), strict=True)
    return [_feed(refs, is_flow=number == flow) for number, refs in enumerate(operands)]


def is_chain(template: Template) -> bool:
    """Whether each item reads the one before it alone and each can be a module: an `nn.Sequential`."""
    if len(template.bodies[0].inputs) != 1 or len(template.outputs) != 1 or not template.operands:
        return False
    before: Ref = In(0)
    for number, operands in enumerate(template.operands):
        if operands != (before,) or not _as_module(template.sample(number)):
            return False
        if not isinstance(template.sample(number).thing, Skipped):
            before = Out(number)
    return template.outputs == (before,)


def is_sequential(item: Item) -> bool:
    """Whether a group of copies is a chain of which only the end is read."""
    fed = feeds(item)
    if is_branches(item) or fed is None or len(fed) != 1 or fed[0].kind != "chain" or fed[0].output != 0:
        return False
    only_end = item.outputs == item.copies[-1].outputs[:1]
    return only_end and all(len(copy.outputs) == 1 and _as_module(copy) for copy in item.copies)


def is_branches(item: Item) -> bool:
    """Whether a group is of different branches, not of copies."""
    return any(isinstance(copy.thing, Scope) and copy.thing.kind == "branch" for copy in item.copies)


def is_function(item: Item) -> bool:
    """Whether an item is an op that has no module: it is the call of a function."""
    layer = layer_of(item.thing) if isinstance(item.thing, Node) else None
    return layer is not None and layer.module is None and layer.function is not None


def is_use(item: Item) -> bool:
    """Whether an item is a use of a shared module, or a group of such."""
    return item.role == "use" or (bool(item.copies) and all(map(is_use, item.copies)))


def _as_module(item: Item) -> bool:
    if item.role:
        return False
    if isinstance(item.thing, Node):
        layer = layer_of(item.thing)
        return len(item.operands) == 1 and (layer.module is not None or layer.is_identity)
    if isinstance(item.thing, Scope) and item.thing.kind == "copies":
        return is_sequential(item)
    return len(item.operands) == 1 and len(item.outputs) == (0 if isinstance(item.thing, Skipped) else 1)


def _is_inline(template: Template) -> bool:
    """Whether a scope needs no class: a branch that an `nn.Sequential` can hold."""
    names = {item.name for item in template.bodies[0].items}
    return template.scope.kind == "branch" and is_chain(template) and not names & SEQUENTIAL


def _ordered(template: Template, found: Templates, seen: dict[Template, None]) -> dict[Template, None]:
    """All templates that one uses, in the order of the source, each after its own."""
    for body in template.bodies:
        for scope in _inner(body.items):
            if found.of[scope] not in seen:
                _ordered(found.of[scope], found, seen)
    seen[template] = None
    return seen


def _inner(items: Iterable[Item]) -> Iterator[Scope]:
    """The scopes directly inside, through groups of copies."""
    for item in items:
        if isinstance(item.thing, Scope):
            yield from _inner(item.copies) if item.thing.kind == "copies" else (item.thing,)


def _new(body: Body) -> Template:
    template = Template([body], [item.operands for item in body.items], body.outputs)
    template.inline = _is_inline(template)
    return template


def _feed(refs: tuple[Ref, ...], *, is_flow: bool) -> Feed:
    chained = all(isinstance(ref, Copy) and ref.copy == c for c, ref in enumerate(refs[1:]))
    outputs = {ref.output for ref in refs[1:] if isinstance(ref, Copy)}
    if chained and len(outputs) <= 1 and (len(refs) > 1 or is_flow):
        return Feed("chain", refs[:1], next(iter(outputs), 0))
    return Feed("same", refs[:1]) if len(set(refs)) == 1 else Feed("list", refs)


def _join(template: Template, body: Body, found: Templates) -> bool:
    """Adds an instance to a template where it fits."""
    first = template.bodies[0]
    if len(first.items) != len(body.items) or len(first.inputs) != len(body.inputs):
        return False
    pairs = enumerate(body.items)
    if not all(_alike(template.sample(number), item, found) for number, item in pairs):
        return False
    operands = [_merge(template, body, a, i.operands) for a, i in zip(template.operands, body.items, strict=True)]
    outputs = _merge(template, body, template.outputs, body.outputs)
    if outputs is None or None in operands:
        return False
    template.operands = [merged for merged in operands if merged is not None]
    template.outputs = outputs
    template.bodies.append(body)
    return True


def _alike(left: Item, right: Item, found: Templates) -> bool:
    if left.name != right.name or left.role != right.role:
        return False
    a, b = left.thing, right.thing
    if isinstance(a, Skipped) or isinstance(b, Skipped):
        return all(_as_module(item) for item in (left, right))
    if isinstance(a, Node) and isinstance(b, Node):
        return _form(a) == _form(b)
    if isinstance(a, Scope) and isinstance(b, Scope) and a.kind == b.kind:
        return _alike_groups(left, right, found) if a.kind == "copies" else found.of[a] is found.of[b]
    return False


def _form(node: Node) -> tuple[object, ...]:
    layer = layer_of(node)
    names = (call and (call.name, len(call.arguments)) for call in (layer.module, layer.function))
    return (type(node.op), node.inline, len(node.operands), *names)


def _alike_groups(left: Item, right: Item, found: Templates) -> bool:
    a, b = (_kinds(item.copies, found) for item in (left, right))
    fed = feeds(left)
    if fed != feeds(right) or not a or not b or _exports(left) != _exports(right):
        return False
    if fed is None and [copy.operands for copy in left.copies] != [copy.operands for copy in right.copies]:
        return False
    return a == b or (fed is not None and len(set(a)) == 1 and set(a) == set(b))


def _exports(group: Item) -> list[tuple[int, int]]:
    """Which output of which copy each output of a group is; the last copy counts as -1."""
    made = {value: (copy, o) for copy, item in enumerate(group.copies) for o, value in enumerate(item.outputs)}
    last = len(group.copies) - 1
    return [(-1 if copy == last else copy, o) for copy, o in (made[value] for value in group.outputs)]


def _kinds(copies: Iterable[Item], found: Templates) -> list[object]:
    """What each copy is: its template, or its form where it is a single op."""
    return [(copy.role, _kind(copy.thing, found)) for copy in copies]


def _kind(thing: Node | Scope | Skipped, found: Templates) -> object:
    if isinstance(thing, Scope):
        return found.of[thing]
    return _form(thing) if isinstance(thing, Node) else None


def _merge(template: Template, body: Body, left: tuple[Ref, ...], right: tuple[Ref, ...]) -> tuple[Ref, ...] | None:
    """What both read, seeing through steps that one of them skips; None where they differ."""
    if len(left) != len(right):
        return None
    merged = [_merge_one(template, body, a, b) for a, b in zip(left, right, strict=True)]
    return None if None in merged else tuple(ref for ref in merged if ref is not None)


def _merge_one(template: Template, body: Body, left: Ref, right: Ref) -> Ref | None:
    if left == right:
        return left
    if isinstance(left, Out) and _passes([body.items[left.item]], right):
        return left
    if isinstance(right, Out) and _passes(template.column(right.item), left):
        return right
    return None


def _passes(column: Iterable[Item], ref: Ref) -> bool:
    """Whether the item is skipped everywhere and stands for `ref`."""
    return all(isinstance(item.thing, Skipped) and item.operands == (ref,) for item in column)
