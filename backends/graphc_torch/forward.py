"""The forward method of a class: a line for each step, in the order of the spec."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from graphc.demands import Rule
from graphc.graph import Node, Scope, Skipped, Value
from graphc_torch.attributes import Attributes, call_of, columns
from graphc_torch.body import Body, Copy, In, Item, Out, Ref
from graphc_torch.construct import Class
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
    lines,
    prefixed,
    signature,
    statement,
)
from graphc_torch.names import RESERVED, plain
from graphc_torch.shapes import comment
from graphc_torch.sizes import Sizes, axes_of
from graphc_torch.subscript import subscript
from graphc_torch.template import Feed, calls_functions, feeds, is_branches, is_sequential
from graphc_torch.term import UnresolvedError


def as_function(item: Item) -> bool:
    """Whether an item is a node that is written as a function call."""
    return isinstance(item.thing, Node) and layer_of(item.thing).function is not None


def is_number(item: Item) -> bool:
    """Whether an item is a number that an expression has."""
    function = layer_of(item.thing).function if isinstance(item.thing, Node) else None
    return function is not None and function.style == "number"


def needs_module(of: Class, number: int) -> bool:
    """Whether an item of a class is a submodule."""
    column = of.template.column(number)
    skipped = [isinstance(item.thing, Skipped) for item in column]
    if all(skipped):
        return False
    thing = of.template.sample(number).thing
    if not isinstance(thing, Node):
        return not calls_functions(of.template.sample(number))
    return (any(skipped) or not as_function(of.template.sample(number))) and not layer_of(thing).is_identity


def written(of: Class, rules: Mapping[str, Rule], bodies: Mapping[Scope, Body]) -> Forward:
    """The forward method, with the parts of expressions that are too long for a line in statements of their own."""
    apart: frozenset[int] = frozenset()
    while True:
        forward = Forward(of, rules, bodies, apart)
        forward.write()
        if not forward.too_long:
            return forward
        apart |= forward.too_long


@dataclass(slots=True)
class Forward:
    """Writes the forward method to `out`.

    `apart` are the items that are not written inside the expression that reads them, though they could be; `too_long`
    those that should not have been. `names` has the variable of each value.
    """

    of: Class
    rules: Mapping[str, Rule]
    bodies: Mapping[Scope, Body]
    apart: frozenset[int] = frozenset()
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
        parameters = self.inputs()
        bodies = template.bodies
        shapes = [[body.inputs[i].type.shape for body in bodies] for i in range(len(parameters))]
        self.attributes = Attributes(self.of, Sizes(axes_of(list(zip(parameters, shapes, strict=True)))))
        for number in sorted(self.live):
            for index in self.sized_by(number):
                self.direct[In(index)] = sorted({*self.direct[In(index)], number})

    def sized_by(self, number: int) -> set[int]:
        """The inputs that free sizes among an item's attributes are read of."""
        return {index for nodes in self.called(number) for index in self.attributes.read(nodes)}

    def called(self, number: int) -> list[list[Node]]:
        """The nodes that an item calls as functions, each in all instances."""
        if needs_module(self.of, number) or self.is_identity(number):
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
        arguments = ["self", *(f"{name}: Tensor" for name in parameters)]
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
        body = self.of.template.bodies[0]
        named = {value: name for name, value in body.scope.inputs.items()}
        found: list[str] = []
        for index, value in enumerate(body.inputs):
            name = named.get(value, "input")
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
        simple = not isinstance(item.thing, Skipped) and not self.is_identity(last)
        looped = isinstance(item.thing, Scope) and item.thing.kind == "copies" and not self.sequential(last)
        return last if simple and not looped else None

    # --- items

    def item(self, number: int, last: bool) -> None:
        template = self.of.template
        item = template.sample(number)
        if isinstance(item.thing, Skipped) or self.is_identity(number):
            self.alias(number)
        elif isinstance(item.thing, Scope) and item.thing.kind == "copies" and not self.sequential(number):
            self.group(number, item)
        elif last or not self.is_inline(number):
            targets = ["return"] if last else [self.target(Out(number, o)) for o in range(len(item.outputs))]
            self.assign(targets, self.call(number), template.operands[number], self.comment(number))

    def alias(self, number: int) -> None:
        if self.of.template.operands[number]:
            self.names[Out(number)] = self.read(self.of.template.operands[number][0])

    def assign(self, targets: list[str], code: Code, read: Sequence[Ref], said: str = "") -> None:
        """Writes a statement; where it is too long for a line, the longest expression in it should stand apart."""
        target = ", ".join(targets)
        self.out += statement(target, code, 2, said)
        inside = [ref for ref in read if isinstance(ref, Out) and self.is_inline(ref.item) and not self.is_number(ref)]
        if inside and not is_settled(target, code, 2):
            self.too_long.add(max(inside, key=lambda ref: len(self.read(ref))).item)

    def is_identity(self, number: int) -> bool:
        thing = self.of.template.sample(number).thing
        return isinstance(thing, Node) and layer_of(thing).is_identity

    def sequential(self, number: int) -> bool:
        return all(is_sequential(item) for item in self.of.template.column(number) if item.copies)

    def comment(self, number: int) -> str:
        """The shape of an item's value, where it is one value that every instance has, and not the shape just said."""
        column = self.of.template.column(number)
        values = [item.outputs[0] for item in column if len(item.outputs) == 1]
        text = comment(self.of, values, self.rules) if len(values) == len(column) else ""
        if text == self.said:
            return ""
        self.said = text
        return text

    def call(self, number: int) -> Code:
        item = self.of.template.sample(number)
        if needs_module(self.of, number):
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
            if isinstance(item.thing, Node):
                return self.call(ref.item)
            copy, output = self.made_by(item, ref.output)
            return f"{self.lists[ref.item, output]}[{copy}]"
        raise KeyError(ref)

    # --- names

    def target(self, ref: Out) -> str:
        """The variable for a value: `x` where nothing that is still needed has that name, else its own."""
        if not self.readers(ref):
            return "_"
        free = not any(name == "x" and self.last_use(other) > ref.item for other, name in self.names.items())
        name = "x" if free and not self.stands_beside(ref) else self.own(self.value_name(ref))
        self.names[ref] = name
        return name

    def own(self, name: str) -> str:
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    def value_name(self, ref: Out) -> str:
        """What the spec calls a value: the step, or for a further output the step inside that makes it."""
        item = self.of.template.sample(ref.item)
        if len(item.outputs) <= 1 or not isinstance(item.thing, Scope):
            return item.name
        return inner_name(item.outputs[ref.output], item.thing)

    def stands_beside(self, ref: Out) -> bool:
        """Whether a value has a name of its own: one of several results, or an operand beside another computed one."""
        template = self.of.template
        if ref.output > 0 or ref in template.outputs[1:]:
            return True
        for number in self.readers(ref):
            if number < len(template.operands) and not template.sample(number).copies:
                computed = {r for r in template.operands[number] if isinstance(r, Out) and not self.is_inline(r.item)}
                if len(computed) > 1:
                    return True
        return False

    def is_inline(self, number: int) -> bool:
        """Whether an item is written inside the expression that reads it, which is one alone but for a number."""
        thing = self.of.template.sample(number).thing
        if not isinstance(thing, Node) or not thing.inline or number in self.apart:
            return False
        if self.times_read[Out(number)] != 1 and not is_number(self.of.template.sample(number)):
            return False
        return not any(self.is_alias(reader) or self.is_looped(reader) for reader in self.direct[Out(number)])

    def is_alias(self, number: int) -> bool:
        """Whether an item only gives a value another name; the number behind the last item is none."""
        if number == len(self.of.template.operands):
            return False
        return isinstance(self.of.template.sample(number).thing, Skipped) or self.is_identity(number)

    def is_looped(self, number: int) -> bool:
        """Whether an item is a loop, which would calculate what it reads again and again."""
        return number < len(self.of.template.operands) and bool(
            self.of.template.sample(number).copies and not self.sequential(number)
        )

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

    def group(self, number: int, item: Item) -> None:
        self.said = ""
        fed = feeds(item)
        results = {len(copy.outputs) for copy in item.copies}
        if fed is None or len(results) > 1 or is_branches(item) or calls_functions(item):
            self.unrolled(number, item)
        else:
            self.loop(number, item, fed)

    def loop(self, number: int, item: Item, fed: list[Feed]) -> None:
        """A loop over the copies: `for copy, element in zip(self.copies, elements):`."""
        chained = next((feed for feed in fed if feed.kind == "chain"), None)
        start = self.read(chained.refs[0]) if chained else ""
        flow = self.flow_name(number, fed) if chained else ""
        if chained and start != flow:
            self.out += statement(flow, start, 2)
        variable = self.own(item.name if item.name not in self.taken else f"{item.name}_copy")
        elements, sources, arguments = self.loop_inputs(number, fed, flow)
        targets, collected = self.loop_outputs(number, item, chained, flow)
        for name in collected.values():
            self.out += statement(name, "[]", 2)
        head = ", ".join([variable, *elements])
        own = f"self.{item.name}"
        self.out += lines(Bracket("zip", (own, *sources)) if sources else own, 2, f"for {head} in ", ":")
        self.out += statement(", ".join(targets), Bracket(variable, tuple(arguments)), 3)
        self.out += [f"            {name}.append({element})" for element, name in collected.items()]

    def flow_name(self, number: int, fed: list[Feed]) -> str:
        """The variable that goes from copy to copy: `x`, unless that is still needed."""
        beside = {ref for feed in fed if feed.kind != "chain" for ref in feed.refs}
        here = [ref for ref, name in self.names.items() if name == "x"]
        busy = any(ref in beside or self.last_use(ref) > number for ref in here)
        return self.own(self.of.template.sample(number).name) if busy else "x"

    def loop_inputs(self, number: int, fed: list[Feed], flow: str) -> tuple[list[str], list[Code], list[str]]:
        """The loop's variables, what they run through, and the arguments of each call."""
        elements: list[str] = []
        sources: list[Code] = []
        arguments: list[str] = []
        names = self.copy_inputs(number)
        for feed, name in zip(fed, names, strict=True):
            if feed.kind == "chain":
                arguments.append(flow)
            elif feed.kind == "same":
                arguments.append(self.read(feed.refs[0]))
            else:
                elements.append(self.own(name))
                sources.append(self.list_code(feed.refs))
                arguments.append(elements[-1])
        return elements, sources, arguments

    def copy_inputs(self, number: int) -> list[str]:
        """What the copies call their inputs."""
        copy = self.of.template.sample(number).copies[0]
        if not isinstance(copy.thing, Scope):
            return ["value"] * len(copy.operands)
        named = {value: name for name, value in copy.thing.inputs.items()}
        return [named.get(value, "element") for value in self.bodies[copy.thing].inputs]

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

    def loop_outputs(
        self, number: int, item: Item, chained: Feed | None, flow: str
    ) -> tuple[list[str], dict[str, str]]:
        """The targets of each call, and the lists that collect what is read of every copy."""
        copy = item.copies[0]
        last = len(item.copies) - 1
        targets: list[str] = []
        collected: dict[str, str] = {}
        for output in range(len(copy.outputs)):
            is_flow = chained is not None and chained.output == output
            exports = {self.made_by(item, o): o for o in range(len(item.outputs)) if self.readers(Out(number, o))}
            outside = [c for c, o in exports if o == output]
            name = flow if is_flow else self.own(_output_name(copy, output)) if outside else "_"
            targets.append(name)
            if (last, output) in exports and is_flow:
                self.names[Out(number, exports[last, output])] = flow
            if any(c != last for c in outside) or (outside and not is_flow):
                self.lists[number, output] = collected[name] = self.own(f"{item.name}_{_output_name(copy, output)}")
        return targets, collected

    def made_by(self, group: Item, output: int) -> tuple[int, int]:
        """Which copy makes an output of a group, and which of its outputs that is."""
        value = group.outputs[output]
        return next((c, copy.outputs.index(value)) for c, copy in enumerate(group.copies) if value in copy.outputs)

    def export_of(self, number: int, item: Item, copy: int, output: int) -> Ref | None:
        value = item.copies[copy].outputs[output]
        return Out(number, item.outputs.index(value)) if value in item.outputs else None

    def unrolled(self, number: int, item: Item) -> None:
        """A call for each copy that something reads."""
        made: list[Ref] = []
        read = self.read_copies(number, item)
        for index, copy in enumerate(item.copies):
            if not any(Copy(index, o) in read for o in range(len(copy.outputs))):
                continue
            code = self.copy_call(number, index)
            names = [_output_name(copy, o) if o else item.name for o in range(len(copy.outputs))]
            targets = [self.own(f"{name}_{index}") if Copy(index, o) in read else "_" for o, name in enumerate(names)]
            self.assign(targets, code, copy.operands)
            self.names.update({Copy(index, o): name for o, name in enumerate(targets)})
            made += [Copy(index, o) for o in range(len(targets))]
        for output in range(len(item.outputs)):
            if self.readers(Out(number, output)):
                self.names[Out(number, output)] = self.names[Copy(*self.made_by(item, output))]
        for ref in made:
            del self.names[ref]

    def copy_call(self, number: int, index: int) -> Code:
        """The call of one copy in a group."""
        column = self.of.template.column(number)
        copy = self.of.template.sample(number).copies[index]
        if not calls_functions(column[0]):
            return Bracket(f"self.{column[0].name}[{index}]", tuple(map(self.read, copy.operands)))
        if len({len(item.copies) for item in column}) > 1:
            raise UnresolvedError(column[0].name)
        things = [item.copies[index].thing for item in column]
        return self.function([thing for thing in things if isinstance(thing, Node)], copy.operands)

    def read_copies(self, number: int, item: Item) -> set[Ref]:
        """The outputs of copies that something outside reads, or another copy that is read."""
        outside = [output for output in range(len(item.outputs)) if self.readers(Out(number, output))]
        read: set[Ref] = {Copy(*self.made_by(item, output)) for output in outside}
        for index in reversed(range(len(item.copies))):
            copy = item.copies[index]
            if any(Copy(index, o) in read for o in range(len(copy.outputs))):
                read.update(copy.operands)
        return read


def _result(outputs: int) -> str:
    """The annotation of what a method returns."""
    if outputs < 2:
        return "Tensor" if outputs else "None"
    return f"tuple[{', '.join(['Tensor'] * outputs)}]"


def inner_name(value: Value, scope: Scope) -> str:
    """The name, directly inside a scope, of the step that makes a value."""
    relative = value.path.removeprefix(f"{scope.path}.")
    return relative.partition(".")[0]


def _output_name(copy: Item, output: int) -> str:
    return inner_name(copy.outputs[output], copy.thing) if isinstance(copy.thing, Scope) else "output"
