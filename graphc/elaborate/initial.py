"""`init`: the distributions that a spec gives to weights, by op or by path; a later entry wins.

A distribution is a number, or a name of `graphc.distributions` with arguments. Given for an op or a path that is no
weight itself, it is that of each `weight` there; `{weight: …, bias: …}` names several.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from graphc.diagnostics import Span, did_you_mean, listed
from graphc.distributions import DISTRIBUTIONS, ConstantValue, Distribution
from graphc.elaborate.arguments import read_argument, read_formula
from graphc.elaborate.build import Build
from graphc.elaborate.frame import Frame
from graphc.elaborate.make import make
from graphc.elaborate.things import Argument, Arguments, Failed
from graphc.elaborate.weights import Weights
from graphc.graph import InitRule, Node
from graphc.ops import OPS
from graphc.source import Mapping, Scalar, Tree


@dataclass(frozen=True, slots=True)
class Initialiser:
    """Reads `init` in the frame of the file; `nodes` are all that own weights."""

    build: Build
    frame: Frame
    weights: Weights
    nodes: list[Node]

    def read(self, tree: Mapping) -> Iterator[InitRule]:
        """What the spec says of initial values, in its order."""
        for text, key in tree.keys.items():
            with suppress(Failed):
                paths = self._at(key)
                for name, distribution in self._named(tree.values[text]):
                    chosen = self._chosen(paths, name, key)
                    self._require_fit(chosen, distribution, key)
                    yield InitRule(key.text if key.text in OPS else "", distribution, tuple(chosen))

    def _at(self, key: Scalar) -> list[str]:
        """The weights of an op, or at a path."""
        if key.text not in OPS:
            return self.weights.at(read_formula(self.build, key), self.frame)
        own = [node for node in self.nodes if node.op.name == key.text]
        paths = [f"{node.home}.{name}" for node in own for name in node.weights()]
        if not paths:
            self.build.fail("E302", f"no `{key.text}` with weights in the graph", key.span)
        return paths

    def _named(self, tree: Tree) -> Iterator[tuple[Scalar | None, Distribution]]:
        """Distributions, each with the name of its weights, none for what goes without saying."""
        if isinstance(tree, Mapping) and not tree.keys:
            self.build.fail("E203", "`init` needs a distribution", tree.span, "{normal: {std: 0.02}}")
        if isinstance(tree, Mapping) and not _is_distribution(tree):
            for text, name in tree.keys.items():
                yield name, self._distribution(tree.values[text])
        else:
            yield None, self._distribution(tree)

    def _distribution(self, tree: Tree) -> Distribution:
        """A number, a name, or a name with arguments."""
        if isinstance(tree, Mapping) and len(tree.keys) == 1:
            (key,) = tree.keys.values()
            return self._made(key, tree.values[key.text])
        if isinstance(tree, Scalar) and (tree.text in DISTRIBUTIONS or did_you_mean(tree.text, DISTRIBUTIONS)):
            return self._made(tree, None)
        argument = read_argument(self.build, "float", tree, self.frame)
        return make(self.build, ConstantValue, Arguments({"val": argument}), tree.span)

    def _made(self, key: Scalar, tree: Tree | None) -> Distribution:
        kind = DISTRIBUTIONS.get(key.text)
        if kind is None:
            hint = did_you_mean(key.text, DISTRIBUTIONS, f"there is {listed(list(DISTRIBUTIONS))}")
            self.build.fail("E207", f"no distribution `{key.text}`", key.span, hint)
        return make(self.build, kind, Arguments(dict(self._arguments(kind, tree, key.span))), key.span)

    def _arguments(self, kind: type[Distribution], tree: Tree | None, span: Span) -> Iterator[tuple[str, Argument]]:
        if isinstance(tree, Mapping):
            for text, value in tree.values.items():
                if text not in kind.model_fields:
                    hint = did_you_mean(text, kind.model_fields, f"it has {listed(list(kind.model_fields))}")
                    self.build.fail("E402", f"`{kind.name}` has no argument `{text}`", tree.keys[text].span, hint)
                kind_of = "float" if kind.model_fields[text].annotation is float else "text"
                yield text, read_argument(self.build, kind_of, value, self.frame)
        elif tree is not None and not (isinstance(tree, Scalar) and tree.is_empty):
            if kind.main is None:
                self.build.fail("E404", f"`{kind.name}` takes no argument alone: name it", span)
            yield kind.main, read_argument(self.build, "float", tree, self.frame)

    def _chosen(self, paths: list[str], name: Scalar | None, key: Scalar) -> list[str]:
        """Those of the weights that are meant."""
        last = key.text.rpartition(".")[2]
        are_weights = name is None and all(path.rpartition(".")[2] == last for path in paths)
        wanted = name.text if name else last if are_weights else "weight"
        chosen = [path for path in paths if path.rpartition(".")[2] == wanted]
        if not chosen:
            known = sorted({path.rpartition(".")[2] for path in paths})
            span = name.span if name else key.span
            hint = did_you_mean(wanted, known, f"there is {listed(known)}")
            self.build.fail("E302", f"no weight is called `{wanted}` at `{key.text}`", span, hint)
        return chosen

    def _require_fit(self, paths: list[str], distribution: Distribution, key: Scalar) -> None:
        """Some distributions need weights of certain sizes."""
        for path in paths if distribution.need else ():
            shape = self.weights.all[path].shape
            fixed = [size for size in shape if isinstance(size, int)]
            if len(fixed) < len(shape) or not distribution.fits(fixed):
                message = f"`{distribution.name}` {distribution.need}; `{path}` is {self.weights.all[path].shape}"
                self.build.fail("E404", message, key.span)


def _is_distribution(tree: Mapping) -> bool:
    """Whether a mapping is one distribution, perhaps misspelt, rather than one for each weight."""
    (key, *others) = tree.keys or ("",)
    return not others and (key in DISTRIBUTIONS or bool(did_you_mean(key, DISTRIBUTIONS)))
