"""The file as a block: its free sizes and inputs come from outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from graphc.demands import at_least
from graphc.diagnostics import did_you_mean, listed
from graphc.dims import Size, symbol
from graphc.elaborate.arguments import kind_of, read_argument
from graphc.elaborate.build import Build
from graphc.elaborate.frame import (
    UNKNOWN,
    Argument,
    Arguments,
    Failed,
    Frame,
    Level,
    Place,
    Result,
    Thing,
    spoken,
    value_in,
)
from graphc.elaborate.parameters import bind_parameters, require_arguments
from graphc.elaborate.pattern import shape_of, size_of
from graphc.elaborate.steps import Steps
from graphc.graph import ExpectedFigure, ExpectedShape, FreeSize, Graph, Input, Node, Scope, Value
from graphc.reader.scalars import is_name, plain
from graphc.settings import Settings
from graphc.source import Scalar, Tree
from graphc.spec import Formula, Pattern, Spec
from graphc.tensor import Shape, Tensor


class Root:
    """Elaborates a file in a variant, with settings."""

    def __init__(self, spec: Spec, standard: Spec, variant: str | None, settings: Settings) -> None:
        self.spec, self.variant, self.settings = spec, variant, settings
        file, name = spec.main.file, variant or spec.name
        blocks = {standard.main.file: standard.blocks} | {file: spec.blocks}
        self.build = Build(blocks, file, standard.main.file)
        self.scope = Scope(name, "", "root", f"{file}#", name, spec.span, doc=spec.main.doc)
        self.frame = Frame(spec.main, Level(self.scope))

    def graph(self) -> Graph:
        """The graph.

        Raises:
            Failed, Stopped: there is none; reported.
        """
        spec, frame, steps = self.spec, self.frame, Steps(self.build)
        if not spec.main.graph:
            self.build.fail("E203", "a spec needs a `graph`; this file has blocks only", spec.span)
        frame.names.update({name: symbol(name) for name in spec.sizes})
        arguments = self.arguments()
        require_arguments(self.build, spec.main, arguments)
        bind_parameters(self.build, frame, arguments)
        inputs = {name: value for name, pattern in spec.main.inputs.items() if (value := self.input(pattern))}
        frame.flow = frame.names[next(iter(spec.main.inputs))]
        result = steps.calls.result(spec.main, frame, steps.run(spec.main.graph, frame))
        outputs = self.outputs(result)
        return Graph(
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
            nodes=self.build.nodes,
            demands=self.build.demands,
            expected=list(self.expected(outputs)),
        )

    def arguments(self) -> Arguments:
        """What the variant sets, then what the settings set, read among the file's own names."""
        found = Arguments()
        variant = self.spec.variants.get(self.variant or "")
        for name, tree in {**(variant.values if variant else {}), **self.settings.parameters}.items():
            try:
                found.items[name] = self.argument(name, tree)
            except Failed:
                found.incomplete = True
        if found.incomplete:
            raise Failed
        return found

    def argument(self, name: str, tree: Tree) -> Argument:
        """The value of one parameter of the file."""
        parameter = self.spec.main.params.get(name)
        if parameter is None:
            hint = did_you_mean(name, self.spec.main.params, f"it has {listed(list(self.spec.main.params))}")
            self.build.fail("E402", f"`{self.spec.name}` has no parameter `{name}`", tree.span, hint)
        return read_argument(self.build, kind_of(self.build, parameter, self.spec.main), tree, self.frame)

    def sizes(self) -> dict[str, FreeSize]:
        """The free sizes, with the examples that the settings give."""
        sizes = dict(self.spec.sizes)
        for name, tree in self.settings.sizes.items():
            if name not in sizes:
                hint = did_you_mean(name, sizes, f"it has {listed(list(sizes))}")
                self.build.report("E402", f"`{self.spec.name}` has no free size `{name}`", tree.span, hint)
            elif (example := self.example(tree)) not in sizes[name].rule.sizes():
                self.build.report("E404", f"{name} must be {sizes[name].rule}, not {example}", tree.span)
            else:
                sizes[name] = replace(sizes[name], example=example)
        return sizes

    def example(self, tree: Tree) -> int:
        """The size that a setting gives; 0, which no rule allows, where it is none."""
        value = plain(tree) if isinstance(tree, Scalar) else 0
        return value if isinstance(value, int) and not isinstance(value, bool) else 0

    def input(self, pattern: Pattern) -> Value | None:
        """A value that the caller gives."""
        try:
            shape = self.shape(pattern)
        except Failed:
            self.frame.names[pattern.name] = UNKNOWN
            return None
        tensor = Tensor(shape, pattern.dtype or "float32")
        node = Node(pattern.name, Input(), (), tensor, self.scope, pattern.span)
        self.frame.level.fresh(pattern.name)
        self.frame.names[pattern.name] = self.scope.inputs[pattern.name] = node.output
        return node.output

    def shape(self, pattern: Pattern) -> Shape:
        """The shape of an input."""
        place = Place(self.frame.level, pattern.name, pattern.span)
        shape = tuple(map(self.size, pattern.sizes))
        for size in shape:
            self.build.demand(at_least(size, 1), place, f"the input `{pattern.name}` needs the size {size} ≥ 1", ())
        return shape

    def size(self, formula: Formula) -> Size:
        """A size of an input: a number, a parameter, a free size, or calculated from such."""
        name = is_name(formula)
        if name is not None and name not in self.frame.names:
            hint = did_you_mean(name, self.frame.names, f"a free size has an example: dims: {{{name}: 224}}")
            self.build.fail("E302", f"`{name}` is not a size or a parameter", formula.span, hint)
        return size_of(self.build, self.frame, formula)

    def outputs(self, result: Result) -> dict[str, Value]:
        """The outputs of the graph, which must be values."""
        named: dict[str, Thing] = dict(result.outputs) or {"output": result.value}
        found: dict[str, Value] = {}
        for name, thing in named.items():
            value = value_in(thing)
            if value:
                found[name] = value
            elif not self.build.found:
                formula = self.spec.main.outputs.get(name)
                span = formula.span if formula else self.spec.main.graph[-1].span
                self.build.report("E303", f"the output `{name}` is {spoken(thing)}, not a value", span)
        return found

    def expected(self, outputs: Mapping[str, Value]) -> Iterator[ExpectedFigure | ExpectedShape]:
        """What the file expects of this variant."""
        expectation = self.spec.expect.get(self.variant or "")
        if expectation is None or self.settings:
            return
        if expectation.params:
            yield ExpectedFigure("params", expectation.params.text, expectation.params.span)
        if expectation.macs:
            yield ExpectedFigure("macs", expectation.macs.text, expectation.macs.span)
        for name, wanted in expectation.outputs.items():
            if name in outputs:
                yield ExpectedShape(name, shape_of(self.build, self.frame, wanted.sizes), wanted.key.span)
            elif name not in self.spec.main.outputs:
                hint = did_you_mean(name, outputs, f"there is {', '.join(outputs)}")
                self.build.report("E202", f"the spec has no output `{name}`", wanted.key.span, hint)
