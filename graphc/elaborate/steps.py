"""Walks the steps of a graph once: evaluates, places and checks each as it comes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from graphc.elaborate.build import STEP, Build
from graphc.elaborate.calls import Calls
from graphc.elaborate.evaluate import is_true
from graphc.elaborate.frame import Frame, Place
from graphc.elaborate.loops import Loops
from graphc.elaborate.operands import Operands
from graphc.elaborate.scopes import Label, bind_variables, claim, define, definition, is_plain, open_scope
from graphc.elaborate.things import UNKNOWN, Failed, Result, Thing, value_in
from graphc.graph import Binding, Kind, Skipped
from graphc.source import Scalar
from graphc.spec import Formula, Operand, Step


class Steps:
    """Runs steps; `frame.flow` is what the step before gave, and `x` in expressions."""

    def __init__(self, build: Build) -> None:
        self.build = build
        self.operands = Operands(self)
        self.calls = Calls(self, self.operands)
        self.loops = Loops(self)
        build.use = self.calls.use

    def run(self, steps: Sequence[Step], frame: Frame) -> Thing:
        """Runs steps one after the other; what the last one gives."""
        for step in steps:
            frame.flow = self.step(step, frame)
        return frame.flow

    def step(self, step: Step, frame: Frame) -> Thing:
        """Runs one step; what it gives."""
        if step.lets is not None:
            for name, operand in step.lets.operands.items():
                self.let(step.lets.keys[name], operand, frame)
            return frame.flow
        try:
            result = self.placed(step, frame)
        except Failed:
            result = Result(UNKNOWN)
        if step.id:
            with suppress(Failed):
                define(self.build, frame, step.id, result)
        return result

    def let(self, name: Scalar, operand: Operand, frame: Frame) -> None:
        """Names what an operand gives."""
        try:
            thing = self.operands.operand(operand, frame, name)
        except Failed:
            thing = UNKNOWN
        with suppress(Failed):
            define(self.build, frame, name, thing)
        scope, value = frame.level.scope, value_in(thing)
        if isinstance(operand, Formula) and is_plain(thing):
            scope.bindings[name.text] = Binding(thing, "let", operand.expression)
        elif value:
            scope.lets[name.text] = value

    def placed(self, step: Step, frame: Frame, label: Label = "") -> Result:
        """Gives a step its name, then runs it as often as it says."""
        self.build.spend(STEP, step.span)
        with self.build.deeper(step.span):
            return self._placed(step, frame, label)

    def _placed(self, step: Step, frame: Frame, label: Label) -> Result:
        if step.broken:
            raise Failed
        if step.keys and "scan" in step.keys:
            self.build.fail("E306", "a recurrence (`scan`) can't be elaborated yet", step.keys["scan"].span)
        if step.body is not None and not (step.id or label or step.loops or step.repeat):
            return self.bare(step, frame)
        name = self._name(step, frame, label)
        place = Place(frame.level, name, step.span, step.when.expression if step.when else None)
        if step.when and not is_true(self.build, frame, step.when):
            return self.skipped(step, frame, place)
        if step.loops or step.repeat:
            return self.loops.loop(step, frame, place)
        return self.once(step, frame, place)

    def _name(self, step: Step, frame: Frame, label: Label) -> str:
        """The name of a step: its id or label, else the op as it is written."""
        if step.id or label:
            return claim(self.build, frame.level, step.id or label)
        shared = frame.shared(step.name)
        if shared is not None and shared.level is frame.level:
            return frame.level.first_use(shared.name)
        return frame.level.fresh(step.name.lstrip("$").rpartition(".")[2])

    def bare(self, step: Step, frame: Frame) -> Result:
        """A `do` without a name of its own adds nothing but its steps."""
        if step.when and not is_true(self.build, frame, step.when):
            return Result(self.operands.passed(step, frame))
        frame.flow = self.operands.single(step, frame)
        return Result(self.run(step.body or (), frame))

    def skipped(self, step: Step, frame: Frame, place: Place) -> Result:
        """A step whose condition is false is an identity."""
        thing = self.operands.passed(step, frame)
        if place.condition is not None:
            place.level.scope.items.append(Skipped(place.name, place.condition, step.span, value_in(thing)))
        return Result(thing)

    def once(self, step: Step, frame: Frame, place: Place) -> Result:
        """Runs a step at a place."""
        if step.body is None:
            return self.calls.call(step, frame, place)
        frame.flow = self.operands.single(step, frame)
        return self.scoped(step.body, frame, place, "steps", step.doc)

    def scoped(self, steps: Sequence[Step], frame: Frame, place: Place, kind: Kind, doc: str = "") -> Result:
        """Runs steps in a scope of their own."""
        level = open_scope(place, kind, definition(place.span), doc)
        inner = frame.inside(level)
        if frame.level.scope.kind == "copies":
            bind_variables(level.scope, frame.names)
        flow = self.run(steps, inner)
        value = value_in(flow)
        if value:
            level.scope.outputs["output"] = value
        return Result(flow, names=inner.readable())
