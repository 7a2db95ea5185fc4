"""Ops of ours that a file writes with several operators: each is found at the last of them, from the graph so far.

What stood for its parts stays where something else reads it, and goes at the end where nothing does.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphc.layout import MOVES
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
from graphc_onnx.reader.fusing.heads import heads, nothing_moved
from graphc_onnx.reader.fusing.layers import layer_norm, linear_bias, norm_bias, norm_scale
from graphc_onnx.reader.fusing.lengths import normalized
from graphc_onnx.reader.growing import Fusion, Shortcut

FUSIONS: dict[type[Op], Sequence[Fusion]] = {
    Add: (linear_bias, norm_bias),
    Divide: (hardsigmoid, hardswish_divided, layer_norm, normalized),
    Matmul: (attention,),
    Multiply: (silu, hardswish, hardsigmoid_by_product, gelu, norm_scale),
}
"""What is tried on each op."""
SHORTCUTS: dict[type[Op], Sequence[Shortcut]] = dict.fromkeys(MOVES, (nothing_moved, heads))
"""What is tried on each op that may be no new one: values that are there already, or are made of others."""
