"""The values of a model's weights."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from graphc.initial import initial_value
from graphc.tensor import Weight
from graphc_onnx.draft import Array, Source


def source(weights: Mapping[str, Array] | None, seed: int) -> Source:
    """Those that are given, or else the initial ones for a seed."""
    return initial(seed) if weights is None else given(weights)


def initial(seed: int) -> Source:
    """Those that the spec says they begin with."""
    return lambda path, weight: initial_value(path, weight, seed)


def given(weights: Mapping[str, Array]) -> Source:
    """Those of a caller, by path.

    Raises:
        ValueError: when asked for one that is missing or has another shape.
    """

    def value(path: str, weight: Weight) -> Array:
        if path not in weights:
            raise ValueError(f"no weight is given for {path}")
        found = np.asarray(weights[path], weight.dtype)
        if found.shape != weight.shape:
            raise ValueError(f"{path} needs the shape {list(weight.shape)}, the weight given has {list(found.shape)}")
        return found

    return value
