"""The live module: the generated source, loaded, with initial values that depend on the seed and each weight's path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import nn

from graphc.graph import Graph
from graphc.initial import Array, initial_values
from graphc_torch import loaded
from graphc_torch.given import given
from graphc_torch.inside import remember
from graphc_torch.program import program
from graphc_torch.writer import class_name, source, training_name


def load(
    graph: Graph, seed: int = 0, weights: Mapping[str, object] | None = None, *, torchvision_ops: bool = False
) -> nn.Module:
    """The module of a graph, in training mode as a new module is.

    Raises:
        ValueError: weights are given, and one is missing or has another shape.
    """
    values = initial_values(graph, seed) if weights is None else given(graph, weights)
    made = _made(source(graph, torchvision_ops=torchvision_ops), graph.name, class_name(graph), values)
    remember(type(made), graph)
    return made


def load_training(
    graph: Graph, seed: int = 0, weights: Mapping[str, object] | None = None, *, torchvision_ops: bool = False
) -> nn.Module:
    """The module that holds the network as `model`, and gives its losses.

    Raises:
        ValueError: the graph has no training part with losses; or a weight is not given, or has another shape.
    """
    whole = program(graph)
    if not whole.has_training:
        raise ValueError(f"`{graph.name}` has no `training` with losses")
    drawn = initial_values(graph, seed, training=True)
    values = drawn if weights is None else given(graph, {**dict(drawn), **weights}, training=True)
    placed = ((whole.place_of(path), value) for path, value in values)
    return _made(source(graph, torchvision_ops=torchvision_ops), graph.name, training_name(graph), placed)


def _made(text: str, title: str, name: str, values: Iterable[tuple[str, Array]]) -> nn.Module:
    """An instance of a class of a graph's source, with these weights."""
    kind = getattr(loaded.load(text, title), name)
    with torch.device("meta"):
        made: nn.Module = kind()
    made.load_state_dict({path: torch.from_numpy(value) for path, value in values}, assign=True)
    return made
