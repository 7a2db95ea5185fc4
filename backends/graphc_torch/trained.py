"""The code of `frozen` and `trains`: which weights are trained, and by which loss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from graphc.graph import Loss, weights_of
from graphc_torch.layout import Bracket, Entry, lines
from graphc_torch.program import Program
from graphc_torch.shared import module_code


def freezing(program: Program) -> Iterator[str]:
    """The lines that freeze what is not trained, at the end of the constructor."""
    part = program.graph.training
    for path in held_by(program, part.frozen) if part else ():
        yield f"        {module_code(path, '')}.requires_grad_(False)"


def trained_by(program: Program) -> Iterator[str]:
    """The method that says which parameters a loss trains, where the losses differ in that."""
    part = program.graph.training
    if part is None or not any(loss.trained for loss in part.losses):
        return
    yield "    def trained_by(self, loss: str) -> list[nn.Parameter]:"
    yield '        """The parameters that a loss trains."""'
    entries = tuple(Entry(loss.name, Bracket("", tuple(_parameters(program, loss)), "[]")) for loss in part.losses)
    yield from lines(Bracket("", entries, "{}"), 2, "parameters: dict[str, list[nn.Parameter]] = ")
    yield "        return parameters[loss]"
    yield ""


def _parameters(program: Program, loss: Loss) -> Iterator[str]:
    """The parameters that a loss trains, as the items of a list."""
    if not loss.trained:
        yield "*self.parameters()"
    for path in held_by(program, loss.trained):
        is_weight = path in program.paths
        yield f'self.get_parameter("{path}")' if is_weight else f"*{module_code(path, '')}.parameters()"


def held_by(program: Program, paths: Iterable[str]) -> list[str]:
    """The paths of the modules, or weights, that hold just these weights; as few as there are."""
    wanted = set(map(program.place_of, paths))
    known = [path for path, weight in weights_of(program.whole.root) if not weight.buffer]
    others = {module for path in known if path not in wanted for module in _around(path)}
    found: dict[str, None] = {}
    for path in filter(wanted.__contains__, known):
        found[next((module for module in _around(path) if module not in others), path)] = None
    return list(found)


def _around(path: str) -> Iterator[str]:
    """The modules around a weight, the outermost first."""
    parts = path.split(".")
    for count in range(1, len(parts)):
        yield ".".join(parts[:count])
