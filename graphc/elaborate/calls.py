"""A step that is an op or a block: its arguments, its operands, and what it gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphc.elaborate.arguments import read_arguments, resolve
from graphc.elaborate.evaluate import evaluate
from graphc.elaborate.frame import UNKNOWN, Arguments, Failed, Frame, Place, Result, Thing, result_of, value_in
from graphc.elaborate.make import make_op
from graphc.elaborate.operands import Operands
from graphc.elaborate.parameters import bind_parameters, require_arguments
from graphc.elaborate.pattern import match
from graphc.elaborate.runner import Runner
from graphc.elaborate.scopes import open_scope
from graphc.graph import Value
from graphc.ops import Op, Slot
from graphc.spec import Block, Formula, Step


@dataclass(frozen=True, slots=True)
class Calls:
    """Runs ops and blocks."""

    runner: Runner
    operands: Operands

    def call(self, step: Step, frame: Frame, place: Place) -> Result:
        """Runs the op or the block that a step names."""
        build = self.runner.build
        callee = resolve(build, step.name, frame, step.span)
        arguments = read_arguments(build, callee, step.arguments, frame, step.span)
        if not isinstance(callee.target, Block):
            return self._op(callee.target, arguments, step, frame, place)
        require_arguments(build, callee.target, arguments, step.span)
        given = self.operands.by_slot(step, frame, slots_of(callee.target), callee.target.name)
        with build.calling(callee.target, step.span):
            return self._block(callee.target, arguments, given, place, step.doc)

    def _op(self, kind: type[Op], arguments: Arguments, step: Step, frame: Frame, place: Place) -> Result:
        build = self.runner.build
        op = make_op(build, kind, arguments, step.span)
        values = self._values(op, step, frame, place)
        return result_of(build.emit(op, values, place, arguments.written()))

    def _values(self, op: Op, step: Step, frame: Frame, place: Place) -> Sequence[Value]:
        """The operands in the op's order."""
        slots = op.slots()
        if any(slot.variadic for slot in slots):
            return self.operands.several(step, frame, place)
        return self.operands.by_slot(step, frame, slots, op.name)

    def _block(self, block: Block, arguments: Arguments, given: list[Value], place: Place, doc: str) -> Result:
        """A block at work: parameters, inputs, its steps, its outputs."""
        build = self.runner.build
        level = open_scope(place, "block", f"{block.file}#{block.name}", doc, block)
        frame = Frame(block, level)
        bind_parameters(build, frame, arguments)
        for slot, value in zip(slots_of(block), given, strict=True):
            frame.names[slot.name] = level.scope.inputs[slot.name] = value
        for name, pattern in block.inputs.items():
            match(build, frame, pattern, level.scope.inputs[name], place)
        frame.flow = given[0]
        return self.result(block, frame, self.runner.run(block.graph, frame))

    def result(self, block: Block, frame: Frame, flow: Thing) -> Result:
        """What a block gives: its outputs, which default to the last value, and its names."""
        outputs = {name: self._output(formula, frame) for name, formula in block.outputs.items()}
        main = next(iter(outputs.values()), flow)
        named = outputs or {"output": main}
        frame.level.scope.outputs = {name: value for name, thing in named.items() if (value := value_in(thing))}
        return Result(main, outputs=outputs, names=frame.readable())

    def _output(self, formula: Formula, frame: Frame) -> Thing:
        try:
            return evaluate(self.runner.build, frame, formula)
        except Failed:
            return UNKNOWN


def slots_of(block: Block) -> list[Slot]:
    """The inputs of a block; one that declares none has one, `input`."""
    return [Slot(name, variadic=False, optional=False) for name in block.inputs or ("input",)]
