"""What a caller can ask of a model. Nothing here loads onnx."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, TypedDict, get_args

from graphc.backends import BackendError
from graphc.diagnostics import listed

Real: TypeAlias = Literal["float32", "float16", "bfloat16"]
"""The type of a model's real numbers: its weights, inputs, outputs and all between."""
DEFAULT_OPSET = 18
BYTES: dict[str, int] = {"bool": 1, "bfloat16": 2, "float16": 2, "float32": 4, "int64": 8}


class Options(TypedDict, total=False):
    """The options of `model` and `write`, by name; what is not given is as in `Form`."""

    opset: int
    dtype: Real
    functions: bool


@dataclass(frozen=True, slots=True)
class Form:
    """The lowest opset that is wanted, the type of real numbers, and whether blocks stay as functions.

    Raises:
        BackendError: there is no such type.
    """

    opset: int = DEFAULT_OPSET
    dtype: Real = "float32"
    functions: bool = False

    def __post_init__(self) -> None:
        if self.dtype not in get_args(Real):
            raise BackendError(f"there is no dtype `{self.dtype}`; there are {listed(list(get_args(Real)))}")
