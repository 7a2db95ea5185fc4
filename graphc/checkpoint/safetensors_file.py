"""Files of the safetensors format: a tensor is read when it is asked for, from a file that stays mapped."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np

from graphc.checkpoint.stored import Stored, Tensors
from graphc.initial import Array

HALVES = {"BF16": 16}
"""Types that numpy has not, and how many bits a float32 has more than they: they are its upper half."""


def read(path: Path) -> Tensors:
    """The tensors of a file; nothing but its head is read at once.

    Raises:
        ValueError: it is damaged, or none.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118  the file is no mapping
    except SafetensorError as error:
        raise ValueError(f"it is damaged: {error}") from error
    found = {}
    for name, piece in slices.items():
        take = _upper_half if piece.get_dtype() in HALVES else _plain
        found[name] = Stored(tuple(piece.get_shape()), partial(take, path, name))
    return found


def _plain(path: Path, name: str) -> Array:
    from safetensors import safe_open

    with safe_open(path, "np") as file:
        return np.asarray(file.get_tensor(name))


def _upper_half(path: Path, name: str) -> Array:
    """A tensor of bfloat16 as float32, from where the head of the file says that it lies."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        entry = json.loads(file.read(size))[name]
    start, _ = entry["data_offsets"]
    shape = tuple(entry["shape"])
    halves = np.memmap(path, "<u2", "r", 8 + size + start, shape)
    return (halves.astype(np.uint32) << 16).view(np.float32)
