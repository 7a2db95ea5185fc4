"""The way through: sizes, inputs and weights, both backends, and the comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import prod

from graphc.graph import Graph, Value, WeightValue
from graphc.initial import Array
from graphc.rewrite import with_taps, with_training
from graphc.verify import in_onnx, in_torch
from graphc.verify.choices import FEW, with_choices
from graphc.verify.draw import Arrays, Sizes, inputs, shape_at, weights
from graphc.verify.failed import FailedError
from graphc.verify.judge import TOLERANCE, Found, Judge, Judgement
from graphc.verify.result import Run, Verification, What
from graphc.verify.sizes import built, complete, two

AT_ONCE = 1 << 26
"""How many elements of values are held together, by each backend: 256 MiB in float32."""

Judged = list[list[Judgement]]
"""For each of the sizes the values that were compared."""
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is compared, and how.

    With `all` that is every value, in the order of the graph, up to the first that differs; with `training` also the
    losses, where the graph has some. `sizes` are those to run at; without them the spec's examples and others.
    """

    all: bool = False
    training: bool = False
    sizes: Sequence[Mapping[str, int]] | None = None
    tolerance: float = TOLERANCE
    seed: int = 0


def verify(graph: Graph, asked: Asked | None = None, tell: Tell = lambda _: None) -> Verification:
    """Runs a graph in PyTorch and in ONNX Runtime, and compares what it gives.

    Both are given one set of random weights and inputs; one ONNX file is run at all sizes. `tell` is told what is
    being done.

    Raises:
        graphc.diagnostics.SpecError: a backend can't express an op; located.
        graphc.backends.BackendError: ONNX Runtime isn't installed.
        ValueError: the graph doesn't take one of the sizes.
    """
    in_onnx.require_runtime()
    asked = asked or Asked()
    has_losses = asked.training and graph.training is not None and bool(graph.training.losses)
    graph, given = built(graph, asked.sizes)
    whole = _renamed(with_training(graph)) if has_losses else graph
    sizes = two(whole) if given is None else [complete(whole, each) for each in given]
    work = _Work(graph, whole, sizes, asked, tell)
    work.outputs()
    if asked.all:
        work.values()
    if has_losses:
        work.losses()
    return Verification(tuple(work.runs))


