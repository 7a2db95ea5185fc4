"""Windows as columns and back, and pooling undone."""

from __future__ import annotations

from graphc.ops.base import extent
from graphc.ops.patches import Fold, MaxUnpool2d, Unfold
from graphc.tensor import Tensor
from graphc_torch.layer import Call, Layer, keywords, lower, positional
from graphc_torch.sizes import free_sizes


@lower.register
def _(op: Fold, input: Tensor) -> Layer:
    arguments = (positional(op, "output_size"), *keywords(op, "kernel_size", "dilation", "padding", "stride"))
    module = None if next(free_sizes(op), None) else Call("nn.Fold", arguments)
    return Layer(module, Call("functional.fold", arguments))


@lower.register
def _(op: MaxUnpool2d, input: Tensor, indices: Tensor, like: Tensor | None = None) -> Layer:
    names = ("kernel_size", "stride", "padding")
    if like is not None:
        return Layer(function=Call("max_unpool2d_like", keywords(op, *names)), helper=True)
    pairs = {name: extent(getattr(op, name), 2) for name in names if getattr(op, name)}  # torch's types know no other
    return Layer(function=Call("functional.max_unpool2d", keywords(op.model_copy(update=pairs), *names)))


@lower.register
def _(op: Unfold, input: Tensor) -> Layer:
    arguments = keywords(op, "kernel_size", "dilation", "padding", "stride")
    return Layer(Call("nn.Unfold", arguments), Call("functional.unfold", arguments))
