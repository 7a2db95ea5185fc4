"""Walks the steps of a graph once: evaluates, places and checks each as it comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphc.diagnostics import did_you_mean, listed
from graphc.dims import Dim
from graphc.elaborate.arguments import Argument, Arguments, check_kind, default_argument, kind_of, read_arguments, resolve
from graphc.elaborate.build import Build
from graphc.elaborate.evaluate import Evaluator, evaluate, values_of
from graphc.elaborate.frame import UNKNOWN, Callee, Failed, Frame, Level, Result, Thing, known, main_value, spoken
from graphc.elaborate.make import make_op, require_operands
from graphc.elaborate.pattern import match
from graphc.expr import Expr, Member, Name, Subscript
from graphc.graph import Binding, Kind, Scope, Skipped, Value
from graphc.ops import Op
from graphc.reader import plain
from graphc.source import Scalar
from graphc.spec import Block, Branch, Formula, Named, Operand, Parameter, Pattern, Step

DEEPEST = 40


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step's item goes: a name in a level, and the condition that let it in."""

    level: Level
    name: str
    condition: Expr | None = None

    @property
    def path(self) -> str:
        return self.level.path(self.name)


class Steps:
    """Runs steps; `flow` is what the step before gave, and `x` in expressions."""

    def __init__(self, build: Build) -> None:
        self.build = build
        self.depth = 0

    def run(self, steps: Sequence[Step], frame: Frame, flow: Thing) -> Thing:
        """Runs steps one after the other; what the last one gives."""
        for step in steps:
            frame.names["x"] = flow
            flow = self.step(step, frame, flow)
        frame.names["x"] = flow
        return flow

    def step(self, step: Step, frame: Frame, flow: Thing) -> Thing:
        if step.lets is not None:
            self.let(step.lets, frame, flow)
            return flow
        try:
            result = self.placed(step, frame, flow)
        except Failed:
            result = Result(UNKNOWN)
        if step.id:
            frame.names[step.id.text] = result
        return result

    def let(self, lets: dict[str, Operand], frame: Frame, flow: Thing) -> None:
        for name, operand in lets.items():
            try:
                thing = self.operand(operand, frame, flow, name)
            except Failed:
                thing = UNKNOWN
            frame.names[name] = thing
            if isinstance(operand, Formula) and is_plain(thing):
                frame.level.scope.bindings[name] = Binding(thing, "let", operand.expression)

    def placed(self, step: Step, frame: Frame, flow: Thing, label: str = "") -> Result:
        """Gives the step its name, then runs it as often as it says."""
        if step.body is not None and not (step.id or label or step.loops or step.repeat):
            return self.bare(step, frame, flow)
        place = Place(frame.level, self.name(step, frame, label), step.when.expression if step.when else None)
        if step.when and not self.truth(step.when, frame):
            passed = self.first_operand(step, frame, flow)
            value = as_value(passed)
            frame.level.scope.items.append(
                Skipped(place.name, step.when.expression, step.span, value if isinstance(value, Value) else None)
            )
            return Result(passed)
        if step.loops or step.repeat:
            return self.loop(step, frame, flow, place)
        return self.once(step, frame, flow, place)

    def bare(self, step: Step, frame: Frame, flow: Thing) -> Result:
        """A `do` without a name of its own adds nothing but its steps."""
        if step.when and not self.truth(step.when, frame):
            return Result(self.first_operand(step, frame, flow))
        return Result(self.run(step.body or (), frame, self.first_operand(step, frame, flow)))

    def name(self, step: Step, frame: Frame, label: str) -> str:
        """The step's id or label, else its op as written, numbered from the second on."""
        given = step.id.text if step.id else label
        if not given:
            return frame.level.fresh(step.name.lstrip("$").rpartition(".")[2])
        if frame.level.used[given]:
            span = step.id.span if step.id else step.span
            self.build.fail("E205", f"`{given}` is already the name of a step or label here", span)
        return frame.level.fresh(given)

    def truth(self, condition: Formula, frame: Frame) -> bool:
        evaluator = Evaluator(self.build, frame, condition)
        return evaluator.truth(condition.expression)

    def once(self, step: Step, frame: Frame, flow: Thing, place: Place) -> Result:
        return self.do(step, frame, flow, place) if step.body is not None else self.call(step, frame, flow, place)

    # --- do, for, repeat

    def do(self, step: Step, frame: Frame, flow: Thing, place: Place) -> Result:
        return self.scoped(step.body or (), frame, self.first_operand(step, frame, flow), place, step, "steps")

    def scoped(self, steps: Sequence[Step], frame: Frame, flow: Thing, place: Place, at: Step | Branch, kind: Kind) -> Result:
        """Runs steps in a scope of their own."""
        scope = self.scope(place, kind, f"{frame.block.file}:{at.span.line}:{at.span.column}", at)
        inner = frame.inside(Level(scope))
        bind_loop_variables(scope, frame.names if frame.level.scope.kind == "copies" else {})
        flow = self.run(steps, inner, flow)
        if isinstance(result := main_value(flow), Value):
            scope.outputs["output"] = result
        return Result(flow, names=own_names(inner))

    def scope(self, place: Place, kind: Kind, definition: str, at: Step | Branch, block: Block | None = None) -> Scope:
        around = place.level.scope
        label = block.name if block else around.label if around.kind == "copies" else place.name
        doc = (block.doc if block else "") or (at.doc if isinstance(at, Step) else "")
        scope = Scope(place.name, place.path, kind, definition, label, at.span, around, doc, place.condition)
        around.items.append(scope)
        return scope

    def loop(self, step: Step, frame: Frame, flow: Thing, place: Place) -> Result:
        """A copy for each element of the lists, each copy's first input being the copy before."""
        series = self.series(step, frame)
        group = self.scope(place, "copies", f"{frame.block.file}:{step.span.line}:{step.span.column}:copies", step)
        count = step.repeat.expression if step.repeat else None
        group.bindings = {"": Binding(len(series), "loop", count)} | {
            name: Binding([variables[name] for variables in series], "loop", loop_expression(step, name))
            for name in step.loops or ()
        }
        level, copies = Level(group), list[Result]()
        for number, variables in enumerate(series):
            inner = frame.inside(level)
            inner.names.update(variables, x=flow)
            flow = self.copy(step, inner, flow, Place(level, level.fresh(str(number))))
            copies.append(flow)
        return Result(flow, copies=copies)

    def copy(self, step: Step, frame: Frame, flow: Thing, place: Place) -> Result:
        """One copy; operands that make nodes of their own get a level with it."""
        if step.body is not None or makes_nothing(step.source):
            return self.once(step, frame, flow, place)
        single = Step(step.span, step.name, step.arguments, source=step.source, keys=step.keys, doc=step.doc)
        return self.scoped((single,), frame, flow, place, step, "steps")

    def series(self, step: Step, frame: Frame) -> list[dict[str, Thing]]:
        """The variables of each copy."""
        lists = {name: self.loop_items(items, frame) for name, items in (step.loops or {}).items()}
        lengths = {name: len(items) for name, items in lists.items()}
        if len(set(lengths.values())) > 1:
            said = listed([f"`{name}` has {length}" for name, length in lengths.items()])
            span = step.keys["for"].span if step.keys else step.span
            self.build.fail("E303", f"the lists of `for` must be of equal length: {said}", span)
        count = next(iter(lengths.values()), 1)
        copies = [{name: items[i] for name, items in lists.items()} for i in range(count)]
        return [dict(variables) for _ in range(self.times(step, frame)) for variables in copies]

    def times(self, step: Step, frame: Frame) -> int:
        if step.repeat is None:
            return 1
        count = evaluate(self.build, frame, step.repeat)
        if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= 100_000:
            self.build.fail("E303", f"`repeat` is a whole number up to 100000, not {spoken(count)}", step.repeat.span)
        return count

    def loop_items(self, items: Formula | tuple[Formula, ...], frame: Frame) -> list[Thing]:
        if isinstance(items, tuple):
            return [evaluate(self.build, frame, item) for item in items]
        found = evaluate(self.build, frame, items)
        if isinstance(found, Result) and found.copies is not None:
            return list(found.copies)
        if isinstance(found, list):
            return found
        self.build.fail("E303", f"`for` goes through a list, not through {spoken(found)}", items.span)

    # --- operands

    def operand(self, operand: Operand, frame: Frame, flow: Thing, label: str = "") -> Thing:
        if isinstance(operand, Formula):
            return evaluate(self.build, frame, operand)
        if isinstance(operand, Branch):
            name = frame.level.fresh(label)
            inner = frame.inside(frame.level)
            return self.scoped(operand.steps, inner, flow, Place(frame.level, name), operand, "branch")
        result = self.placed(operand, frame, flow, "" if operand.id else label)
        if operand.id:
            frame.names[operand.id.text] = result
        return result

    def first_operand(self, step: Step, frame: Frame, flow: Thing) -> Thing:
        """What a step takes where it takes one thing: its first operand, else the step before."""
        if step.source is None:
            return flow
        if isinstance(step.source, Formula):
            return evaluate(self.build, frame, step.source)
        operands = step.source.operands.values() if isinstance(step.source, Named) else step.source
        return next((self.operand(o, frame, flow) for o in operands if isinstance(o, Formula)), flow)

    def operands(self, step: Step, frame: Frame, flow: Thing, place: Place) -> list[Thing]:
        """The operands in the order written."""
        if step.source is None:
            return [known(flow)]
        if isinstance(step.source, Formula):
            return [evaluate(self.build, frame, step.source)]
        if isinstance(step.source, Named):
            return list(self.labelled(step.source, frame, flow).values())
        return self.numbered(step, step.source, frame, flow, place)

    def labelled(self, source: Named, frame: Frame, flow: Thing) -> dict[str, Thing]:
        """The operands of a map; each label is a name from then on."""
        found = {label: self.operand(operand, frame, flow, label) for label, operand in source.operands.items()}
        frame.names.update({label: thing for label, thing in found.items() if label not in frame.names})
        return found

    def numbered(self, step: Step, source: tuple[Operand, ...], frame: Frame, flow: Thing, place: Place) -> list[Thing]:
        """The operands of a list; the branches among them are numbered below the step's own name."""
        if not any(isinstance(operand, Branch) for operand in source):
            return [self.operand(operand, frame, flow) for operand in source]
        definition = f"{frame.block.file}:{step.span.line}:{step.span.column}:branches"
        level = Level(self.scope(Place(place.level, place.name), "copies", definition, step))
        found: list[Thing] = []
        for operand in source:
            inner = frame.inside(level) if isinstance(operand, Branch) else frame
            found.append(self.operand(operand, inner, flow, str(len(level.scope.items))))
        return found

    # --- ops and blocks

    def call(self, step: Step, frame: Frame, flow: Thing, place: Place) -> Result:
        callee = resolve(self.build, step.name, frame, step.span)
        arguments = read_arguments(self.build, callee, step.arguments, frame, step.span)
        if isinstance(callee.target, Block):
            given = self.block_inputs(callee.target, step, frame, flow, place)
            return self.block(callee.target, arguments, given, step, place)
        return self.op(callee.target, arguments, step, frame, flow, place)

    def op(self, kind: type[Op], arguments: Arguments, step: Step, frame: Frame, flow: Thing, place: Place) -> Result:
        op = make_op(self.build, kind, arguments.things(), step.span, arguments.spans())
        operands = self.slotted(op, step, frame, flow, place)
        values = [value for thing in operands for value in values_of(self.build, thing, step.span)]
        require_operands(self.build, op, len(values), step.span)
        written = arguments.written()
        return Result(self.build.emit(op, tuple(values), place.level, place.name, step.span, written, place.condition))

    def slotted(self, op: Op, step: Step, frame: Frame, flow: Thing, place: Place) -> list[Thing]:
        """The operands in the op's order: a map goes by the op's own names, unless it takes any number."""
        slots = [slot.name for slot in op.slots()]
        if not isinstance(step.source, Named) or any(slot.variadic for slot in op.slots()):
            return self.operands(step, frame, flow, place)
        for label, key in step.source.keys.items():
            if label not in slots:
                self.build.fail("E405", f"`{op.name}` has no input `{label}`", key.span, f"it has {listed(slots)}")
        found = self.labelled(step.source, frame, flow)
        return [found[slot] for slot in slots if slot in found]

    def block_inputs(self, block: Block, step: Step, frame: Frame, flow: Thing, place: Place) -> dict[str, Thing]:
        names = list(block.inputs) or ["input"]
        if isinstance(step.source, Named):
            for label, key in step.source.keys.items():
                if label not in names:
                    self.build.fail("E405", f"`{block.name}` has no input `{label}`", key.span, did_you_mean(label, names, f"it has {listed(names)}"))
            given = self.labelled(step.source, frame, flow)
        else:
            operands = self.operands(step, frame, flow, place)
            if len(operands) > len(names):
                self.build.fail("E405", f"`{block.name}` takes {listed(names)}, got {len(operands)} operands", step.span)
            given = dict(zip(names, operands, strict=False))
        return {name: self.input(name, number, given, flow, block, step) for number, name in enumerate(names)}

    def input(self, name: str, number: int, given: dict[str, Thing], flow: Thing, block: Block, step: Step) -> Thing:
        """What is given for an input, else the step before's output of that name, for the first input its main one."""
        if name in given:
            return main_value(given[name])
        outputs = flow.outputs if isinstance(flow, Result) else {}
        if name in outputs:
            return known(outputs[name])
        if number == 0:
            return main_value(flow)
        self.build.fail("E405", f"`{block.name}` needs the input `{name}`", step.span, f"from: {{{name}: …}}")

    def block(self, block: Block, arguments: Arguments, given: dict[str, Thing], step: Step, place: Place) -> Result:
        """A block at work: parameters, inputs, its steps, its outputs."""
        if self.depth >= DEEPEST:
            self.build.fail("E305", f"blocks nest at most {DEEPEST} deep; `{block.name}` uses itself?", step.span)
        scope = self.scope(place, "block", f"{block.file}#{block.name}", step, block)
        frame = Frame(block, Level(scope))
        self.parameters(block, arguments, frame, step)
        for name, thing in given.items():
            self.bind_input(block.inputs.get(name), name, thing, frame, step)
        self.depth += 1
        flow = self.run(block.graph, frame, next(iter(given.values())))
        self.depth -= 1
        return self.result(block, frame, flow)

    def result(self, block: Block, frame: Frame, flow: Thing) -> Result:
        outputs = {name: self.output(formula, frame) for name, formula in block.outputs.items()}
        main = next(iter(outputs.values()), flow)
        named = outputs or {"output": main}
        frame.level.scope.outputs = {
            name: value for name, thing in named.items() if isinstance(value := as_value(thing), Value)
        }
        return Result(main, outputs=outputs, names=own_names(frame))

    def output(self, formula: Formula, frame: Frame) -> Thing:
        try:
            return evaluate(self.build, frame, formula)
        except Failed:
            return UNKNOWN

    def parameters(self, block: Block, arguments: Arguments, frame: Frame, step: Step) -> None:
        for name, parameter in block.params.items():
            try:
                argument, given = self.parameter(block, parameter, arguments, frame, step)
            except Failed:
                frame.names[name] = UNKNOWN
                continue
            frame.names[name] = argument.thing
            frame.level.scope.bindings[name] = Binding(
                argument.thing, "parameter", argument.expression, given, plain_default(parameter)
            )

    def parameter(self, block: Block, parameter: Parameter, arguments: Arguments, frame: Frame, step: Step) -> tuple[Argument, bool]:
        """The argument for a parameter, and whether the caller gave it."""
        given = arguments.items.get(parameter.name)
        if given is not None:
            check_kind(self.build, parameter.name, kind_of(self.build, parameter, block), given.thing, given.span)
            return given, True
        if parameter.default is None:
            hint = f"- {block.name}: {{{parameter.name}: …}}"
            self.build.fail("E403", f"`{block.name}` needs `{parameter.name}`", step.span, hint)
        return default_argument(self.build, parameter, block, frame), False

    def bind_input(self, pattern: Pattern | None, name: str, thing: Thing, frame: Frame, step: Step) -> None:
        frame.names[name] = thing
        if isinstance(thing, Value):
            frame.level.scope.inputs[name] = thing
            if pattern is not None:
                match(self.build, frame, pattern, thing, step.span)


