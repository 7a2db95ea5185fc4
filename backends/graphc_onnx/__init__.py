"""The ONNX backend of graphc: a graph becomes an ONNX model, one file for all sizes that the graph allows.

A node has the path of its op and an initializer that of its weight, as in `state_dict()` of the PyTorch backend.
"""

from __future__ import annotations

from collections.abc import Mapping

from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings import lower
from graphc_onnx.model import DEFAULT_OPSET, model, write

__all__ = ["DEFAULT_OPSET", "SUFFIXES", "Emitter", "lower", "model", "write"]

SUFFIXES: Mapping[str, str] = {".onnx": "ONNX model with weights"}
