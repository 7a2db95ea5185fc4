"""Who reads what in a method, and what is written inside the expression that reads it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from graphc.graph import Node, Scope, Skipped
from graphc_torch.body import Item, Out, Ref
from graphc_torch.construct import Class
from graphc_torch.feeds import is_sequential, is_use
from graphc_torch.layer import layer_of
from graphc_torch.shared import is_weight, lives_below
from graphc_torch.template import Templates


def as_function(item: Item) -> bool:
    """Whether an item is a node that is written as a function call."""
    return isinstance(item.thing, Node) and layer_of(item.thing).function is not None


def is_number(item: Item) -> bool:
    """Whether an item is a number that an expression has."""
    function = layer_of(item.thing).function if isinstance(item.thing, Node) else None
    return function is not None and function.style == "number"


def needs_module(of: Class, number: int, templates: Templates) -> bool:
    """Whether an item of a class is a submodule."""
    column = of.template.column(number)
    sample = of.template.sample(number)
    if is_use(sample) or (sample.role == "module" and lives_below(sample.outputs[0], of.template.scope)):
        return False
    skipped = [isinstance(item.thing, Skipped) for item in column]
    if all(skipped) or number in of.template.passes:
        return False
    thing = sample.thing
    if not isinstance(thing, Node):
        return not templates.is_written_inside(sample)
    return (any(skipped) or not as_function(sample)) and not layer_of(thing).is_identity


@dataclass(slots=True)
class Uses:
    """The uses of the values in a class.

    `apart` are the items that are not written inside the expression that reads them, though they could be; `live` those
    that something needs.
    """

    of: Class
    templates: Templates
    apart: frozenset[int] = frozenset()
    live: set[int] = field(default_factory=set)
    direct: defaultdict[Ref, list[int]] = field(default_factory=lambda: defaultdict(list))
    known_readers: dict[Ref, list[int]] = field(default_factory=dict)
    times_read: Counter[Ref] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.find_readers()

    def find_readers(self) -> None:
        """Finds what is needed, and who reads each value."""
        template = self.of.template
        wanted = set(template.outputs)
        for number in reversed(range(len(template.operands))):
            outputs = range(max(1, len(template.sample(number).outputs)))
            if any(Out(number, output) in wanted for output in outputs):
                self.live.add(number)
                wanted.update(template.operands[number])
        for number in sorted(self.live):
            for ref in dict.fromkeys(template.operands[number]):
                self.direct[ref].append(number)
        for ref in dict.fromkeys(template.outputs):
            self.direct[ref].append(len(template.operands))
        self.times_read.update(ref for operands in (*template.operands, template.outputs) for ref in operands)

    def needs_module(self, number: int) -> bool:
        return needs_module(self.of, number, self.templates)

    def is_identity(self, number: int) -> bool:
        thing = self.of.template.sample(number).thing
        return isinstance(thing, Node) and layer_of(thing).is_identity

    def is_attribute(self, number: int) -> bool:
        """Whether an item is a shared module, or a weight as a value: both are read of `self`."""
        item = self.of.template.sample(number)
        return item.role == "module" or is_weight(item.thing)

    def sequential(self, number: int) -> bool:
        return all(is_sequential(item) for item in self.of.template.column(number) if item.copies)

    def is_number(self, ref: Ref) -> bool:
        """Whether a value is a number that is written where it is read."""
        return isinstance(ref, Out) and self.is_inline(ref.item) and is_number(self.of.template.sample(ref.item))

    def let_name(self, ref: Out) -> str | None:
        """The name that `let` gives to a value in this scope."""
        outputs = self.of.template.sample(ref.item).outputs
        if ref.output >= len(outputs):
            return None
        lets = self.of.template.scope.lets.items()
        return next((name for name, value in lets if value is outputs[ref.output]), None)

    def is_computed(self, ref: Ref) -> bool:
        """Whether a value has a statement of its own."""
        return isinstance(ref, Out) and not self.is_inline(ref.item) and not self.is_attribute(ref.item)

    def is_inline(self, number: int) -> bool:
        """Whether an item is written inside the expression that reads it, which is one alone but for a number."""
        if number in self.apart or not self.is_part(number):
            return False
        if self.times_read[Out(number)] != 1 and not is_number(self.of.template.sample(number)):
            return False
        return not any(self.is_alias(reader) or self.is_looped(reader) for reader in self.direct[Out(number)])

    def is_part(self, number: int) -> bool:
        """Whether an item is made by an expression, which no `let` names."""
        item = self.of.template.sample(number)
        if self.let_name(Out(number)):
            return False
        if item.role == "use" and isinstance(item.thing, Scope) and len(item.outputs) == 1:
            return _is_called(item.thing)
        return item.role != "module" and isinstance(item.thing, Node) and item.thing.inline and len(item.outputs) == 1

    def is_alias(self, number: int) -> bool:
        """Whether an item only gives a value another name; the number behind the last item is none."""
        if number == len(self.of.template.operands):
            return False
        return isinstance(self.of.template.sample(number).thing, Skipped) or self.is_identity(number)

    def is_looped(self, number: int) -> bool:
        """Whether an item reads a value again and again: a loop, or steps that are written inside."""
        if number == len(self.of.template.operands):
            return False
        item = self.of.template.sample(number)
        return bool(item.copies and not self.sequential(number)) or self.templates.inside(item) is not None

    def readers(self, ref: Ref) -> list[int]:
        """The items that read a value, through expressions too; the number behind the last item stands for `return`."""
        if ref not in self.known_readers:
            found: list[int] = []
            for number in self.direct[ref]:
                passes_on = number in self.live and (self.is_inline(number) or self.is_identity(number))
                found += self.readers(Out(number)) if passes_on else [number]
            self.known_readers[ref] = found
        return self.known_readers[ref]

    def last_use(self, ref: Ref) -> int:
        return max(self.readers(ref), default=-1)

    def stands_beside(self, ref: Out) -> bool:
        """Whether a value has a name of its own: one of several results, or an operand beside another computed one."""
        template = self.of.template
        if ref.output > 0 or ref in template.outputs[1:]:
            return True
        for number in self.readers(ref):
            beside = number < len(template.operands) and not template.sample(number).copies
            computed = {r for r in template.operands[number] if self.is_computed(r)} if beside else set()
            if len(computed) > 1 and not self.is_main(ref, computed):
                return True
        return False

    def is_main(self, ref: Ref, computed: set[Ref]) -> bool:
        """Whether a value that stands beside others is the one that the spec has no name for, or the first such."""
        unnamed = [r.item for r in computed if isinstance(r, Out) and self.is_unnamed(r.item)]
        return isinstance(ref, Out) and bool(unnamed) and min(unnamed) == ref.item

    def is_unnamed(self, number: int) -> bool:
        """Whether an item has the name of its op or block."""
        thing = self.of.template.sample(number).thing
        own = thing.op.name if isinstance(thing, Node) else ""
        if isinstance(thing, Scope) and thing.kind == "block":
            own = thing.label
        return not self.let_name(Out(number)) and re.fullmatch(rf"{own}(_\d+)?", thing.name) is not None


def _is_called(scope: Scope) -> bool:
    """Whether an expression calls a block, which else is a step."""
    place = scope.span
    return place.source.line(place.line)[: place.end - 1].endswith(")")
