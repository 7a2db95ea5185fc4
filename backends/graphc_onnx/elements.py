"""Element types as ONNX numbers them."""

from __future__ import annotations

from onnx import TensorProto

from graphc.tensor import DType

ELEMENTS: dict[DType, int] = {"bool": TensorProto.BOOL, "float32": TensorProto.FLOAT, "int64": TensorProto.INT64}
