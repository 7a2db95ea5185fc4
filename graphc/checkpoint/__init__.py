"""Weights from files: read, recognised by the names that they have there, and told as a whole where they don't fit."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphc.graph import Graph
    from graphc.initial import Array

__all__ = ["read_weights"]


def read_weights(
    graph: Graph, given: str | PathLike[str] | Mapping[str, object], *, said: str = "weights", training: bool = False
) -> Mapping[str, Array]:
    """The weights of a graph by its own paths: arrays of their types and shapes, each read when it is asked for.

    They are given by a file, or by arrays under the names of one. `said` is what gave them, as an error calls it. With
    `training`, the weights of the training part are among them.

    Raises:
        graphc.diagnostics.SpecError: the file can't be read (E701), or doesn't fit the graph (E702).
    """
    from graphc.checkpoint.fit import best
    from graphc.checkpoint.loaded import Loaded
    from graphc.checkpoint.readers import read
    from graphc.checkpoint.stored import tensors
    from graphc.checkpoint.wrong import Place, misfit

    file = None if isinstance(given, Mapping) else Path(fspath(given))
    place = Place(said, str(file) if file else "the weights given")
    found = tensors(given) if isinstance(given, Mapping) else read(Path(fspath(given)), place)
    graph = graph.bound()
    fit = best(graph, found, training=training)
    if fit.is_wrong:
        raise misfit(graph, fit, place)
    return Loaded(fit)
