"""Element types as ONNX numbers them, and arrays as the bytes that ONNX stores."""

from __future__ import annotations

from typing import Any, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from graphc.tensor import DType
from graphc_onnx.form import Real

Array: TypeAlias = NDArray[Any]
Element: TypeAlias = DType | Real

ELEMENTS: dict[Element, int] = {
    "bool": TensorProto.BOOL,
    "float32": TensorProto.FLOAT,
    "float16": TensorProto.FLOAT16,
    "bfloat16": TensorProto.BFLOAT16,
    "int64": TensorProto.INT64,
}
REALS = frozenset(ELEMENTS[real] for real in get_args(Real))
NORMAL: dict[Real, tuple[float, float]] = {
    "float16": (2.0**-14, 65504.0),
    "bfloat16": (2.0**-126, (2 - 2.0**-7) * 2.0**127),
}
"""The smallest and the largest normal number of the types with 16 bits."""
HIDDEN_BITS = 16
"""Of a float32 as bits, those that a bfloat16 has not."""


def held(dtype: DType, real: Real) -> Element:
    """The element type of a value, in a model whose real numbers are of one type."""
    return real if dtype == "float32" else dtype


def within(value: Array, real: Real) -> Array:
    """Numbers of float32 brought into a type's range: never to 0 what is not 0, nor to infinity what is finite.

    So 1e-12, which keeps a division from going wrong, still does; and -1e9, which hides, still hides.
    """
    if real not in NORMAL or value.dtype != np.float32:
        return value
    least, most = NORMAL[real]
    size = np.abs(value)
    near = np.where(np.isfinite(value) & (value != 0), np.clip(size, least, most), size)
    return np.asarray(np.copysign(near, value), np.float32)


def stored(value: Array, real: Real) -> tuple[int, Array]:
    """ONNX's element type and an array with the bytes that it stores, float32 in the type for real numbers."""
    if value.dtype != np.float32 or real == "float32":
        kind = helper.np_dtype_to_tensor_dtype(value.dtype)
        return kind, np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
    if real == "float16":
        with np.errstate(over="ignore"):
            return ELEMENTS[real], np.ascontiguousarray(value, "<f2")
    return ELEMENTS[real], np.ascontiguousarray(_rounded(value), "<u2")


def overflows(value: Array, real: Real) -> bool:
    """Whether a finite number is more than a type can hold."""
    if real not in NORMAL or value.dtype != np.float32:
        return False
    finite = np.abs(value[np.isfinite(value)])
    return bool(finite.max(initial=0) > NORMAL[real][1])


def _rounded(value: Array) -> Array:
    """The bits of float32 rounded to those of bfloat16, halves to even."""
    bits = np.ascontiguousarray(value).view(np.uint32)
    even = (bits >> HIDDEN_BITS) & 1
    rounded = (bits + (0x7FFF + even)) >> HIDDEN_BITS
    return np.where(np.isnan(value), 0x7FC0, rounded).astype(np.uint16)
