"""The code of `init`: a function that is applied to all modules for what is said of ops, lines for what is at paths."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from graphc.distributions import ConstantValue, Distribution
from graphc.graph import InitRule, Node, Scope, weights_of
from graphc_torch.layer import layer_of
from graphc_torch.layout import Bracket, Keyword, lines
from graphc_torch.names import HELPERS
from graphc_torch.program import Program
from graphc_torch.term import literal

FUNCTION = "init_weights"
MOST_LINES = 4
"""More weights than these are set in a loop."""


@dataclass(slots=True)
class Initialisation:
    """What is said of the initial values in a program.

    `classes` has the class of the module at each path, `by_class` what holds for all modules of a class: the name of a
    weight and its distribution; `by_path` the rest, in the order of the spec.
    """

    program: Program
    classes: dict[str, str] = field(default_factory=dict)
    by_class: dict[str, dict[str, Distribution]] = field(default_factory=lambda: defaultdict(dict))
    by_path: list[tuple[Distribution, list[str]]] = field(default_factory=list)
    weights: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        whole = self.program.whole
        self.weights = dict.fromkeys(path for path, _ in weights_of(whole.root))
        self.classes = {node.home: name for node in whole.nodes if (name := _class_of(node))}
        in_force = {path: rule for rule in whole.init for path in rule.paths}
        for rule in whole.init:
            names = self.named(rule)
            for name in names:
                self.by_class[name][_weight(rule.paths[0])] = rule.distribution
            paths = [path for path in rule.paths if in_force[path] is rule]
            if paths and not names:
                self.by_path.append((rule.distribution, paths))

    def named(self, rule: InitRule) -> list[str]:
        """The classes whose modules a rule is for: all of each, and no others."""
        weight = _weight(rule.paths[0])
        names = {self.classes.get(_module(path), "") for path in rule.paths} if rule.op else set()
        meant = {path for path in self.weights if _weight(path) == weight and self.classes.get(_module(path)) in names}
        return sorted(names) if meant == set(rule.paths) and "" not in names else []

    def function(self) -> Iterator[str]:
        """The function that gives a module's weights the values that its class has here."""
        if not self.by_class:
            return
        yield f"def {FUNCTION}(module: nn.Module) -> None:"
        yield '    """Draws the first values of a module\'s weights."""'
        groups: dict[str, list[str]] = defaultdict(list)
        for name, weights in self.by_class.items():
            body = "\n".join(line for weight in weights.items() for line in self.drawn(name, *weight))
            groups[body].append(name)
        for body, names in groups.items():
            yield from lines(Bracket("isinstance", ("module", " | ".join(names))), 1, "if ", ":")
            yield body

    def drawn(self, name: str, weight: str, distribution: Distribution) -> Iterator[str]:
        """The lines for one weight of the modules of a class, some of which may not have it."""
        target = f"module.{weight}"
        homes = [path for path, kind in self.classes.items() if kind == name]
        optional = name.startswith("nn.Conv") or any(f"{path}.{weight}" not in self.weights for path in homes)
        if weight == "bias" and optional:
            yield f"        if {target} is not None:"
            yield from draw(distribution, target, 3)
        else:
            yield from draw(distribution, target, 2)

    def of_scope(self, scope: Scope) -> Iterator[str]:
        """The lines at the end of the constructor of the network, or of its training for what is there alone."""
        if scope is self.program.model:
            yield from [f"        self.apply({FUNCTION})"] if self.by_class else []
        elif scope is self.program.whole.root:
            yield from (f"        self.{name}.apply({FUNCTION})" for name in self.own_modules(scope))
        else:
            return
        for distribution, paths in self.by_path:
            here = [path for path in paths if self.belongs(path, scope)]
            yield from self.at_paths(distribution, here, scope)

    def own_modules(self, scope: Scope) -> list[str]:
        """The modules beside the network that have weights with values of their class."""
        homes = [path for path, kind in self.classes.items() if kind in self.by_class]
        own = (path.partition(".")[0] for path in homes if self.belongs(f"{path}.weight", scope))
        return list(dict.fromkeys(own))

    def belongs(self, path: str, scope: Scope) -> bool:
        """Whether a weight is set by the class of a scope."""
        in_model = path.startswith(f"{self.program.model.home}.") or not self.program.has_training
        return in_model == (scope is self.program.model)

    def at_paths(self, distribution: Distribution, paths: Sequence[str], scope: Scope) -> Iterator[str]:
        """The lines for weights at some paths below a scope."""
        inside = f"{scope.home}." if scope.home else ""
        if len(paths) <= MOST_LINES:
            for path in paths:
                yield from draw(distribution, f'self.get_parameter("{path.removeprefix(inside)}")', 2)
            return
        yield "        for name, weight in self.named_parameters():"
        end = self.ending(paths)
        if end:
            yield from lines(Bracket("name.endswith", (f'".{end}"',)), 3, "if ", ":")
        else:
            names = tuple(f'"{path.removeprefix(inside)}"' for path in paths)
            yield from lines(Bracket("", names, "{}"), 3, "if name in ", ":")
        yield from draw(distribution, "weight", 4)

    def ending(self, paths: Sequence[str]) -> str:
        """How the paths end and no others do; empty where there is no such ending."""
        parts = paths[0].split(".")
        for count in range(1, len(parts)):
            end = ".".join(parts[-count:])
            if {path for path in self.weights if path.endswith(f".{end}")} == set(paths):
                return end
        return ""


def draw(distribution: Distribution, target: str, indent: int) -> list[str]:
    """The call that sets a weight."""
    if isinstance(distribution, ConstantValue) and distribution.val in (0, 1):
        return lines(Bracket("nn.init.ones_" if distribution.val else "nn.init.zeros_", (target,)), indent)
    fields = type(distribution).model_fields
    given = [(name, getattr(distribution, name), fields[name]) for name in fields]
    arguments = [Keyword(name, literal(value)) for name, value, field in given if value != field.default]
    name = f"{distribution.name}_"
    return lines(Bracket(name if name in HELPERS else f"nn.init.{name}", (target, *arguments)), indent)


def _class_of(node: Node) -> str:
    """The class of a node's module, empty where it has none."""
    call = layer_of(node).module
    return call.name if call else ""


def _module(path: str) -> str:
    return path.rpartition(".")[0]


def _weight(path: str) -> str:
    return path.rpartition(".")[2]
