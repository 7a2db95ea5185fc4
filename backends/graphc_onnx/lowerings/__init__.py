"""How each op is written in ONNX, one file a family as in `graphc.ops`. Importing these registers them with `lower`."""

from __future__ import annotations

from graphc_onnx.lowerings import activation, conv, join, linear, norm, pool, shape
from graphc_onnx.lowerings.base import lower

__all__ = ["FAMILIES", "lower"]

FAMILIES = (activation, conv, join, linear, norm, pool, shape)
"""The modules with lowerings."""
