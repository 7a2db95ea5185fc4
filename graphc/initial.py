"""Initial values of the weights: numbers that depend on the seed and the weight's path alone, for every backend."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphc.graph import Graph
from graphc.tensor import Constant, Uniform, Weight

Array = NDArray[Any]


def initial_values(graph: Graph, seed: int = 0) -> Iterator[tuple[str, Array]]:
    """Every weight's path and its initial value, in the order of the state dict."""
    for path, weight in graph.weights():
        yield path, initial_value(path, weight, seed)


def initial_value(path: str, weight: Weight, seed: int = 0) -> Array:
    """The initial value of the weight at a path.

    Raises:
        ValueError: the weight's shape has a free size.
    """
    shape = tuple(size for size in weight.shape if isinstance(size, int))
    if len(shape) != len(weight.shape):
        raise ValueError(f"{path}: the shape {weight.shape} has a free size")
    match weight.initial:
        case Constant(value):
            return np.full(shape, value, dtype=weight.dtype)
        case Uniform(bound):
            digest = sha256(f"{seed}:{path}".encode()).digest()
            generator = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))
            values = generator.random(shape, dtype=np.float32)
            return ((2 * values - 1) * np.float32(bound)).astype(weight.dtype)
