"""Carries weights over from one architecture to another, along their difference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from graphc.diff.difference import Diff
from graphc.initial import initial_value

if TYPE_CHECKING:
    from graphc.initial import Array


def transferred(diff: Diff, weights: Mapping[str, Array], seed: int = 0) -> Iterator[tuple[str, Array]]:
    """Every weight of the new graph with its value, in the order of the state dict.

    Those that carry over are as in `weights`, which has them by the paths of the old graph; new ones, and those of
    another shape, have the initial values for the seed.
    """
    carried = diff.weights.carried
    for path, weight in diff.after.weights():
        old = carried.get(path)
        yield path, weights[old] if old is not None else initial_value(path, weight, seed)


def write(diff: Diff, weights: Mapping[str, Array], path: Path, seed: int = 0) -> None:
    """Writes the weights of the new graph as a file of the safetensors format, whole or not at all.

    Raises:
        graphc.output.OutputError: it can't be written.
    """
    from safetensors.numpy import save_file

    from graphc.output import write_all

    write_all([(path, lambda place: save_file(dict(transferred(diff, weights, seed)), place))])
