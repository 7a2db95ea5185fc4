"""Attention, and the masks that say what it may see."""

from __future__ import annotations

from graphc.ops.attention import Attention, CausalMask
from graphc.tensor import Tensor
from graphc_torch.layer import Call, Layer, keywords, lower, positional


@lower.register
def _(
    op: Attention, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, bias: Tensor | None = None
) -> Layer:
    """torch's function, which takes a bias as a mask; a helper where that is not all."""
    if op.heads is None and op.dropout_p == 0 and (mask is None or bias is None):
        return Layer(function=Call("functional.scaled_dot_product_attention", keywords(op, "is_causal", "scale")))
    if op.dropout_p == 0 and mask is None and bias is None:
        return Layer(function=Call("attention_of_heads", keywords(op, "heads", "is_causal", "scale")), helper=True)
    return Layer(Call("Attention", keywords(op, "heads", "is_causal", "scale", "dropout_p")), helper=True)


@lower.register
def _(op: CausalMask) -> Layer:
    return Layer(function=Call("causal_mask", (positional(op, "size"),), like=("device",)), helper=True)
