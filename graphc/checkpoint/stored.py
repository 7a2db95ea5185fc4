"""Tensors as they lie in a file: what is known of them before they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias, cast

import numpy as np

from graphc.initial import Array

Tensors: TypeAlias = "Mapping[str, Stored]"

STATES = ("state_dict", "model_state_dict", "model", "module", "net", "params")
"""Where training programs put the state dict in what they save."""
DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor: its shape, and how it is read."""

    shape: tuple[int, ...]
    read: Callable[[], Array]


def tensors(given: Mapping[str, object]) -> Tensors:
    """The tensors of a state dict, or of what it is wrapped in: {"state_dict": …}."""
    found = dict(_held(given))
    for _ in range(DEEPEST):
        inner = next((given[key] for key in STATES if isinstance(given.get(key), Mapping)), None)
        if found or not isinstance(inner, Mapping):
            break
        given, found = inner, dict(_held(inner))
    return found


def _held(given: Mapping[str, object]) -> Iterator[tuple[str, Stored]]:
    """What is an array, or can be one without further ado."""
    for name, value in given.items():
        shape = getattr(value, "shape", None)
        if shape is not None:
            yield str(name), Stored(tuple(shape), _reader(value))


def _reader(value: object) -> Callable[[], Array]:
    return lambda: np.asarray(_at_rest(cast("_Tensor", value)) if hasattr(value, "detach") else value)


class _Tensor(Protocol):
    """A tensor of torch, as far as it is needed here."""

    dtype: object

    def detach(self) -> _Tensor: ...

    def cpu(self) -> _Tensor: ...

    def float(self) -> _Tensor: ...


def _at_rest(tensor: _Tensor) -> _Tensor:
    """A tensor that numpy can take: without gradients, on the CPU, of a type that it has."""
    plain = tensor.detach().cpu()
    return plain.float() if str(plain.dtype) == "torch.bfloat16" else plain
