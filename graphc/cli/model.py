"""Options of `build` for files that hold a whole model."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, TypeAlias

from typer import Option


class Dtype(StrEnum):
    """The type of real numbers."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"


OpsetOption: TypeAlias = Annotated[
    int | None, Option("--opset", metavar="N", help="ONNX: at least that opset. [default: 18]")
]
"""`--opset 21`."""

DtypeOption: TypeAlias = Annotated[
    Dtype | None, Option("--dtype", metavar="TYPE", help="ONNX: float16 or bfloat16, in and out too.")
]
"""`--dtype float16`."""

FunctionsOption: TypeAlias = Annotated[bool, Option("--functions", help="ONNX: keep blocks as functions.")]
"""`--functions`."""

ExternalDataOption: TypeAlias = Annotated[bool, Option("--external-data", help="ONNX: weights in a file beside.")]
"""`--external-data`."""

TorchvisionOpsOption: TypeAlias = Annotated[
    bool, Option("--torchvision-ops", help="PyTorch: torchvision's RoI ops and NMS.")
]
"""`--torchvision-ops`."""
