"""The code that reads values: a variable, an element of a list, or the expression that a value is written as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from graphc.graph import Node
from graphc_torch.attributes import Attributes, call_of, columns
from graphc_torch.body import In, Item, Out, Ref
from graphc_torch.construct import Class
from graphc_torch.layer import Call
from graphc_torch.layout import Bracket, Chain, Code, Keyword, atom, flat, joined, prefixed
from graphc_torch.shared import is_module
from graphc_torch.subscript import subscript
from graphc_torch.template import Templates
from graphc_torch.uses import Uses


@dataclass(slots=True)
class Reading:
    """The values of a method as code. `names` has the variable of each, `lists` those that hold what copies give."""

    of: Class
    templates: Templates
    uses: Uses
    attributes: Attributes = field(init=False)
    names: dict[Ref, str] = field(default_factory=dict)
    lists: dict[tuple[int, int], str] = field(default_factory=dict)

    def call(self, number: int) -> Code:
        item = self.of.template.sample(number)
        if item.role == "use":
            module, *operands = map(self.read, self.of.template.operands[number])
            return Bracket(module, tuple(operands))
        if self.uses.needs_module(number):
            method = self.templates.method(item)
            name = f"self.{item.name}" if method == "forward" else f"self.{item.name}.{method}"
            return Bracket(name, tuple(map(self.read, self.of.template.operands[number])))
        return self.function(self.nodes(number), self.of.template.operands[number])

    def function(self, nodes: Sequence[Node], refs: tuple[Ref, ...]) -> Code:
        """A call of a function, its attributes behind its operands; or what Python writes in its place."""
        call = call_of(nodes[0])
        if call.style == "operator":
            return self.operation(refs, call.name)
        like = self.like(call)
        given = [pair for pair in self.attributes.given(nodes) if pair[0].name not in like]
        if call.style == "index":
            parts = subscript(call.name, [flat(code) for _, code in given])
            return Bracket(atom(self.code_of(refs[0])), parts, "[]")
        if call.style == "methods":
            calls = call.name.format(*(flat(code) for _, code in given)).split("\n")
            return Chain(atom(self.code_of(refs[0])), tuple(calls))
        written = (code if argument.positional else Keyword(argument.name, code) for argument, code in given)
        if call.style == "list":
            return Bracket(call.name, (self.list_code(refs, "[::-1]"), *written))
        placed = (Keyword(name, code) for name, code in like.items())
        return Bracket(call.name, (*map(flat, self.operands(refs, call.numbers)), *written, *placed))

    def like(self, call: Call) -> dict[str, str]:
        """The arguments of a call that follow a tensor at hand: where there is none, the defaults must do."""
        at_hand = self.at_hand(call)
        if at_hand is None:
            return self.like_weight(call)
        names = call.like if self.is_float(at_hand) else [name for name in call.like if name == "device"]
        return {name: f"{atom(self.code_of(In(at_hand)))}.{name}" for name in names}

    def like_weight(self, call: Call) -> dict[str, str]:
        """The same where a class is given nothing, of a weight of its own."""
        body = self.of.template.bodies[0]
        owned = [i.name for i in body.items if isinstance(i.thing, Node) and "weight" in dict(i.thing.weights())]
        like = call.like if owned and not body.inputs else ()
        return {name: f"self.{owned[0]}.weight.{name}" for name in like}

    def at_hand(self, call: Call) -> int | None:
        """The number of the input whose element type and device a call takes: one with fractions before others."""
        body = self.of.template.bodies[0]
        tensors = [i for i, value in enumerate(body.inputs) if not is_module(value)] if call.like else []
        return min(tensors, key=lambda i: not self.is_float(i), default=None)

    def is_float(self, number: int) -> bool:
        return self.of.template.bodies[0].inputs[number].type.dtype == "float32"

    def nodes(self, number: int) -> list[Node]:
        """An item that is a node, in all instances that do not skip it."""
        return [item.thing for item in self.of.template.column(number) if isinstance(item.thing, Node)]

    def operation(self, refs: Sequence[Ref], operator: str) -> Code:
        """An operator between operands, the first two not both Python's numbers, or in front of a single one."""
        codes = self.operands(refs, range(all(map(self.uses.is_number, refs[:2])), len(refs)))
        return prefixed(operator, codes[0]) if len(codes) == 1 else joined(codes, operator)

    def operands(self, refs: Sequence[Ref], numbers: Sequence[int]) -> list[Code]:
        """The code of each operand; Python's numbers stand for values at the places where they may."""
        at = {place for place, ref in enumerate(refs) if place in numbers and self.uses.is_number(ref)}
        return [self.number(ref) if place in at else self.code_of(ref) for place, ref in enumerate(refs)]

    def number(self, ref: Ref) -> Code:
        """A Python number."""
        if not isinstance(ref, Out):
            raise KeyError(ref)
        nodes = self.nodes(ref.item)
        return self.attributes.value(nodes, columns(nodes)[0])

    def read(self, ref: Ref) -> str:
        """The code that reads a value, on one line."""
        return flat(self.code_of(ref))

    def code_of(self, ref: Ref) -> Code:
        """The code that reads a value: its variable, an element of a list, or the expression it was written in."""
        if ref in self.names:
            return self.names[ref]
        if isinstance(ref, Out):
            item = self.of.template.sample(ref.item)
            if isinstance(item.thing, Node) or item.role == "use":
                return self.call(ref.item)
            copy, output = self.made_by(item, ref.output)
            return f"{self.lists[ref.item, output]}[{copy}]"
        raise KeyError(ref)

    def list_code(self, refs: tuple[Ref, ...], backwards: str = "") -> Code:
        """A list of values: one collected by an earlier loop, that in reverse, or each by itself."""
        for (group, output), name in self.lists.items():
            item = self.of.template.sample(group)
            whole = [self.export_of(group, item, copy, output) for copy in range(len(item.copies))]
            if list(refs) == whole:
                return name
            if list(refs) == whole[::-1]:
                return f"{name}{backwards}" if backwards else f"reversed({name})"
        return Bracket("", tuple(self.read(ref) for ref in refs), "[]")

    def made_by(self, group: Item, output: int) -> tuple[int, int]:
        """Which copy makes an output of a group, and which of its outputs that is."""
        value = group.outputs[output]
        return next((c, copy.outputs.index(value)) for c, copy in enumerate(group.copies) if value in copy.outputs)

    def export_of(self, number: int, item: Item, copy: int, output: int) -> Ref | None:
        value = item.copies[copy].outputs[output]
        return Out(number, item.outputs.index(value)) if value in item.outputs else None
