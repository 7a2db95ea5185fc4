"""The file as a block: its free sizes and inputs come from outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from graphc.diagnostics import did_you_mean, listed
from graphc.dims import symbol
from graphc.elaborate.arguments import kind_of, read_argument
from graphc.elaborate.build import Build
from graphc.elaborate.frame import Frame, Level
from graphc.elaborate.initial import Initialiser
from graphc.elaborate.inputs import read_inputs
from graphc.elaborate.parameters import bind_parameters, require_arguments
from graphc.elaborate.parts import Parts
from graphc.elaborate.pattern import shape_of
from graphc.elaborate.shared import declare
from graphc.elaborate.steps import Steps
from graphc.elaborate.tables import Tables
from graphc.elaborate.things import Argument, Arguments, Failed, Result, Thing, main_value, spoken
from graphc.elaborate.weights import Weights
from graphc.graph import ExpectedFigure, ExpectedShape, FreeSize, Graph, Scope, Value, weights_of
from graphc.reader.pieces import LARGEST
from graphc.reader.scalars import plain
from graphc.settings import Settings
from graphc.source import Scalar, Tree
from graphc.spec import Spec


class Root:
    """Elaborates a file in a variant, with settings."""

    def __init__(self, spec: Spec, standard: Spec, variant: str | None, settings: Settings) -> None:
        self.spec, self.variant, self.settings = spec, variant, settings
        name = variant or spec.name
        self.build = Build(spec, standard)
        self.scope = Scope(name, "", "root", f"{spec.main.file}#", name, spec.span, doc=spec.main.doc)
        self.frame = Frame(spec.main, Level(self.scope))
        self.fixed: dict[str, int] = {}

    def graph(self) -> Graph:
        """The graph.

        Raises:
            Failed, Stopped: there is none; reported.
        """
        spec, frame, build = self.spec, self.frame, self.build
        if not spec.main.graph:
            build.fail("E203", "a spec needs a `graph`; this file has blocks only", spec.span)
        self.fixed = self.fix()
        frame.names.update({name: self.fixed.get(name) or symbol(name) for name in spec.sizes})
        arguments = self.arguments()
        require_arguments(build, spec.main, arguments)
        bind_parameters(build, frame, arguments)
        patterns = spec.main.inputs or {}
        inputs = read_inputs(build, frame, patterns)
        if patterns:
            frame.flow = frame.names[next(iter(patterns))]
        declare(build, spec.main.shared, frame)
        steps = Steps(build)
        result = steps.calls.result(spec.main, frame, steps.run(spec.main.graph, frame))
        outputs = self.outputs(result)
        graph = Graph(
            name=self.scope.name,
            title=spec.title,
            doc=spec.main.doc,
            paper=spec.paper,
            file=spec.main.file,
            digest=spec.digest,
            sizes=self.sizes(),
            inputs=inputs,
            outputs=outputs,
            root=self.scope,
            nodes=build.nodes,
            demands=build.demands,
            expected=list(self.expected(outputs)),
            unused=spec.unused,
        )
        parts = Parts(build, steps, frame, result)
        graph.training = parts.part("training", spec.training)
        graph.sampling = parts.part("sampling", spec.sampling)
        self.finish(graph)
        return graph

    def finish(self, graph: Graph) -> None:
        """What is said about weights, once all of them are known."""
        build, spec = self.build, self.spec
        if not (spec.training or spec.init or spec.weights) or build.found:
            return  # where a step has failed, its weights are missing
        roots = [part.root for part in (graph, graph.training, graph.sampling) if part]
        weights = Weights(build, (found for root in roots for found in weights_of(root)))
        if spec.training and graph.training:
            graph.training.frozen = weights.at_any(spec.training.frozen, self.frame)
            trained = {name: loss.trains or () for name, loss in spec.training.losses.items()}
            graph.training.losses = [
                replace(loss, trained=weights.at_any(trained[loss.name], self.frame)) for loss in graph.training.losses
            ]
        if spec.init:
            nodes = [node for root in roots for node in root.nodes()]
            graph.init = tuple(Initialiser(build, self.frame, weights, nodes).read(spec.init))
        if spec.weights:
            alone = len(spec.variants) < 2 and not self.settings
            graph.checkpoints = Tables(build, self.frame, weights.tree, alone).read(spec.weights)

    def arguments(self) -> Arguments:
        """What the variant sets, then what the settings set, read among the file's own names."""
        found = Arguments()
        own = {name: tree for name, tree in self.varied().items() if name not in self.spec.sizes}
        for name, tree in {**own, **self.settings.parameters}.items():
            if name in self.fixed:
                continue
            try:
                found.items[name] = self.argument(name, tree)
            except Failed:
                found.incomplete = True
        if found.incomplete:
            raise Failed
        return found

    def varied(self) -> dict[str, Tree]:
        """What the variant sets: parameters, and examples of free sizes."""
        variant = self.spec.variants.get(self.variant or "")
        return variant.values if variant else {}

    def argument(self, name: str, tree: Tree) -> Argument:
        """The value of one parameter of the file."""
        parameter = self.spec.main.params.get(name)
        if parameter is None:
            known = [*self.spec.main.params, *self.spec.sizes]
            hint = did_you_mean(name, known, f"it has {listed(known)}")
            self.build.fail(
                "E402", f"`{self.spec.name}` has no parameter `{name}`", self.settings.names.get(name, tree.span), hint
            )
        return read_argument(self.build, kind_of(self.build, parameter, self.spec.main), tree, self.frame)

    def fix(self) -> dict[str, int]:
        """The sizes that a setting makes numbers: `--set H=512`."""
        found = {}
        for name in self.spec.sizes.keys() & self.settings.parameters.keys():
            tree, rule = self.settings.parameters[name], self.spec.sizes[name].rule
            number = self.example(tree)
            if number not in rule.sizes():
                self.build.fail("E404", f"{name} must be {rule}, not {_written(tree)}", tree.span)
            found[name] = number
        return found

    def sizes(self) -> dict[str, FreeSize]:
        """The free sizes, with the examples that the variant and the settings give."""
        sizes = {name: size for name, size in self.spec.sizes.items() if name not in self.fixed}
        varied = {name: tree for name, tree in self.varied().items() if name in sizes}
        for name, tree in {**varied, **self.settings.sizes}.items():
            if name not in sizes:
                hint = did_you_mean(name, sizes, f"it has {listed(list(sizes))}")
                self.build.report(
                    "E402", f"`{self.spec.name}` has no free size `{name}`", self.settings.names[name], hint
                )
            elif (example := self.example(tree)) not in sizes[name].rule.sizes():
                self.build.report("E404", f"{name} must be {sizes[name].rule}, not {_written(tree)}", tree.span)
            else:
                sizes[name] = replace(sizes[name], example=example)
        return sizes

    def example(self, tree: Tree) -> int:
        """The size that a setting gives; 0, which no rule allows, where it is none."""
        value = plain(tree) if isinstance(tree, Scalar) else 0
        return value if isinstance(value, int) and not isinstance(value, bool) and value <= LARGEST else 0

    def outputs(self, result: Result) -> dict[str, Value]:
        """The outputs of the graph, which must be values."""
        named: dict[str, Thing] = dict(result.outputs) or {"output": result.value}
        found: dict[str, Value] = {}
        for name, thing in named.items():
            with suppress(Failed):
                value = main_value(thing)
                if isinstance(value, Value):
                    found[name] = value
                    continue
                formula = self.spec.main.outputs.get(name)
                span = formula.span if formula else self.spec.main.graph[-1].span
                self.build.report("E303", f"the output `{name}` is {spoken(value)}, not a value", span)
        return found

    def expected(self, outputs: Mapping[str, Value]) -> Iterator[ExpectedFigure | ExpectedShape]:
        """What the file expects of this variant."""
        expectation = self.spec.expect.get(self.variant or "")
        if expectation is None or self.settings:
            return
        for figure, scalar in expectation.figures.items():
            yield ExpectedFigure(figure, scalar.text, scalar.span)
        for name, wanted in expectation.outputs.items():
            if name in outputs:
                yield ExpectedShape(name, shape_of(self.build, self.frame, wanted.sizes), wanted.key.span)
            elif name not in self.spec.main.outputs:
                hint = did_you_mean(name, outputs, f"there is {', '.join(outputs)}")
                self.build.report("E202", f"the spec has no output `{name}`", wanted.key.span, hint)


def _written(tree: Tree) -> str:
    return tree.text if isinstance(tree, Scalar) else "that"
