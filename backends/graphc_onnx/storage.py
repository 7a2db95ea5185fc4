"""Where the values of weights are stored: in the model itself, or in a file beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from onnx import TensorProto

from graphc_onnx.elements import Array

SUFFIX = ".data"
"""Behind the name of a model's file: the file with its weights."""
PAGE = 4096
"""Bytes: where a weight begins that can be mapped into memory instead of read."""
SMALLEST = 1024
"""Bytes: a weight with less stays in the model."""


class Storage(Protocol):
    """Stores the values of a weight, whose bytes are little-endian, for a tensor that has its type and sizes."""

    def __call__(self, tensor: TensorProto, values: Array) -> None: ...


def inside(tensor: TensorProto, values: Array) -> None:
    """In the tensor itself."""
    tensor.raw_data = values.tobytes()


@dataclass(frozen=True, slots=True)
class Beside:
    """In a file that is open, one weight behind the other."""

    file: BinaryIO
    name: str

    def __call__(self, tensor: TensorProto, values: Array) -> None:
        if values.nbytes < SMALLEST:
            inside(tensor, values)
            return
        start = -(-self.file.tell() // PAGE) * PAGE
        self.file.seek(start)
        self.file.write(values.reshape(-1).view("u1").data)
        tensor.data_location = TensorProto.EXTERNAL
        for key, text in (("location", self.name), ("offset", start), ("length", values.nbytes)):
            tensor.external_data.add(key=key, value=str(text))


@contextmanager
def beside(model: Path) -> Iterator[Storage]:
    """A file beside that of a model; its name is the model's and `.data`."""
    name = model.name + SUFFIX
    with model.with_name(name).open("wb") as file:
        yield Beside(file, name)
