"""Spec → graph: parameters, loops, conditions and blocks are expanded, and each op is checked as it is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graphc.diagnostics import SpecError, did_you_mean
from graphc.dims import symbol
from graphc.elaborate.arguments import Argument, Arguments, kind_of, read_argument
from graphc.elaborate.build import Build
from graphc.elaborate.frame import Failed, Frame, Level, Result, Thing, Unknown, main_value, spoken
from graphc.elaborate.pattern import shape_of
from graphc.elaborate.steps import Steps
from graphc.graph import ExpectedFigure, ExpectedShape, Graph, Input, Node, Scope, Value
from graphc.source import Tree
from graphc.spec import Pattern, Spec, Step
from graphc.tensor import Tensor

__all__ = ["elaborate"]


def elaborate(spec: Spec, standard: Spec, variant: str | None = None) -> Graph:
    """The graph of a spec, in a variant (None: the default one). `standard` has the blocks that are always in scope.

    Raises:
        SpecError: the spec is wrong; all that was found.
    """
    root = _Root(spec, standard, variant if variant is not None else spec.default)
    try:
        graph = root.graph()
    except Failed:
        graph = None
    if root.build.found or graph is None:
        raise SpecError(root.build.found.values())
    return graph


class _Root:
    """The file as a block: its free sizes and inputs come from outside."""

    def __init__(self, spec: Spec, standard: Spec, variant: str | None) -> None:
        self.spec, self.variant = spec, variant
        blocks = {standard.main.file: standard.blocks} | {spec.main.file: spec.blocks}
        self.build = Build(blocks, standard.main.file)
        self.steps = Steps(self.build)
        self.scope = Scope(variant or spec.name, "", "root", f"{spec.main.file}#", variant or spec.name, spec.span, doc=spec.main.doc)
        self.frame = Frame(spec.main, Level(self.scope))

    def graph(self) -> Graph:
        spec = self.spec
        self.frame.names.update({name: symbol(name) for name in spec.sizes})
        step = Step(spec.span, spec.name)
        self.steps.parameters(spec.main, self.arguments(), self.frame, step)
        inputs = {name: value for name, pattern in spec.main.inputs.items() if (value := self.input(pattern))}
        flow = self.steps.run(spec.main.graph, self.frame, next(iter(inputs.values()), None))
        result = self.steps.result(spec.main, self.frame, flow)
        outputs = self.outputs(result)
        return Graph(
            name=self.variant or spec.name,
            title=spec.title,
            doc=spec.main.doc,
            paper=spec.paper,
            file=spec.main.file,
            digest=spec.digest,
            sizes=spec.sizes,
            inputs=inputs,
            outputs=outputs,
            root=self.scope,
            nodes=self.build.nodes,
            demands=self.build.demands,
            expected=list(self.expected(outputs)),
        )

    def arguments(self) -> Arguments:
        """What the variant says, read among the file's own names."""
        found = Arguments()
        for name, tree in self.spec.variants.get(self.variant or "", {}).items():
            argument = self.argument(name, tree)
            if argument is not None:
                found.items[name] = argument
        return found

    def argument(self, name: str, tree: Tree) -> Argument | None:
        parameter = self.spec.main.params.get(name)
        if parameter is None:
            known = self.spec.main.params
            self.build.report("E402", f"the spec has no parameter `{name}`", tree.span, did_you_mean(name, known))
            return None
        try:
            return read_argument(self.build, kind_of(self.build, parameter, self.spec.main), tree, self.frame)
        except Failed:
            return None

    def input(self, pattern: Pattern) -> Value | None:
        """A value that the caller gives."""
        try:
            shape = shape_of(self.build, self.frame, pattern.sizes or ())
        except Failed:
            return None
        node = Node(pattern.name, Input(), (), Tensor(shape, pattern.dtype), self.scope, pattern.span)
        self.frame.level.fresh(pattern.name)
        self.frame.names[pattern.name] = node.output
        self.scope.inputs[pattern.name] = node.output
        return node.output

    def expected(self, outputs: Mapping[str, Value]) -> Iterator[ExpectedFigure | ExpectedShape]:
        """What the file expects of this variant."""
        expectation = self.spec.expect.get(self.variant or "")
        if expectation is None:
            return
        if expectation.params:
            yield ExpectedFigure("params", expectation.params.text, expectation.params.span)
        if expectation.macs:
            yield ExpectedFigure("macs", expectation.macs.text, expectation.macs.span)
        for name, formulas in expectation.outputs.items():
            if name in outputs:
                yield ExpectedShape(name, shape_of(self.build, self.frame, formulas), formulas[0].span)
            else:
                hint = did_you_mean(name, outputs, f"there is {', '.join(outputs)}")
                self.build.report("E202", f"the spec has no output `{name}`", expectation.span, hint)

    def outputs(self, result: Result) -> dict[str, Value]:
        """The outputs of the graph, which must be values."""
        named: dict[str, Thing] = dict(result.outputs) or {"output": result.value}
        found: dict[str, Value] = {}
        for name, thing in named.items():
            if isinstance(thing, Unknown):
                continue
            value = main_value(thing)
            if isinstance(value, Value):
                found[name] = value
            else:
                formula = self.spec.main.outputs.get(name)
                self.build.report("E303", f"the output `{name}` is {spoken(value)}, not a value", formula.span if formula else self.spec.span)
        return found
