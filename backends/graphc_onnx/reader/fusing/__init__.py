"""Ops of ours that a file writes with several operators: each is found at the last of them, from the graph so far.

What stood for its parts stays where something else reads it, and goes at the end where nothing does.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphc.ops import Op
from graphc.ops.arithmetic import Add, Divide, Matmul, Multiply
from graphc_onnx.reader.fusing.activation import (
    gelu,
    hardsigmoid,
    hardsigmoid_by_product,
    hardswish,
    hardswish_divided,
    silu,
)
from graphc_onnx.reader.fusing.attention import attention
from graphc_onnx.reader.fusing.layers import layer_norm, linear_bias, norm_bias, norm_scale
from graphc_onnx.reader.growing import Fusion

FUSIONS: dict[type[Op], Sequence[Fusion]] = {
    Add: (linear_bias, norm_bias),
    Divide: (hardsigmoid, hardswish_divided, layer_norm),
    Matmul: (attention,),
    Multiply: (silu, hardswish, hardsigmoid_by_product, gelu, norm_scale),
}
"""What is tried on each op."""
