"""Groups of copies that are no plain chain: as a loop, as a list, or a call for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphc.graph import Node, Scope
from graphc_torch.body import Copy, Item, Out, Ref, output_name
from graphc_torch.construct import scope_of
from graphc_torch.layout import Bracket, Code, Generator, is_settled, lines, statement
from graphc_torch.shared import is_module
from graphc_torch.template import Feed, feeds, is_branches, is_function, is_use
from graphc_torch.term import UnresolvedError, Wanted

if TYPE_CHECKING:
    from graphc_torch.forward import Forward


@dataclass(frozen=True, slots=True)
class Step:
    """What a loop does with a copy: its variables, what they run through, and the arguments of the copy's call."""

    elements: Sequence[str]
    sources: Sequence[Code]
    arguments: Sequence[str]


@dataclass(slots=True)
class Copies:
    """Writes a group of copies into a forward method."""

    to: Forward
    number: int
    item: Item

    def write(self) -> None:
        """Writes the group."""
        self.to.said = ""
        fed = feeds(self.item)
        if fed is None or not self.is_loop(fed):
            self.unrolled()
        else:
            self.loop(fed)

    def is_loop(self, fed: Sequence[Feed]) -> bool:
        """Whether one piece of code does for all copies."""
        copies = self.item.copies
        if len({len(copy.outputs) for copy in copies}) > 1 or is_branches(self.item) or any(map(is_function, copies)):
            return False
        inside = [self.to.templates.inside(copy) for copy in copies]
        if any(inside):
            return len(set(inside)) == 1
        return not any(map(is_use, copies)) or fed[0].kind == "same"

    def loop(self, fed: Sequence[Feed]) -> None:
        """A loop over the copies: `for copy, element in zip(self.copies, elements):`."""
        to = self.to
        chained = next((feed for feed in fed if feed.kind == "chain"), None)
        start = to.read(chained.refs[0]) if chained else ""
        busy = to.is_busy(self.number, [ref for feed in fed if feed.kind != "chain" for ref in feed.refs])
        flow = self.flow_name(busy) if chained else ""
        if not chained and self.comprehension(fed):
            return
        step = self.step(fed, flow, "layer" if self.is_collected(chained) else self.item.name)
        if chained and start != flow:
            to.out += statement(flow, start, to.indent)
        targets, collected = self.outputs(chained, flow)
        for name in collected.values():
            to.out += statement(name, "[]", to.indent)
        head = ", ".join(step.elements) or "_"
        to.out += lines(self.series(step), to.indent, f"for {head} in ", ":")
        to.indent += 1
        self.run(step, targets, collected, busy=busy)
        to.indent -= 1
        to.taken -= set(step.elements)

    def run(self, step: Step, targets: list[str], collected: dict[str, str], *, busy: bool) -> None:
        """What a loop does once."""
        to, template = self.to, self.to.templates.inside(self.item.copies[0])
        if template:
            to.inside(template, step.arguments, targets, busy=busy)
        else:
            to.assign(targets, self.call(step), ())
        for element, name in collected.items():
            if f"{name}.append" not in targets:
                to.out += lines(f"{name}.append({element})", to.indent)

    def comprehension(self, fed: Sequence[Feed]) -> bool:
        """Writes `name = [copy(element) for copy, element in zip(…)]`, where that is all; whether it is."""
        to, taken = self.to, set(self.to.taken)
        if len(self.item.copies[0].outputs) != 1 or not self.is_read():
            return False
        name = to.own(self.item.name)
        step = self.step(fed, "", "layer")
        template = to.templates.inside(self.item.copies[0])
        element = to.expression(template, step.arguments) if template else self.call(step)
        to.taken = taken
        if element is None or not step.elements:
            return False
        variables = ", ".join(step.elements)
        code = Bracket("", (Generator(element, self.series(step), star=False, variable=variables),), "[]")
        if not is_settled(name, code, to.indent):
            return False
        to.out += statement(to.own(name), code, to.indent)
        to.lists[self.number, 0] = name
        return True

    def is_collected(self, chained: Feed | None) -> bool:
        """Whether the copies give one value each, of which not the last alone is read: the list has their name."""
        read = {
            self.to.made_by(self.item, o)[0]
            for o in range(len(self.item.outputs))
            if self.to.readers(Out(self.number, o))
        }
        last = len(self.item.copies) - 1
        return len(self.item.copies[0].outputs) == 1 and bool(read - {last} if chained else read)

    def is_read(self) -> bool:
        """Whether anything is read of any copy."""
        return any(self.to.readers(Out(self.number, output)) for output in range(len(self.item.outputs)))

    def call(self, step: Step) -> Code:
        """The call of a copy in a loop."""
        return Bracket(step.arguments[0], tuple(step.arguments[1:]))

    def series(self, step: Step) -> Code:
        """What a loop runs through."""
        if not step.sources:
            return f"range({self.count()})"
        return Bracket("zip", tuple(step.sources)) if len(step.sources) > 1 else step.sources[0]

    def count(self) -> str:
        """How many copies there are."""
        groups = [scope_of(item) for item in self.to.of.template.column(self.number)]
        counts = tuple(len(group.items) for group in groups)
        written = [group.bindings[""].expression for group in groups]
        hosts = [body.scope for body in self.to.of.template.bodies]
        wanted = Wanted(f"{self.item.name}_count", counts, range(len(groups)), written, hosts)
        return self.to.attributes.term(wanted).code

    def flow_name(self, busy: bool) -> str:
        """The variable that goes from copy to copy: `x`, unless that is still needed."""
        return self.to.own(self.item.name) if busy else "x"

    def step(self, fed: Sequence[Feed], flow: str, layer: str) -> Step:
        """What the loop does with a copy, which it calls `layer` or, where it is a single op, so anyway."""
        to = self.to
        elements: list[str] = []
        sources: list[Code] = []
        arguments: list[str] = []
        if not is_use(self.item) and not to.templates.inside(self.item.copies[0]):
            name = layer if isinstance(self.item.copies[0].thing, Scope) else "layer"
            elements.append(to.own(name if name not in to.taken else f"{self.item.name}_copy"))
            sources.append(f"self.{self.item.name}")
            arguments.append(elements[-1])
        for feed, name in zip(fed, self.input_names(), strict=True):
            if feed.kind == "chain":
                arguments.append(flow)
            elif feed.kind == "same":
                arguments.append(to.read(feed.refs[0]))
            else:
                elements.append(to.own(name))
                sources.append(to.list_code(feed.refs))
                arguments.append(elements[-1])
        return Step(elements, sources, arguments)

    def input_names(self) -> list[str]:
        """What the copies call their inputs; of single ops what the loop calls its one variable."""
        copy = self.item.copies[0]
        if isinstance(copy.thing, Scope):
            named = {value: name for name, value in copy.thing.inputs.items()}
            inputs = self.to.templates.bodies[copy.thing].inputs
            names = ["module" if is_module(value) else named.get(value, "element") for value in inputs]
            return ["module"] * (len(copy.operands) - len(names)) + names
        group = self.item.thing
        variables = [name for name in group.bindings if name] if isinstance(group, Scope) else []
        return [variables[0] if len(variables) == 1 else "value"] * len(copy.operands)

    def outputs(self, chained: Feed | None, flow: str) -> tuple[list[str], dict[str, str]]:
        """The targets of each call, and the lists that collect what is read of every copy."""
        to, item, number = self.to, self.item, self.number
        copy, last = item.copies[0], len(item.copies) - 1
        targets: list[str] = []
        collected: dict[str, str] = {}
        for output in range(len(copy.outputs)):
            is_flow = chained is not None and chained.output == output
            exports = {to.made_by(item, o): o for o in range(len(item.outputs)) if to.readers(Out(number, o))}
            outside = [c for c, o in exports if o == output]
            kept = any(c != last for c in outside) or (bool(outside) and not is_flow)
            listed = to.own(self.list_name(output)) if kept else ""
            if is_flow:
                name = flow
            elif len(copy.outputs) == 1 and kept:
                name = f"{listed}.append"
            else:
                name = to.own(name_of(copy, output)) if outside else "_"
            targets.append(name)
            if (last, output) in exports and is_flow:
                to.names[Out(number, exports[last, output])] = flow
            if kept:
                to.lists[number, output] = collected[name] = listed
        return targets, collected

    def list_name(self, output: int) -> str:
        """What the list of an output of all copies is called."""
        copy = self.item.copies[0]
        single = len(copy.outputs) == 1 and self.item.name not in self.to.taken
        return self.item.name if single else f"{self.item.name}_{name_of(copy, output)}"

    # --- a call for each

    def unrolled(self) -> None:
        """A call for each copy that something reads."""
        to, number, item = self.to, self.number, self.item
        made: list[Ref] = []
        read = self.read_copies()
        for index, copy in enumerate(item.copies):
            if not any(Copy(index, o) in read for o in range(len(copy.outputs))):
                continue
            names = [name_of(copy, o) if o else item.name for o in range(len(copy.outputs))]
            targets = [to.own(f"{name}_{index}") if Copy(index, o) in read else "_" for o, name in enumerate(names)]
            template = to.templates.inside(copy)
            if template:
                to.inside(template, list(map(to.read, copy.operands)), targets, busy=to.is_busy(number, copy.operands))
            else:
                to.assign(targets, self.copy_call(index), copy.operands)
            to.names.update({Copy(index, o): name for o, name in enumerate(targets)})
            made += [Copy(index, o) for o in range(len(targets))]
        for output in range(len(item.outputs)):
            if to.readers(Out(number, output)):
                to.names[Out(number, output)] = to.names[Copy(*to.made_by(item, output))]
        for ref in made:
            del to.names[ref]

    def copy_call(self, index: int) -> Code:
        """The call of one copy in a group."""
        to, copy = self.to, self.item.copies[index]
        if is_use(copy):
            return Bracket(to.read(copy.operands[0]), tuple(map(to.read, copy.operands[1:])))
        if not is_function(copy):
            return Bracket(f"self.{self.item.name}[{index}]", tuple(map(to.read, copy.operands)))
        column = to.of.template.column(self.number)
        if len({len(item.copies) for item in column}) > 1:
            raise UnresolvedError(self.item.name)
        things = [item.copies[index].thing for item in column]
        return to.function([thing for thing in things if isinstance(thing, Node)], copy.operands)

    def read_copies(self) -> set[Ref]:
        """The outputs of copies that something outside reads, or another copy that is read."""
        to, item = self.to, self.item
        outside = [output for output in range(len(item.outputs)) if to.readers(Out(self.number, output))]
        read: set[Ref] = {Copy(*to.made_by(item, output)) for output in outside}
        for index in reversed(range(len(item.copies))):
            copy = item.copies[index]
            if any(Copy(index, o) in read for o in range(len(copy.outputs))):
                read.update(copy.operands)
        return read


def name_of(copy: Item, output: int) -> str:
    """What a copy calls one of its outputs."""
    return output_name(copy.outputs[output], copy.thing) if isinstance(copy.thing, Scope) else "output"
