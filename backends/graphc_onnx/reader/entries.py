"""What a name of an ONNX graph stands for while it is read: a value of the new graph, a known array, a stored one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from onnx import TensorProto, numpy_helper

from graphc.dims import Dim, Size
from graphc.graph import Value
from graphc.tensor import DType
from graphc_onnx.elements import Array

MOST_KNOWN = 4096
"""Elements of an array that is looked into; of a larger one the shape is all that matters."""
MOST_CALCULATED = 1 << 20
"""Elements of an array that is calculated: the masks of windows come to a hundred thousand."""
KINDS: dict[int, DType] = {
    TensorProto.BOOL: "bool",
    **dict.fromkeys(
        (
            TensorProto.INT8,
            TensorProto.INT16,
            TensorProto.INT32,
            TensorProto.INT64,
            TensorProto.UINT8,
            TensorProto.UINT16,
            TensorProto.UINT32,
            TensorProto.UINT64,
        ),
        "int64",
    ),
}
"""Element types of ONNX as those of graphc; all others are real numbers."""


class UnreadError(Exception):
    """A node that graphc has no op for, or not in this form."""


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A tensor of the file: its name, shape and element type. Those that are small enough can be looked into."""

    name: str
    shape: tuple[int, ...]
    dtype: DType
    tensor: TensorProto | None = None

    @property
    def count(self) -> int:
        return int(np.prod(self.shape, dtype=object)) if self.shape else 1


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """An array whose elements are known: numbers, or sizes of which some are free."""

    array: Array
    dtype: DType

    @property
    def sizes(self) -> tuple[Size, ...]:
        """The elements of a list of sizes."""
        return tuple(plain(each) for each in self.array.reshape(-1).tolist())

    def one(self) -> Size | float | bool:
        """The only element.

        Raises:
            UnreadError: there are several.
        """
        if self.array.size != 1:
            raise UnreadError("one number is wanted")
        return plain(self.array.reshape(-1).tolist()[0], self.dtype)


Entry: TypeAlias = Value | Known | Stored


def plain(number: object, dtype: DType = "int64") -> Size:
    """A number of an array in the type that ops take."""
    if isinstance(number, Dim):
        return number
    kinds = {"bool": bool, "int64": int, "float32": float}
    return kinds[dtype](number)  # type: ignore[no-any-return]  # of object arrays nothing is known


def kind_of(element: int) -> DType:
    """An element type of ONNX as one of graphc."""
    return KINDS.get(element, "float32")


def stored(tensor: TensorProto, name: str = "") -> Stored:
    """A tensor of the file."""
    return Stored(name or tensor.name, tuple(tensor.dims), kind_of(tensor.data_type), tensor)


def known(entry: Entry, most: int = MOST_KNOWN) -> Known | None:
    """What is known of an entry's elements, of a tensor of the file up to so many."""
    if isinstance(entry, Known):
        return entry
    if not isinstance(entry, Stored) or entry.tensor is None or entry.count > most:
        return None
    if entry.tensor.data_location == TensorProto.EXTERNAL or entry.tensor.data_type == TensorProto.STRING:
        return None
    return of_tensor(entry.tensor)


def of_tensor(tensor: TensorProto) -> Known:
    """The elements of a small tensor.

    Raises:
        UnreadError: the tensor is damaged.
    """
    try:
        array = numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError, RuntimeError) as error:
        raise UnreadError(f"the tensor `{tensor.name}` is damaged") from error
    kind = kind_of(tensor.data_type)
    wide = {"bool": bool, "int64": object, "float32": np.float64}[kind]
    return Known(array.astype(np.int64).astype(object) if kind == "int64" else array.astype(wide), kind)