@dataclass(slots=True)
class _Work:
    """What is compared, and what came of it so far. `whole` is the graph, with its training if that is asked for.

    `weights` are those of the graph and its training by the graph's paths.
    """

    graph: Graph
    whole: Graph
    sizes: Sequence[Sizes]
    asked: Asked
    tell: Tell
    weights: Arrays = field(init=False)
    runs: list[Run] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tell(f"{self.graph.name}: weights")
        drawn = weights(self.graph, self.asked.seed, training=self.whole is not self.graph)
        self.weights = in_torch.settled(self.graph, drawn, self.feeds(self.graph)[0])

    def feeds(self, graph: Graph) -> list[Arrays]:
        """Inputs for the graph or the whole, at each of the sizes; an input of both is the same for both."""
        drawn = (inputs(self.whole, sizes, self.asked.seed) for sizes in self.sizes)
        return [{name: each[name] for name in graph.inputs} for each in drawn]

    def outputs(self) -> None:
        """Compares what the graph gives."""
        self.tell(f"{self.graph.name}: outputs")
        self.add("outputs", [partial(self.compared, self.graph, self.weights)])

    def values(self) -> None:
        """Compares every value of the graph."""
        alone = _alone(self.graph)
        self.add("values", self.in_groups(alone, _values(alone), self.weights))

    def losses(self) -> None:
        """Compares what training gives, or also every value that it has beside those of the graph."""
        self.tell(f"{self.graph.name}: losses")
        main, model = {path for path, _ in self.graph.weights()}, self.whole.root.items[0].name
        renamed = {f"{model}.{path}" if path in main else path: value for path, value in self.weights.items()}
        self.add("losses", [partial(self.compared, self.whole, renamed, losses=True)])
        if self.asked.all:
            own = [value for value in _values(self.whole) if not value.path.startswith(f"{model}.")]
            self.add("training", self.in_groups(self.whole, own, renamed))

    def in_groups(self, graph: Graph, values: Sequence[Value], weights: Arrays) -> Iterator[Callable[[], Judged]]:
        """Comparisons of values, as many together as may be held."""
        done = 0
        for group in self.groups(values):
            self.tell(f"{self.graph.name}: {done} of {len(values)} values")
            paths = [value.path for value in group]
            yield partial(self.compared, with_taps(replace(graph, outputs={}), paths), weights)
            done += len(group)

    def groups(self, values: Sequence[Value]) -> Iterator[list[Value]]:
        held, group = 0, list[Value]()
        for value in values:
            elements = sum(prod(shape_at(value.type.shape, sizes)) for sizes in self.sizes)
            if group and held + elements > AT_ONCE:
                yield group
                held, group = 0, []
            held += elements
            group.append(value)
        if group:
            yield group

    def compared(self, graph: Graph, weights: Arrays, *, losses: bool = False) -> Judged:
        """Runs a graph in both, and compares its outputs. With `losses` it is the whole, in PyTorch its own module.

        Raises:
            FailedError: one of them can't run it.
        """
        feeds = self.feeds(graph)
        torch = in_torch.InTorch(self.graph, self.weights, losses=True) if losses else in_torch.InTorch(graph, weights)
        ours, theirs = torch.rounded(feeds), in_onnx.outputs(graph, weights, feeds)
        judged = self.judged(graph, ours, theirs, torch)
        return judged if _same(judged) else self.tied(graph, weights, judged)

    def tied(self, graph: Graph, weights: Arrays, judged: Judged) -> Judged:
        """Compares again with PyTorch's choices in both; as it was, where that is not the reason."""
        tapped, chosen = with_choices(_alone(graph))
        if not chosen:
            return judged
        feeds, torch = self.feeds(graph), in_torch.InTorch(tapped, weights)
        ours = torch.rounded(feeds)
        choices = [
            {name: value for name, value in zip(tapped.outputs, found, strict=True) if name in chosen} for found in ours
        ]
        theirs = in_onnx.outputs(
            tapped, weights, [{**feed, **more} for feed, more in zip(feeds, choices, strict=True)], chosen
        )
        again = self.judged(tapped, ours, theirs, torch, part=FEW)
        return [_told(values, chosen)[: len(graph.outputs)] for values in again] if _same(again) else judged

    def judged(
        self,
        graph: Graph,
        ours: list[list[Array]],
        theirs: list[list[Array]],
        torch: in_torch.InTorch,
        part: float = 0.0,
    ) -> Judged:
        """Compares what both have found, at each of the sizes."""
        kept = frozenset(size.name for size in graph.kept)
        return [
            Judge(sizes, self.asked.tolerance, part, kept).all(
                graph.outputs, list(map(Found, *found)), partial(torch.exact, feed)
            )
            for sizes, feed, *found in zip(self.sizes, self.feeds(graph), ours, theirs, strict=True)
        ]

    def add(self, what: What, comparisons: Iterable[Callable[[], Judged]]) -> None:
        """Makes comparisons, up to the first in which something differs, and notes a run for each of the sizes."""
        found: Judged = [[] for _ in self.sizes]
        for compare in comparisons:
            try:
                judged = compare()
            except FailedError as error:
                self.runs.append(Run(self.graph.name, what, self.sizes[error.at], failure=str(error)))
                return
            found = [[*values, *more] for values, more in zip(found, judged, strict=True)]
            if not _same(judged):
                break
        self.runs += [
            Run(self.graph.name, what, sizes, tuple(values)) for sizes, values in zip(self.sizes, found, strict=True)
        ]


def _same(judged: Judged) -> bool:
    return all(value.same for values in judged for value in values)


def _told(values: list[Judgement], chosen: frozenset[str]) -> list[Judgement]:
    """Says of each value how many choices were others."""
    ties = sum(round(value.error * prod(value.shape)) for value in values if value.name in chosen)
    return [replace(value, ties=ties) for value in values]


def _renamed(whole: Graph) -> Graph:
    """A graph whose outputs have no names of inputs: ONNX has one space of names."""
    outputs = {f"{name}_" if name in whole.inputs else name: value for name, value in whole.outputs.items()}
    return replace(whole, outputs=outputs)


def _alone(graph: Graph) -> Graph:
    """The graph without what it has beside it: taps are not for the classes of training."""
    own = {path for path, _ in graph.weights()}
    rules = (replace(rule, paths=tuple(path for path in rule.paths if path in own)) for rule in graph.init)
    return replace(graph, training=None, sampling=None, init=tuple(rule for rule in rules if rule.paths))


def _values(graph: Graph) -> list[Value]:
    """All that is computed: weights that are used as values are not."""
    return [value for node in graph.nodes if not isinstance(node.op, WeightValue) for value in node.outputs]
