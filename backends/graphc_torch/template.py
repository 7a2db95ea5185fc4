"""Which scopes become one class: those written at one place whose contents agree but for numbers and skipped steps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from graphc.graph import Node, Scope, Skipped
from graphc_torch.body import Body, In, Item, Out, Ref, is_loop
from graphc_torch.body import bodies as bodies_of
from graphc_torch.feeds import as_module, feeds, is_function, is_sequential, is_use
from graphc_torch.layer import layer_of
from graphc_torch.names import SEQUENTIAL
from graphc_torch.program import Program

ALL_OUTPUTS = "forward_taps"
"""The method of a network that gives, behind its outputs, what its training reads."""


FEW_STEPS = 4
"""More steps are a class of their own."""


@dataclass(eq=False, slots=True)
class Template:
    """One class to be written: its instances, and what each item reads, with skipped steps seen through.

    `method` is what is called. Outputs with `names` are given as a dict. `passes` has, for a calculation that some
    instances skip, which of its operands it is there.
    """

    bodies: list[Body]
    operands: list[tuple[Ref, ...]]
    outputs: tuple[Ref, ...]
    inline: bool = False
    method: str = "forward"
    names: tuple[str, ...] = ()
    passes: dict[int, int] = field(default_factory=dict)

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
    root: Scope
    all: list[Template] = field(default_factory=list)
    of: dict[Scope, Template] = field(default_factory=dict)
    as_modules: set[Template] = field(default_factory=set)
    written_inside: set[Template] = field(default_factory=set)

    def method(self, item: Item) -> str:
        """What is called of an item's module."""
        return self.of[item.thing].method if isinstance(item.thing, Scope) and item.thing in self.of else "forward"

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
        """Makes several templates of one, by what they skip and repeat or else one a module; whether it could."""
        forms: dict[str, object] = {}
        for body in template.bodies:
            forms.setdefault(body.scope.home, _form_of(body))
        return self.parted(template, forms) or self.parted(template, {home: home for home in forms})

    def parted(self, template: Template, kinds: Mapping[str, object]) -> bool:
        """Splits a template by the kind of each of its modules; whether there are several."""
        parts: dict[object, Template] = {}
        for body in template.bodies:
            part = parts.setdefault(kinds[body.scope.home], _new(body))
            if part.scope is not body.scope and not _join(part, body, self):
                return False
        if len(parts) > 1:
            at = self.all.index(template)
            self.of.update({body.scope: part for part in parts.values() for body in part.bodies})
            self.all[at:] = [part for part in _ordered(self.of[self.root], self, {}) if part not in self.all[:at]]
        return len(parts) > 1

    def unlike(self) -> set[Scope]:
        """The groups of copies, some of which give several values, of which no two are of one class."""
        found = set()
        for group in filter(is_loop, self.root.scopes()):
            copies = [copy for copy in group.items if isinstance(copy, Scope)]
            classes = {self.of[copy] for copy in copies}
            if 1 < len(copies) == len(classes) and any(len(self.bodies[copy].outputs) > 1 for copy in copies):
                found.add(group)
        return found

    def put_inline(self, template: Template) -> bool:
        """Makes a few steps in a row, which are in one place alone, an `nn.Sequential` there; whether they are such."""
        steps = [template.sample(number) for number in range(len(template.operands))]
        alone = len({body.scope.home for body in template.bodies}) == 1 and template.scope.kind == "steps"
        if not alone or len(steps) > FEW_STEPS or not is_chain(template):
            return False
        if any(self.inside(step) or step.name in SEQUENTIAL for step in steps):
            return False
        template.inline = True
        return True


def templates(program: Program, unlike: Container[Scope] = ()) -> Templates:
    """The templates of all scopes; in the groups `unlike`, no two copies are of one class."""
    root = program.whole.root
    found = Templates(bodies := bodies_of(program, unlike), root)
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
    if program.has_training:
        found.of[root].names = tuple(program.whole.outputs)
    model = found.of[program.model]
    if len(model.outputs) > len(program.graph.outputs):
        model.method = ALL_OUTPUTS
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


def is_chain(template: Template) -> bool:
    """Whether each item reads the one before it alone and each can be a module: an `nn.Sequential`."""
    if len(template.bodies[0].inputs) != 1 or len(template.outputs) != 1 or not template.operands:
        return False
    before: Ref = In(0)
    for number, operands in enumerate(template.operands):
        if operands != (before,) or not as_module(template.sample(number)):
            return False
        if not isinstance(template.sample(number).thing, Skipped):
            before = Out(number)
    return template.outputs == (before,)


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


def _form_of(body: Body) -> object:
    """What a body skips, and how often it repeats what."""
    return tuple((isinstance(item.thing, Skipped), len(item.copies)) for item in body.items)


def _new(body: Body) -> Template:
    template = Template([body], [item.operands for item in body.items], body.outputs)
    template.inline = _is_inline(template)
    return template


def _join(template: Template, body: Body, found: Templates) -> bool:
    """Adds an instance to a template where it fits."""
    first = template.bodies[0]
    if len(first.items) != len(body.items) or len(first.inputs) != len(body.inputs):
        return False
    pairs = enumerate(body.items)
    if not all(_alike(template.sample(number), item, found) for number, item in pairs):
        return False
    passes = dict(template.passes)
    operands = [_merged(template, body, number, passes) for number in range(len(body.items))]
    outputs = _merge(template, body, template.outputs, body.outputs)
    if outputs is None or None in operands:
        return False
    template.operands = [merged for merged in operands if merged is not None]
    template.outputs, template.passes = outputs, passes
    template.bodies.append(body)
    return True


def _merged(template: Template, body: Body, number: int, passes: dict[int, int]) -> tuple[Ref, ...] | None:
    """What an item reads in a template and in one more instance; notes what a skipped calculation stands for."""
    left, right, item = template.operands[number], body.items[number].operands, body.items[number]
    if not _is_optional(template.sample(number), item) and number not in passes:
        return _merge(template, body, left, right)
    if len(left) == len(right):
        return _merge(template, body, left, right)
    pairs = [_merge_one(template, body, a, b) for a in left for b in right]
    place = next((place for place, ref in enumerate(pairs) if ref is not None), None)
    if place is None or passes.setdefault(number, place) != place:
        return None
    return left if len(left) > 1 else right


def _alike(left: Item, right: Item, found: Templates) -> bool:
    if left.name != right.name or left.role != right.role:
        return False
    a, b = left.thing, right.thing
    if isinstance(a, Skipped) or isinstance(b, Skipped):
        return all(as_module(item) for item in (left, right)) or _is_optional(left, right)
    if isinstance(a, Node) and isinstance(b, Node):
        return _form(a) == _form(b)
    if isinstance(a, Scope) and isinstance(b, Scope) and a.kind == b.kind:
        return _alike_groups(left, right, found) if a.kind == "copies" else found.of[a] is found.of[b]
    return False


def _is_optional(left: Item, right: Item) -> bool:
    """Whether one is a calculation with several values, and the other skips it."""
    skipped = [item for item in (left, right) if isinstance(item.thing, Skipped)]
    nodes = [item.thing for item in (left, right) if isinstance(item.thing, Node)]
    if len(skipped) != 1 or len(nodes) != 1 or len(skipped[0].operands) != 1:
        return False
    (node,) = nodes
    call = layer_of(node).function
    return call is not None and not call.arguments and not node.inline and len(node.operands) > 1


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
