"""The values of a module's weights where a caller gives them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

import numpy as np
from torch import Tensor

from graphc.graph import Graph
from graphc.initial import Array


def given(graph: Graph, weights: Mapping[str, object], *, training: bool = False) -> Iterator[tuple[str, Array]]:
    """The weights of a graph by path, then those of training, if asked, copied from arrays or tensors.

    Raises:
        ValueError: one is missing, or has another shape.
    """
    for path, weight in chain(graph.weights(), graph.training_weights() if training else ()):
        if path not in weights:
            raise ValueError(f"no weight is given for {path}")
        value = weights[path]
        plain = value.detach().cpu().numpy() if isinstance(value, Tensor) else value
        found = np.array(plain, weight.dtype)
        if found.shape != weight.shape:
            raise ValueError(f"{path} needs the shape {list(weight.shape)}, the weight given has {list(found.shape)}")
        yield path, found
