"""Random inputs and weights with which an error shows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain

import numpy as np

from graphc.dims import substitute
from graphc.graph import Graph, Value
from graphc.initial import Array, initial_value
from graphc.tensor import Constant, Initial, Normal, Shape, Uniform, Weight
from graphc.verify.ranges import Range, ranges

Sizes = Mapping[str, int]
"""A number for each free size."""
Arrays = Mapping[str, Array]
"""Arrays by the names of inputs, or the paths of weights."""

WHOLE = Range(0, 3)
"""Whole numbers of which nothing is known."""
GAIN = math.sqrt(6)
"""PyTorch draws weights from ±1/√n, whose variance is 1/(3n); 2/n keeps the size of values on their way through ReLUs
(He et al. 2015, equation 10)."""


def shape_at(shape: Shape, sizes: Sizes) -> tuple[int, ...]:
    """A shape in numbers."""
    return tuple(int(str(substitute(size, sizes))) for size in shape)


def inputs(graph: Graph, sizes: Sizes, seed: int) -> Arrays:
    """A value for each input: normal numbers, or even ones in the range that the graph asks for."""
    generator, wanted = np.random.default_rng(seed), ranges(graph)
    return {name: _input(value, wanted.get(value, []), sizes, generator) for name, value in graph.inputs.items()}


def weights(graph: Graph, seed: int, *, training: bool = False) -> Arrays:
    """A value for each weight, by its path: what begins as one number is another for each element.

    They depend on the seed and the path alone. With `training`, those that exist in training alone come too.
    """
    drawn = chain(graph.weights(), graph.training_weights() if training else ())
    return {path: initial_value(path, replace(weight, initial=_lively(weight)), seed) for path, weight in drawn}


def _input(value: Value, asked: list[Range], sizes: Sizes, generator: np.random.Generator) -> Array:
    shape, dtype = shape_at(value.type.shape, sizes), value.type.dtype
    if dtype == "bool":
        return np.asarray(generator.random(shape) < 0.5)
    if dtype == "float32" and not asked:
        return np.asarray(generator.standard_normal(shape), np.float32)
    bounds = [wanted.at(sizes) for wanted in asked or [WHOLE]]
    low, high = max(low for low, _ in bounds), min(high for _, high in bounds)
    if dtype == "int64":
        return _whole(int(low), max(int(low), int(high)), shape, generator, distinct=any(one.distinct for one in asked))
    return np.asarray(generator.uniform(low, max(low, high), shape), np.float32)


def _whole(low: int, high: int, shape: tuple[int, ...], generator: np.random.Generator, *, distinct: bool) -> Array:
    count = high - low + 1
    if distinct and math.prod(shape) <= count:
        return np.asarray(low + generator.permutation(count)[: math.prod(shape)].reshape(shape), np.int64)
    return np.asarray(generator.integers(low, high, shape, endpoint=True))


def _lively(weight: Weight) -> Initial:
    """Where the values of a weight come from, if not from where the spec says."""
    match weight.initial:
        case Constant(value) if weight.dtype == "float32":
            return Uniform(0.5, 1.0) if value else Normal(std=0.5)
        case Uniform(bound, middle) if len(weight.shape) > 1:
            return Uniform(bound * GAIN, middle)
        case Normal(std=0):
            return Normal(std=0.5)
    return weight.initial