def as_value(thing: Thing) -> Thing:
    """The main value of a thing, or `UNKNOWN`."""
    try:
        return main_value(thing)
    except Failed:
        return UNKNOWN


def plain_default(parameter: Parameter) -> int | float | bool | None:
    """The default of a parameter where it is a number by itself."""
    value = plain(parameter.default) if isinstance(parameter.default, Scalar) else None
    return None if isinstance(value, str) else value


def is_plain(thing: Thing) -> bool:
    """Whether a thing is a number, a text or a list of such."""
    if isinstance(thing, list):
        return all(is_plain(item) for item in thing)
    return isinstance(thing, (int, float, str, Dim)) or thing is None


def own_names(frame: Frame) -> dict[str, Thing]:
    """The names of a scope that may be read from outside: ids, labels and lets, not parameters."""
    return {name: thing for name, thing in frame.names.items() if name != "x" and not isinstance(thing, Callee)}


def bind_loop_variables(scope: Scope, variables: dict[str, Thing]) -> None:
    """Notes a copy's loop variables: numbers as bindings, values as inputs."""
    for name, thing in variables.items():
        if name != "x" and is_plain(thing):
            scope.bindings[name] = Binding(thing, "loop")
        elif name != "x" and isinstance(value := as_value(thing), Value):
            scope.inputs[name] = value


def loop_expression(step: Step, name: str) -> Expr | None:
    items = (step.loops or {})[name]
    return items.expression if isinstance(items, Formula) else None


def makes_nothing(source: Formula | tuple[Operand, ...] | Named | None) -> bool:
    """Whether operands are only read: names, paths and list elements."""
    if source is None:
        return True
    if isinstance(source, Named):
        source = tuple(source.operands.values())
    operands = source if isinstance(source, tuple) else (source,)
    return all(isinstance(o, Formula) and isinstance(o.expression, (Name, Member, Subscript)) for o in operands)
