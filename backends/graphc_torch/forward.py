"""The forward method of a class: a line for each step, in the order of the spec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from graphc.demands import Rule
from graphc.graph import Node, Scope, Skipped, Value
from graphc.kept import kept_by
from graphc.tensor import Shape
from graphc_torch.attributes import Attributes, call_of
from graphc_torch.body import In, Item, Out, Ref, output_name, scope_of
from graphc_torch.construct import Class, Column, condition
from graphc_torch.copies import Copies
from graphc_torch.feeds import is_use
from graphc_torch.layout import (
    Bracket,
    Choice,
    Code,
    Entry,
    Several,
    flat,
    is_settled,
    signature,
    statement,
)
from graphc_torch.names import RESERVED, plain
from graphc_torch.reading import Reading
from graphc_torch.shapes import comment
from graphc_torch.shared import is_module, is_weight, module_code, weight_code
from graphc_torch.sizes import Sizes, axes_of
from graphc_torch.template import Template, Templates
from graphc_torch.term import Place, UnresolvedError
from graphc_torch.uses import Uses


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
    those that should not have been. `code` reads the values. A scope that needs no class is written
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
    uses: Uses = field(init=False)
    code: Reading = field(init=False)
    out: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    said: str = ""
    counts: dict[Out, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Finds who reads what; an item that nothing reads needs no line."""
        self.uses = Uses(self.of, self.templates, self.apart)
        self.code = Reading(self.of, self.templates, self.uses)
        template = self.of.template
        parameters = self.inputs()
        bodies = template.bodies
        shapes = [[body.inputs[i].type.shape for body in bodies] for i in range(len(parameters))]
        for number in filter(self.uses.is_attribute, range(len(template.operands))):
            self.code.names[Out(number)] = self.attribute(number)
        local = [(name, self.shapes(ref)) for ref, name in self.counted(parameters).items()]
        axes = axes_of([*zip(parameters, shapes, strict=True), *local])
        self.code.attributes = Attributes(self.of, Sizes(axes))
        shown: list[Ref] = [*map(In, range(len(parameters))), *self.counts]
        for number in sorted(self.uses.live):
            for ref in map(shown.__getitem__, self.sized_by(number)):
                self.uses.direct[ref] = sorted({*self.uses.direct[ref], number})
                self.uses.apart |= {ref.item} if isinstance(ref, Out) else set()
        self.counts = {ref: name for ref, name in self.counts.items() if ref.item in self.uses.apart - self.apart}

    def counted(self, parameters: Sequence[str]) -> dict[Out, str]:
        """The values that show how many things an item keeps, which only the data knows, and their variables."""
        template = self.of.template
        for number in sorted(self.uses.live):
            node = template.sample(number).thing
            if isinstance(node, Node) and (kept := next(kept_by([node]), None)):
                name = plain(node.name)
                self.counts[Out(number, node.outputs.index(kept.value))] = f"{name}_" if name in parameters else name
        return self.counts

    def shapes(self, ref: Out) -> list[Shape]:
        """The shapes of an item's output in all instances."""
        return [item.outputs[ref.output].type.shape for item in self.of.template.column(ref.item)]

    def sized_by(self, number: int) -> set[int]:
        """What an item reads for free sizes, and for what new values are like: an input, or behind these a count."""
        called = self.called(number)
        like = {index for nodes in called if (index := self.code.at_hand(call_of(nodes[0]))) is not None}
        return like | {index for nodes in called for index in self.code.attributes.read(nodes)}

    def called(self, number: int) -> list[list[Node]]:
        """The nodes that an item calls as functions, each in all instances."""
        sample = self.of.template.sample(number)
        if self.uses.needs_module(number) or self.uses.is_identity(number) or sample.role == "module" or is_use(sample):
            return []
        copies = zip(*(item.copies for item in self.of.template.column(number)), strict=False)
        groups = [
            self.code.nodes(number),
            *([copy.thing for copy in same if isinstance(copy.thing, Node)] for same in copies),
        ]
        return [nodes for nodes in groups if nodes]

    def write(self) -> None:
        """Writes the method."""
        template = self.of.template
        parameters = [self.code.names[In(index)] for index in range(len(template.bodies[0].inputs))]
        self.taken = {*RESERVED, *parameters, *self.counts.values()}
        returned = self.returned()
        for number in sorted(self.uses.live):
            self.item(number, last=number == returned)
        if returned is None:
            self.give()
        result = "dict[str, Tensor]" if template.names else result_type(len(template.outputs))
        kinds = ("nn.Module" if is_module(value) else "Tensor" for value in template.bodies[0].inputs)
        arguments = ["self", *(f"{name}: {kind}" for name, kind in zip(parameters, kinds, strict=True))]
        if template.method != "forward":
            self.out.insert(0, '        """The outputs, and behind them what training reads."""')
        self.out[:0] = signature(template.method, arguments, result, 1)
        if len(self.out) == 1:
            self.out.append("        pass")

    def give(self) -> None:
        """The line `return`, where there is something to return."""
        template = self.of.template
        values = [self.code.code_of(ref) for ref in template.outputs]
        if values:
            code = values[0] if len(values) == 1 else Several(tuple(map(flat, values)))
            if template.names:
                code = Bracket("", tuple(map(Entry, template.names, values)), "{}")
            self.assign(["return"], code, template.outputs)

    def inputs(self) -> list[str]:
        """The arguments: the spec's names of the inputs, `x` for one without a name."""
        if self.arguments:
            self.code.names.update({In(index): name for index, name in enumerate(self.arguments)})
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
            self.code.names[In(index)] = name
            found.append(name)
        return found

    def returned(self) -> int | None:
        """The last item, where its value is all that is returned and it is one line."""
        template = self.of.template
        last = max(self.uses.live, default=-1)
        if template.outputs != (Out(last),) or template.names:
            return None
        item = template.sample(last)
        simple = len(item.outputs) == 1 and not self.uses.is_identity(last) and not self.uses.is_attribute(last)
        looped = isinstance(item.thing, Scope) and item.thing.kind == "copies" and not self.uses.sequential(last)
        return last if simple and not looped else None

    # --- items

    def item(self, number: int, last: bool) -> None:
        template = self.of.template
        item = template.sample(number)
        if self.uses.is_attribute(number):
            return
        if isinstance(item.thing, Skipped) or self.uses.is_identity(number):
            self.alias(number)
        elif isinstance(item.thing, Scope) and item.thing.kind == "copies" and not self.uses.sequential(number):
            Copies(self, number, item).write()
        elif self.templates.inside(item):
            self.scope(number, item, last=last)
        elif last or not self.uses.is_inline(number):
            targets = ["return"] if last else [self.target(Out(number, o)) for o in range(len(item.outputs))]
            self.assign(targets, self.chosen(number), template.operands[number], self.comment(number))

    def chosen(self, number: int) -> Code:
        """The call of an item; where some instances skip it, only if this is none of them."""
        call, passes = self.code.call(number), self.of.template.passes
        if number not in passes:
            return call
        column = Column(self.of.template.column(number), range(len(self.of.template.bodies)), self.places())
        name = f"has_{self.of.template.sample(number).name}"
        flag = self.code.attributes.flag(name, condition(self.of, column))
        return Choice(call, flag, self.code.read(self.of.template.operands[number][passes[number]]))

    def places(self) -> list[Place]:
        """Where the instances are."""
        return [Place(body.scope) for body in self.of.template.bodies]

    def scope(self, number: int, item: Item, *, last: bool) -> None:
        """A scope that needs no class: its steps."""
        refs = self.of.template.operands[number]
        busy = self.is_busy(number, ())
        targets = ["return"] if last else [self.target(Out(number, o)) for o in range(len(item.outputs))]
        template = self.templates.of[scope_of(item)]
        self.inside(template, list(map(self.code.read, refs)), targets, busy=busy)
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
        for number in sorted(self.uses.live - {returned}):
            self.item(number, last=False)
        if returned is not None:
            self.assign([*targets], self.chosen(returned), template.operands[returned])
            return
        pairs = [(target, ref) for target, ref in zip(targets, template.outputs, strict=True) if target != "_"]
        for target, ref in sorted(pairs, key=lambda pair: pair[0] in ("x", *self.arguments)):
            if target != self.code.read(ref):
                self.assign([target], self.code.code_of(ref), [ref])

    def expression(self, template: Template, arguments: Sequence[str]) -> Code | None:
        """The steps of a scope as one expression, None where they are more."""
        inner = self.within(template, arguments, frozenset(), busy=True)
        returned = inner.returned()
        for number in sorted(inner.uses.live - {returned}):
            inner.item(number, last=False)
        if inner.out or inner.too_long:
            return None
        return inner.code.code_of(template.outputs[0]) if returned is None else inner.code.call(returned)

    def is_busy(self, number: int, beside: Sequence[Ref]) -> bool:
        """Whether `x` is still needed behind an item, or is one of some values."""
        here = [ref for ref, name in self.code.names.items() if name == "x"]
        return self.busy or any(ref in beside or self.uses.last_use(ref) > number for ref in here)

    def alias(self, number: int) -> None:
        if self.of.template.operands[number]:
            self.code.names[Out(number)] = self.code.read(self.of.template.operands[number][0])

    def assign(self, targets: list[str], code: Code, read: Sequence[Ref], said: str = "") -> None:
        """Writes a statement; where it is too long for a line, the longest expression in it should stand apart.

        The target `list.append` appends to a list.
        """
        target = ", ".join(targets)
        if target.endswith(".append"):
            target, code = "", Bracket(target, (code,))
        self.out += statement(target, code, self.indent, said)
        inside = [
            ref
            for ref in read
            if isinstance(ref, Out) and self.uses.is_inline(ref.item) and not self.uses.is_number(ref)
        ]
        if inside and not is_settled(target, code, self.indent):
            self.too_long.add(max(inside, key=lambda ref: len(self.code.read(ref))).item)

    def attribute(self, number: int) -> str:
        """The code that reads a shared module or a weight."""
        item = self.of.template.sample(number)
        if item.role == "module":
            return module_code(item.outputs[0].node.home, self.of.template.scope.home)
        scopes = (body.scope for body in self.of.template.bodies)
        codes = {weight_code(node, scope) for node, scope in zip(self.code.nodes(number), scopes, strict=True)}
        if len(codes) > 1:
            raise UnresolvedError(item.name)
        return codes.pop()

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

    # --- names

    def target(self, ref: Out) -> str:
        """The variable for a value: `x` where nothing that is still needed has that name, else its own."""
        if not self.uses.readers(ref):
            return "_"
        if ref in self.counts:
            self.code.names[ref] = self.counts[ref]
            return self.counts[ref]
        free = not self.is_busy(ref.item, ()) and not self.uses.let_name(ref)
        name = "x" if free and not self.uses.stands_beside(ref) else self.own(self.value_name(ref))
        self.code.names[ref] = name
        return name

    def own(self, name: str) -> str:
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    def value_name(self, ref: Out) -> str:
        """What the spec calls a value: a `let`, the step, or one of its outputs."""
        item = self.of.template.sample(ref.item)
        if name := self.uses.let_name(ref):
            return plain(name)
        if len(item.outputs) <= 1 or not isinstance(item.thing, Scope):
            return item.name
        return output_name(item.outputs[ref.output], item.thing)


def _handed_on(value: Value) -> str:
    """What a module, or a weight, is called where it is an argument: its name, or `fc_weight`."""
    *path, last = value.node.path.split(".")
    named = max((index for index, part in enumerate(path) if not part.isdigit()), default=0)
    return last if is_module(value) else "_".join((*path[named:], last))


def result_type(outputs: int) -> str:
    """The annotation of what a method returns."""
    if outputs < 2:
        return "Tensor" if outputs else "None"
    return f"tuple[{', '.join(['Tensor'] * outputs)}]"
