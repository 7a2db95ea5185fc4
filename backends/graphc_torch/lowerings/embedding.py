"""Tables of learned vectors, and tensors that are learned by themselves."""

from __future__ import annotations

from graphc.graph import WeightValue
from graphc.ops.embedding import Embedding, Learned
from graphc.tensor import Tensor
from graphc_torch.layer import Call, Layer, inferred, keywords, lower, positional


@lower.register
def _(op: Embedding, input: Tensor) -> Layer:
    sizes = (positional(op, "num_embeddings"), positional(op, "embedding_dim"))
    return Layer(Call("nn.Embedding", (*sizes, *keywords(op, "padding_idx"))))


@lower.register
def _(op: Learned) -> Layer:
    return Layer(Call("Learned", tuple(inferred("size", size) for size in op.shape)), helper=True)


@lower.register
def _(op: WeightValue) -> Layer:
    return Layer(function=Call(op.of, style="weight"))
