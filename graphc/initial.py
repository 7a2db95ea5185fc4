"""Initial values of the weights: numbers that depend on the seed and the weight's path alone, for every backend."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from hashlib import sha256
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphc.graph import Graph
from graphc.tensor import Bilinear, Constant, Gaussian, Normal, Uniform, Weight

Array = NDArray[Any]

MOST_DRAWS = 100


def initial_values(graph: Graph, seed: int = 0, *, training: bool = False) -> Iterator[tuple[str, Array]]:
    """Every weight's path and its initial value, in the order of the state dict; then those of training, if asked."""
    for path, weight in chain(graph.weights(), graph.training_weights() if training else ()):
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
        case Uniform(bound, middle):
            values = np.asarray(_generator(path, seed).random(shape, dtype=np.float32))
            return np.asarray((2 * values - 1) * np.float32(bound) + np.float32(middle), dtype=weight.dtype)
        case Normal(mean, std, zero_row, limits):
            values = _normal(_generator(path, seed), shape, mean, std, limits or (-np.inf, np.inf))
            if zero_row is not None:
                values[zero_row] = 0
            return np.asarray(values, weight.dtype)
        case Bilinear():
            return _bilinear(shape)
        case Gaussian(std, mean):
            return np.asarray(np.broadcast_to(_gaussian(shape[2:], std, mean), shape), weight.dtype)


def _gaussian(sizes: tuple[int, ...], std: float, mean: float) -> Array:
    """A Gaussian over the places of a kernel, whose values sum to 1."""
    places = [np.arange(size) - (size - 1) / 2 - mean for size in sizes]
    profiles = [np.exp(-np.square(place) / (2 * std**2)) for place in places]
    return np.asarray(reduce(np.multiply.outer, [profile / profile.sum() for profile in profiles], np.ones(())))


def _normal(
    generator: np.random.Generator, shape: tuple[int, ...], mean: float, std: float, limits: tuple[float, float]
) -> Array:
    """Normal values; those outside the limits are drawn again, and put to the nearest limit after many times."""
    low, high = limits
    values = np.asarray(generator.standard_normal(shape, dtype=np.float32) * np.float32(std) + np.float32(mean))
    for _ in range(MOST_DRAWS):
        outside = (values < low) | (values > high)
        if not outside.any():
            break
        again = generator.standard_normal(int(outside.sum()), dtype=np.float32)
        values[outside] = again * np.float32(std) + np.float32(mean)
    return values if limits == (-np.inf, np.inf) else np.asarray(values.clip(low, high))


def _bilinear(shape: tuple[int, ...]) -> Array:
    """Weights of a transposed convolution [in, out, *kernel] that interpolates: `upsample_filt` of FCN's authors."""
    values = np.zeros(shape, np.float32)
    factors = [(size + 1) // 2 for size in shape[2:]]
    triangles = [1 - abs(np.arange(n) - (n - 1) / 2) / f for n, f in zip(shape[2:], factors, strict=True)]
    channel = np.arange(shape[0])
    values[channel, channel % shape[1]] = reduce(np.multiply.outer, triangles)
    return values


def _generator(path: str, seed: int) -> np.random.Generator:
    digest = sha256(f"{seed}:{path}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))
