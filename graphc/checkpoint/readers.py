"""Reads files of weights: .safetensors here, others by the backend that knows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from graphc.backends import GROUP, entries
from graphc.checkpoint import safetensors_file
from graphc.checkpoint.stored import Tensors, tensors
from graphc.checkpoint.wrong import Place, unreadable
from graphc.diagnostics import did_you_mean, listed

Reader: TypeAlias = Callable[[Path], Tensors]


def read(path: Path, place: Place) -> Tensors:
    """The tensors of a file.

    Raises:
        graphc.diagnostics.SpecError: it can't be read.
    """
    known = dict(_readers())
    if path.suffix.lower() not in known:
        guess = did_you_mean(path.suffix, known)
        raise unreadable(place, f"a file of weights ends in {listed(sorted(known))}", guess)
    try:
        with path.open("rb"):
            found = known[path.suffix.lower()](path)
    except OSError as error:
        raise unreadable(place, error.strerror or str(error)) from error
    except ValueError as error:
        raise unreadable(place, str(error)) from error
    if not found:
        raise unreadable(place, "there are no tensors in it", "save `model.state_dict()`")
    return found


def _readers() -> Iterator[tuple[str, Reader]]:
    """How to read files, by their suffixes; a backend that can has `READS`, the suffixes, and `read`."""
    yield ".safetensors", safetensors_file.read
    for entry in entries(GROUP):
        try:
            backend = entry.load()
        except ImportError:
            continue
        for suffix in getattr(backend, "READS", ()):
            yield suffix, _by(backend.read)


def _by(read_state: Callable[[Path], Mapping[str, object]]) -> Reader:
    return lambda path: tensors(read_state(path))
