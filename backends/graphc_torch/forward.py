"""The forward method of a class: a line for each step, in the order of the spec."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from graphc.demands import Rule
from graphc.graph import Node, Scope, Skipped, Value
from graphc_torch.attributes import Attributes, call_of, columns
from graphc_torch.body import In, Item, Out, Ref, output_name
from graphc_torch.construct import Class, scope_of
from graphc_torch.copies import Copies
from graphc_torch.layer import layer_of
from graphc_torch.layout import (
    Bracket,
    Code,
    Keyword,
    Several,
    atom,
    flat,
    is_settled,
    joined,
    prefixed,
    signature,
    statement,
)
from graphc_torch.names import RESERVED, plain
from graphc_torch.shapes import comment
from graphc_torch.shared import is_module, is_weight, weight_code
from graphc_torch.sizes import Sizes, axes_of
from graphc_torch.subscript import subscript
from graphc_torch.template import Template, Templates, is_sequential, is_use
from graphc_torch.term import UnresolvedError


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
    if is_use(of.template.sample(number)):
        return False
    skipped = [isinstance(item.thing, Skipped) for item in column]
    if all(skipped):
        return False
    thing = of.template.sample(number).thing
    if not isinstance(thing, Node):
        return not templates.is_written_inside(of.template.sample(number))
    return (any(skipped) or not as_function(of.template.sample(number))) and not layer_of(thing).is_identity


def written(of: Class, rules: Mapping[str, Rule], templates: Templates) -> Forward:
    """The forward method, with the parts of expressions that are too long for a line in statements of their own."""
    apart: frozenset[int] = frozenset()
    while True:
        forward = Forward(of, rules, templates, apart)
        forward.write()
        if not forward.too_long:
            return forward
        apart |= forward.too_long


@dataclass(slots=True)
class Forward:
    """Writes the forward method to `out`.

    `apart` are the items that are not written inside the expression that reads them, though they could be; `too_long`
    those that should not have been. `names` has the variable of each value. A scope that needs no class is written
    inside the method of another, with `arguments` for its inputs; `busy` says that `x` is still needed there.
    """

    of: Class
    rules: Mapping[str, Rule]
    templates: Templates
    apart: frozenset[int] = frozenset()
    arguments: Sequence[str] = ()
    indent: int = 2
    busy: bool = False
    too_long: set[int] = field(default_factory=set)
    attributes: Attributes = field(init=False)
    names: dict[Ref, str] = field(default_factory=dict)
    lists: dict[tuple[int, int], str] = field(default_factory=dict)
    out: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    said: str = ""
    live: set[int] = field(default_factory=set)
    direct: defaultdict[Ref, list[int]] = field(default_factory=lambda: defaultdict(list))
    known_readers: dict[Ref, list[int]] = field(default_factory=dict)
    times_read: Counter[Ref] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Finds who reads what; an item that nothing reads needs no line."""
        self.find_readers()
        template = self.of.template
        parameters = self.inputs()
        bodies = template.bodies
        shapes = [[body.inputs[i].type.shape for body in bodies] for i in range(len(parameters))]
        for number in filter(self.is_attribute, range(len(template.operands))):
            self.names[Out(number)] = self.attribute(number)
        self.attributes = Attributes(self.of, Sizes(axes_of(list(zip(parameters, shapes, strict=True)))))
        for number in sorted(self.live):
            for index in self.sized_by(number):
                self.direct[In(index)] = sorted({*self.direct[In(index)], number})

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

    def sized_by(self, number: int) -> set[int]:
        """The inputs that free sizes among an item's attributes are read of."""
        return {index for nodes in self.called(number) for index in self.attributes.read(nodes)}

    def called(self, number: int) -> list[list[Node]]:
        """The nodes that an item calls as functions, each in all instances."""
        if self.needs_module(number) or self.is_identity(number) or is_use(self.of.template.sample(number)):
            return []
        copies = zip(*(item.copies for item in self.of.template.column(number)), strict=False)
        groups = [
            self.nodes(number),
            *([copy.thing for copy in same if isinstance(copy.thing, Node)] for same in copies),
        ]
        return [nodes for nodes in groups if nodes]

    def write(self) -> None:
        """Writes the method."""
        template = self.of.template
        parameters = [self.names[In(index)] for index in range(len(template.bodies[0].inputs))]
        self.taken = {*RESERVED, *parameters}
        returned = self.returned()
        for number in sorted(self.live):
            self.item(number, last=number == returned)
        if returned is None:
            self.give()
        result = _result(len(template.outputs))
        kinds = ("nn.Module" if is_module(value) else "Tensor" for value in template.bodies[0].inputs)
        arguments = ["self", *(f"{name}: {kind}" for name, kind in zip(parameters, kinds, strict=True))]
        self.out[:0] = signature("forward", arguments, result, 1)
        if len(self.out) == 1:
            self.out.append("        pass")

    def give(self) -> None:
        """The line `return`, where there is something to return."""
        values = [self.code_of(ref) for ref in self.of.template.outputs]
        if values:
            code = values[0] if len(values) == 1 else Several(tuple(map(flat, values)))
            self.assign(["return"], code, self.of.template.outputs)

    def inputs(self) -> list[str]:
        """The arguments: the spec's names of the inputs, `x` for one without a name."""
        if self.arguments:
            self.names.update({In(index): name for index, name in enumerate(self.arguments)})
            return list(self.arguments)
        body = self.of.template.bodies[0]
        named = {value: name for name, value in body.scope.inputs.items()}
        found: list[str] = []
        for index, value in enumerate(body.inputs):
            name = named.get(value, "input")
            if is_module(value) or is_weight(value.node):
                name = _handed_on(value)
            name = "x" if name == "input" else plain(name)
            while name in found:
                name += "_"
            self.names[In(index)] = name
            found.append(name)
        return found

    def returned(self) -> int | None:
        """The last item, where its value is all that is returned and it is one line."""
        template = self.of.template
        last = max(self.live, default=-1)
        if template.outputs != (Out(last),):
            return None
        item = template.sample(last)
        simple = len(item.outputs) == 1 and not self.is_identity(last) and not self.is_attribute(last)
        looped = isinstance(item.thing, Scope) and item.thing.kind == "copies" and not self.sequential(last)
        return last if simple and not looped else None

    # --- items

    def item(self, number: int, last: bool) -> None:
        template = self.of.template
        item = template.sample(number)
        if self.is_attribute(number):
            return
        if isinstance(item.thing, Skipped) or self.is_identity(number):
            self.alias(number)
        elif isinstance(item.thing, Scope) and item.thing.kind == "copies" and not self.sequential(number):
            Copies(self, number, item).write()
        elif self.templates.inside(item):
            self.scope(number, item, last=last)
        elif last or not self.is_inline(number):
            targets = ["return"] if last else [self.target(Out(number, o)) for o in range(len(item.outputs))]
            self.assign(targets, self.call(number), template.operands[number], self.comment(number))

    def scope(self, number: int, item: Item, *, last: bool) -> None:
        """A scope that needs no class: its steps."""
        refs = self.of.template.operands[number]
        busy = self.is_busy(number, ())
        targets = ["return"] if last else [self.target(Out(number, o)) for o in range(len(item.outputs))]
        template = self.templates.of[scope_of(item)]
        self.inside(template, list(map(self.read, refs)), targets, busy=busy)
        self.said = ""

    def inside(self, template: Template, arguments: Sequence[str], targets: Sequence[str], *, busy: bool) -> None:
        """Writes the steps of a scope that needs no class, and gives what they come to to variables."""
        apart: frozenset[int] = frozenset()
        while True:
            inner = self.within(template, arguments, apart, busy=busy)
            inner.finish(targets)
            if not inner.too_long:
                break
            apart |= inner.too_long
        self.out += inner.out
        self.taken = inner.taken

    def within(self, template: Template, arguments: Sequence[str], apart: frozenset[int], *, busy: bool) -> Forward:
        """The steps of a scope, to be written inside."""
        of = Class(template, "")
        inner = Forward(of, self.rules, self.templates, apart, arguments, self.indent, busy)
        inner.taken = set(self.taken)
        return inner

    def finish(self, targets: Sequence[str]) -> None:
        """Writes all steps, and gives what they come to to variables; to `x` last, as it may still be read."""
        template = self.of.template
        returned = self.returned() if len(targets) == 1 else None
        for number in sorted(self.live - {returned}):
            self.item(number, last=False)
        if returned is not None:
            self.assign([*targets], self.call(returned), template.operands[returned])
            return
        pairs = [(target, ref) for target, ref in zip(targets, template.outputs, strict=True) if target != "_"]
        for target, ref in sorted(pairs, key=lambda pair: pair[0] in ("x", *self.arguments)):
            if target != self.read(ref):
                self.assign([target], self.code_of(ref), [ref])

    def expression(self, template: Template, arguments: Sequence[str]) -> Code | None:
        """The steps of a scope as one expression, None where they are more."""
        inner = self.within(template, arguments, frozenset(), busy=True)
        returned = inner.returned()
        for number in sorted(inner.live - {returned}):
            inner.item(number, last=False)
        if inner.out or inner.too_long:
            return None
        return inner.code_of(template.outputs[0]) if returned is None else inner.call(returned)

    def needs_module(self, number: int) -> bool:
        return needs_module(self.of, number, self.templates)

    def is_busy(self, number: int, beside: Sequence[Ref]) -> bool:
        """Whether `x` is still needed behind an item, or is one of some values."""
        here = [ref for ref, name in self.names.items() if name == "x"]
        return self.busy or any(ref in beside or self.last_use(ref) > number for ref in here)

    def alias(self, number: int) -> None:
        if self.of.template.operands[number]:
            self.names[Out(number)] = self.read(self.of.template.operands[number][0])

    def assign(self, targets: list[str], code: Code, read: Sequence[Ref], said: str = "") -> None:
        """Writes a statement; where it is too long for a line, the longest expression in it should stand apart.

        The target `list.append` appends to a list.
        """
        target = ", ".join(targets)
        if target.endswith(".append"):
            target, code = "", Bracket(target, (code,))
        self.out += statement(target, code, self.indent, said)
        inside = [ref for ref in read if isinstance(ref, Out) and self.is_inline(ref.item) and not self.is_number(ref)]
        if inside and not is_settled(target, code, self.indent):
            self.too_long.add(max(inside, key=lambda ref: len(self.read(ref))).item)

    def is_identity(self, number: int) -> bool:
        thing = self.of.template.sample(number).thing
        return isinstance(thing, Node) and layer_of(thing).is_identity

    def is_attribute(self, number: int) -> bool:
        """Whether an item is a shared module, or a weight as a value: both are read of `self`."""
        item = self.of.template.sample(number)
        return item.role == "module" or is_weight(item.thing)

    def attribute(self, number: int) -> str:
        """The code that reads a shared module or a weight."""
        item = self.of.template.sample(number)
        if item.role == "module":
            return f"self.{item.name}"
        scopes = (body.scope for body in self.of.template.bodies)
        codes = {weight_code(node, scope) for node, scope in zip(self.nodes(number), scopes, strict=True)}
        if len(codes) > 1:
            raise UnresolvedError(item.name)
        return codes.pop()

    def sequential(self, number: int) -> bool:
        return all(is_sequential(item) for item in self.of.template.column(number) if item.copies)

    def comment(self, number: int) -> str:
        """The shape of an item's value, where it is one value that every instance has, and not the shape just said."""
        if self.arguments:
            return ""
        column = self.of.template.column(number)
        values = [item.outputs[0] for item in column if len(item.outputs) == 1]
        text = comment(self.of, values, self.rules) if len(values) == len(column) else ""
        if text == self.said:
            return ""
        self.said = text
        return text

    def call(self, number: int) -> Code:
        item = self.of.template.sample(number)
        if item.role == "use":
            module, *operands = map(self.read, self.of.template.operands[number])
            return Bracket(module, tuple(operands))
        if self.needs_module(number):
            return Bracket(f"self.{item.name}", tuple(map(self.read, self.of.template.operands[number])))
        return self.function(self.nodes(number), self.of.template.operands[number])

    def function(self, nodes: Sequence[Node], refs: tuple[Ref, ...]) -> Code:
        """A call of a function, its attributes behind its operands; or what Python writes in its place."""
        call = call_of(nodes[0])
        if call.style == "operator":
            return self.operation(refs, call.name)
        given = self.attributes.given(nodes)
        if call.style == "index":
            parts = subscript(call.name, [flat(code) for _, code in given])
            return Bracket(atom(self.code_of(refs[0])), parts, "[]")
        written = (code if argument.positional else Keyword(argument.name, code) for argument, code in given)
        if call.style == "list":
            return Bracket(call.name, (self.list_code(refs, "[::-1]"), *written))
        return Bracket(call.name, (*map(flat, self.operands(refs, call.numbers)), *written))

    def nodes(self, number: int) -> list[Node]:
        """An item that is a node, in all instances that do not skip it."""
        return [item.thing for item in self.of.template.column(number) if isinstance(item.thing, Node)]

    def operation(self, refs: Sequence[Ref], operator: str) -> Code:
        """An operator between operands, the first two not both Python's numbers, or in front of a single one."""
        codes = self.operands(refs, range(all(map(self.is_number, refs[:2])), len(refs)))
        return prefixed(operator, codes[0]) if len(codes) == 1 else joined(codes, operator)

    def operands(self, refs: Sequence[Ref], numbers: Sequence[int]) -> list[Code]:
        """The code of each operand; Python's numbers stand for values at the places where they may."""
        at = {place for place, ref in enumerate(refs) if place in numbers and self.is_number(ref)}
        return [self.number(ref) if place in at else self.code_of(ref) for place, ref in enumerate(refs)]

    def is_number(self, ref: Ref) -> bool:
        """Whether a value is a number that is written where it is read."""
        return isinstance(ref, Out) and self.is_inline(ref.item) and is_number(self.of.template.sample(ref.item))

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

    # --- names

    def target(self, ref: Out) -> str:
        """The variable for a value: `x` where nothing that is still needed has that name, else its own."""
        if not self.readers(ref):
            return "_"
        free = not self.is_busy(ref.item, ())
        name = "x" if free and not self.stands_beside(ref) else self.own(self.value_name(ref))
        self.names[ref] = name
        return name

    def own(self, name: str) -> str:
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    def value_name(self, ref: Out) -> str:
        """What the spec calls a value: the step, or one of its outputs."""
        item = self.of.template.sample(ref.item)
        if len(item.outputs) <= 1 or not isinstance(item.thing, Scope):
            return item.name
        return output_name(item.outputs[ref.output], item.thing)

    def stands_beside(self, ref: Out) -> bool:
        """Whether a value has a name of its own: one of several results, or an operand beside another computed one."""
        template = self.of.template
        if ref.output > 0 or ref in template.outputs[1:]:
            return True
        for number in self.readers(ref):
            beside = number < len(template.operands) and not template.sample(number).copies
            if beside and len({r for r in template.operands[number] if self.is_computed(r)}) > 1:
                return True
        return False

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
        """Whether an item is made by an expression."""
        item = self.of.template.sample(number)
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

    # --- copies that are no plain chain

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


def _handed_on(value: Value) -> str:
    """What a module, or a weight, is called where it is an argument: its name, or `fc_weight`."""
    *path, last = value.node.path.split(".")
    named = max((index for index, part in enumerate(path) if not part.isdigit()), default=0)
    return last if is_module(value) else "_".join((*path[named:], last))


def _is_called(scope: Scope) -> bool:
    """Whether an expression calls a block, which else is a step."""
    place = scope.span
    return place.source.line(place.line)[: place.end - 1].endswith(")")


def _result(outputs: int) -> str:
    """The annotation of what a method returns."""
    if outputs < 2:
        return "Tensor" if outputs else "None"
    return f"tuple[{', '.join(['Tensor'] * outputs)}]"
