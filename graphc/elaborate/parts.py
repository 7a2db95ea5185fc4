"""Training and sampling: steps beside the main graph, which see its names and outputs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from graphc import spec
from graphc.elaborate.build import Build
from graphc.elaborate.evaluate import evaluate
from graphc.elaborate.frame import Frame, Level
from graphc.elaborate.inputs import read_inputs
from graphc.elaborate.shared import declare
from graphc.elaborate.steps import Steps
from graphc.elaborate.things import UNKNOWN, Failed, Result, main_value, spoken
from graphc.graph import Loss, Part, Scope, Value
from graphc.spec import Formula


@dataclass(frozen=True, slots=True)
class Parts:
    """Elaborates the parts beside a main graph, whose frame and result are given."""

    build: Build
    steps: Steps
    frame: Frame
    result: Result

    def part(self, name: str, part: spec.Part | None) -> Part | None:
        """One part; its nodes and demands are kept apart from the main graph's."""
        if part is None:
            return None
        build, main = self.build, self.frame.level
        scope = Scope(name, "", "root", f"{part.span.file}#{name}", name, part.span)
        frame = self.frame.inside(Level(scope, main.used, main.last, main.kept))
        frame.names.update({key: thing for key, thing in self.result.outputs.items() if key not in frame.visible()})
        nodes, demands = build.nodes, build.demands
        build.nodes, build.demands = [], []
        try:
            return self._part(part, frame, scope)
        finally:
            build.nodes, build.demands = nodes, demands

    def _part(self, part: spec.Part, frame: Frame, scope: Scope) -> Part:
        build = self.build
        clashing = {name: pattern for name, pattern in part.inputs.items() if name in frame.visible()}
        for name, pattern in clashing.items():
            build.report("E205", f"`{name}` already has a meaning here", pattern.span)
            frame.names[name] = UNKNOWN
        new = {name: pattern for name, pattern in part.inputs.items() if name not in clashing}
        inputs = read_inputs(build, frame, new)
        declare(build, part.shared, frame)
        self.steps.run(part.graph, frame)
        outputs = {name: value for name, formula in part.outputs.items() if (value := self._value(formula, frame))}
        return Part(scope, inputs, outputs, build.nodes, build.demands, list(self._losses(part, frame)))

    def _losses(self, part: spec.Part, frame: Frame) -> Iterator[Loss]:
        for name, objective in part.losses.items():
            value = self._value(objective.loss, frame)
            if value and (value.type.rank > 0 or value.type.dtype != "float32"):
                dtype = "" if value.type.dtype == "float32" else f" of {value.type.dtype}, not float32"
                message = f"a loss is one number; `{name}` is {value.type}{dtype}"
                self.build.report("E501", message, objective.loss.span, "take its mean or its sum")
            elif value:
                yield Loss(name, value, tuple(map(str, objective.trains or ())))

    def _value(self, formula: Formula, frame: Frame) -> Value | None:
        """The value of an output or a loss; None where it is none, which is reported."""
        with suppress(Failed):
            value = main_value(evaluate(self.build, frame, formula))
            if isinstance(value, Value):
                return value
            self.build.report("E303", f"a value is needed here, not {spoken(value)}", formula.span)
        return None
