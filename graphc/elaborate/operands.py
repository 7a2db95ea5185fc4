"""The operands of a step: expressions, single steps and branches, in order or by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from graphc.diagnostics import Span, did_you_mean, listed
from graphc.dims import Dim
from graphc.elaborate.evaluate import evaluate
from graphc.elaborate.frame import Frame, Level, Place
from graphc.elaborate.runner import Runner
from graphc.elaborate.scopes import Label, claim, define, definition, open_scope
from graphc.elaborate.things import Result, Thing, known, listing, main_value, spoken
from graphc.elaborate.values import one_value, values_of
from graphc.expr import Member, Name, Subscript
from graphc.graph import Value
from graphc.ops import Slot
from graphc.source import Scalar
from graphc.spec import Branch, Formula, Named, Operand, Step

Given: TypeAlias = "Value | list[Value] | None"
"""What an input gets."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where operands are written, and the level that gets what they add to the graph."""

    level: Level
    span: Span


@dataclass(frozen=True, slots=True)
class Operands:
    """Evaluates operands."""

    runner: Runner

    def operand(self, operand: Operand, frame: Frame, label: Label = "") -> Thing:
        """What an operand gives; the label names what it adds to the graph."""
        build = self.runner.build
        if isinstance(operand, Formula):
            return evaluate(build, frame, operand)
        if isinstance(operand, Branch):
            place = Place(frame.level, claim(build, frame.level, label), operand.span)
            return self.runner.scoped(operand.steps, frame, place, "branch")
        flow = frame.flow
        result = self.runner.placed(operand, frame, label)
        frame.flow = flow
        if operand.id:
            define(build, frame, operand.id, result)
        return result

    def single(self, step: Step, frame: Frame) -> Thing:
        """What a `do` takes: one expression, else the step before."""
        if step.source is None:
            return frame.flow
        if isinstance(step.source, Formula):
            return evaluate(self.runner.build, frame, step.source)
        self._refuse(step, "`do` takes one operand, an expression", "from: x")

    def passed(self, step: Step, frame: Frame) -> Thing:
        """What a step that is skipped gives: its first operand where that is a name or a path, else the step before."""
        operands: Sequence[Operand] = ()
        if isinstance(step.source, Formula):
            operands = (step.source,)
        elif step.source is not None:
            operands = tuple(step.source.operands.values()) if isinstance(step.source, Named) else step.source
        first = next(iter(operands), None)
        if isinstance(first, Formula) and isinstance(first.expression, (Name, Member)):
            return evaluate(self.runner.build, frame, first)
        return frame.flow

    def several(self, step: Step, frame: Frame, place: Place) -> list[Value]:
        """The operands of an op that takes any number, in the order written; a map's labels are new names."""
        source, build = step.source, self.runner.build
        if source is None:
            return list(values_of(build, frame.flow, frame.level, step.span))
        if isinstance(source, Formula):
            return list(values_of(build, evaluate(build, frame, source), frame.level, source.span))
        if isinstance(source, Named):
            operands: Sequence[Operand] = tuple(source.operands.values())
            things = [self._labelled(operand, source.keys[label], frame) for label, operand in source.operands.items()]
        else:
            operands, things = source, self._numbered(source, frame, place)
        pairs = zip(operands, things, strict=True)
        return [value for operand, thing in pairs for value in values_of(build, thing, frame.level, operand.span)]

    def _labelled(self, operand: Operand, label: Scalar, frame: Frame) -> Thing:
        """An operand with a label, which names what it adds; an expression has its names already."""
        found = self.operand(operand, frame, label)
        if not isinstance(operand, Formula):
            define(self.runner.build, frame, label, found)
        return found

    def _numbered(self, source: tuple[Operand, ...], frame: Frame, place: Place) -> list[Thing]:
        """The operands of a list; the branches among them are numbered below the step's own name."""
        if not any(isinstance(operand, Branch) for operand in source):
            return [self.operand(operand, frame) for operand in source]
        group = Place(place.level, place.name, place.span)
        level = open_scope(group, "copies", definition(place.span, "branches"))
        found: list[Thing] = []
        for operand in source:
            if isinstance(operand, Branch):
                found.append(self.operand(operand, frame.inside(level), str(len(level.scope.items))))
            else:
                found.append(self.operand(operand, frame))
        return found

    # --- a fixed number of operands

    def by_slot(self, step: Step, frame: Frame, slots: Sequence[Slot], owner: str) -> list[Given]:
        """The operands of an op or a block, in the order of its inputs.

        One that is not given is the output of that name of the step before, for the first input its main one.
        """
        given = self._given(step, frame, slots, owner)
        flow = frame.flow
        before = {**flow.outputs} if isinstance(flow, Result) else {}
        if slots and flow is not None:
            before.setdefault(slots[0].name, flow)
        key = (step.keys or {}).get("from")
        where = Where(frame.level, key.span if key else step.span)
        return self.filled(slots, before | given, owner, where, flow)

    def filled(
        self, slots: Sequence[Slot], given: Mapping[str, Thing], owner: str, where: Where, before: Thing = None
    ) -> list[Given]:
        """What each input gets of what there is by name; `before` is what the step before gave.

        Raises:
            Failed: an input gets nothing, or something else than it takes; reported.
        """
        build = self.runner.build
        found: list[Given] = []
        for slot in slots:
            thing = given.get(slot.name)
            if thing is None and not slot.optional:
                known(before)  # an output that is missing because its step failed is no mistake of its own
                hint = f"from: {{{slot.name}: …}}"
                build.fail("E405", f"`{owner}` needs the input `{slot.name}`", where.span, hint)
            found.append(None if thing is None else self._fit(slot, thing, owner, where))
        return found

    def _fit(self, slot: Slot, thing: Thing, owner: str, where: Where) -> Given:
        """A thing as the value, or the list of values, that an input takes."""
        build = self.runner.build
        if slot.listed:
            return list(values_of(build, listing(thing), where.level, where.span))
        found = main_value(thing)
        if isinstance(found, (Value, int, float, Dim)):
            return one_value(build, found, where.level, where.span)
        message = f"the input `{slot.name}` of `{owner}` is {spoken(found)}, not a value"
        build.fail("E405", message, where.span)

    def _given(self, step: Step, frame: Frame, slots: Sequence[Slot], owner: str) -> dict[str, Thing]:
        """What `from` gives, by the names of the inputs."""
        source, names = step.source, [slot.name for slot in slots]
        if source is None:
            return {}
        if isinstance(source, Named):
            for label, key in source.keys.items():
                if label not in names:
                    hint = did_you_mean(label, names, f"it has {listed(names)}")
                    self.runner.build.fail("E405", f"`{owner}` has no input `{label}`", key.span, hint)
            return {label: self.operand(operand, frame, label) for label, operand in source.operands.items()}
        if isinstance(source, Formula):
            thing = evaluate(self.runner.build, frame, source)
            things = thing if isinstance(thing, list) and not slots[0].listed else [thing]
            self._require_room(step, len(things), names, owner)
            return dict(zip(names, things, strict=False))
        self._require_room(step, len(source), names, owner)
        return {
            name: self.operand(operand, frame, name if isinstance(operand, Branch) else "")
            for name, operand in zip(names, source, strict=False)
        }

    def _require_room(self, step: Step, given: int, names: list[str], owner: str) -> None:
        if given > len(names):
            wanted = listed([f"`{name}`" for name in names])
            self._refuse(step, f"`{owner}` takes {wanted}, got {given} operands")

    def _refuse(self, step: Step, message: str, hint: str = "") -> NoReturn:
        """Reports what is wrong with the operands: at `from`, else at the step."""
        key = (step.keys or {}).get("from")
        self.runner.build.fail("E405", message, key.span if key else step.span, hint)


def makes_nothing(source: Formula | tuple[Operand, ...] | Named | None) -> bool:
    """Whether operands are only read: names, paths and list elements."""
    if source is None:
        return True
    if isinstance(source, Named):
        source = tuple(source.operands.values())
    operands = source if isinstance(source, tuple) else (source,)
    return all(isinstance(o, Formula) and isinstance(o.expression, (Name, Member, Subscript)) for o in operands)
