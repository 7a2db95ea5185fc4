"""The weights of a graph, each read when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from graphc.checkpoint.fit import Fit
from graphc.initial import Array, initial_value


@dataclass(frozen=True, slots=True, eq=False)
class Loaded(Mapping[str, Array]):
    """A fit as a mapping from our paths to arrays of the weights' types and shapes."""

    fit: Fit

    def __getitem__(self, path: str) -> Array:
        if path in self.fit.absent:
            return initial_value(path, self.fit.absent[path])
        weight, origin, stored = self.fit.found[path]
        shape = tuple(int(str(size)) for size in weight.shape)
        made = origin.array({name: it.read() for name, it in zip(origin.names, stored, strict=True)}, shape)
        return np.ascontiguousarray(made, weight.dtype).reshape(shape)

    def __iter__(self) -> Iterator[str]:
        yield from self.fit.found
        yield from self.fit.absent

    def __len__(self) -> int:
        return len(self.fit.found) + len(self.fit.absent)
