"""How well the tensors of a file fit a graph, under each of the names that its weights may have there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

from graphc.checkpoint.origins import NOTHING, MisfitError, Origin, Shape, is_below
from graphc.checkpoint.stored import Stored, Tensors
from graphc.graph import Graph
from graphc.tensor import Weight

OWN = ""
"""The name of the table of the graph's own paths."""
PREFIXES = ("", "module.", "_orig_mod.", "model.", "module.model.", "model.module.")
"""What wrappers put before all names, or before those of the network."""
COUNTER = "num_batches_tracked"
"""A buffer that nothing is computed with, and that many files lack."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Tensors taken for the weights of a graph, as a table names them.

    `found` has each weight with what it is made of. `missing` are names that the file lacks, `unexpected` those that
    no weight has, `wrong` our paths with what is wrong there.
    """

    table: str
    found: dict[str, tuple[Weight, Origin, tuple[Stored, ...]]] = field(default_factory=dict)
    absent: dict[str, Weight] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    wrong: dict[str, str] = field(default_factory=dict)

    @property
    def is_wrong(self) -> bool:
        return self.problems > 0

    @property
    def problems(self) -> int:
        return len(self.missing) + len(self.unexpected) + len(self.wrong)


def best(graph: Graph, tensors: Tensors, *, training: bool = False) -> Fit:
    """The fit with the fewest problems; where several are equal, the graph's own names go before the tables."""
    return min(_fits(graph, tensors, training), key=lambda fit: (fit.problems, len(fit.missing)))


def _fits(graph: Graph, tensors: Tensors, training: bool) -> Iterator[Fit]:
    tables: dict[str, Mapping[str, Origin]] = {OWN: {}, **graph.checkpoints}
    for prefix in PREFIXES:
        if any(name.startswith(prefix) for name in tensors):
            short = {name.removeprefix(prefix): stored for name, stored in tensors.items()}
            yield from (fitted(graph, short, name, table, training=training) for name, table in tables.items())


def fitted(graph: Graph, tensors: Tensors, name: str, table: Mapping[str, Origin], *, training: bool = False) -> Fit:
    """The tensors taken for weights under one table.

    What exists in training alone is known; it is wanted where `training` is built, and may be absent else.
    """
    fit = Fit(name)
    wanted = dict(chain(graph.weights(), graph.training_weights() if training else ()))
    for path, weight in wanted.items():
        _add(fit, tensors, path, weight, table.get(path) or Origin((path,)))
    paths = chain(wanted, (path for path, _ in graph.training_weights()))
    known = {taken for path in paths for taken in (table.get(path) or Origin((path,))).names}
    ignored = table[NOTHING].names if NOTHING in table else ()
    fit.unexpected.extend(
        taken for taken in tensors if taken not in known and not is_spare(taken) and not is_below(taken, ignored)
    )
    return fit


def _add(fit: Fit, tensors: Tensors, path: str, weight: Weight, origin: Origin) -> None:
    """Finds one weight, or says what is wrong with it."""
    missing = [name for name in origin.names if name not in tensors]
    if missing and is_counter(path):
        fit.absent[path] = weight
    elif missing:
        fit.missing.extend(name for name in missing if name not in fit.missing)
    else:
        stored = tuple(tensors[name] for name in origin.names)
        problem = _problem(origin, {name: tensors[name].shape for name in origin.names}, weight)
        if problem:
            fit.wrong[path] = problem
        fit.found[path] = weight, origin, stored


def is_counter(path: str) -> bool:
    return path.rpartition(".")[2] == COUNTER


def is_spare(name: str) -> bool:
    """Whether a tensor of a file is no weight, but follows from sizes, as torchvision's indices of Swin's biases do."""
    return is_counter(name) or name.rpartition(".")[2] == "relative_position_index"


def _problem(origin: Origin, shapes: Mapping[str, Shape], weight: Weight) -> str:
    """What is wrong with the shapes of the tensors that a weight is made of; nothing where they fit."""
    wanted = tuple(size if isinstance(size, int) else -1 for size in weight.shape)
    theirs = " and ".join(str(list(shape)) for shape in shapes.values())
    names = " and ".join(f"`{name}`" for name in shapes)
    try:
        made = origin.shape(shapes, wanted)
    except MisfitError as error:
        return f"{names} is {theirs}, and {error}"
    if made == wanted:
        return ""
    gives = f", which gives {list(made)}" if made not in shapes.values() else ""
    return f"{names} is {theirs}{gives}; it must be {list(wanted)}"
