"""`for` and `repeat`: copies in a row."""

from __future__ import annotations

from dataclasses import dataclass, replace

from graphc.diagnostics import listed
from graphc.elaborate.evaluate import evaluate
from graphc.elaborate.frame import Frame, Place
from graphc.elaborate.operands import makes_nothing
from graphc.elaborate.runner import Runner
from graphc.elaborate.scopes import definition, open_scope
from graphc.elaborate.things import Failed, Result, Thing, listing, spoken
from graphc.expr import Expr
from graphc.graph import Binding
from graphc.spec import Formula, Step

MOST_COPIES = 100_000


@dataclass(frozen=True, slots=True)
class Loops:
    """Runs the copies of a step."""

    runner: Runner

    def loop(self, step: Step, frame: Frame, place: Place) -> Result:
        """A copy for each element of the lists, each copy's first input being the copy before."""
        series = self._series(step, frame)
        level = open_scope(place, "copies", definition(step.span, "copies"), step.doc)
        level.scope.bindings = _bindings(step, series)
        flow, copies = frame.flow, list[Result]()
        for number, variables in enumerate(series):
            inner = frame.inside(level)
            inner.names.update(variables)
            inner.flow = flow
            flow = self._copy(step, inner, Place(level, level.fresh(str(number)), step.span))
            copies.append(flow)
        return Result(flow, copies=copies)

    def _copy(self, step: Step, frame: Frame, place: Place) -> Result:
        """One copy; operands that make nodes of their own get a level with it."""
        self.runner.build.spend(1, step.span)
        if step.body is not None or makes_nothing(step.source):
            return self.runner.once(step, frame, place)
        single = replace(step, id=None, when=None, repeat=None, loops=None)
        return self.runner.scoped((single,), frame, place, "steps", step.doc)

    def _series(self, step: Step, frame: Frame) -> list[dict[str, Thing]]:
        """The variables of each copy."""
        lists = self._lists(step, frame)
        lengths = {name: len(items) for name, items in lists.items()}
        if len(set(lengths.values())) > 1:
            said = listed([f"`{name}` has {length}" for name, length in lengths.items()])
            span = step.keys["for"].span if step.keys else step.span
            self.runner.build.fail("E303", f"the lists of `for` must be of equal length: {said}", span)
        count = next(iter(lengths.values()), 1)
        times = self._times(step, frame)
        if count * times > MOST_COPIES:
            self.runner.build.stop(f"a step has at most {MOST_COPIES} copies, not {count * times}", step.span)
        copies = [{name: items[i] for name, items in lists.items()} for i in range(count)]
        return [variables for _ in range(times) for variables in copies]

    def _lists(self, step: Step, frame: Frame) -> dict[str, list[Thing]]:
        """The list of each variable; what is wrong with each is reported."""
        lists, failed = {}, False
        for name, items in (step.loops or {}).items():
            try:
                lists[name] = self._items(items, frame)
            except Failed:
                failed = True
        if failed:
            raise Failed
        return lists

    def _items(self, items: Formula | tuple[Formula, ...], frame: Frame) -> list[Thing]:
        build = self.runner.build
        if isinstance(items, tuple):
            return [evaluate(build, frame, item) for item in items]
        found = listing(evaluate(build, frame, items))
        if isinstance(found, list):
            return found
        build.fail("E303", f"`for` goes through a list, not through {spoken(found)}", items.span)

    def _times(self, step: Step, frame: Frame) -> int:
        if step.repeat is None:
            return 1
        count = evaluate(self.runner.build, frame, step.repeat)
        if isinstance(count, int) and not isinstance(count, bool) and count >= 0:
            return count
        self.runner.build.fail("E303", f"`repeat` is a whole number, not {spoken(count)}", step.repeat.span)


def _bindings(step: Step, series: list[dict[str, Thing]]) -> dict[str, Binding]:
    """The number of copies, by the name "", and each variable's values."""
    count = Binding(len(series), "loop", step.repeat.expression if step.repeat else None)
    return {"": count} | {
        name: Binding([variables[name] for variables in series], "loop", _written(items))
        for name, items in (step.loops or {}).items()
    }


def _written(items: Formula | tuple[Formula, ...]) -> Expr | None:
    return items.expression if isinstance(items, Formula) else None
