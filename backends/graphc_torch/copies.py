"""Groups of copies that are no plain chain: as a loop, as a list, or a call for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphc.graph import Node, Scope
from graphc_torch.body import Copy, Item, Out, Ref, output_name, scope_of
from graphc_torch.feeds import Feed, feeds, is_branches, is_function, is_use
from graphc_torch.layout import Bracket, Code, Generator, is_settled, lines, statement
from graphc_torch.repeated import counted
from graphc_torch.shared import is_module
from graphc_torch.term import UnresolvedError

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
        chains = self.chains(fed)
        if len({chain.output for chain in chains}) < len(chains):
            return False
        inside = [self.to.templates.inside(copy) for copy in copies]
        if any(inside):
            return len(set(inside)) == 1
        return not any(map(is_use, copies)) or fed[0].kind == "same"

    def chains(self, fed: Sequence[Feed]) -> list[Feed]:
        """What goes from copy to copy, each once."""
        return list(dict.fromkeys(feed for feed in fed if feed.kind == "chain"))

    def loop(self, fed: Sequence[Feed]) -> None:
        """A loop over the copies: `for copy, element in zip(self.copies, elements):`."""
        to, chains = self.to, self.chains(fed)
        busy = to.is_busy(self.number, [ref for feed in fed if feed not in chains[:1] for ref in feed.refs])
        if not chains and self.comprehension(fed):
            return
        flows = self.flows(chains, fed, busy=busy)
        step = self.step(fed, flows, "layer" if self.is_collected(chains) else self.item.name)
        targets, collected = self.outputs({chain.output: name for chain, name in flows.items()})
        for name in collected.values():
            to.out += statement(name, "[]", to.indent)
        head = ", ".join(step.elements) or "_"
        to.out += lines(self.series(step), to.indent, f"for {head} in ", ":")
        to.indent += 1
        self.run(step, targets, collected, busy=busy)
        to.indent -= 1
        to.taken -= set(step.elements)

    def flows(self, chains: Sequence[Feed], fed: Sequence[Feed], *, busy: bool) -> dict[Feed, str]:
        """The variables that go from copy to copy; each begins as what the first copy gets."""
        to = self.to
        inputs = dict(zip(reversed(fed), reversed(self.input_names()), strict=True))
        found = {chain: self.own_flow(chain, inputs[chain]) for chain in chains[1:]}
        if chains:
            found = {chains[0]: self.flow_name(busy), **found}
        for chain, name in reversed(found.items()):
            start = to.code.read(chain.refs[0])
            to.out += statement(name, start, to.indent) if start != name else []
        return found

    def own_flow(self, chain: Feed, name: str) -> str:
        """The variable of a further chain: that of what it begins with, where nothing else needs that."""
        start = self.to.code.read(chain.refs[0])
        free = start.isidentifier() and start != "x" and self.to.uses.last_use(chain.refs[0]) <= self.number
        return start if free else self.to.own(name)

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
        step = self.step(fed, {}, "layer")
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
        to.code.lists[self.number, 0] = name
        return True

    def is_collected(self, chains: Sequence[Feed]) -> bool:
        """Whether the copies give one value each, of which not the last alone is read: the list has their name."""
        read = {
            self.to.code.made_by(self.item, o)[0]
            for o in range(len(self.item.outputs))
            if self.to.uses.readers(Out(self.number, o))
        }
        last = len(self.item.copies) - 1
        return len(self.item.copies[0].outputs) == 1 and bool(read - {last} if chains else read)

    def is_read(self) -> bool:
        """Whether anything is read of any copy."""
        return any(self.to.uses.readers(Out(self.number, output)) for output in range(len(self.item.outputs)))

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
        return self.to.code.attributes.term(counted(groups, range(len(groups)))).code

    def flow_name(self, busy: bool) -> str:
        """The variable that goes from copy to copy: `x`, unless that is still needed."""
        return self.to.own(self.item.name) if busy else "x"

    def step(self, fed: Sequence[Feed], flows: Mapping[Feed, str], layer: str) -> Step:
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
            if feed in flows:
                arguments.append(flows[feed])
            elif feed.kind == "same":
                arguments.append(to.code.read(feed.refs[0]))
            else:
                elements.append(to.own(name))
                sources.append(to.code.list_code(feed.refs))
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

    def outputs(self, flows: Mapping[int, str]) -> tuple[list[str], dict[str, str]]:
        """The targets of each call, and the lists that collect what is read of every copy."""
        to, item, number = self.to, self.item, self.number
        copy, last = item.copies[0], len(item.copies) - 1
        targets: list[str] = []
        collected: dict[str, str] = {}
        for output in range(len(copy.outputs)):
            flow = flows.get(output)
            exports = {to.code.made_by(item, o): o for o in range(len(item.outputs)) if to.uses.readers(Out(number, o))}
            outside = [c for c, o in exports if o == output]
            kept = any(c != last for c in outside) or (bool(outside) and not flow)
            listed = to.own(self.list_name(output)) if kept else ""
            if flow:
                name = flow
            elif len(copy.outputs) == 1 and kept:
                name = f"{listed}.append"
            else:
                name = to.own(name_of(copy, output)) if outside else "_"
            targets.append(name)
            if (last, output) in exports and flow:
                to.code.names[Out(number, exports[last, output])] = flow
            if kept:
                to.code.lists[number, output] = collected[name] = listed
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
            numbered = [to.own(f"{name}_{index}") if Copy(index, o) in read else "_" for o, name in enumerate(names)]
            targets = ["x", *numbered[1:]] if self.flows_on(index) else numbered
            template = to.templates.inside(copy)
            if template:
                to.inside(
                    template, list(map(to.code.read, copy.operands)), targets, busy=to.is_busy(number, copy.operands)
                )
            else:
                to.assign(targets, self.copy_call(index), copy.operands)
            to.code.names.update({Copy(index, o): name for o, name in enumerate(targets)})
            made += [Copy(index, o) for o in range(len(targets))]
        for output in range(len(item.outputs)):
            if to.uses.readers(Out(number, output)):
                to.code.names[Out(number, output)] = to.code.names[Copy(*to.code.made_by(item, output))]
        for ref in made:
            del to.code.names[ref]

    def flows_on(self, index: int) -> bool:
        """Whether what a copy comes to is read by the next copy alone, or is the end of all; and `x` is free for it."""
        copies, ref = self.item.copies, Copy(index, 0)
        readers = [number for number, copy in enumerate(copies) if ref in copy.operands]
        beside = [other for copy in copies[1:] for other in copy.operands if not isinstance(other, Copy)]
        exported = any(self.to.code.made_by(self.item, o) == (index, 0) for o in self.exports())
        last = index == len(copies) - 1
        wanted = [] if last else [index + 1]
        fed = feeds(self.item)
        chained = fed is not None and len(fed) == 1 and fed[0].kind == "chain"
        return chained and readers == wanted and exported == last and not self.to.is_busy(self.number, beside)

    def exports(self) -> list[int]:
        """The outputs of the group that something reads."""
        return [output for output in range(len(self.item.outputs)) if self.to.uses.readers(Out(self.number, output))]

    def copy_call(self, index: int) -> Code:
        """The call of one copy in a group."""
        to, copy = self.to, self.item.copies[index]
        if is_use(copy):
            return Bracket(to.code.read(copy.operands[0]), tuple(map(to.code.read, copy.operands[1:])))
        if not is_function(copy):
            return Bracket(f"self.{self.item.name}[{index}]", tuple(map(to.code.read, copy.operands)))
        column = to.of.template.column(self.number)
        if len({len(item.copies) for item in column}) > 1:
            raise UnresolvedError(self.item.name)
        things = [item.copies[index].thing for item in column]
        return to.code.function([thing for thing in things if isinstance(thing, Node)], copy.operands)

    def read_copies(self) -> set[Ref]:
        """The outputs of copies that something outside reads, or another copy that is read."""
        to, item = self.to, self.item
        outside = self.exports()
        read: set[Ref] = {Copy(*to.code.made_by(item, output)) for output in outside}
        for index in reversed(range(len(item.copies))):
            copy = item.copies[index]
            if any(Copy(index, o) in read for o in range(len(copy.outputs))):
                read.update(copy.operands)
        return read


def name_of(copy: Item, output: int) -> str:
    """What a copy calls one of its outputs."""
    return output_name(copy.outputs[output], copy.thing) if isinstance(copy.thing, Scope) else "output"
