"""A step that is an op or a block: its arguments, its operands, and what it gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from graphc.diagnostics import listed
from graphc.elaborate.arguments import read_arguments, resolve
from graphc.elaborate.evaluate import evaluate
from graphc.elaborate.frame import Frame, Place
from graphc.elaborate.make import make
from graphc.elaborate.operands import Given, Operands, Where
from graphc.elaborate.parameters import bind_parameters, require_arguments
from graphc.elaborate.pattern import match
from graphc.elaborate.runner import Runner
from graphc.elaborate.scopes import open_scope
from graphc.elaborate.shared import declare
from graphc.elaborate.things import (
    UNKNOWN,
    Argument,
    Arguments,
    Callee,
    Failed,
    Result,
    Shared,
    Thing,
    listing,
    result_of,
    value_in,
)
from graphc.graph import Value
from graphc.ops import Op, Slot
from graphc.spec import Block, Formula, Step


@dataclass(frozen=True, slots=True)
class Calls:
    """Runs ops and blocks."""

    runner: Runner
    operands: Operands

    def call(self, step: Step, frame: Frame, place: Place) -> Result:
        """Runs the op, the block or the shared module that a step names."""
        build = self.runner.build
        callee = resolve(build, step.name, frame, step.span)
        arguments = read_arguments(build, callee, step.arguments, frame, step.span)
        if callee.shared:
            place = replace(place, shared=callee.shared.home)
        found = self._called(callee, arguments, step, frame, place)
        if callee.shared:
            callee.shared.results.append(found)
        return found

    def _called(self, callee: Callee, arguments: Arguments, step: Step, frame: Frame, place: Place) -> Result:
        build = self.runner.build
        if not isinstance(callee.target, Block):
            op = make(build, callee.target, arguments, step.span)
            return result_of(build.emit(op, self._values(op, step, frame, place), place, arguments.written()))
        require_arguments(build, callee.target, arguments, step.span)
        given = self.operands.by_slot(step, frame, slots_of(callee.target), callee.target.name)
        with build.calling(callee.target, step.span):
            return self._block(callee.target, arguments, given, place, step.doc)

    def use(self, shared: Shared, things: Sequence[Thing], place: Place) -> Result:
        """Runs a shared module on operands that an expression gives."""
        build, callee = self.runner.build, shared.callee
        place, where = replace(place, shared=shared.home), Where(place.level, place.span)
        arguments = Arguments({name: Argument(thing, place.span) for name, thing in callee.arguments.items()})
        if isinstance(callee.target, Block):
            given = self._in_order(slots_of(callee.target), things, shared.name, where)
            with build.calling(callee.target, place.span):
                found = self._block(callee.target, arguments, given, place, "")
        else:
            op = make(build, callee.target, arguments, place.span)
            values = plain_values(self._in_order(op.slots(), things, shared.name, where))
            found = result_of(build.emit(op, values, place, {}))
        shared.results.append(found)
        return found

    def _in_order(self, slots: Sequence[Slot], things: Sequence[Thing], owner: str, where: Where) -> list[Given]:
        """What each input gets of operands in their order."""
        if len(things) > len(slots):
            message = f"`{owner}` takes {listed([f'`{slot.name}`' for slot in slots])}, got {len(things)} operands"
            self.runner.build.fail("E405", message, where.span)
        given = {slot.name: thing for slot, thing in zip(slots, things, strict=False)}
        return self.operands.filled(slots, given, owner, where)

    def _values(self, op: Op, step: Step, frame: Frame, place: Place) -> Sequence[Value | None]:
        """The operands in the op's order."""
        slots = op.slots()
        if any(slot.variadic for slot in slots):
            return self.operands.several(step, frame, place)
        return plain_values(self.operands.by_slot(step, frame, slots, op.name))

    def _block(self, block: Block, arguments: Arguments, given: list[Given], place: Place, doc: str) -> Result:
        """A block at work: parameters, inputs, shared modules, its steps, its outputs."""
        build = self.runner.build
        level = open_scope(place, "block", f"{block.file}#{block.name}", doc, block)
        frame = Frame(block, level)
        bind_parameters(build, frame, arguments)
        for (name, pattern), thing in zip(block.takes.items(), given, strict=True):
            self._take(frame, name, thing)
            if pattern is not None and pattern.kind == "value" and isinstance(thing, Value):
                match(build, frame, pattern, thing, place)
        if given:
            frame.flow = frame.names[next(iter(block.takes))]
        declare(build, block.shared, frame)
        return self.result(block, frame, self.runner.run(block.graph, frame))

    def _take(self, frame: Frame, name: str, thing: Given) -> None:
        """Lets an input's name stand for what is given."""
        frame.names[name] = list(thing) if isinstance(thing, list) else thing
        frame.level.scope.inputs.update(_named(name, frame.names[name]))

    def result(self, block: Block, frame: Frame, flow: Thing) -> Result:
        """What a block gives: its outputs, which default to the last value, and its names."""
        outputs = {name: self._output(formula, frame) for name, formula in block.outputs.items()}
        main = next(iter(outputs.values()), flow)
        named = outputs or {"output": main}
        frame.level.scope.outputs = dict(pair for name, thing in named.items() for pair in _named(name, thing).items())
        return Result(main, outputs=outputs, names=frame.readable())

    def _output(self, formula: Formula, frame: Frame) -> Thing:
        try:
            return evaluate(self.runner.build, frame, formula)
        except Failed:
            return UNKNOWN


def slots_of(block: Block) -> list[Slot]:
    """The inputs of a block."""
    kinds = {name: pattern.kind if pattern else "value" for name, pattern in block.takes.items()}
    return [Slot(name, optional=kind == "optional", listed=kind == "list") for name, kind in kinds.items()]


def plain_values(given: Sequence[Given]) -> list[Value | None]:
    """What the inputs of an op get: no op takes a list."""
    return [value for value in given if not isinstance(value, list)]


def _named(name: str, thing: Thing) -> dict[str, Value]:
    """A value by its name, those of a list by a numbered one."""
    found = listing(thing)
    if isinstance(found, list):
        return {f"{name}_{i}": value for i, item in enumerate(found) if (value := value_in(item))}
    value = value_in(found)
    return {name: value} if value else {}
